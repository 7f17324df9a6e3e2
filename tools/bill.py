"""`wattledger bill`: what a load profile costs under a tariff, by the device's own engine.

Rows are taken in order, as the meter takes its intervals: block use runs through a billing cycle
and starts again with the next, a row whose time is not synced is charged the fallback band and
turns no cycle. Money is in nano-units, charges positive; nothing is rounded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wattledger.agent.billing import rating
from wattledger.agent.billing.calendar import civil
from wattledger.agent.billing.tariff import Tariff
from wattledger.agent.journal.payload import BAND_MASK, EXPORT, FALLBACK, Part
from wattledger.agent.units import NANO_PER_MICRO, QUARTER_S, micro_of
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tools import output, places
from wattledger.tools.profile import Row

LONE_ROW_S = QUARTER_S  # how long a row lasts that has no other beside it
ESTIMATE = "or give --estimate to charge it by the band at its start"


def bill(
    tariff: Tariff,
    rows: Sequence[Row],
    path: str | Path = "profile",
    used_wh: int = 0,
    estimate: bool = False,
) -> dict[str, Any]:
    """The bill for `rows` (at least one) of the file `path`, as `bill --json` prints it.

    `used_wh` of the cycle are behind the first row. PlaceError names the row that cannot be
    charged exactly, unless `estimate`.
    """
    account = _Account(tariff, used_wh)
    checks = _Checks(tariff, path)
    ends = _ends(rows)
    estimated = 0
    for before, row, end in zip([None, *rows[:-1]], rows, ends, strict=True):
        fault = checks.fault(before, row, end)
        if fault is not None:
            if not estimate:
                raise places.PlaceError(path, row.line, 1, fault)
            estimated += 1
        account.take(row)
    days = _days_begun(tariff, rows[0].start, max(ends))
    return account.total(days * tariff.standing_day * NANO_PER_MICRO, estimated)


def _ends(rows: Sequence[Row]) -> list[int]:
    """Where each row ends: at the next one's start; the last lasts as long as the one before."""
    ends = [
        max(row.start, following.start) for row, following in zip(rows, rows[1:], strict=False)
    ]
    length = ends[-1] - rows[-2].start if ends else LONE_ROW_S
    return [*ends, rows[-1].start + length]


def _days_begun(tariff: Tariff, start: int, end: int) -> int:
    """Local dates whose first instant lies in [start, end)."""
    first, _ = tariff.zone.local(start)
    if tariff.zone.first_instant(first) < start:
        first += 1
    last, _ = tariff.zone.local(end - 1)
    return max(last - first + 1, 0)


class _Checks:
    """Finds rows that a tariff cannot charge exactly."""

    def __init__(self, tariff: Tariff, path: str | Path) -> None:
        self._tariff = tariff
        self._path = path
        self._clear = (0, 0)  # [from, to): no switch of band and no cycle end inside

    def fault(self, before: Row | None, row: Row, end: int) -> str | None:
        """What is wrong with `row`, which ends at `end`; None when it can be charged exactly."""
        if before is not None and row.start <= before.start:
            return (
                f"row {output.utc(row.start)} does not start after the row above it; sort the "
                "rows, or give --estimate to charge them in this order"
            )
        if not row.import_wh and not row.export_wh:
            return None
        if row.start < self._tariff.start:
            return (
                f"row {output.utc(row.start)} has energy before the tariff's from, "
                f"{output.utc(self._tariff.start)}; bill it by an earlier tariff, {ESTIMATE}"
            )
        if row.trust != TRUST_SYNCED:
            return None  # charged the fallback band, whatever the time
        if self._clear[0] <= row.start and end <= self._clear[1]:
            return None
        at, what = self._next_edge(row.start)
        self._clear = (row.start, at)
        if end <= at:
            return None
        return (
            f"row {output.utc(row.start)} has energy that spans {what} at {output.utc(at)}; "
            f"split the row there, {ESTIMATE}"
        )

    def _next_edge(self, start: int) -> tuple[int, str]:
        """The next change of band or cycle after `start`, or a quiet instant 8 days on."""
        zone = self._tariff.zone
        cycle = self._tariff.cycle_day(start)
        today, _ = zone.local(start)
        day = today + 1
        while day < today + 8 and self._tariff.cycle_day(zone.first_instant(day)) == cycle:
            day += 1
        at, what = zone.first_instant(day), "the end of the cycle"
        change = self._tariff.next_change(start)
        if change is not None and change[0] < at:
            at, what = change[0], f"the switch to {self._tariff.bands[change[1]]}"
        return at, what


