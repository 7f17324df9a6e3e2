"""What the checks of every document share: values out of JSON, as a meter may take them."""

import json


def shown(value):
    """A JSON value as an error shows it: short, whatever it holds."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def is_integer(value):
    """True for an int that is not a bool (JSON true is not 1)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_name(value):
    """True for 1..32 characters that are safe in a topic, a file name and a log."""
    if not isinstance(value, str) or not 1 <= len(value) <= 32:
        return False
    return all("a" <= letter <= "z" or "0" <= letter <= "9" or letter in "-_." for letter in value)


def parse_object(data, limit, error):
    """The JSON object in `data` (bytes); `error` is the PlacedError class to raise."""
    if len(data) > limit:
        raise error((), "is %d bytes; at most %d fit the meter" % (len(data), limit))
    try:
        document = json.loads(data.decode())  # as text, or CPython would take UTF-16 too
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        raise error((), "is not JSON")
    if not isinstance(document, dict):
        raise error((), "must be a JSON object")
    return document
