"""How a decoder key comes from a vending key: the derivations DKGA02 and DKGA04. Test keys only.

The device never does this: it holds its decoder key and nothing that makes another meter's.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from wattledger.tools import des
from wattledger.tools.errors import SaleError

COMMON = 3  # key type of a whole group: the meter's own number is left out
KEY_BYTES = {"07": 8, "11": 16}


@dataclass(frozen=True)
class Group:
    """Whose tokens: PAN (18 digits), supply group, tariff index, key revision and type."""

    pan: str
    sgc: str
    ti: str
    krn: int
    kt: int

    def checked(self) -> "Group":
        """Itself; SaleError names what is wrong."""
        if not re.fullmatch(r"[0-9]{18}", self.pan):
            raise SaleError(f"PAN {self.pan!r} is not 18 digits; give all of the meter's PAN")
        if not luhn(self.pan):
            raise SaleError(f"PAN {self.pan} fails its check digit; compare it with the meter")
        if not re.fullmatch(r"[0-9]{6}", self.sgc):
            raise SaleError(f"supply group {self.sgc!r} is not 6 digits")
        if not re.fullmatch(r"[0-9]{2}", self.ti):
            raise SaleError(f"tariff index {self.ti!r} is not 2 digits")
        return self


def luhn(digits: str) -> bool:
    """True when the last digit is the Luhn check digit of those before it."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def decoder_key(dkga: str, ea: str, vending_key: bytes, group: Group, base: int) -> bytes:
    """The decoder key of a meter. SaleError when the vending key has another length."""
    group.checked()
    if dkga == "02":
        return _dkga02(vending_key, group, ea)
    return _dkga04(vending_key, group, ea, base)


def _dkga02(vending_key: bytes, group: Group, ea: str) -> bytes:
    if len(vending_key) != 8 or ea != "07":
        raise SaleError("DKGA02 takes a vending key of 16 hex digits and makes keys for EA 07")
    number = group.pan[1:17]
    if group.kt == COMMON:
        number = number[:5] + "0" * 11
    control = f"{group.kt}{group.sgc}{group.ti}{group.krn}FFFFFF"
    mixed = _xor(bytes.fromhex(number), bytes.fromhex(control))
    return _xor(_xor(des.encrypt(vending_key, mixed), mixed), vending_key)


def _dkga04(vending_key: bytes, group: Group, ea: str, base: int) -> bytes:
    if len(vending_key) != 20:
        raise SaleError("DKGA04 takes a vending key of 40 hex digits")
    pan = group.pan
    if group.kt == COMMON:
        pan = pan[:6] + "0" * 12
    length = KEY_BYTES[ea]
    data = b"\x04"
    for field in ("04", f"{base % 100:02d}", ea, group.ti):
        data += _counted(field)
    data += b"\x00\x04"
    for field in (group.sgc, str(group.kt), f"{group.krn:X}", pan):
        data += _counted(field)
    data += (length * 8).to_bytes(4, "big")
    return hmac.new(vending_key, data, hashlib.sha256).digest()[:length]


def _counted(field: str) -> bytes:
    return bytes([len(field)]) + field.encode()


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))
