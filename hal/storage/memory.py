"""Storage in memory (contract Storage), for simulations: a power cut keeps what was synced."""

from wattledger.hal.errors import StorageError


class MemoryStorage:
    """`fail` set to an errno makes every write raise StorageError with it until it is None."""

    def __init__(self):
        self.files = {}
        self._unsynced = {}
        self.fail = None

    def _check(self, name):
        if self.fail is not None:
            raise StorageError(self.fail, name)

    def commit(self, name, data):
        self._check(name)
        self.files[name] = bytearray(data)
        self._unsynced.pop(name, None)

    def append(self, name, data):
        self._check(name)
        self.files.setdefault(name, bytearray())
        self._unsynced.setdefault(name, bytearray()).extend(data)

    def sync(self, name):
        self._check(name)
        if name in self._unsynced:
            self.files[name].extend(self._unsynced.pop(name))

    def power_cut(self):
        """Forget what was appended and never synced."""
        self._unsynced = {}

    def read_from(self, name, offset, into):
        data = self.files.get(name, b"")
        count = max(0, min(len(into), len(data) - offset))
        into[:count] = data[offset : offset + count]
        return count

    def size(self, name):
        return len(self.files.get(name, b""))

    def remove(self, name):
        self._check(name)
        self.files.pop(name, None)
        self._unsynced.pop(name, None)

    def names(self):
        return sorted([name for name in self.files if self.files[name]])

    def free(self):
        return 1 << 20
