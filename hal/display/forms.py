"""The short bodies that the page takes: a JSON object, or the form of a page without JavaScript.

microdot has parsers of its own; these take a few hundred bytes, texts only, and never raise.
"""

import json

from wattledger.hal.display.guard import FORM, media_type

BODY_MAX = 256
JSON = "application/json"


def fields(headers, body):
    """The texts by name of a body (bytes), or None when it is no form and no JSON object."""
    kind = media_type(headers)
    if kind == FORM:
        return _form(body)
    if kind != JSON:
        return None
    try:
        found = json.loads(body.decode())
    except (ValueError, RuntimeError, MemoryError):
        return None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _form(body):
    found = {}
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        name, value = _plain(name), _plain(value)
        if name is None or value is None:
            return None
        found[name] = value
    return found


def _plain(text):
    """Percent signs and plus signs resolved; None for what is no text."""
    parts = text.replace(b"+", b" ").split(b"%")
    made = bytearray(parts[0])
    try:
        for part in parts[1:]:
            if len(part) < 2:
                return None
            made.append(int(part[:2].decode(), 16))
            made.extend(part[2:])
        return bytes(made).decode()
    except ValueError:
        return None


def digits_of(text):
    """The digits of a text in which people put blanks and dashes; None when there is more."""
    text = "".join([letter for letter in text if letter not in " -\t\u00a0"])
    return text if text and all(letter in "0123456789" for letter in text) else None
