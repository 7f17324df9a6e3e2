"""A ROMFS image that lies in a file, mounted as it is: one file takes a slot's worth of flash.

In a file system of 4 KiB blocks a hundred small files take twice their bytes, and each folder two
blocks more. MicroPython's own VfsRom needs the image in memory. The image is mpremote's:
MicroPython, docs/reference/romfs, records of kind, length (both 7 bits a byte, high ones first)
and payload.
"""

import errno
import io

MAGIC = b"\xd2\xcd\x31"
READ_ONLY = 30  # EROFS, which MicroPython's errno has no name for
DATA = 2
DIRECTORY = 4
FILE = 5
IS_FOLDER, IS_FILE = 0x4000, 0x8000
BUFFER_IOCTL = 11  # MicroPython asks a stream how much it likes to give at once
READ_BYTES = 128


class Archive:
    """The image in the file `path`; what vfs.mount() wants. OSError when it is none."""

    def __init__(self, path):
        self._file = open(path, "rb")
        if self._file.read(len(MAGIC)) != MAGIC:
            self._file.close()
            raise OSError(errno.EINVAL)
        length = self._number()
        self._begin = self._file.tell()
        self._end = self._begin + length

    def mount(self, readonly, mkfs):
        """Nothing is to be done."""

    def umount(self):
        """Let go of the file."""
        self._file.close()

    def chdir(self, path):
        """OSError unless it is a folder."""
        if not self._find(path)[0]:
            raise OSError(errno.ENOTDIR)

    def getcwd(self):
        """Always the image's root."""
        return "/"

    def stat(self, path):
        """As os.stat(). OSError(ENOENT)."""
        folder, begin, end = self._find(path)
        mode = IS_FOLDER if folder else IS_FILE
        return (mode, 0, 0, 0, 0, 0, 0 if folder else end - begin, 0, 0, 0)

    def ilistdir(self, path):
        """(name, mode, 0, bytes) of what is in a folder."""
        folder, begin, end = self._find(path)
        if not folder:
            raise OSError(errno.ENOTDIR)
        found = []
        for name, is_folder, first, last in self._entries(begin, end):
            mode = IS_FOLDER if is_folder else IS_FILE
            found.append((str(name, "utf-8"), mode, 0, 0 if is_folder else last - first))
        return iter(found)

    def open(self, path, mode):
        """A file to read bytes from. OSError: there is none, or it was to be written."""
        if "w" in mode or "a" in mode or "+" in mode:
            raise OSError(READ_ONLY)
        folder, begin, end = self._find(path)
        if folder:
            raise OSError(errno.EISDIR)
        return Piece(self._file, begin, end)

    def _find(self, path):
        """(is a folder, begin, end) of what a path names. OSError(ENOENT)."""
        folder, begin, end = True, self._begin, self._end
        for part in path.split("/"):
            if not part:
                continue
            wanted = part.encode()
            found = None
            if folder:
                for name, is_folder, first, last in self._entries(begin, end):
                    if name == wanted:
                        found = is_folder, first, last
                        break
            if found is None:
                raise OSError(errno.ENOENT)
            folder, begin, end = found
        return folder, begin, end

    def _entries(self, begin, end):
        file = self._file
        while begin < end:
            file.seek(begin)
            kind = self._number()
            length = self._number()
            begin = file.tell() + length
            if kind not in (DIRECTORY, FILE):
                continue
            name = file.read(self._number())
            first = file.tell()
            if kind == FILE:
                if self._number() != DATA:
                    raise OSError(errno.EINVAL)
                length = self._number()
                first = file.tell()
                yield name, False, first, first + length
            else:
                yield name, True, first, begin

    def _number(self):
        value = 0
        while True:
            got = self._file.read(1)
            if not got:
                raise OSError(errno.EINVAL)
            value = value << 7 | got[0] & 0x7F
            if got[0] < 0x80:
                return value


class Piece(io.IOBase):
    """A file of the archive: bytes `begin` to `end` of the image's file."""

    def __init__(self, file, begin, end):
        self._file = file
        self._at = begin
        self._end = end

    def readinto(self, into):
        """Bytes read into a buffer; 0 at the end."""
        count = min(len(into), self._end - self._at)
        if count <= 0:
            return 0
        self._file.seek(self._at)
        count = self._file.readinto(memoryview(into)[:count])
        self._at += count
        return count

    def read(self, size=-1):
        """Up to `size` bytes, all of them by default."""
        rest = self._end - self._at
        got = bytearray(rest if size is None or size < 0 else min(size, rest))
        return bytes(memoryview(got)[: self.readinto(got)])

    def __iter__(self):
        """Its lines, each with the end that it has."""
        line = b""
        piece = self.read(READ_BYTES)
        while piece:
            line += piece
            at = line.find(b"\n") + 1
            while at:
                yield line[:at]
                line = line[at:]
                at = line.find(b"\n") + 1
            piece = self.read(READ_BYTES)
        if line:
            yield line

    def ioctl(self, request, argument):
        """MicroPython's: how much is read at once."""
        return READ_BYTES if request == BUFFER_IOCTL else 0

    def close(self):
        """The image's file stays open: it is the archive's."""

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self.close()
