"""`wattledger statement`: what a period cost, for a person (text, HTML) or a program (JSON)."""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.billing.calendar import date_key
from wattledger.agent.billing.statement import Cut, Reader, Statement
from wattledger.agent.billing.totals import Totals
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tools import output
from wattledger.tools.period import Period, Source
from wattledger.tools.statement_words import Words

# Told in the days' own columns, or nothing a customer paid or was paid.
IN_DAYS = (records.STANDING,)


class Posting(NamedTuple):
    """A record that moved the balance and is no interval."""

    sequence: int
    code: int  # the record's kind
    time: int
    amount: int
    balance: int
    reference: int


class Gap(NamedTuple):
    """Unix seconds that no interval covers."""

    start: int
    end: int
    restarted: bool


class Collected(Reader):
    """Keeps what a Statement tells."""

    def __init__(self) -> None:
        self.days: list[Totals] = []
        self.postings: list[Posting] = []
        self.cuts: list[Cut] = []
        self.gaps: list[Gap] = []
        self.events: dict[int, int] = {}
        self.unrated_wh = 0  # what corrections left at its charge
        self.diverted = 0  # what of adjustments went to the debt, nano

    def day(self, totals: Totals) -> None:
        self.days.append(totals)

    def posting(self, entry: records.Record, reference: int) -> None:
        if entry.kind == records.ADJUST:
            reason, _, _, unrated_wh, diverted, _ = readers.unpack_adjust(entry.payload)
            self.diverted += diverted
            self.unrated_wh += unrated_wh if reason in payloads.CORRECTING else 0
        if entry.kind not in IN_DAYS:
            at, amount, balance = entry.time, entry.amount, entry.balance
            self.postings.append(
                Posting(entry.sequence, entry.kind, at, amount, balance, reference)
            )

    def cut(self, cut: Cut) -> None:
        self.cuts.append(cut)

    def gap(self, start: int, end: int, restarted: bool) -> None:
        self.gaps.append(Gap(start, end, restarted))

    def event(self, entry: records.Record, code: int, value: int) -> None:
        self.events[code] = self.events.get(code, 0) + 1


class Found:
    """A statement: `total` of the period, what was told on the way, and the head it ends at."""

    def __init__(self, source: Source, asked: Period) -> None:
        self.source = source
        self.asked = asked
        self.told = Collected()
        self.statement = Statement(source.zone, asked.start, asked.until, self.told)
        self.head: bytes | None = None  # hash of the period's last entry
        self.first_time: int | None = None
        self.last_time: int | None = None
        for entry in source.entries():
            try:
                taken = self.statement.take(entry)
            except RecordError:
                break  # `verify` tells of it
            if self.statement.over:
                break
            if taken:
                self.head = entry.hash
                self.last_time = entry.time
                self.first_time = entry.time if self.first_time is None else self.first_time
        self.total: Totals = self.statement.finish()

    def span(self) -> tuple[int | None, int | None]:
        """What the period covers: as asked, else up to the journal's own ends."""
        start = self.first_time if self.asked.start is None else self.asked.start
        return start, self.last_time if self.asked.until is None else self.asked.until

    def band_name(self, n: int, band: int) -> str | None:
        """A band's name when the document it was billed by is here."""
        return self.source.band_name(self.statement.versions.get(n, b""), band)


def collect(
    state: str | Path, start: str | None, until: str | None, month: str | None = None
) -> Found:
    """The statement of a period; errors as FileError and typer.BadParameter."""
    source = Source(state)
    return Found(source, source.period(start, until, month))


def date_text(days: int | None) -> str:
    """Days since 2000-01-01 as 2027-01-31."""
    key = date_key(days)
    return f"{key // 10000:04d}-{key // 100 % 100:02d}-{key % 100:02d}"


