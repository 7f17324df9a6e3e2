"""Storage in one folder of a file system as MicroPython mounts it (contract Storage).

A file system of MicroPython makes a file durable when it is closed (littlefs), so every write
opens, writes and closes, and sync() has nothing left to do. commit() writes a temporary file and
renames it over the old one.
"""

import errno
import os

from wattledger.hal.errors import StorageError

ENOSPC = 28  # of errno, which not every build names
EROFS = 30
_TEMPORARY = ".tmp"
_FOLDER = 0x4000  # st_mode of a folder
_MODE = 0
_SIZE = 6
_BLOCK_BYTES = 1  # of statvfs: f_frsize
_BLOCKS = 2  # f_blocks
_BLOCKS_FREE = 4  # f_bavail


def _failed(error, name):
    code = error.errno if error.errno in (ENOSPC, EROFS) else errno.EIO
    return StorageError(code, "%s: errno %s" % (name, error.errno))


def bytes_free(folder):
    """Bytes free in the file system of `folder`. OSError."""
    status = os.statvfs(folder)
    free = status[_BLOCKS_FREE]
    # littlefs counts a block that two files share twice: a full one has "less than none" free,
    # which the port shows as 2**32 less a few.
    return 0 if free > status[_BLOCKS] else status[_BLOCK_BYTES] * free


class VfsStorage:
    """Files of `folder`, which must exist: of a device its root, where other volumes are too."""

    def __init__(self, folder):
        self._folder = folder
        self._before = folder.rstrip("/") + "/"  # "//x" does not name a volume mounted at "/x"

    def _path(self, name):
        return self._before + name

    def commit(self, name, data):
        temporary = self._path(name + _TEMPORARY)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            os.rename(temporary, self._path(name))
        except OSError as error:
            raise _failed(error, name)

    def append(self, name, data):
        try:
            with open(self._path(name), "ab") as file:
                file.write(data)
        except OSError as error:
            raise _failed(error, name)

    def sync(self, name):
        """Durable since append() closed the file."""

    def read_from(self, name, offset, into):
        try:
            with open(self._path(name), "rb") as file:
                file.seek(offset)
                return file.readinto(into) or 0
        except OSError as error:
            if error.errno == errno.ENOENT:
                return 0
            raise _failed(error, name)

    def size(self, name):
        try:
            return os.stat(self._path(name))[_SIZE]
        except OSError as error:
            if error.errno == errno.ENOENT:
                return 0
            raise _failed(error, name)

    def remove(self, name):
        try:
            os.remove(self._path(name))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise _failed(error, name)

    def names(self):
        try:
            return sorted([name for name in os.listdir(self._folder) if self._is_present(name)])
        except OSError as error:
            raise _failed(error, self._folder)

    def _is_present(self, name):
        """True for a file that holds something and is no unfinished commit."""
        if name.endswith(_TEMPORARY):
            return False
        status = os.stat(self._path(name))
        return not status[_MODE] & _FOLDER and status[_SIZE] > 0

    def free(self):
        try:
            return bytes_free(self._folder)
        except OSError as error:
            raise _failed(error, self._folder)
