"""`wattledger bill`: what a load profile costs under a tariff, by the device's own engine.

The rows are given to the account of a meter, which posts to a sheet of paper instead of a journal:
cycles, blocks, standing charges, demand and minimum are the meter's. A row whose time is not
synced is charged the fallback band and turns no cycle; the dates it held are begun by the next
that is. Money is in nano-units, charges positive; nothing is rounded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wattledger.agent.billing.account import Account
from wattledger.agent.billing.tariff import Tariff
from wattledger.agent.units import QUARTER_S, micro_of
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tools import output, places
from wattledger.tools.bill_checks import Checks
from wattledger.tools.bill_paper import Paper
from wattledger.tools.bill_prices import Prices
from wattledger.tools.profile import Row

LONE_ROW_S = QUARTER_S  # how long a row lasts that has no other beside it


def bill(
    tariff: Tariff | Sequence[Tariff],
    rows: Sequence[Row],
    path: str | Path = "profile",
    used_wh: int = 0,
    estimate: bool = False,
    prices: Prices | None = None,
) -> dict[str, Any]:
    """The bill for `rows` (at least one) of the file `path`, as `bill --json` prints it.

    `tariff` may be several sets, each in force from its `from`. `used_wh` of the cycle are behind
    the first row. PlaceError names the row that cannot be charged exactly, unless `estimate`.
    """
    sets = in_force([tariff] if isinstance(tariff, Tariff) else tariff, rows[0].start)
    meter = _Meter(sets, prices, used_wh, rows[0].start)
    checks = Checks(sets, prices, path)
    estimated = 0
    ends = _ends(rows)
    for before, row, end in zip([None, *rows[:-1]], rows, ends, strict=True):
        fault = checks.fault(before, row, end)
        if fault is not None:
            if not estimate:
                raise places.PlaceError(path, row.line, 1, fault)
            estimated += 1
        meter.take(row, end)
    meter.finish(max(ends))
    last: Any = meter.account.tariff  # there is one from the start
    found = meter.paper.report()
    total = found["energy_nano"] + found["standing_nano"] + found["demand_nano"]
    total += found["minimum_nano"] - found["export_nano"]
    return {
        "tariff": {"id": last.id, "n": last.n},
        "currency": last.currency,
        "total_nano": total,
        "total_micro": micro_of(total),
        **found,
        "estimated_rows": estimated,
    }


def in_force(sets: Sequence[Tariff], start: int) -> list[Tariff]:
    """The sets that matter from `start` on, by their `from`: that in force then comes first."""
    ordered = sorted(sets, key=lambda tariff: (tariff.start, tariff.n))
    begun = [tariff for tariff in ordered if tariff.start <= start]
    return ordered[max(len(begun) - 1, 0) :]


def _ends(rows: Sequence[Row]) -> list[int]:
    """Where each row ends: at the next one's start; the last lasts as long as the one before."""
    ends = [
        max(row.start, following.start) for row, following in zip(rows, rows[1:], strict=False)
    ]
    length = ends[-1] - rows[-2].start if ends else LONE_ROW_S
    return [*ends, rows[-1].start + length]


class _Meter:
    """An account whose registers follow the rows."""

    def __init__(
        self, sets: Sequence[Tariff], prices: Prices | None, used_wh: int, start: int
    ) -> None:
        self._following = list(sets[1:])
        self.paper = Paper()
        self.account = self.paper.account = Account(self.paper)
        self.account.dynamic = prices
        self.account.used_wh = used_wh
        self.account.adopt(sets[0])
        self.account.begin_first(start)
        self._import_wh = self._export_wh = 0

    def take(self, row: Row, end: int) -> None:
        """Charge one row."""
        if row.trust == TRUST_SYNCED:
            self._begin_dates(row.start)
        self.account.begin(row.start, self._import_wh, self._export_wh, row.trust)
        self._import_wh += row.import_wh
        self._export_wh += row.export_wh
        self.account.close(end, self._import_wh, self._export_wh)

    def finish(self, end: int) -> None:
        """Charge what falls due by `end`: the dates begun before it, a cycle that ends with it."""
        self._begin_dates(end - 1)
        self.account.begin(end, self._import_wh, self._export_wh, TRUST_SYNCED)

    def _begin_dates(self, until: int) -> None:
        """Begin each local date and put each set in force, in the order of time.

        One at a time, for the account catches up only so many dates at once.
        """
        account: Any = self.account
        while True:
            date = account.tariff.zone.first_instant(account.standing_day + 1)
            if self._following and self._following[0].start <= min(date, until):
                account.pending = self._following.pop(0)
                account.switch(account.pending.start, TRUST_SYNCED)
            elif date <= until:
                account.charge_standing(date, TRUST_SYNCED)
            else:
                return


def show(found: dict[str, Any]) -> None:
    """The bill for a person. Blocks count from 1 here, as on the display."""
    currency = found["currency"]
    rows = [_shown(line, 1) for line in found["lines"]]
    rows += [_shown(line, -1) for line in found["export_lines"]]
    sums = [("energy", found["energy_nano"]), ("standing", found["standing_nano"])]
    sums += [(name, found[f"{name}_nano"]) for name in ("demand", "minimum")]
    sums.append(("export", -found["export_nano"]))
    always = ("energy", "standing")
    rows += [
        ("", name, "", "", "", output.money(nano)) for name, nano in sums if nano or name in always
    ]
    rows.append(("", "total", "", "", "", output.money(found["total_nano"])))
    tariff = found["tariff"]
    output.table(
        f"{tariff['id']} n {tariff['n']}, {currency}",
        ["cycle from", "band", "block>", "Wh>", "price per kWh>", "amount>"],
        rows,
    )
    if found["fallback_wh"]:
        output.note(f"{found['fallback_wh']} Wh at the fallback band: the clock was not synced")
    if found["unpriced_wh"]:
        output.note(f"{found['unpriced_wh']} Wh at the band's price: no dynamic price held then")
    if found["estimated_rows"]:
        output.note(f"{found['estimated_rows']} rows are estimates (--estimate)")


def _shown(line: dict[str, Any], sign: int) -> tuple[str, ...]:
    block = "export" if line["block"] is None else str(line["block"] + 1)
    amount = output.money(sign * line["amount_nano"])
    price = output.price(line["price"])
    return line["cycle"] or "-", line["band"], block, str(line["wh"]), price, amount
