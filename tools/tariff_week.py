"""What a tariff document says of a week, season by season: the model of `tariff show`."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.tools import places, tariff

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MINUTES = 1440
FIRST_HOLIDAY = date(2000, 1, 1)
PLAIN_YEAR = 2001

Table = list[list[int]]  # [start minute, band], ...


class Column(NamedTuple):
    """A kind of day and its day table."""

    name: str
    table: Table

    def band_at(self, minute: int) -> int:
        """Index of the band at a minute of the day."""
        return [band for start, band in self.table if start <= minute][-1]

    def spans(self) -> list[tuple[int, int, int]]:
        """(from minute, to minute, band) from midnight to midnight."""
        ends = [start for start, _ in self.table[1:]] + [MINUTES]
        return [(start, end, band) for (start, band), end in zip(self.table, ends, strict=True)]


class Season(NamedTuple):
    """Parts of the year that charge alike: their first and last days as MM-DD, and how."""

    spans: list[tuple[str, str]]
    blocks: list[int]
    resets: bool
    days: list[Column]  # Monday to Sunday, then the special days

    def dates(self) -> str:
        """`01-01 to 05-31, 10-01 to 12-31`."""
        return ", ".join(f"{first} to {last}" for first, last in self.spans)

    def grouped(self) -> list[Column]:
        """Its columns with neighbours of the same table as one, `Mon-Fri`."""
        groups: list[list[Column]] = []
        for column in self.days:
            both_week = groups and {groups[-1][0].name, column.name} <= set(DAYS)
            if both_week and groups[-1][0].table == column.table:
                groups[-1].append(column)
            else:
                groups.append([column])
        return [
            Column(
                group[0].name if len(group) == 1 else f"{group[0].name}-{group[-1].name}",
                group[0].table,
            )
            for group in groups
        ]


class Special(NamedTuple):
    """Consecutive dates that take one day table whatever their weekday."""

    first: date
    last: date
    table: str | None  # None: the season's weekend table
    holiday: bool

    def __str__(self) -> str:
        until = f" to {self.last}" if self.last != self.first else ""
        return f"{self.first}{until}"


class Week:
    """A checked document with its seasons and special days."""

    def __init__(self, path: str | Path) -> None:
        self.tariff = tariff.load(path)
        self.document: dict[str, Any] = json.loads(places.read(path))
        self.bands: list[str] = self.document["bands"]
        self.specials = self._specials()
        self.seasons = self._seasons()

    def _seasons(self) -> list[Season]:
        """The seasons in the order of the year; those that charge alike are one."""
        entries = sorted(self.document["seasons"], key=lambda entry: entry[0])
        found: list[Season] = []
        for index, entry in enumerate(entries):
            extra = entry[3] if len(entry) > 3 else {}
            span = (_month_day(entry[0]), _day_before(entries[(index + 1) % len(entries)][0]))
            season = Season(
                [span],
                extra.get("blocks", self.document["blocks"]),
                bool(extra.get("blocks_reset")),
                self._columns(entry[1], entry[2]),
            )
            alike = [other for other in found if other[1:] == season[1:]]
            if alike:
                alike[0].spans.append(span)
            else:
                found.append(season)
        return found

    def _columns(self, weekday: str, weekend: str) -> list[Column]:
        tables = self.document["days"]
        columns = []
        for index, name in enumerate(DAYS):
            is_weekend = (index + 1) % 7 in self.document["weekend"]  # the document's 0 is Sunday
            columns.append(Column(name, tables[weekend if is_weekend else weekday]))
        names = {special.table: special.holiday for special in self.specials}
        for table, holiday in sorted(names.items(), key=lambda item: not item[1]):
            name = "holiday" if holiday else f"make-up {table}"
            columns.append(Column(name, tables[weekend if table is None else table]))
        return columns

    def _specials(self) -> list[Special]:
        """Holidays and make-up days; neighbours of the same kind together."""
        found: list[Special] = []
        day = FIRST_HOLIDAY
        for item in self.document.get("holidays", []):
            gap, table = item if isinstance(item, list) else (item, None)
            day += timedelta(gap)
            holiday = table is None
            # Without a table for holidays they take the season's weekend table.
            table = self.document.get("holiday_day") if table is None else table
            last = found[-1] if found else None
            if last and last[2:] == (table, holiday) and day - last.last == timedelta(1):
                found[-1] = last._replace(last=day)
            else:
                found.append(Special(day, day, table, holiday))
        return found

    def own_blocks(self) -> bool:
        """True when a season's block limits are not those of the document."""
        return any(season.blocks != self.document["blocks"] for season in self.seasons)

    def export(self) -> list[int]:
        """What a kWh of export earns by band, micro-units; empty when it earns nothing."""
        prices = self.document.get("export") or []
        return prices * len(self.bands) if len(prices) == 1 else prices

    def by_price(self) -> list[int]:
        """The bands from the cheapest to the dearest by their first block's price."""
        first = self.document["price"][0]
        return sorted(range(len(self.bands)), key=lambda band: (first[band], band))

    def report(self) -> dict[str, Any]:
        """What `tariff show --json` prints."""
        return {
            "id": self.document["id"],
            "n": self.document["n"],
            "currency": self.document["currency"],
            "bands": self.bands,
            "price": self.document["price"],
            "export": self.export(),
            "seasons": [
                {
                    "dates": [list(span) for span in season.spans],
                    "blocks": season.blocks,
                    "blocks_reset": season.resets,
                    "days": {column.name: column.table for column in season.days},
                }
                for season in self.seasons
            ],
            "special_days": [
                {
                    "from": str(special.first),
                    "to": str(special.last),
                    "table": special.table,
                    "holiday": special.holiday,
                }
                for special in self.specials
            ],
        }


def clock(minute: int) -> str:
    """A minute of the day as `08:00`; the day's end is `24:00`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _month_day(mmdd: str) -> str:
    return f"{mmdd[:2]}-{mmdd[2:]}"


def _day_before(mmdd: str) -> str:
    if mmdd == "0301":
        return "02-28/29"
    day = date(PLAIN_YEAR, int(mmdd[:2]), int(mmdd[2:])) - timedelta(1)
    return day.strftime("%m-%d")
