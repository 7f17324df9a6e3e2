"""Adjustments, corrections and debt in a journal: what they must add up to, and how they read."""

import struct

from wattledger.agent.journal import payload as payloads
from wattledger.tools import output

ADJUST = struct.Struct("<BIIIqqQq")  # reason, n, cycle, unrated Wh, diverted, ...; then the id
CORRECTION = struct.Struct("<I32sQQH")  # n, SHA-256, from, until, standing day; then the id
DEBT = struct.Struct("<BQ")  # reason, reference; then the debt's state
STATE = struct.Struct("<IQQIHIHQBHH")  # id, total, owed, ...: docs/journal.md
REASONS = {
    payloads.ADJUST_CORRECTION: "correction",
    payloads.ADJUST_ESTIMATE: "estimate",
    payloads.ADJUST_REVERSAL: "estimate given back",
    payloads.ADJUST_PRICES: "correction of prices",
    payloads.ADJUST_ORDERED: "ordered by the utility",
}


class Debts:
    """Follows what is owed; take() and adjust() return what does not add up, or None."""

    def __init__(self, owed: int | None) -> None:
        self._owed = owed  # nano, None until an entry says
        self._adjusted: set[tuple[int, int, int, bytes]] = set()

    def take(self, amount: int, payload: bytes) -> str | None:
        """A debt entry."""
        reason, _ = DEBT.unpack_from(payload)
        owed = STATE.unpack_from(payload, DEBT.size)[2]
        before, self._owed = self._owed, owed
        if reason == payloads.DEBT_SET:
            return f"moves the balance by {amount}, which no setting may" if amount else None
        if before is not None and owed != before + amount:
            return f"leaves {owed} owed of {before} after paying {-amount}"
        return None

    def adjust(self, payload: bytes) -> str | None:
        """An adjust entry."""
        reason, n, cycle, _, diverted, *_ = ADJUST.unpack_from(payload)
        if self._owed is not None:
            self._owed += diverted
        key = (reason, n, cycle, payload[ADJUST.size :])
        if reason not in (*payloads.CORRECTING, payloads.ADJUST_ORDERED):
            return None
        if key in self._adjusted:
            return f"posts correction {n} of the cycle of {cycle:08d} a second time"
        self._adjusted.add(key)
        return None


def describe(kind: str, payload: bytes) -> str:
    """What an adjust, correction or debt entry says beside its money."""
    if kind == "correction":
        n, _, start, until, dated = CORRECTION.unpack_from(payload)
        what = "records" if dated else "dynamic prices"
        return f"{_id(payload, CORRECTION.size)} n {n}: {what} from {start} to {until}"
    if kind == "adjust":
        return _adjustment(payload)
    reason, reference = DEBT.unpack_from(payload)
    debt, _, owed, *_ = STATE.unpack_from(payload, DEBT.size)
    what = {
        payloads.DEBT_SET: f"debt {debt} was set",
        payloads.DEBT_SHARE: f"share of purchase {reference}",
        payloads.DEBT_DAY: f"part of day {reference:08d}",
    }.get(reason, f"reason {reason}")
    return f"{what}, {output.money(owed)} owed"


def _adjustment(payload: bytes) -> str:
    reason, n, cycle, unrated_wh, diverted, _, _, lack = ADJUST.unpack_from(payload)
    what = REASONS.get(reason, f"reason {reason}")
    if reason in payloads.CORRECTING:
        what += f" {_id(payload, ADJUST.size)} n {n}"
        if unrated_wh:
            what += f", {unrated_wh} Wh kept their charge"
    elif reason == payloads.ADJUST_ORDERED:
        what += f", n {n}: {output.printable(_id(payload, ADJUST.size))}"
    else:
        what += f" of {unrated_wh} Wh"
    if cycle:
        what += f", cycle of {cycle:08d}"
    if lack:
        change = "more" if lack > 0 else "less"
        what += f", its minimum {output.money(abs(lack))} {change}"
    if diverted > 0:
        what += f", {output.money(diverted)} of it owed as debt"
    elif diverted:
        what += f", {output.money(-diverted)} of it taken from the debt"
    return what


def _id(payload: bytes, at: int) -> str:
    return payload[at:].decode(errors="replace")
