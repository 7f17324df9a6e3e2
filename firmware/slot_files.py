"""The files of the two application slots: the trees `a` and `b` below one folder. Portable.

Every write opens and closes its file, which makes it durable on littlefs. Whatever a power cut
leaves here is judged by the manifest's hashes, never by what was meant to be written.
"""

import binascii
import errno
import hashlib
import json
import os

from wattledger.hal.storage.vfs import bytes_free

NAME = "manifest"  # its own file in a slot
PIECE = 1024  # bytes of one read
_FOLDER = 0x4000  # st_mode of a folder
_MODE, _SIZE = 0, 6


class SlotFiles:
    """`folder` holds the trees and is made when it is missing; paths are of is_path()."""

    def __init__(self, folder):
        self._folder = folder

    def path(self, slot, path=None):
        """Where a slot, or a file in it, lies in the file system."""
        tree = self._folder + "/" + slot
        return tree if path is None else tree + "/" + path

    def size(self, slot, path):
        """Bytes of a file, -1 when it is not there."""
        try:
            status = os.stat(self.path(slot, path))
        except OSError:
            return -1
        return -1 if status[_MODE] & _FOLDER else status[_SIZE]

    def append(self, slot, path, data):
        """Add to a file, which is made when it is missing, its folders too. OSError."""
        full = self.path(slot, path)
        at = full.find("/", len(self._folder))
        self._make(self._folder)
        while at > 0:
            if at > len(self._folder):
                self._make(full[:at])
            at = full.find("/", at + 1)
        with open(full, "ab") as file:
            file.write(data)

    def read_from(self, slot, path, offset, into):
        """Bytes read at `offset`; 0 at the end or when the file is not there. OSError."""
        try:
            with open(self.path(slot, path), "rb") as file:
                file.seek(offset)
                return file.readinto(into) or 0
        except OSError as error:
            if error.errno == errno.ENOENT:
                return 0
            raise

    def rename(self, slot, path, name):
        """Give a file another name in its folder. OSError."""
        os.rename(self.path(slot, path), self.path(slot, name))

    def names(self, slot):
        """Paths of all files of a slot; a folder without a file counts as one."""
        found = []
        self._walk(self.path(slot), "", found)
        return found

    def wipe_one(self, slot, path):
        """Remove a file, or a folder that names() gave: True. OSError."""
        full = self.path(slot, path)
        (os.rmdir if os.stat(full)[_MODE] & _FOLDER else os.remove)(full)
        return True

    def free(self):
        """Bytes free in the file system. OSError."""
        return bytes_free(self._folder)

    def sync(self):
        """All that was written is durable when this returns."""
        if hasattr(os, "sync"):
            os.sync()

    def _make(self, folder):
        try:
            os.mkdir(folder)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise

    def _walk(self, folder, prefix, found):
        try:
            names = os.listdir(folder)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            raise
        for name in sorted(names):
            before = len(found)
            if os.stat(folder + "/" + name)[_MODE] & _FOLDER:
                self._walk(folder + "/" + name, prefix + name + "/", found)
                if len(found) == before:
                    found.append(prefix + name)
            else:
                found.append(prefix + name)


def read_manifest(files, slot):
    """(message, SHA-256 of it) of a slot; (b"", None) when there is none. OSError."""
    size = files.size(slot, NAME)
    if size < 0:
        return b"", None
    message = bytearray(size)
    message = bytes(message[: files.read_from(slot, NAME, 0, message)])
    return message, hashlib.sha256(message).digest()


class Listing:
    """`files` of a manifest, each with `path`, `size` and `digest`: of one that was checked before
    its digest went into the selector, or that lies unsigned, as JSON, where nobody signed.

    ValueError, KeyError or TypeError: it is neither.
    """

    def __init__(self, message):
        if message[:1] != b"{":  # a JWS, its payload between two dots
            text = message[message.find(b".") + 1 : message.rfind(b".")]
            text = text.replace(b"-", b"+").replace(b"_", b"/")
            message = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        self.files = [Listed(row) for row in json.loads(message)["files"]]


class Listed:
    """One file of a Listing."""

    def __init__(self, row):
        self.path = row["path"]
        self.size = row["size"]
        self.digest = binascii.unhexlify(row["sha256"])


def inspect(files, slot, manifest):
    """Compare a slot with its Manifest or Listing, a piece at each turn of this generator.

    Yields None; at the end "" when all is as listed, or the path that is not. OSError.
    """
    listed = set([file.path for file in manifest.files] + [NAME])
    for name in files.names(slot):
        if name not in listed:
            yield name  # it could stand in the way of one that is listed
            return
    buffer = bytearray(PIECE)
    for file in manifest.files:
        if files.size(slot, file.path) != file.size:
            yield file.path
            return
        total = hashlib.sha256()
        at = 0
        while at < file.size:
            count = files.read_from(slot, file.path, at, buffer)
            if not count:
                break
            total.update(memoryview(buffer)[:count])
            at += count
            yield None
        if at != file.size or total.digest() != file.digest:
            yield file.path
            return
    yield ""


class Wholeness:
    """`is_whole(slot, digest)` of slots.choose(); `damaged` are the slots that were not."""

    def __init__(self, files):
        self._files = files
        self.damaged = []

    def __call__(self, slot, digest):
        if self._is_whole(slot, digest):
            return True
        self.damaged.append(slot)
        return False

    def _is_whole(self, slot, digest):
        try:
            message, found = read_manifest(self._files, slot)
            if found != digest:
                return False
            inspection = inspect(self._files, slot, Listing(message))
            wrong = None
            while wrong is None:
                wrong = next(inspection)
            return not wrong
        except (OSError, ValueError, KeyError, TypeError):
            return False
