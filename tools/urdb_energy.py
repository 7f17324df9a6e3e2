"""The energy prices of a URDB rate as bands, blocks, day tables and seasons of a document."""

from typing import Any

from wattledger.agent.billing.document import MAX_BANDS, MAX_BLOCKS
from wattledger.agent.billing.document_days import MAX_SWITCHES, MAX_TABLES
from wattledger.tools.places import Path_
from wattledger.tools.urdb_reader import Reader

STRUCTURE = "energyratestructure"
WEEKDAY, WEEKEND = "energyweekdayschedule", "energyweekendschedule"
ENDLESS = 4000000  # kWh: a tier's max above this has no end (URDB writes 1e38)
HOUR_MINUTES = 60
WEEKDAYS, WEEKEND_DAYS = 5, 2


class Energy:
    """`bands`, `limits` (kWh), `prices`, `export` (micro per kWh), `days`, `seasons`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._periods = reader.tiers(reader.rate.get(STRUCTURE), (STRUCTURE,))
        self._weekday = reader.schedule(WEEKDAY, len(self._periods))
        self._weekend = reader.schedule(WEEKEND, len(self._periods))
        self._used = sorted({p for hours in self._weekday + self._weekend for p in hours})
        self.limits = self._limits()
        self._band_of: dict[int, int] = {}
        self.bands: list[str] = []
        self._columns: list[tuple[int, ...]] = []
        for period in self._used:
            self._add_band(period)
        if len(self.bands) > MAX_BANDS:
            raise reader.error(
                (STRUCTURE,), f"has {len(self.bands)} different periods; {MAX_BANDS} bands fit"
            )
        blocks = len(self.limits) + 1
        self.prices = [[column[block] for column in self._columns] for block in range(blocks)]
        earned = [column[-1] for column in self._columns]
        self.export = earned if any(earned) else []
        self.days: dict[str, list[list[int]]] = {}
        self.seasons = self._seasons()
        self.commonest = self._commonest()

    def _limits(self) -> list[int]:
        """Every edge of every period in use: a period without that edge goes on at its price."""
        edges: set[int] = set()
        for period in self._used:
            edges.update(self._edges(period))
        tiered = [period for period in self._used if self._edges(period)]
        if len(edges) >= MAX_BLOCKS:
            raise self._reader.error(
                (STRUCTURE,), f"has {len(edges)} edges of tiers; {MAX_BLOCKS - 1} fit"
            )
        if tiered and self._mixed():
            self._reader.note(
                (STRUCTURE, tiered[0]),
                "its tiers are taken to count all energy of the month, whatever its period; "
                "ask the utility whether each period counts for itself",
            )
        return sorted(edges)

    def _mixed(self) -> bool:
        """True when a month has more than one period."""
        return any(
            len(set(weekday + weekend)) > 1
            for weekday, weekend in zip(self._weekday, self._weekend, strict=True)
        )

    def _edges(self, period: int) -> list[int]:
        found: list[int] = []
        for index, tier in enumerate(self._periods[period]):
            place: Path_ = (STRUCTURE, period, index)
            self._require_kwh(tier, place)
            if "max" not in tier:
                break
            limit = self._reader.number(tier["max"], place + ("max",))
            if limit > ENDLESS:
                break
            if limit.denominator != 1:
                raise self._reader.error(
                    place + ("max",), "is no whole kWh, and blocks are; round it in the rate"
                )
            if limit <= (found[-1] if found else 0):
                raise self._reader.error(place + ("max",), "must be above the tier before it")
            found.append(int(limit))
        return found

    def _require_kwh(self, tier: dict[str, Any], place: Path_) -> None:
        unit = tier.get("unit", "kWh")
        if unit != "kWh":
            raise self._reader.error(
                place + ("unit",),
                f"{unit!r:.40} cannot be expressed: blocks count the kWh of a billing cycle",
            )

    def _add_band(self, period: int) -> None:
        """A band for a period, or the band that has the same prices already."""
        tiers = self._periods[period]
        edges = self._edges(period)
        column = []
        for low in [0, *self.limits]:
            tier = min(sum(edge <= low for edge in edges), len(tiers) - 1)
            place: Path_ = (STRUCTURE, period, tier)
            price = self._reader.price(tiers[tier], place)
            column.append(self._reader.micro(price, place + ("rate",)))
        column.append(self._sell(period))
        found = tuple(column)
        if found not in self._columns:
            self._columns.append(found)
            self.bands.append(f"period-{period}")
        self._band_of[period] = self._columns.index(found)

    def _sell(self, period: int) -> int:
        """What a kWh of export earns; tiers of it cannot be told apart."""
        place: Path_ = (STRUCTURE, period)
        prices = [
            self._reader.number(tier.get("sell", 0), place + (index, "sell"))
            for index, tier in enumerate(self._periods[period])
        ]
        if len(set(prices)) > 1:
            self._reader.note(place, "export earns by tier; only the first tier's price is kept")
        return self._reader.micro(prices[0], place + (0, "sell")) if prices[0] else 0

    def _seasons(self) -> list[list[str]]:
        """A season wherever a month's days differ from those of the month before."""
        seasons: list[list[str]] = []
        for month in range(12):
            pair = [
                self._table((WEEKDAY, month), self._weekday[month]),
                self._table((WEEKEND, month), self._weekend[month]),
            ]
            if not seasons or seasons[-1][1:] != pair:
                seasons.append([f"{month + 1:02d}01", *pair])
        return seasons

    def _table(self, place: Path_, hours: list[int]) -> str:
        """The name of the day table with these hours."""
        switches: list[list[int]] = []
        for hour, period in enumerate(hours):
            band = self._band_of[period]
            if not switches or switches[-1][1] != band:
                switches.append([hour * HOUR_MINUTES, band])
        if len(switches) > MAX_SWITCHES:
            raise self._reader.error(
                place, f"switches {len(switches)} times a day; {MAX_SWITCHES} fit"
            )
        for name, table in self.days.items():
            if table == switches:
                return name
        if len(self.days) == MAX_TABLES:
            raise self._reader.error(place, f"needs more than {MAX_TABLES} different days")
        name = f"d{len(self.days)}"
        self.days[name] = switches
        return name

    def _commonest(self) -> int:
        """The band of most hours of a year."""
        hours = [0] * len(self.bands)
        for schedule, days in ((self._weekday, WEEKDAYS), (self._weekend, WEEKEND_DAYS)):
            for period in (period for month in schedule for period in month):
                hours[self._band_of[period]] += days
        return hours.index(max(hours))
