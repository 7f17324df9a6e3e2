"""A token entry of the journal, for the books and for a person."""

import struct
from typing import NamedTuple

NANO_PER_MICRO = 1000
STS, OPENPAYGO = 1, 2
KWH, CURRENCY, KEY_CHANGE = 0x00, 0x04, 0x23
CLEAR_CREDIT = 0x21
ROLLOVER = 1 << 32  # in the value of a key change
STS_KINDS = {
    KWH: "credit of {value} Wh",
    CURRENCY: "credit",
    0x20: "power limit {value} W",
    CLEAR_CREDIT: "credit cleared, register {value}",
    0x25: "tamper cleared",
    0x26: "unbalance limit {value} W",
}
PAYGO_KINDS = ("", "adds {value}", "sets {value}", "unlocked for good", "counter synchronised")
ADD_TIME = 1


class TokenEntry(NamedTuple):
    """The payload: `id` is a TID or a count, `until` a powered second."""

    scheme: int
    kind: int
    id: int
    value: int
    until: int

    def is_key_change(self) -> bool:
        """True for a new decoder key."""
        return (self.scheme, self.kind) == (STS, KEY_CHANGE)

    def is_rollover(self) -> bool:
        """True for a key change with a new base date."""
        return self.is_key_change() and bool(self.value & ROLLOVER)

    def amount(self) -> int | None:
        """What it must move, nano-units; None where that is not in the entry."""
        if self.scheme == STS and self.kind == CURRENCY:
            return self.value * NANO_PER_MICRO
        takes_money = (STS, KWH), (STS, CLEAR_CREDIT), (OPENPAYGO, ADD_TIME)
        return None if (self.scheme, self.kind) in takes_money else 0

    def words(self) -> str:
        """One line for a person."""
        if self.is_key_change():
            return f"key changed to revision {self.value & 0xFF}"
        if self.scheme == STS:
            text = STS_KINDS.get(self.kind, f"kind {self.kind}")
        else:
            known = self.kind < len(PAYGO_KINDS)
            text = PAYGO_KINDS[self.kind] if known else f"kind {self.kind}"
        number = "identifier" if self.scheme == STS else "count"
        return f"{text.format(value=self.value)}, {number} {self.id}"


def unpack(payload: bytes) -> TokenEntry:
    """struct.error when it is not as long as a token's."""
    return TokenEntry(*struct.unpack("<BBIqI", payload))
