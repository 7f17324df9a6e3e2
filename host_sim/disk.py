"""A POSIX disk that keeps only what was synced: the calls of `os` that storage makes, on a folder.

What a power cut leaves is any mixture: of a file that was written and not synced each sector may
be the old or the new one and its size too, and of the folder's changes that were not synced each
may have reached the disk or not. Nothing of that depends on order.
"""

import errno
import os
import random
from collections.abc import Callable

SECTOR_BYTES = 512
O_RDONLY, O_WRONLY, O_CREAT = os.O_RDONLY, os.O_WRONLY, os.O_CREAT
O_TRUNC, O_APPEND = os.O_TRUNC, os.O_APPEND
path = os.path


class _File:
    """What a program reads (`live`) and what the medium has (`durable`)."""

    def __init__(self, durable: bytes = b"") -> None:
        self.live = bytes(durable)
        self.durable = bytes(durable)


class _Entry:
    """What scandir gives."""

    def __init__(self, name: str, file: _File) -> None:
        self.name = name
        self._file = file

    def is_file(self) -> bool:
        """There are no folders in the folder."""
        return True

    def stat(self) -> os.stat_result:
        """The size alone."""
        return _status(self._file)


class _Listing(list[_Entry]):
    def __enter__(self) -> "_Listing":
        return self

    def __exit__(self, *why: object) -> None:
        """Nothing is held open."""


class Disk:
    """`files` (name -> bytes) are durable. Stands in for the module `os` in PosixStorage.

    `operations` counts what changes something; `watch` is called before each. The one numbered
    `fail_at` raises OSError of `errno`, and with `fail_ever` so does each after it. Every other
    name of `os` that is asked for is an AttributeError: nothing goes past the model.
    """

    O_RDONLY, O_WRONLY, O_CREAT = O_RDONLY, O_WRONLY, O_CREAT
    O_TRUNC, O_APPEND = O_TRUNC, O_APPEND
    path = path

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self._names = {name: _File(data) for name, data in (files or {}).items()}
        self._kept = dict(self._names)  # name -> file, as the folder stands on the medium
        # Of the folder, not synced; the names of one change reach the medium together.
        self._changes: list[tuple[tuple[str, _File | None], ...]] = []
        self._open: dict[int, tuple[_File | None, int]] = {}
        self._next = 3
        self.operations = 0
        self.watch: Callable[[], None] | None = None
        self.fail_at = 0
        self.fail_ever = False
        self.errno = errno.EIO

    # The calls of os.

    def open(self, name: str, flags: int, mode: int = 0o777) -> int:
        """A descriptor of a file, or of the folder."""
        name = os.path.basename(name)
        file = None
        if name:
            file = self._names.get(name)
            if file is None and not flags & O_CREAT:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            if file is None:
                self._change()
                file = _File()
                self._enter(name, file)
            elif flags & O_TRUNC:
                self._change()
                file.live = b""
        self._next += 1
        self._open[self._next] = (file, flags)
        return self._next

    def close(self, descriptor: int) -> None:
        """Syncs nothing."""
        del self._open[descriptor]

    def write(self, descriptor: int, data: bytes) -> int:
        """At the end of the file: storage writes nowhere else."""
        file = self._file(descriptor)
        self._change()
        file.live += bytes(data)
        return len(data)

    def fdatasync(self, descriptor: int) -> None:
        """The file's bytes are durable; that it has a name is not."""
        file = self._file(descriptor)
        self._change()
        file.durable = file.live

    def fsync(self, descriptor: int) -> None:
        """Of the folder: its names are durable."""
        file, _ = self._open[descriptor]
        if file is not None:
            self.fdatasync(descriptor)
            return
        self._change()
        self._kept = dict(self._names)
        self._changes = []

    def rename(self, name: str, wanted: str) -> None:
        """Over what has that name."""
        name, wanted = os.path.basename(name), os.path.basename(wanted)
        self._change()
        file = self._names.pop(name)
        self._names[wanted] = file
        self._changes.append(((wanted, file), (name, None)))

    def unlink(self, name: str) -> None:
        """The name goes; the bytes go with it once that is durable."""
        name = os.path.basename(name)
        if name not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        self._change()
        del self._names[name]
        self._changes.append(((name, None),))

    def preadv(self, descriptor: int, buffers: list[bytearray], offset: int) -> int:
        """Into one buffer."""
        data = self._file(descriptor).live[offset : offset + len(buffers[0])]
        memoryview(buffers[0])[: len(data)] = data
        return len(data)

    def stat(self, name: str) -> os.stat_result:
        """Of a file: the size alone."""
        file = self._names.get(os.path.basename(name))
        if file is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return _status(file)

    def scandir(self, folder: str) -> _Listing:
        """Every file."""
        return _Listing(_Entry(name, file) for name, file in self._names.items())

    def statvfs(self, folder: str) -> os.statvfs_result:
        """A mebibyte is free."""
        return os.statvfs_result((4096, 4096, 512, 256, 256, 0, 0, 0, 0, 255))

    # The world's side.

    def leaves(self, count: int, seed: int) -> list[dict[str, bytes]]:
        """What a power cut now may leave: files by name, at most `count` different ones.

        The first has nothing that was not synced and the second everything; the rest are drawn.
        """
        numbers = random.Random(seed)
        found = [self._left(lambda: False), self._left(lambda: True)]
        for _ in range(8 * count):
            found.append(self._left(lambda: numbers.random() < 0.5))
        different: list[dict[str, bytes]] = []
        for files in found:
            if files not in different and len(different) < count:
                different.append(files)
        return different

    def _left(self, reached: Callable[[], bool]) -> dict[str, bytes]:
        names = dict(self._kept)
        for change in self._changes:
            for name, file in change if reached() else ():
                if file is None:
                    names.pop(name, None)
                else:
                    names[name] = file
        return {name: _mixture(file, reached) for name, file in names.items()}

    def _enter(self, name: str, file: _File) -> None:
        self._names[name] = file
        self._changes.append(((name, file),))

    def _file(self, descriptor: int) -> _File:
        file, _ = self._open[descriptor]
        if file is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return file

    def _change(self) -> None:
        if self.watch:
            self.watch()
        self.operations += 1
        if self.fail_at and (
            self.operations == self.fail_at or self.fail_ever and self.operations > self.fail_at
        ):
            raise OSError(self.errno, os.strerror(self.errno))


def _status(file: _File) -> os.stat_result:
    return os.stat_result((0o100600, 0, 0, 1, 0, 0, len(file.live), 0, 0, 0))


def _mixture(file: _File, reached: Callable[[], bool]) -> bytes:
    """The bytes of a file whose sectors reached the medium or not."""
    old, new = file.durable, file.live
    if old == new:
        return old
    size = len(new) if reached() else len(old)
    made = bytearray(size)
    for start in range(0, size, SECTOR_BYTES):
        end = min(size, start + SECTOR_BYTES)
        part = (new if reached() else old)[start:end]
        made[start : start + len(part)] = part
    return bytes(made)
