"""Where a world keeps itself: two slots in one file, written in turn.

A slot is `WLW1`, generation, length, CRC-32 of all that follows the CRC and of those two numbers,
then JSON. A killed process can spoil only the slot it was writing; the other one is the state
before. Nothing is flushed to the disk: it guards against kill -9, not against a power cut.
"""

import fcntl
import json
import os
import struct
import time
import zlib

from wattledger.host_sim.errors import StateError

NAME = "world.state"
MAGIC = b"WLW1"
HEADER = struct.Struct("<4sQII")
SLOT_SIZE = 8192
LOCK_WAIT_S = 5  # a server whose meter was killed ends within this


class WorldStore:
    """The file `world.state` in a directory, held by one process at a time. Raises StateError."""

    def __init__(self, directory):
        self._path = os.path.join(str(directory), NAME)
        self._generation = 0
        self._encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
        try:
            os.makedirs(directory, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            message = f"{self._path}: {error.strerror}; use a folder you may write to"
            raise StateError(message) from None
        self._lock()

    def load(self):
        """The newest state saved, None in a new directory."""
        content = os.pread(self._file, 2 * SLOT_SIZE, 0)
        newest = None
        for begin in (0, SLOT_SIZE):
            slot = _open_slot(content[begin : begin + SLOT_SIZE])
            if slot is not None and (newest is None or slot[0] > newest[0]):
                newest = slot
        if newest is None:
            if content.strip(b"\0"):
                raise StateError(f"{self._path}: damaged; move it away to begin a new world")
            return None
        self._generation, text = newest
        return json.loads(text)

    def save(self, state):
        """Write the state over the older slot."""
        self._generation += 1
        text = self._encode(state).encode()
        slot = HEADER.pack(MAGIC, self._generation, len(text), _crc(self._generation, text)) + text
        if len(slot) > SLOT_SIZE:
            raise StateError(f"{self._path}: the state has outgrown its slot of {SLOT_SIZE} bytes")
        try:
            os.pwrite(self._file, slot, self._generation % 2 * SLOT_SIZE)
        except OSError as error:
            message = f"{self._path}: {error.strerror}; make room or use another folder"
            raise StateError(message) from None

    def close(self):
        """Let go of the file."""
        os.close(self._file)

    def _lock(self):
        give_up = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > give_up:
                    self.close()
                    message = f"{self._path}: in use by another world; end it first"
                    raise StateError(message) from None
                time.sleep(0.05)


def _crc(generation, text):
    return zlib.crc32(text, zlib.crc32(struct.pack("<QI", generation, len(text))))


def _open_slot(slot):
    """(generation, JSON text) of a good slot, else None."""
    if len(slot) < HEADER.size:
        return None
    magic, generation, length, crc = HEADER.unpack_from(slot)
    text = slot[HEADER.size : HEADER.size + length]
    if magic != MAGIC or len(text) != length or crc != _crc(generation, text):
        return None
    return generation, text
