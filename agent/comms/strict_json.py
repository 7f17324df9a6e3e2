"""The payload of a command: the part of JSON that commands use, read alike by both interpreters.

Their own readers differ: one takes NaN and UTF-16, the other a comma for a colon, and both the
last of two equal keys. Here: objects at most two deep, texts of the basic plane, whole numbers of
at most 20 digits, true, false and null; nothing twice, nothing after the end.
"""

import json

DEPTH = 2
MAX_DIGITS = 20
SPACE = b" \t\r\n"
NUMBER = b"-0123456789"
ESCAPES = b'"\\/bfnrtu'
HEX = b"0123456789abcdefABCDEF"
WORDS = ((b"true", True), (b"false", False), (b"null", None))


def parse(payload):
    """The object in `payload` (bytes); ValueError when it is none, whatever is in it."""
    payload.decode()  # UnicodeError is a ValueError
    # On bytes: MicroPython keeps a letter that is taken out of a text for ever.
    try:
        found, at = _object(payload, _skip(payload, 0), DEPTH)
    except IndexError:
        raise ValueError("it ends too early")
    if _skip(payload, at) < len(payload):
        raise ValueError("something after the end")
    return found


def _skip(data, at):
    while at < len(data) and data[at] in SPACE:
        at += 1
    return at


def _object(data, at, depth):
    if data[at] != 0x7B or not depth:
        raise ValueError("no object, or too deep")
    found = {}
    at = _skip(data, at + 1)
    if data[at] == 0x7D:
        return found, at + 1
    while True:
        key, at = _text(data, at)
        at = _skip(data, at)
        if data[at] != 0x3A or key in found:
            raise ValueError("no value, or a second one")
        found[key], at = _value(data, _skip(data, at + 1), depth - 1)
        at = _skip(data, at)
        if data[at] == 0x7D:
            return found, at + 1
        if data[at] != 0x2C:
            raise ValueError("no comma")
        at = _skip(data, at + 1)


def _value(data, at, depth):
    if data[at] == 0x7B:
        return _object(data, at, depth)
    if data[at] == 0x22:
        return _text(data, at)
    for word, value in WORDS:
        if data[at : at + len(word)] == word:
            return value, at + len(word)
    end = at
    while data[end] in NUMBER:
        end += 1
    digits = data[at:end].decode()
    if not 0 < len(digits) <= MAX_DIGITS or str(int(digits)) != digits:
        raise ValueError("no number, or not in its one form")
    return int(digits), end


def _text(data, at):
    if data[at] != 0x22:
        raise ValueError("no text")
    end = at + 1
    while data[end] != 0x22:
        byte = data[end]
        if byte == 0x5C:
            end += 1
            if data[end] not in ESCAPES:
                raise ValueError("unknown escape")
            if data[end] == 0x75:
                _check_hex(data[end + 1 : end + 5])
                end += 4
        elif byte < 32:
            raise ValueError("a control character")
        elif byte >= 0xF0 or (byte == 0xED and data[end + 1] >= 0xA0):
            raise ValueError("not of the basic plane")
        end += 1
    return json.loads(data[at : end + 1].decode()), end + 1


def _check_hex(digits):
    if len(digits) != 4 or any(digit not in HEX for digit in digits):
        raise ValueError("not four hex digits")
    if 0xD800 <= int(digits.decode(), 16) < 0xE000:
        raise ValueError("not of the basic plane")
