"""What a run amounts to, from its journal: the object that `demo --json` prints."""

from typing import Any

from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.units import micro_of

MWS_PER_WH = 3_600_000


class Summary:
    """Adds up a journal record by record and checks the invariants a journal can show."""

    def __init__(self, storage: Any, meter: str, profile_s: int) -> None:
        self._profile_s = profile_s
        self.charged = 0
        self.credited = 0
        self.balance = 0
        self.relay_ops = 0
        self.events = 0
        self.lost_intervals = 0
        self.head = {"sequence": 0, "hash": records.first_hash(meter).hex()}
        self._end: int | None = None
        self._registers = (0, 0)
        self._purchases: set[int] = set()
        self.invariants = {"I1": True, "I2": True, "I3": True, "I5": True}
        for _, entry in walk(storage, records.first_hash(meter)):
            self._add(entry)

    def _add(self, entry: records.Record) -> None:
        if entry.kind == records.CHECKPOINT and self.head["sequence"] == 0:
            # The oldest segments were retired: what they held is summed up here.
            self.balance = entry.balance
            self._registers = _registers_at(entry)
        self.balance += entry.amount
        self._check("I2", self.balance == entry.balance)
        if entry.kind in records.MONEY_IN:
            self.credited += entry.amount
        else:
            self.charged -= entry.amount
        self.head = {"sequence": entry.sequence, "hash": entry.hash.hex()}
        if entry.kind == records.OPENING:
            self._end = entry.time
            self._registers = readers.unpack_opening(entry.payload)[:2]
        elif entry.kind == records.INTERVAL:
            self._add_interval(entry)
        elif entry.kind in (records.CREDIT, records.REFUND):
            n = readers.unpack_credit(entry.payload)[0]
            self._check("I3", n not in self._purchases)
            self._purchases.add(n)
        elif entry.kind == records.RELAY:
            self.relay_ops += 1
            self._check("I5", readers.unpack_relay(entry.payload)[2] != 0)
        elif entry.kind == records.EVENT:
            self.events += 1

    def _add_interval(self, entry: records.Record) -> None:
        interval = readers.unpack_interval(entry.payload)
        now = (interval.import_wh, interval.export_wh)
        self._check("I1", now[0] >= self._registers[0] and now[1] >= self._registers[1])
        self._registers = now
        self._check("I2", interval.amount() == entry.amount)
        start = entry.time - interval.duration_s
        if self._end is not None and start > self._end:
            self.lost_intervals += (start - self._end) // self._profile_s
        self._end = entry.time

    def _check(self, name: str, holds: bool) -> None:
        self.invariants[name] = self.invariants[name] and holds

    def report(self, truth_mws: int, register_wh: float) -> dict[str, Any]:
        """The JSON object. `register_wh` includes the rest of a Wh, so that its error is exact."""
        truth_wh = truth_mws / MWS_PER_WH
        error = (register_wh - truth_wh) / truth_wh * 1e6 if truth_wh else 0.0
        money = {
            "charged": self.charged,
            "credited": self.credited,
            "balance": self.balance,
        }
        report: dict[str, Any] = {
            "truth_wh": round(truth_wh, 6),
            "register_wh": round(register_wh, 6),
            "error_ppm": round(error, 3),
        }
        for name, nano in money.items():
            report[f"{name}_nano"] = nano
            report[f"{name}_micro"] = micro_of(nano)
        report["relay_ops"] = self.relay_ops
        report["events"] = self.events
        report["lost_intervals"] = self.lost_intervals
        report["invariants"] = dict(self.invariants)
        report["journal_head"] = self.head
        return report


def _registers_at(entry: records.Record) -> tuple[int, int]:
    checkpoint = checkpoints.unpack(entry.payload)
    return checkpoint.import_wh, checkpoint.export_wh
