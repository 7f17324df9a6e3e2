"""What the entries of a journal must add up to, and how each reads to a person."""

import struct
from typing import Any, NamedTuple

from wattledger.agent.supply import rules, states
from wattledger.agent.units import micro_of
from wattledger.tools import entries_adjust, entries_event
from wattledger.tools import token_entry as tokens
from wattledger.tools.entries_adjust import Debts
from wattledger.tools.errors import ToolError

INTERVAL = struct.Struct("<IIHBI")  # import Wh, export Wh, duration s, quality, tariff n
PART = struct.Struct("<BBIq")  # band, block, Wh, price
# Flags, hash before, import Wh, export Wh, then the rest of docs/journal.md.
CHECKPOINT = struct.Struct("<B8sIIIIBHHHQQ32sHIqIBqqIBBB")
DEMAND = struct.Struct("<IIIBI")  # cycle, W, W before, minutes, tariff n
MINIMUM = struct.Struct("<IQqqI")  # cycle, minimum in micro, energy and standing in nano, n
FREEZE = struct.Struct("<BIHHIIIIqq")  # flags, cycle, days, registers, used, W, energy, standing
NET = 0x10  # in a part's band: import and export of the interval were netted
EXPORT = 0x80  # in a part's band: energy delivered to the grid
# Kinds that never move the balance.
RECORDS_ONLY = (
    "checkpoint",
    "tariff",
    "event",
    "relay",
    "command",
    "clock",
    "freeze",
    "message",
    "correction",
)


class LedgerError(ToolError):
    """An entry whose numbers do not add up; the message follows the words `entry N`."""


class Interval(NamedTuple):
    """An interval entry's payload; parts are (is export, Wh, amount in nano-units). `net`: they
    hold what is left of import and export once the smaller is taken off both."""

    import_wh: int
    export_wh: int
    duration_s: int
    tariff_n: int
    parts: list[tuple[bool, int, int]]
    net: bool


def interval(payload: bytes) -> Interval:
    """The payload of an interval entry; struct.error when its length is wrong."""
    import_wh, export_wh, duration, _, n = INTERVAL.unpack_from(payload)
    parts = []
    net = False
    for band, _, wh, price in PART.iter_unpack(payload[INTERVAL.size :]):
        out = bool(band & EXPORT)
        net = net or bool(band & NET)
        parts.append((out, wh, wh * price if out else -wh * price))
    return Interval(import_wh, export_wh, duration, n, parts, net)


class Books:
    """Follows the entries of one journal from the first; take() raises at what does not add up."""

    def __init__(self) -> None:
        self._balance = 0
        self._registers = (0, 0)
        self._purchases: set[int] = set()
        self._tokens: set[tuple[int, int]] = set()
        self._days: set[int] = set()
        self._opened = False
        self._debts = Debts(None)

    def take(self, kind: str, amount: int, balance: int, payload: bytes) -> None:
        """Check one entry against those before it; LedgerError says what is wrong."""
        expected = self._balance + amount
        self._balance = balance  # so that one wrong sum is told once
        try:
            self._take(kind, amount, payload)
        except struct.error:
            raise LedgerError(f"has a payload that no {kind} entry has") from None
        if balance != expected:
            raise LedgerError(f"has the balance {balance}; the amounts sum up to {expected}")

    def _take(self, kind: str, amount: int, payload: bytes) -> None:
        if kind in RECORDS_ONLY and amount:
            raise LedgerError(f"moves the balance by {amount}, which no {kind} entry may")
        if kind == "checkpoint":
            self._take_checkpoint(payload)
        elif self._opened == (kind == "opening"):
            raise LedgerError(
                "opens the ledger again" if self._opened else "comes before any opening"
            )
        if kind == "opening":
            self._opened = True
            self._debts = Debts(0)
            self._registers = struct.unpack_from("<II", payload)
        elif kind == "interval":
            self._take_interval(amount, interval(payload))
        elif kind in ("credit", "refund"):
            self._once(self._purchases, struct.unpack("<QQQ", payload)[0], "purchase")
        elif kind == "token":
            self._take_token(amount, tokens.unpack(payload))
        elif kind == "standing":
            self._once(self._days, struct.unpack("<II", payload)[0], "standing charge of")
        elif kind == "demand":
            self._take_demand(amount, payload)
        elif kind == "minimum":
            self._take_minimum(amount, payload)
        elif kind == "freeze":
            self._take_freeze(payload)
        elif kind in ("adjust", "debt"):
            self._take_debt(kind, amount, payload)

    def _take_debt(self, kind: str, amount: int, payload: bytes) -> None:
        debts = self._debts
        wrong = debts.adjust(payload) if kind == "adjust" else debts.take(amount, payload)
        if wrong:
            raise LedgerError(wrong)

    def _take_token(self, amount: int, found: tokens.TokenEntry) -> None:
        expected = found.amount()
        if expected is not None and amount != expected:
            raise LedgerError(f"moves {amount}; a token of this kind moves {expected}")
        if found.is_rollover():
            self._tokens.clear()  # a new base date counts its minutes from 0 again
        elif not found.is_key_change():
            self._once(self._tokens, (found.scheme, found.id), "token")

    def _take_checkpoint(self, payload: bytes) -> None:
        """A journal whose oldest segments were retired begins with one; later ones must agree."""
        registers = CHECKPOINT.unpack_from(payload)[2:4]
        if self._opened and registers != self._registers:
            raise LedgerError(f"sums up registers {registers}, they stand at {self._registers}")
        self._opened = True
        self._registers = registers

    def _take_demand(self, amount: int, payload: bytes) -> None:
        _, watts, before, minutes, _ = DEMAND.unpack(payload)
        if watts <= before or amount % (watts - before):
            raise LedgerError(f"moves {amount} for {watts} W in {minutes} min, {before} W before")

    def _take_minimum(self, amount: int, payload: bytes) -> None:
        cycle, minimum, energy, standing, _ = MINIMUM.unpack(payload)
        lack = minimum * 1000 - energy - standing
        if amount != -lack:
            raise LedgerError(f"moves {amount}; the cycle of {cycle} lacks {lack} of its minimum")

    def _take_freeze(self, payload: bytes) -> None:
        registers = FREEZE.unpack_from(payload)[4:6]
        if registers != self._registers:
            raise LedgerError(f"freezes registers {registers}, they stand at {self._registers}")

    def begin(self, balance: int) -> None:
        """The balance before the first entry held, where it is not the opening entry."""
        self._balance = balance

    def _take_interval(self, amount: int, found: Interval) -> None:
        before, now = self._registers, (found.import_wh, found.export_wh)
        self._registers = now
        if now[0] < before[0] or now[1] < before[1]:
            raise LedgerError(f"has registers {now[0]} and {now[1]} Wh, below {before} before it")
        total = sum(part[2] for part in found.parts)
        if amount != total:
            raise LedgerError(f"moves {amount}; its parts sum up to {total}")
        if not found.tariff_n:
            return
        both = min(now[0] - before[0], now[1] - before[1]) if found.net else 0
        for export in (False, True):
            moved = now[export] - before[export] - both
            rated = sum(wh for out, wh, _ in found.parts if out == export)
            if rated != moved:
                raise LedgerError(
                    f"rates {rated} Wh; its registers moved by {moved} Wh" + " net" * found.net
                )

    def _once(self, seen: set[Any], key: Any, what: str) -> None:
        if key in seen:
            raise LedgerError(f"posts {what} {key} a second time")
        seen.add(key)


