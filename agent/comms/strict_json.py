"""The payload of a command: the part of JSON that commands use, read alike by both interpreters.

Their own readers differ: one takes NaN and UTF-16, the other a comma for a colon, and both the
last of two equal keys. Here: objects at most two deep, texts of the basic plane, whole numbers of
at most 20 digits, true, false and null; nothing twice, nothing after the end.
"""

import json


def parse(payload):
    """The object in `payload` (bytes); ValueError when it is none, whatever is in it."""
    payload.decode()  # UnicodeError is a ValueError
    # On bytes: MicroPython keeps a letter that is taken out of a text for ever.
    try:
        found, at = _object(payload, _skip(payload, 0), 2)
    except IndexError:
        raise ValueError
    if _skip(payload, at) < len(payload):
        raise ValueError
    return found


def _skip(data, at):
    while at < len(data) and data[at] in b" \t\r\n":
        at += 1
    return at


def _object(data, at, depth):
    if data[at] != 0x7B or not depth:
        raise ValueError
    found = {}
    at = _skip(data, at + 1)
    if data[at] == 0x7D:
        return found, at + 1
    while True:
        key, at = _text(data, at)
        at = _skip(data, at)
        if data[at] != 0x3A or key in found:
            raise ValueError
        found[key], at = _value(data, _skip(data, at + 1), depth - 1)
        at = _skip(data, at)
        if data[at] == 0x7D:
            return found, at + 1
        if data[at] != 0x2C:
            raise ValueError
        at = _skip(data, at + 1)


def _value(data, at, depth):
    if data[at] == 0x7B:
        return _object(data, at, depth)
    if data[at] == 0x22:
        return _text(data, at)
    for word, value in ((b"true", True), (b"false", False), (b"null", None)):
        if data[at : at + len(word)] == word:
            return value, at + len(word)
    end = at
    while data[end] in b"-0123456789":
        end += 1
    digits = data[at:end].decode()
    if not 0 < len(digits) <= 20 or str(int(digits)) != digits:
        raise ValueError
    return int(digits), end


def _text(data, at):
    if data[at] != 0x22:
        raise ValueError
    end = at + 1
    while data[end] != 0x22:
        byte = data[end]
        if byte == 0x5C:
            end += 1
            if data[end] not in b'"\\/bfnrtu':
                raise ValueError
            if data[end] == 0x75:
                for byte in data[end + 1 : end + 5]:
                    if byte not in b"0123456789abcdefABCDEF":
                        raise ValueError
                if data[end + 1] in b"dD" and data[end + 2] in b"89abcdefABCDEF":
                    raise ValueError
                end += 4
        elif byte < 32 or byte >= 0xF0 or (byte == 0xED and data[end + 1] >= 0xA0):
            raise ValueError
        end += 1
    return json.loads(data[at : end + 1].decode()), end + 1
