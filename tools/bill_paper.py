"""The sheet that `bill` has an account post to: sums by cycle, band, block and price."""

from typing import Any, NamedTuple

from wattledger.agent.billing.account import Account
from wattledger.agent.billing.calendar import civil
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records

CHARGES = {
    records.STANDING: "standing_nano",
    records.DEMAND: "demand_nano",
    records.MINIMUM: "minimum_nano",
}


class _Line(NamedTuple):
    cycle: int  # first day, 0 for none
    band: int
    name: str
    block: int
    price: int


class Paper:
    """In place of a journal: keeps no record, only what they come to. `account` posts to it."""

    def __init__(self) -> None:
        self.account: Account
        self.balance = 0
        self.sequence = 0
        self._sums = dict.fromkeys(CHARGES.values(), 0)
        self._imported: dict[_Line, int] = {}
        self._exported: dict[_Line, int] = {}
        self._flagged = dict.fromkeys((payloads.FALLBACK, payloads.UNPRICED), 0)

    def append(self, kind: int, time: int, trust: int, amount: int, payload: bytes) -> int:
        """Take an entry as a journal does; its sequence."""
        self.balance += amount
        self.sequence += 1
        if kind == records.INTERVAL:
            for part in readers.unpack_interval(payload).parts:
                self._take(part)
        elif kind in CHARGES:
            self._sums[CHARGES[kind]] -= amount
        return self.sequence

    def _take(self, part: payloads.Part) -> None:
        if not part.wh:
            return  # with net, all that was imported went out again
        account: Any = self.account
        band = part.band & payloads.BAND_MASK
        line = _Line(account.cycle.day, band, account.tariff.bands[band], part.block, part.price)
        found = self._exported if part.band & payloads.EXPORT else self._imported
        found[line] = found.get(line, 0) + part.wh
        for flag in self._flagged:
            if part.band & flag:
                self._flagged[flag] += part.wh

    def report(self) -> dict[str, Any]:
        """The sums and lines of a bill."""
        lines = [self._shown(line, line.block, wh) for line, wh in sorted(self._imported.items())]
        earned = [self._shown(line, None, wh) for line, wh in sorted(self._exported.items())]
        return {
            "energy_nano": sum(line["amount_nano"] for line in lines),
            **self._sums,
            "export_nano": sum(line["amount_nano"] for line in earned),
            "lines": lines,
            "export_lines": earned,
            "fallback_wh": self._flagged[payloads.FALLBACK],
            "unpriced_wh": self._flagged[payloads.UNPRICED],
        }

    def _shown(self, line: _Line, block: int | None, wh: int) -> dict[str, Any]:
        return {
            "cycle": "%04d-%02d-%02d" % civil(line.cycle) if line.cycle else None,
            "band": line.name,
            "block": block,
            "wh": wh,
            "price": line.price,
            "amount_nano": wh * line.price,
        }
