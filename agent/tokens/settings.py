"""The object `token` of device.json: which tokens a meter takes. The key is not in it."""

from wattledger.agent.billing.calendar import EPOCH_2000, day_number
from wattledger.agent.errors import ConfigError
from wattledger.agent.tokens.replay import MAX_TID
from wattledger.agent.units import DAY_S
from wattledger.agent.values import is_integer, shown

STS = "sts"
OPENPAYGO = "openpaygo"
BASES = (1993, 2014, 2035)
# key: (default or None when required, lowest, highest)
OF_STS = {
    "made": (None, 725846400, 4294967295),
    "krn": (1, 1, 9),
    "kt": (2, 0, 3),
    "ken": (255, 0, 255),
    "ti": (1, 0, 99),
    "sgc": (0, 0, 999999),
}
OF_OPENPAYGO = {
    "start": (-1, -1, 999999999),
    "count": (1, 0, 0x7FFFFFFF),
    "step_s": (86400, 60, 31 * DAY_S),
    "paygo_unit": (0, 0, 1000000000),
}
FLAGS = ("restricted", "allow_unlock")
KEY_BYTES = {"07": 8, "11": 16}


def base_unix(year):
    """Unix time of a base date's first minute."""
    return EPOCH_2000 + day_number(year, 1, 1) * DAY_S


class TokenSettings:
    """`scheme` STS or OPENPAYGO, and the keys of both as attributes of the same names."""

    def __init__(self):
        self.scheme = STS
        self.ea = None
        self.base = BASES[0]
        for table in (OF_STS, OF_OPENPAYGO):
            for key, (default, _, _) in table.items():
                setattr(self, key, default or 0)
        for key in FLAGS:
            setattr(self, key, False)

    def made_tid(self):
        """The minute the meter was made, as an STS identifier."""
        return min(max((self.made - base_unix(self.base)) // 60, 0), MAX_TID)

    def key_bytes(self):
        """The length of the decoder key."""
        return KEY_BYTES[self.ea] if self.scheme == STS else 16


def check(document):
    """TokenSettings from the object; ConfigError names the key, the value and the range."""
    if not isinstance(document, dict):
        raise ConfigError(("token",), "must be an object, is %s" % shown(document))
    found = TokenSettings()
    found.scheme = _choice(document, "scheme", (STS, OPENPAYGO))
    if found.scheme == STS:
        numbers, flags = OF_STS, ()
        found.ea = _choice(document, "ea", ("07", "11"))
        found.base = _choice(document, "base", BASES)
    else:
        numbers, flags = OF_OPENPAYGO, FLAGS
    for key in document:
        known = key in numbers or key in flags or key == "scheme"
        if not known and not (found.scheme == STS and key in ("ea", "base")):
            raise ConfigError(("token", key), "unknown key; remove it or check its spelling")
    for key, (default, low, high) in numbers.items():
        value = document.get(key, default)
        if not is_integer(value) or not low <= value <= high:
            raise ConfigError(
                ("token", key),
                "must be a whole number from %d to %d, is %s" % (low, high, shown(value)),
            )
        setattr(found, key, value)
    for key in flags:
        value = document.get(key, False)
        if not isinstance(value, bool):
            raise ConfigError(("token", key), "must be true or false, is %s" % shown(value))
        setattr(found, key, value)
    return found


def _choice(document, key, allowed):
    value = document.get(key)
    if not (isinstance(value, str) or is_integer(value)) or value not in allowed:
        words = ", ".join([str(choice) for choice in allowed])
        raise ConfigError(("token", key), "must be one of %s, is %s" % (words, shown(value)))
    return value
