"""The utility's message to the household: one text, kept until the next."""

import struct

STORE = "message"
MOST = 160  # characters
MOST_BYTES = 400  # in UTF-8: what a record holds
HEAD = 8  # the time it came, unix u64


def is_fit(text):
    """True for a text that a display can show and a record can hold."""
    if len(text) > MOST or len(text.encode()) > MOST_BYTES:
        return False
    return not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)


def store(storage, time, data):
    """Keep the text `data` (bytes) that came at `time`. OSError: not kept."""
    storage.commit(STORE, struct.pack("<Q", time) + data)


def load(storage):
    """{"time", "text"}, or None."""
    buffer = bytearray(HEAD + MOST_BYTES)
    try:
        size = storage.read_from(STORE, 0, buffer)
        text = bytes(buffer[HEAD:size]).decode()
    except (OSError, ValueError):
        return None
    if not text:
        return None
    return {"time": struct.unpack_from("<Q", buffer, 0)[0], "text": text}
