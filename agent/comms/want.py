"""What the utility wants this meter to have: the tariff of its group, and at least which version.

A broker can only withhold documents with it: one of another group has another tariff id, an older
one a lower n, and the want itself only moves up.
"""

from wattledger.agent.errors import PlacedError
from wattledger.agent.values import is_integer, is_name, parse_object, shown

STORE = "want"
FLOOR = "want.floor"
MAX_BYTES = 512
MAX_NUMBER = 0xFFFFFFFF
NAMES = ("id", "group")
NUMBERS = ("v", "n", "fw")


class WantError(PlacedError):
    """A signed want says something that cannot be meant for this meter."""


class Want:
    """`version`, tariff `id` and least `n`, `group`, firmware sequence `fw`; `data` as signed."""

    def __init__(self, data, meter):
        """`data` is the payload (bytes); WantError names the key and what it must be."""
        document = parse_object(data, MAX_BYTES, WantError)
        for key in document:
            if key != "m" and key not in NAMES and key not in NUMBERS:
                raise WantError((key,), "unknown key")
        if document.get("m") != meter:
            raise WantError(("m",), "names another meter")
        for key in NAMES:
            if not is_name(document.get(key)):
                raise WantError((key,), "must be a name, is %s" % shown(document.get(key)))
        for key in NUMBERS:
            value = document.get(key, 0 if key == "fw" else None)
            if not is_integer(value) or not 0 <= value <= MAX_NUMBER:
                raise WantError(
                    (key,),
                    "must be a whole number from 0 to %d, is %s" % (MAX_NUMBER, shown(value)),
                )
        self.data = data
        self.version = document["v"]
        self.id = document["id"]
        self.n = document["n"]
        self.group = document["group"]
        self.firmware = document.get("fw", 0)


def load(storage, meter):
    """The want that is held, or None."""
    size = storage.size(STORE)
    if not 0 < size <= MAX_BYTES:
        return None
    buffer = bytearray(size)
    try:
        return Want(bytes(buffer[: storage.read_from(STORE, 0, buffer)]), meter)
    except WantError:
        return None  # rot: the utility's retained one comes again


def floor(storage):
    """The version up to which no want is taken, -1 without one."""
    buffer = bytearray(16)
    try:
        size = storage.read_from(FLOOR, 0, buffer)
        return int(bytes(buffer[:size])) if size else -1
    except (OSError, ValueError):
        return -1
