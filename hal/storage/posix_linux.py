"""Storage in one folder of a POSIX file system (contract Storage).

commit() writes a temporary file, syncs it, renames it and syncs the folder: on ext4 a rename alone
may leave an empty file after a power cut. `durable=False` skips every sync: only for a simulation
run faster than real time.
"""

import errno
import os

from wattledger.hal.errors import StorageError

_TEMPORARY = ".tmp"


def _failed(error, name):
    code = error.errno if error.errno in (errno.ENOSPC, errno.EROFS) else errno.EIO
    return StorageError(code, "%s: %s" % (name, error.strerror or "write failed"))


class PosixStorage:
    """Files of `folder`, which must exist."""

    def __init__(self, folder, durable=True):
        self._folder = str(folder)
        self._durable = durable

    def _path(self, name):
        return os.path.join(self._folder, name)

    def commit(self, name, data):
        temporary = self._path(name + _TEMPORARY)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write_all(descriptor, data)
                self._sync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(temporary, self._path(name))
            self._sync_folder()
        except OSError as error:
            raise _failed(error, name) from error

    def append(self, name, data):
        try:
            descriptor = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _write_all(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _failed(error, name) from error

    def sync(self, name):
        if not self._durable:
            return
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY)
            try:
                self._sync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _failed(error, name) from error

    def read_from(self, name, offset, into):
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _failed(error, name) from error
        try:
            return os.preadv(descriptor, [into], offset)
        except OSError as error:
            raise _failed(error, name) from error
        finally:
            os.close(descriptor)

    def size(self, name):
        try:
            return os.stat(self._path(name)).st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _failed(error, name) from error

    def remove(self, name):
        try:
            os.unlink(self._path(name))
            self._sync_folder()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed(error, name) from error

    def names(self):
        try:
            with os.scandir(self._folder) as entries:
                return sorted(entry.name for entry in entries if _is_present(entry))
        except OSError as error:
            raise _failed(error, self._folder) from error

    def free(self):
        try:
            status = os.statvfs(self._folder)
        except OSError as error:
            raise _failed(error, self._folder) from error
        return status.f_bavail * status.f_frsize

    def _sync(self, descriptor):
        if self._durable:
            # The size of an appended file is metadata that fdatasync does write (fsync(2)).
            getattr(os, "fdatasync", os.fsync)(descriptor)

    def _sync_folder(self):
        if not self._durable:
            return
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_present(entry):
    """True for a file that holds something and is no unfinished commit."""
    return not entry.name.endswith(_TEMPORARY) and entry.is_file() and entry.stat().st_size > 0


def _write_all(descriptor, data):
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