def sums(found: Found, words: Words) -> list[tuple[str, int]]:
    """What makes up the change of the balance, in the order a person expects."""
    total = found.total
    imported, exported = total.energy()
    rows = [(words.kind(kind), total.posted[kind][1]) for kind in sorted(total.posted)]
    rows.append((f"{words['import']} · {kwh(total.import_wh)} kWh", imported))
    if exported or total.export_wh:
        rows.append((f"{words['exports']} · {kwh(total.export_wh)} kWh", exported))
    if total.lost:
        rows.append((words["lost"], total.lost))
    return rows


def paid_in(totals: Totals) -> int:
    """Credits, refunds, adjustments, corrections: all that is neither energy nor standing."""
    return sum(
        amount for kind, (_, amount) in totals.posted.items() if kind not in IN_DAYS
    ) + totals.lost  # fmt: skip


def standing(totals: Totals) -> int:
    """What standing charges moved."""
    return totals.posted.get(records.STANDING, (0, 0))[1]


def line_name(found: Found, words: Words, line: Any) -> str:
    """A band as a person reads it: its name or number, and what is particular of the price."""
    index = line.code & payloads.BAND_MASK
    name = found.band_name(line.n, index)
    text = output.printable(name) if name else f"{words['band']} {index}"
    for bit, word in (
        (payloads.EXPORT, "export"),
        (payloads.DYNAMIC, "dynamic"),
        (payloads.FALLBACK, "fallback"),
        (payloads.NET, "net"),
        (payloads.UNPRICED, "unpriced"),
    ):
        if line.code & bit:
            text += f" · {words[word]}"
    return text


def remarks(found: Found, words: Words) -> list[str]:
    """What a reader has to know beside the figures."""
    total, told, source = found.total, found.told, found.source
    said = []
    if total.fallback_wh:
        said.append(
            words["note_fallback"].format(
                kwh=kwh(total.fallback_wh), amount=output.money(total.fallback_amount)
            )
        )
    if total.estimated:
        said.append(
            words["note_estimated"].format(count=total.estimated, kwh=kwh(total.estimated_wh))
        )
    if total.uncharged_wh:
        said.append(words["note_uncharged"].format(kwh=kwh(total.uncharged_wh)))
    if told.unrated_wh:
        said.append(words["note_unrated"].format(kwh=kwh(told.unrated_wh)))
    if told.diverted:
        note = words["note_diverted" if told.diverted > 0 else "note_relieved"]
        said.append(note.format(amount=output.money(abs(told.diverted))))
    for gap in told.gaps:
        said.append(
            words["note_off" if gap.restarted else "note_clock"].format(
                start=minute(source.instant(gap.start)), end=minute(source.instant(gap.end))
            )
        )
    if total.lost:
        said.append(words["note_lost"].format(amount=output.money(total.lost)))
    for note, n in source.notes(found.statement.versions):
        said.append(words["note_" + note].format(n=n))
    return said


def minute(text: str | None) -> str:
    """An instant without its seconds and zone: 2027-01-31 18:00."""
    return text[:16].replace("T", " ") if text else "–"


def kwh(wh: int) -> str:
    """Whole Wh as kWh with all three decimals."""
    return f"{wh // 1000}.{wh % 1000:03d}"


def duration(seconds: int) -> str:
    """As 3 h 05 min, or 45 s under a minute."""
    hours, rest = divmod(seconds, 3600)
    if hours:
        return f"{hours} h {rest // 60:02d} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"


def write(found: Found, form: str, words: Words, out: Path | None) -> None:
    """Write the statement as "text", "json" or "html" to `out`, or to stdout."""
    if out is None:
        _put(found, form, words)
        return
    kept = io.StringIO()
    with contextlib.redirect_stdout(kept):
        _put(found, form, words)
    out.write_text(kept.getvalue(), encoding="utf-8")


def _put(found: Found, form: str, words: Words) -> None:
    # Here, because each of them imports this file.
    from wattledger.tools import statement_html, statement_json, statement_text

    if form == "json":
        output.result(statement_json.report(found))
    elif form == "html":
        sys.stdout.write(statement_html.page(found, words))
    else:
        statement_text.show(found, words)