def describe(kind: str, payload: bytes) -> str:
    """What an entry says beside its money, for a person; empty where there is no more."""
    if kind == "opening":
        return payload[12:].decode(errors="replace")
    if kind == "tariff":
        return f"{payload[36:].decode(errors='replace')} n {struct.unpack_from('<I', payload)[0]}"
    if kind == "checkpoint":
        fields = CHECKPOINT.unpack_from(payload)
        lost = ", entries before it are lost" if fields[0] & 1 else ""
        return f"import {fields[2]} Wh, export {fields[3]} Wh{lost}"
    if kind == "interval":
        found = interval(payload)
        export = f", export {found.export_wh} Wh" if found.export_wh else ""
        return f"import {found.import_wh} Wh{export}, {found.duration_s} s"
    if kind in ("credit", "refund"):
        n = struct.unpack_from("<Q", payload)[0]
        return f"{'purchase' if kind == 'credit' else kind} {n}"
    if kind == "token":
        return tokens.unpack(payload).words()
    if kind == "standing":
        return "day %08d" % struct.unpack_from("<I", payload)[0]
    if kind == "emergency":
        limit, available = struct.unpack("<qq", payload)
        return f"{limit} micro accepted at {available // 1000}"
    if kind == "demand":
        cycle, watts, before, minutes, _ = DEMAND.unpack(payload)
        return f"{watts} W in {minutes} min, {before} W before, cycle of {cycle:08d}"
    if kind == "minimum":
        cycle, minimum, energy, standing, _ = MINIMUM.unpack(payload)
        charged = micro_of(energy + standing)
        return f"cycle of {cycle:08d}: charged {charged} of at least {minimum} micro-units"
    if kind in ("adjust", "correction", "debt"):
        return entries_adjust.describe(kind, payload)
    if kind == "freeze":
        flags, cycle, *_, import_wh, export_wh, used_wh, watts, _, _ = FREEZE.unpack_from(payload)
        what = f"cycle of {cycle:08d}" if flags & 1 else "the blocks start anew"
        registers = f"import {import_wh} Wh, export {export_wh} Wh"
        return f"{what}: {registers}, {used_wh} Wh in blocks, {watts} W"
    if kind == "message":
        return payload.decode(errors="replace") or "cleared"
    if kind == "event":
        return entries_event.describe(payload)
    if kind == "relay":
        operation, reasons, cause, _ = struct.unpack_from("<BHBI", payload)
        names = ", ".join(rules.names(reasons)) or "no reason to be open"
        moved = dict(enumerate(states.NAMES)).get(operation, operation)
        return f"{moved}, by {rules.CAUSES.get(cause, cause)} ({names})"
    return ""
