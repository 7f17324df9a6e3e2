"""Storage that breaks at a chosen operation. Portable."""

from wattledger.hal.errors import StorageError
from wattledger.hal.storage.memory import MemoryStorage

EIO = 5
ENOSPC = 28
EROFS = 30


class PowerCut(BaseException):  # nothing under test may catch it
    """The supply went away in the middle of a storage operation."""


class BreakingStorage(MemoryStorage):
    """Counts what changes storage (commit, append, sync, remove) from 1 in `operations`.

    At `cut_at` the power goes: before the operation, or after it when `late`. At `fail_at` that
    one operation raises StorageError: before it took effect, or after it when `late`, as a sync
    does whose data reached the disk all the same.
    """

    def __init__(self):
        super().__init__()
        self.operations = 0
        self.cut_at = 0
        self.fail_at = 0
        self.late = False
        self.unreadable = None  # name of a file whose blocks the medium does not give back

    def read_from(self, name, offset, into):
        if name == self.unreadable:
            raise StorageError(EIO, name)
        return super().read_from(name, offset, into)

    def _do(self, name, change, *arguments):
        self.operations += 1
        hit = self.operations in (self.cut_at, self.fail_at)
        if not hit or self.late:
            change(name, *arguments)
        if hit and self.operations == self.cut_at:
            raise PowerCut()
        if hit:
            raise StorageError(EIO, name)

    def commit(self, name, data):
        self._do(name, super().commit, data)

    def append(self, name, data):
        self._do(name, super().append, data)

    def sync(self, name):
        self._do(name, super().sync)

    def remove(self, name):
        self._do(name, super().remove)

    def power_cut(self):
        super().power_cut()
        self.cut_at = self.fail_at = 0


class TearingStorage(MemoryStorage):
    """With `tear` set, the next sync stores so many bytes of what was appended, then the power
    goes."""

    def __init__(self):
        super().__init__()
        self.tear = None
        self.asked = 0  # bytes the last sync was to store

    def sync(self, name):
        pending = self._unsynced.get(name, b"")
        self.asked = len(pending)
        if self.tear is None:
            super().sync(name)
            return
        self.files[name].extend(pending[: self.tear])
        self._unsynced.pop(name, None)
        self.tear = None
        raise PowerCut()


class FullStorage(MemoryStorage):
    """Holds no more than `room` bytes; a file that is replaced needs room for both."""

    def __init__(self):
        super().__init__()
        self.room = 1 << 20

    def used(self):
        """Bytes of all files, with what waits for a sync."""
        waiting = sum([len(data) for data in self._unsynced.values()])
        return waiting + sum([len(data) for data in self.files.values()])

    def commit(self, name, data):
        if self.used() + len(data) > self.room:
            raise StorageError(ENOSPC, name)
        super().commit(name, data)

    def append(self, name, data):
        if self.used() + len(data) > self.room:
            raise StorageError(ENOSPC, name)
        super().append(name, data)
