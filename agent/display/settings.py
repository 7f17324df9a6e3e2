"""The object `display` of device.json: the small screen of a meter, and what hangs beside it."""

from wattledger.agent.errors import ConfigError
from wattledger.agent.values import is_integer, shown

OLEDS = ("ssd1306", "sh1106")
LCD = "hd44780"
NO_CHIP = "none"
MATRIX = "matrix"
EXPANDER = "pcf8574"
# key: allowed values, the default first.
CHOICES = {
    "chip": (NO_CHIP,) + OLEDS + (LCD,),
    "language": ("en", "zh"),
    "keypad": ("none", MATRIX, EXPANDER),
    "keys": ("4x4", "4x3"),
}
FLAGS = ("signals",)
OLED_ADDRESS, LCD_ADDRESS, KEYPAD_ADDRESS = 0x3C, 0x27, 0x20
LOWEST, HIGHEST = 0x08, 0x77  # 7-bit addresses that a chip may have
ADDRESSES = ("address", "keypad_address")


class DisplaySettings:
    """The keys as attributes of the same names."""


def check(document):
    """DisplaySettings from the object; ConfigError names the key, the value and the range."""
    if not isinstance(document, dict):
        raise ConfigError(("display",), "must be an object, is %s" % shown(document))
    for key in document:
        if key not in CHOICES and key not in FLAGS and key not in ADDRESSES:
            raise ConfigError(("display", key), "unknown key; remove it or check its spelling")
    found = DisplaySettings()
    for key, allowed in CHOICES.items():
        value = document.get(key, allowed[0])
        if not isinstance(value, str) or value not in allowed:
            raise ConfigError(
                ("display", key), "must be one of %s, is %s" % (", ".join(allowed), shown(value))
            )
        setattr(found, key, value)
    for key in FLAGS:
        value = document.get(key, False)
        if not isinstance(value, bool):
            raise ConfigError(("display", key), "must be true or false, is %s" % shown(value))
        setattr(found, key, value)
    found.address = _address(
        document, "address", LCD_ADDRESS if found.chip == LCD else OLED_ADDRESS
    )
    found.keypad_address = _address(document, "keypad_address", KEYPAD_ADDRESS)
    _agree(found)
    return found


def _address(document, key, default):
    value = document.get(key, default)
    if not is_integer(value) or not LOWEST <= value <= HIGHEST:
        raise ConfigError(
            ("display", key),
            "must be a whole number from %d to %d (0x%02X to 0x%02X), is %s"
            % (LOWEST, HIGHEST, LOWEST, HIGHEST, shown(value)),
        )
    return value


def _agree(found):
    if found.chip == LCD and found.language != "en":
        raise ConfigError(
            ("display", "language"), "must be en with hd44780, which has no hanzi; or take an OLED"
        )
    if (
        found.chip != NO_CHIP
        and found.keypad == EXPANDER
        and found.keypad_address == found.address
    ):
        raise ConfigError(
            ("display", "keypad_address"),
            "must differ from the display's, is 0x%02X too" % found.address,
        )
