"""device.json: what belongs to one meter and is set when it is provisioned.

Needed at a boot only: a root imports it there, so that its tables can leave the heap.
"""

from wattledger.agent.errors import ConfigError
from wattledger.agent.values import is_integer, is_name, parse_object, shown

# key: (default or None when required, lowest, highest); a default of another type is its type.
NUMBERS = {
    "tick_ms": (1000, 100, 10000),
    "profile_s": (900, 60, 900),
    "snapshot_s": (10, 1, 900),
    "snapshot_wh": (10, 1, 1000),
    "state_s": (10, 1, 3600),
    "max_amps": (100, 1, 2000),
    "max_volts": (276, 50, 1000),
    "retention_days": (45, 1, 3650),
    "journal_kb": (400, 16, 1000000),
    "segment_kb": (16, 4, 64),
    "estimate_h": (24, 24, 720),
    "price_limit_micro": (10000000000, 1000, 100000000000),
    "nominal_volts": (230, 50, 1000),
    "over_percent": (120, 105, 150),
    "under_percent": (80, 50, 95),
    "max_celsius": (85, 40, 125),
    "safety_s": (3, 1, 60),
    "load_limit_w": (0, 0, 1000000),
    "load_limit_s": (30, 1, 3600),
    "load_reclose_s": (300, 60, 86400),
    "load_tries": (3, 0, 10),
    "price_change_percent": (50, 0, 10000),
}
TEXTS = ("meter", "tenant", "board")
CHOICES = {
    "phase_sum": ("vector", "per_phase"),
    "payment_mode": ("prepay", "credit"),
    "relay_kind": ("latching", "hold"),
    "bill_on": ("phase", "larger"),
}
FLAGS = ("never_cut", "export_expected", "home_assistant")
VERSION = 1
MAX_BYTES = 4096


class Config:
    """The values of device.json as attributes of the same names; `lacking` names those whose
    module is not there: they are None, as if they were not told."""

    lacking = ()


def load(data):
    """Config from the bytes of device.json; ConfigError names the key, the value and the range."""
    document = parse_object(data, MAX_BYTES, ConfigError)
    version = document.get("v")
    if not is_integer(version) or version != VERSION:
        raise ConfigError(("v",), "must be %d, is %s" % (VERSION, shown(version)))
    for key in document:
        known = key in NUMBERS or key in TEXTS or key in CHOICES or key in FLAGS
        if not known and key not in ("v", "token", "quality", "display"):
            raise ConfigError((key,), "unknown key; remove it or check its spelling")
    config = Config()
    for key in TEXTS:
        value = document.get(key)
        if not is_name(value):
            raise ConfigError(
                (key,), "must be 1 to 32 of a-z, 0-9, - _ and ., is %s" % shown(value)
            )
        setattr(config, key, value)
    for key, (default, low, high) in NUMBERS.items():
        value = document.get(key, default)
        if not is_integer(value) or not low <= value <= high:
            raise ConfigError(
                (key,),
                "must be a whole number from %d to %d, is %s" % (low, high, shown(value)),
            )
        setattr(config, key, value)
    if 900 % config.profile_s or config.profile_s % 60:
        raise ConfigError(
            ("profile_s",), "must divide 900 in whole minutes, is %d" % config.profile_s
        )
    for key, allowed in CHOICES.items():
        value = document.get(key, allowed[0])
        if value not in allowed:
            raise ConfigError(
                (key,), "must be one of %s, is %s" % (", ".join(allowed), shown(value))
            )
        setattr(config, key, value)
    for key in FLAGS:
        value = document.get(key, False)
        if not isinstance(value, bool):
            raise ConfigError((key,), "must be true or false, is %s" % shown(value))
        setattr(config, key, value)
    from wattledger.agent.metering import quality_settings  # its tables leave the heap as these

    config.quality = quality_settings.check(document.get("quality", {}))
    # Here, because a meter without them has no heap to spare; and both are the application's: a
    # core whose application is damaged measures without.
    config.display = config.token = None
    if "display" in document:
        try:
            from wattledger.agent.display import settings as displays
        except ImportError:
            config.lacking += ("display",)
        else:
            config.display = displays.check(document["display"])
    if "token" in document:
        try:
            from wattledger.agent.tokens import settings
        except ImportError:
            config.lacking += ("token",)
        else:
            config.token = settings.check(document["token"])
    return config
