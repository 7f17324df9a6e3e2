"""Finds the rows of a profile that a tariff cannot charge exactly."""

from collections.abc import Sequence
from pathlib import Path

from wattledger.agent.billing.tariff import SEARCH_S, Tariff
from wattledger.agent.units import QUARTER_S
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tools import output
from wattledger.tools.bill_prices import Prices
from wattledger.tools.profile import Row

ESTIMATE = "or give --estimate to charge it by the band at its start"


class Checks:
    """`sets` in the order of their `from`; the first also charges what was before it."""

    def __init__(self, sets: Sequence[Tariff], prices: Prices | None, path: str | Path) -> None:
        self._sets = list(sets)
        self._prices = prices
        self._path = path
        self._clear = (0, 0)  # [from, to): no change of band, block limits or cycle inside

    def fault(self, before: Row | None, row: Row, end: int) -> str | None:
        """What is wrong with `row`, which ends at `end`; None when it can be charged exactly."""
        if before is not None and row.start <= before.start:
            return (
                f"row {output.utc(row.start)} does not start after the row above it; sort the "
                "rows, or give --estimate to charge them in this order"
            )
        if not row.import_wh and not row.export_wh:
            return None
        start = self._sets[0].start
        if row.start < start:
            return (
                f"row {output.utc(row.start)} has energy before the tariff's from, "
                f"{output.utc(start)}; bill it by an earlier tariff, {ESTIMATE}"
            )
        if row.trust != TRUST_SYNCED:
            return None  # charged the fallback band, whatever the time
        edge = self._edge(row, end)
        if edge is None:
            return None
        return (
            f"row {output.utc(row.start)} has energy that spans {edge[1]} at "
            f"{output.utc(edge[0])}; split the row there, {ESTIMATE}"
        )

    def _edge(self, row: Row, end: int) -> tuple[int, str] | None:
        """The first instant within a row at which its charge may change, and what happens then."""
        found = [self._tariff_edge(row.start, end)]
        for tariff in self._sets[1:]:
            found.append((tariff.start, f"the change to n {tariff.n}"))
        found += [self._slot_edge(row.start, end), self._window_edge(row)]
        inside = [edge for edge in found if edge and row.start < edge[0] < end]
        return min(inside) if inside else None

    def _in_force(self, at: int) -> Tariff:
        return [tariff for tariff in self._sets if tariff.start <= at][-1]

    def _tariff_edge(self, start: int, end: int) -> tuple[int, str] | None:
        if self._clear[0] <= start and end <= self._clear[1]:
            return None
        tariff = self._in_force(start)
        at = start
        while at < start + SEARCH_S:
            at = tariff.next_edge(at)
            what = _change(tariff, start, at)
            if what is not None:
                break
        self._clear = (start, at)
        return None if what is None else (at, what)

    def _slot_edge(self, start: int, end: int) -> tuple[int, str] | None:
        if self._prices is None:
            return None
        price = self._prices.price_at(start)
        for at in range(start - start % QUARTER_S + QUARTER_S, end, QUARTER_S):
            if self._prices.price_at(at) != price:
                return at, "a change of the dynamic price"
        return None

    def _window_edge(self, row: Row) -> tuple[int, str] | None:
        demand = self._in_force(row.start).demand
        if not demand or not row.import_wh:
            return None
        span = demand[0] * 60
        return (row.start // span + 1) * span, "the end of a demand window"


def _change(tariff: Tariff, start: int, at: int) -> str | None:
    """What is another at `at` than at `start`, if anything is."""
    if tariff.cycle_day(at) != tariff.cycle_day(start):
        return "the end of the cycle"
    band = tariff.band_at(at)
    if band != tariff.band_at(start):
        return f"the switch to {tariff.bands[band]}"
    if tariff.block_day(at) > tariff.block_day(start) or _limits(tariff, at) != _limits(
        tariff, start
    ):
        return "a season with other blocks"
    return None


def _limits(tariff: Tariff, at: int) -> list[int]:
    """The block limits in force, Wh."""
    limits: list[int] = []
    left = tariff.block_left(0, at)
    while left is not None:
        limits.append(left + (limits[-1] if limits else 0))
        left = tariff.block_left(limits[-1], at)
    return limits
