"""The cold state: what changes a few times a month and does not fit the hot slot's 128 bytes.

Two files written in turn. Each names the journal sequence it covers: what entries after that say
is applied on top of it at boot.

    version u8 | generation u32 | sequence u32 | length u16 | payload | crc32 u32
"""

import binascii
import struct

VERSION = 1
NAMES = ("cold.a", "cold.b")
HEAD = "<BIIH"
HEAD_LENGTH = 11
MAX_LENGTH = 1024


def pack(generation, sequence, payload):
    """The bytes of one file."""
    head = struct.pack(HEAD, VERSION, generation, sequence, len(payload))
    data = head + payload
    return data + struct.pack("<I", binascii.crc32(data))


def unpack(data):
    """(generation, sequence, payload), or None when the bytes are not a whole, unchanged file."""
    if len(data) < HEAD_LENGTH + 4 or data[0] != VERSION:
        return None
    _, generation, sequence, length = struct.unpack_from(HEAD, data, 0)
    end = HEAD_LENGTH + length
    if len(data) != end + 4:
        return None
    if struct.unpack_from("<I", data, end)[0] != binascii.crc32(memoryview(data)[:end]):
        return None
    return generation, sequence, bytes(data[HEAD_LENGTH:end])


class ColdPair:
    """load() the newest whole file; commit() over the older one."""

    def __init__(self, storage):
        self._storage = storage
        self._older = 0
        self._generation = 0
        self.damaged = False  # a file was there and could not be read

    def load(self):
        """(sequence, payload) of the newest, or None."""
        newest = None
        for index, name in enumerate(NAMES):
            found = self._read(name)
            if found and found[0] > self._generation:
                self._generation, newest = found[0], found[1:]
                self._older = 1 - index
        return newest

    def _read(self, name):
        try:
            size = self._storage.size(name)
            if not size:
                return None
            data = bytearray(min(size, MAX_LENGTH))
            found = unpack(data[: self._storage.read_from(name, 0, data)])
        except OSError:
            found = None  # there, and not readable
        self.damaged = self.damaged or found is None
        return found

    def commit(self, sequence, payload):
        """Make `payload` durable as covering `sequence`. OSError leaves the other file as it
        was."""
        data = pack(self._generation + 1, sequence, payload)
        self._storage.commit(NAMES[self._older], data)
        self._generation += 1
        self._older = 1 - self._older
