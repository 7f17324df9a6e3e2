"""The utility's message to the household: one text, kept until the next or until it is over."""

import struct

STORE = "message"
MOST = 160  # characters
MOST_BYTES = 400  # in UTF-8: what a record holds
HEAD = "<QQ"  # the time it came and the time it is over, unix; 0: never
HEAD_BYTES = 16


def is_fit(text):
    """True for a text that a display can show and a record can hold."""
    if len(text) > MOST or len(text.encode()) > MOST_BYTES:
        return False
    return not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text)


def store(storage, time, data, until=None):
    """Keep the text `data` (bytes) that came at `time` and is over at `until`. OSError: not
    kept."""
    storage.commit(STORE, struct.pack(HEAD, time, until or 0) + data)


def load(storage):
    """{"time", "text", "until"}, or None."""
    buffer = bytearray(HEAD_BYTES + MOST_BYTES)
    try:
        size = storage.read_from(STORE, 0, buffer)
        text = bytes(buffer[HEAD_BYTES:size]).decode()
    except (OSError, ValueError):
        return None
    if not text:
        return None
    time, until = struct.unpack_from(HEAD, buffer, 0)
    return {"time": time, "text": text, "until": until or None}
