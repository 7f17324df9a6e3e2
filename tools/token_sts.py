"""The vending side of STS-format tokens, test keys only: what a token says exactly is sold.

A token rounds what it cannot say, and then slip and meter disagree; so such an amount is refused
with the nearest ones named.
"""

import re
from datetime import datetime, timedelta

from wattledger.agent.tokens import sts
from wattledger.agent.tokens.settings import BASES
from wattledger.tools.errors import SaleError
from wattledger.tools.token_ciphers import seal

TENTHS_A_KWH = 10
UNITS_A_CURRENCY = 100000
KWH_EXPONENTS, MONEY_EXPONENTS = 4, 32
MANTISSAS = 1 << 14
DAY_MINUTES = 1440
RESERVED_MINUTE = 1  # 00:01 of every day is the standard's own


def tid_at(moment: datetime, base: int) -> int:
    """The identifier of a token issued at `moment` (the vendor's local time, no zone)."""
    if moment.hour == 0 and moment.minute == RESERVED_MINUTE:
        moment += timedelta(minutes=1)
    minutes = (moment - datetime(base, 1, 1)) // timedelta(minutes=1)
    if not 0 <= minutes <= 0xFFFFFF:
        near = [f"base {year}" for year in BASES if year <= moment.year][-1:] or ["a later time"]
        raise SaleError(f"{moment:%Y-%m-%d} does not count from {base}; use {near[0]}")
    return minutes


def encode(value: int, exponents: int) -> tuple[int, int] | None:
    """(exponent, mantissa) that say `value` exactly, or None."""
    for exponent in range(exponents):
        mantissa, rest = divmod(value - sts.scaled(exponent, 0), 10**exponent)
        if 0 <= mantissa < MANTISSAS and not rest:
            return exponent, mantissa
    return None


def nearest(value: int, exponents: int) -> list[int]:
    """The largest number below and the smallest above `value` that a token can say."""
    below: list[int] = []
    above: list[int] = []
    for exponent in range(exponents):
        low, step = sts.scaled(exponent, 0), 10**exponent
        mantissa = max(min((value - low) // step, MANTISSAS - 1), 0)
        for candidate in (mantissa, min(mantissa + 1, MANTISSAS - 1)):
            said = low + candidate * step
            (below if said < value else above).append(said)
    return sorted(below)[-1:] + sorted(above)[:1]


def round_up(text: str, scale: int, exponents: int, unit: str) -> str:
    """The smallest amount a token can say that is not below `text`."""
    value = parse(text, scale, unit)
    if encode(value, exponents) is None:
        above = [one for one in nearest(value, exponents) if one > value]
        value = above[0] if above else value  # the largest there is is told by _exact
    return _decimal(value, scale)


def _exact(value: int, exponents: int, scale: int, unit: str) -> tuple[int, int]:
    found = encode(value, exponents)
    if found is None:
        choices = " and ".join(_decimal(one, scale) for one in nearest(value, exponents))
        raise SaleError(
            f"a token cannot say {_decimal(value, scale)} {unit} exactly; the nearest: {choices}"
        )
    return found


def _decimal(value: int, scale: int) -> str:
    places = len(str(scale)) - 1
    whole, rest = divmod(value, scale)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


def parse(text: str, scale: int, unit: str) -> int:
    """A decimal in units of 1/scale. SaleError when it is none or has too many places."""
    places = len(str(scale)) - 1
    match = re.fullmatch(rf"([0-9]{{1,36}})(?:\.([0-9]{{1,{places}}})0*)?", text)
    if match is None:
        raise SaleError(f"{unit} {text!r}: a number with at most {places} decimals is needed")
    value = int(match[1]) * scale + int((match[2] or "").ljust(places, "0"))
    if not value:
        raise SaleError(f"{unit} {text!r} is zero: give what was paid for")
    return value


def _counted(cls: int, subclass: int, nibble: int, tid: int, field: int, key: bytes) -> str:
    head = bytes([subclass << 4 | nibble]) + tid.to_bytes(3, "big")
    return seal(cls, head + field.to_bytes(2, "big"), key)


def kwh(text: str, tid: int, nibble: int, key: bytes) -> str:
    """A token for `text` kWh, like "12.5"."""
    tenths = parse(text, TENTHS_A_KWH, "kWh")
    exponent, mantissa = _exact(tenths, KWH_EXPONENTS, TENTHS_A_KWH, "kWh")
    return _counted(sts.CREDIT, sts.ELECTRICITY, nibble, tid, exponent << 14 | mantissa, key)


def money(text: str, tid: int, key: bytes) -> str:
    """A token for `text` of the currency, like "3.20"; its exponent leaves no random bits."""
    units = parse(text, UNITS_A_CURRENCY, "amount")
    exponent, mantissa = _exact(units, MONEY_EXPONENTS, UNITS_A_CURRENCY, "of the currency")
    field = (exponent & 3) << 14 | mantissa
    return _counted(sts.CREDIT, sts.CURRENCY, exponent >> 2, tid, field, key)


def limit(subclass: int, watts: int, tid: int, nibble: int, key: bytes) -> str:
    """A power limit or a limit of the unbalance between phases, W."""
    exponent, mantissa = _exact(watts, KWH_EXPONENTS, 1, "W")
    return _counted(sts.MANAGEMENT, subclass, nibble, tid, exponent << 14 | mantissa, key)


def management(subclass: int, field: int, tid: int, nibble: int, key: bytes) -> str:
    """Another token of class 2 with 16 bits of its own."""
    return _counted(sts.MANAGEMENT, subclass, nibble, tid, field, key)


def test(control: int, manufacturer: int = 0) -> str:
    """A class 1 token: 36 control bits, one for each test."""
    return seal(sts.TEST, (control << 8 | manufacturer).to_bytes(6, "big"), b"")


def key_change(
    key: bytes, new: bytes, krn: int, kt: int, ken: int, ti: int, sgc: str | None, rollover: bool
) -> list[str]:
    """The two to four tokens that bring a meter from `key` to `new`."""
    if len(key) != len(new):
        raise SaleError("a key change keeps the algorithm: both keys have the same length")
    if sgc is None and len(new) == 16:
        raise SaleError("a key of 16 bytes comes with its supply group; give it")
    third = sgc is not None and len(new) == 8
    number = int(sgc or "0")
    flags = rollover << 3 | third << 2 | kt
    first, last = new[:4], new[-4:]
    blocks = [
        bytes([0x30 | ken >> 4, krn << 4 | flags]) + first,
        bytes([0x40 | ken & 15, ti]) + last,
    ]
    if len(new) == 16:
        blocks.append(bytes([0x80 | number >> 8 & 15, number & 255]) + new[4:8])
        blocks.append(bytes([0x90 | number >> 20, number >> 12 & 255]) + new[8:12])
    elif third:
        blocks.append((8 << 44 | number << 20).to_bytes(6, "big"))
    return [seal(sts.MANAGEMENT, block, key) for block in blocks]
