"""The payload of a command: the part of JSON that commands use, read alike by both interpreters.

Their own readers differ: one takes NaN and UTF-16, the other a comma for a colon, and both the
last of two equal keys. Here: objects at most two deep, texts of the basic plane, whole numbers of
at most 20 digits, true, false and null; nothing twice, nothing after the end.
"""

import json

DEPTH = 2
MAX_DIGITS = 20
ESCAPES = '"\\/bfnrtu'
HEX = "0123456789abcdefABCDEF"
WORDS = (("true", True), ("false", False), ("null", None))


def parse(payload):
    """The object in `payload` (bytes); ValueError when it is none, whatever is in it."""
    text = payload.decode()  # UnicodeError is a ValueError
    try:
        found, at = _object(text, _skip(text, 0), DEPTH)
    except IndexError:
        raise ValueError("it ends too early")
    if _skip(text, at) < len(text):
        raise ValueError("something after the end")
    return found


def _skip(text, at):
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _object(text, at, depth):
    if text[at] != "{" or not depth:
        raise ValueError("no object, or too deep")
    found = {}
    at = _skip(text, at + 1)
    if text[at] == "}":
        return found, at + 1
    while True:
        key, at = _text(text, at)
        at = _skip(text, at)
        if text[at] != ":" or key in found:
            raise ValueError("no value, or a second one")
        found[key], at = _value(text, _skip(text, at + 1), depth - 1)
        at = _skip(text, at)
        if text[at] == "}":
            return found, at + 1
        if text[at] != ",":
            raise ValueError("no comma")
        at = _skip(text, at + 1)


def _value(text, at, depth):
    if text[at] == "{":
        return _object(text, at, depth)
    if text[at] == '"':
        return _text(text, at)
    for word, value in WORDS:
        if text[at : at + len(word)] == word:
            return value, at + len(word)
    end = at
    while text[end] in "-0123456789":
        end += 1
    digits = text[at:end]
    if not 0 < len(digits) <= MAX_DIGITS or str(int(digits)) != digits:
        raise ValueError("no number, or not in its one form")
    return int(digits), end


def _text(text, at):
    if text[at] != '"':
        raise ValueError("no text")
    end = at + 1
    while text[end] != '"':
        code = ord(text[end])
        if text[end] == "\\":
            end += 1
            if text[end] not in ESCAPES:
                raise ValueError("unknown escape")
            if text[end] == "u":
                code = _hex(text[end + 1 : end + 5])
                end += 4
        elif code < 32:
            raise ValueError("a control character")
        if 0xD800 <= code < 0xE000 or code > 0xFFFF:
            raise ValueError("not of the basic plane")
        end += 1
    return json.loads(text[at : end + 1]), end + 1


def _hex(digits):
    if len(digits) != 4 or any(digit not in HEX for digit in digits):
        raise ValueError("not four hex digits")
    return int(digits, 16)
