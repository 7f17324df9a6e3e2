"""`wattledger ledger explain`: why the balance moved between two times, line by line."""

from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.billing.statement import Reader, Statement
from wattledger.agent.billing.totals import Totals
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.units import micro_of
from wattledger.tools import entries, ledger, output
from wattledger.tools.period import Period, Source, line_json

# What moves nothing and says nothing of money or supply is left out.
SILENT = (records.CHECKPOINT, records.COMMAND)


class Row(NamedTuple):
    """One record, or one part of an interval; `code` is the band byte, None for other records.
    Amounts and the balance after it are nano-units."""

    sequence: int
    kind: str
    start: int
    end: int
    n: int
    code: int | None
    block: int
    wh: int
    price: int
    amount: int
    balance: int
    what: str


class Explanation:
    """Rows and totals of a period of a journal."""

    def __init__(self, source: Source, period: Period) -> None:
        self.source = source
        self.asked = period
        self.statement = Statement(source.zone, period.start, period.until, Reader())
        self.rows: list[Row] = []
        balance: int | None = None
        for entry in source.entries():
            try:
                taken = self.statement.take(entry)
            except RecordError:
                break  # `verify` tells of it
            if self.statement.over:
                break
            if taken:
                self._take(entry, entry.balance - entry.amount if balance is None else balance)
            balance = entry.balance
        self.totals: Totals = self.statement.finish()

    def _take(self, entry: records.Record, before: int) -> None:
        lost = entry.balance - entry.amount - before
        if lost:
            what = "records that were lost"
            self._add(entry, "lost", lost, entry.balance - entry.amount, what)
        if entry.kind == records.INTERVAL:
            self._take_interval(entry)
        elif entry.kind not in SILENT:
            kind = records.KINDS[entry.kind]
            what = entries.describe(kind, entry.payload)
            self._add(entry, kind, entry.amount, entry.balance, what)

    def _take_interval(self, entry: records.Record) -> None:
        interval = readers.unpack_interval(entry.payload)
        balance = entry.balance - entry.amount
        for part in interval.parts:
            amount = part.amount()
            balance += amount
            self.rows.append(
                Row(
                    entry.sequence,
                    "interval",
                    entry.time - interval.duration_s,
                    entry.time,
                    interval.tariff_n,
                    part.band,
                    part.block,
                    part.wh,
                    part.price,
                    amount,
                    balance,
                    "" if interval.quality == 0 else "estimated",
                )
            )

    def _add(self, entry: records.Record, kind: str, amount: int, balance: int, what: str) -> None:
        at = entry.time
        self.rows.append(
            Row(entry.sequence, kind, at, at, 0, None, 0, 0, 0, amount, balance, what)
        )

    def lines(self) -> list[dict[str, Any]]:
        """The rows as JSON objects."""
        return [self._line(row) for row in self.rows]

    def _line(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = {"sequence": row.sequence, "kind": row.kind}
        if row.code is None:
            made |= {"time": self.source.instant(row.start), "what": row.what}
            made["amount_nano"] = row.amount
        else:
            made["start"] = self.source.instant(row.start)
            made["end"] = self.source.instant(row.end)
            made["estimated"] = bool(row.what)
            made |= line_json(self.source, self.statement.versions, row)
        made["balance_nano"] = row.balance
        return made


def explain(state: str | Path, start: str | None, until: str | None) -> Explanation:
    """The explanation of a period; errors as FileError and typer.BadParameter."""
    source = Source(state)
    return Explanation(source, source.period(start, until))


def report(found: Explanation, scan: ledger.Scan) -> dict[str, Any]:
    """What `ledger explain --json` prints: the report of `verify`, and the period."""
    totals = found.totals
    versions = found.statement.versions
    return {
        **scan.report(),
        **found.source.as_json(found.asked),
        "opening_nano": totals.opening,
        "closing_nano": totals.closing,
        "change_nano": totals.closing - totals.opening,
        "change_micro": micro_of(totals.closing - totals.opening),
        "explained_nano": totals.explained(),
        "lines": found.lines(),
        "bands": [line_json(found.source, versions, line) for line in totals.lines()],
    }


def show(found: Explanation) -> None:
    """The explanation for a person."""
    source, totals = found.source, found.totals
    band = Names(source, found.statement.versions)
    output.table(
        f"{source.meter}, {_period_text(found)}",
        ["#>", "from", "to", "what", "n>", "Wh>", "price>", "amount>", "balance>"],
        [_cells(source, band, row) for row in found.rows],
    )
    print()
    output.table(
        "By tariff, band and block",
        ["n>", "band", "block>", "Wh>", "price>", "amount>"],
        [
            (
                str(line.n),
                band.text(line.n, line.code),
                "" if line.is_export() else str(line.block + 1),
                str(line.wh),
                "several" if line.price is None else output.price(line.price),
                output.money(line.amount),
            )
            for line in totals.lines()
        ],
    )
    print()
    money = source.currency
    for kind in sorted(totals.posted):
        count, amount = totals.posted[kind]
        print(f"{records.KINDS[kind]:12} {output.money(amount, money)} ({count})")
    if totals.lost:
        print(f"{'lost records':12} {output.money(totals.lost, money)}")
    change = totals.closing - totals.opening
    moved = "fell" if change < 0 else "rose"
    print(
        f"the balance {moved} by {output.money(abs(change), money)}: "
        f"from {output.money(totals.opening)} to {output.money(totals.closing)}"
    )
    tell_notes(source, found.statement.versions)


class Names:
    """Bands as a person reads them; by number where the document is not here."""

    def __init__(self, source: Source, versions: dict[int, bytes]) -> None:
        self._source = source
        self._versions = versions

    def text(self, n: int, code: int) -> str:
        index = code & payloads.BAND_MASK
        name = self._source.band_name(self._versions.get(n, b""), index) or f"band {index}"
        for bit, word in (
            (payloads.EXPORT, "export"),
            (payloads.DYNAMIC, "dynamic"),
            (payloads.FALLBACK, "fallback"),
            (payloads.NET, "net"),
            (payloads.UNPRICED, "no dynamic price"),
        ):
            if code & bit:
                name += f", {word}"
        return output.printable(name)


def tell_notes(source: Source, versions: dict[int, bytes]) -> None:
    """Notes on stderr: which names and times a reader cannot take for granted."""
    for note, n in source.notes(versions):
        if note == "utc":
            output.note("times are UTC: the tariff in force is not in the state directory")
        else:
            output.note(f"tariff n {n} is not in the state directory; its bands show by number")


def _period_text(found: Explanation) -> str:
    start, until = (found.source.instant(at) for at in found.asked)
    return f"from {start or 'its first entry'} to {until or 'its last'}"


def _cells(source: Source, band: Names, row: Row) -> tuple[str, ...]:
    start, end = (str(source.instant(at)) for at in (row.start, row.end))
    amount = output.money(row.amount) if row.amount or row.code is not None else ""
    balance = output.money(row.balance)
    if row.code is None:
        what = f"{row.kind}: {row.what}" if row.what else row.kind
        return str(row.sequence), start, "", what, "", "", "", amount, balance
    block = "" if row.code & payloads.EXPORT else f", block {row.block + 1}"
    what = band.text(row.n, row.code) + block + (f", {row.what}" if row.what else "")
    return (
        str(row.sequence),
        start,
        end[:10] == start[:10] and end[11:] or end,
        what,
        str(row.n),
        str(row.wh),
        output.price(row.price),
        amount,
        balance,
    )