class _Account:
    """Adds up rows by cycle, band, block and price."""

    def __init__(self, tariff: Tariff, used_wh: int) -> None:
        self._tariff = tariff
        self._used_wh = used_wh
        self._cycles: list[int | None] = [None]  # first days; the first is known at a synced row
        self._fallback_wh = 0
        # (cycle, band, block, price) -> Wh; cycle is an index of _cycles.
        self._imported: dict[tuple[int, int, int, int], int] = {}
        self._exported: dict[tuple[int, int, int, int], int] = {}

    def take(self, row: Row) -> None:
        """Charge one row."""
        if row.trust == TRUST_SYNCED:
            self._turn(self._tariff.cycle_day(row.start))
        parts = rating.rate(
            self._tariff, row.start, row.import_wh, row.export_wh, self._used_wh, row.trust
        )
        self._used_wh += row.import_wh
        for part in parts:
            self._add(part)

    def _turn(self, cycle: int) -> None:
        """Begin a cycle when it is later than the present one; a clock set back begins none."""
        present = self._cycles[-1]
        if present is None:
            self._cycles[-1] = cycle
        elif cycle > present:
            self._cycles.append(cycle)
            self._used_wh = 0

    def _add(self, part: Part) -> None:
        found = self._exported if part.band & EXPORT else self._imported
        key = (len(self._cycles) - 1, part.band & BAND_MASK, part.block, part.price)
        found[key] = found.get(key, 0) + part.wh
        if part.band & FALLBACK:
            self._fallback_wh += part.wh

    def _lines(self, found: dict[tuple[int, int, int, int], int]) -> list[dict[str, Any]]:
        lines = []
        for (cycle, band, block, price), wh in sorted(found.items()):
            lines.append(
                {
                    "cycle": self._cycle_name(cycle),
                    "band": self._tariff.bands[band],
                    "block": None if found is self._exported else block,
                    "wh": wh,
                    "price": price,
                    "amount_nano": wh * price,
                }
            )
        return lines

    def _cycle_name(self, index: int) -> str | None:
        """The first date of a cycle; None when the tariff has none or it is not known."""
        day = self._cycles[index]
        if day is None or self._tariff.cycle == "none":
            return None
        return "%04d-%02d-%02d" % civil(day)

    def total(self, standing: int, estimated: int) -> dict[str, Any]:
        """The whole bill; `standing` in nano-units, `estimated` rows."""
        lines = self._lines(self._imported)
        earned = self._lines(self._exported)
        energy = sum(line["amount_nano"] for line in lines)
        export = sum(line["amount_nano"] for line in earned)
        total = energy + standing - export
        return {
            "tariff": {"id": self._tariff.id, "n": self._tariff.n},
            "currency": self._tariff.currency,
            "energy_nano": energy,
            "standing_nano": standing,
            "demand_nano": 0,  # a document with demand is refused by this firmware
            "export_nano": export,
            "total_nano": total,
            "total_micro": micro_of(total),
            "lines": lines,
            "export_lines": earned,
            "fallback_wh": self._fallback_wh,
            "estimated_rows": estimated,
        }


def show(found: dict[str, Any]) -> None:
    """The bill for a person. Blocks count from 1 here, as on the display."""
    currency = found["currency"]
    rows = [_shown(line, 1) for line in found["lines"]]
    rows += [_shown(line, -1) for line in found["export_lines"]]
    sums = [("energy", found["energy_nano"]), ("standing", found["standing_nano"])]
    if found["export_nano"]:
        sums.append(("export", -found["export_nano"]))
    rows += [("", name, "", "", "", output.money(nano)) for name, nano in sums]
    rows.append(("", "total", "", "", "", output.money(found["total_nano"])))
    tariff = found["tariff"]
    output.table(
        f"{tariff['id']} n {tariff['n']}, {currency}",
        ["cycle from", "band", "block>", "Wh>", "price per kWh>", "amount>"],
        rows,
    )
    if found["fallback_wh"]:
        output.note(f"{found['fallback_wh']} Wh at the fallback band: the clock was not synced")
    if found["estimated_rows"]:
        output.note(f"{found['estimated_rows']} rows are estimates (--estimate)")


def _shown(line: dict[str, Any], sign: int) -> tuple[str, ...]:
    block = "export" if line["block"] is None else str(line["block"] + 1)
    amount = output.money(sign * line["amount_nano"])
    price = output.price(line["price"])
    return line["cycle"] or "-", line["band"], block, str(line["wh"]), price, amount
