"""The tariff document: what a utility may charge, checked once and then only looked up.

Prices are micro-units per kWh, block limits kWh, times local minutes in steps of 15. The form is
docs/tariffs.md.
"""

import hashlib

from wattledger.agent.billing.calendar import civil, day_number, weekday
from wattledger.agent.errors import TariffError
from wattledger.agent.units import DAY_S, MICRO_PER_UNIT
from wattledger.agent.values import parse_object

MAX_BYTES = 4096
DEFAULT_PRICE_LIMIT = 10000 * MICRO_PER_UNIT  # per kWh, either sign
SEARCH_S = 8 * DAY_S  # a week and a day: every weekly table has repeated by then
DAY_MINUTES = 1440


class Tariff:
    """One checked document. Attributes carry its fields; methods answer questions about a time."""

    def __init__(self, document, size, digest):
        # Only a document that is new to the meter, or read back at a boot, has a zone to parse.
        from wattledger.agent.billing.zone_text import parse_zone

        self.size = size
        self.digest = digest
        self.id = document["id"]
        self.n = document["n"]
        self.currency = document["currency"]
        self.zone = parse_zone(document["tz"])
        self.start = document["from"]
        correct = document.get("correct")
        self.correct = (correct["from"], correct["until"]) if correct else None  # unix
        self.bands = document["bands"]
        self.fallback = document["fallback"]
        self.price = document["price"]
        self.limits = _watt_hours(document["blocks"])
        export = document.get("export") or [0]
        self.export = export if len(export) > 1 else export * len(self.bands)
        self.net = document.get("net", False)
        self.standing_day = document.get("standing_day", 0)
        demand = document.get("demand")
        self.demand = (demand["minutes"], demand["price"]) if demand else None  # micro per kW
        self.minimum = document.get("minimum", 0)  # micro
        self.kwh_credit = document.get("kwh_credit", 0)  # micro per kWh, 0 for none
        self.cycle = document["cycle"]
        self.cycle_start = document.get("cycle_start")
        credit = document["credit"]
        self.low = credit["low"]
        self.emergency = credit.get("emergency", 0)  # micro
        self.reconnect_above = credit["reconnect_above"]
        self.credit_max = credit["max"]
        self.auto_close = credit.get("auto_close", False)
        self.friendly = credit["friendly"]
        self.friendly_holidays = credit.get("friendly_holidays", False)
        self._take_days(document)
        self._asked = 0  # next_change() answers `_change` for times from here up to it
        self._change = None

    def _take_days(self, document):
        tables = document["days"]
        self._weekend = document["weekend"]
        # (month and day it begins, weekday table, weekend table, limits, whether use starts anew)
        self._seasons = []
        for season in document["seasons"]:
            own = season[3] if len(season) > 3 else {}
            self._seasons.append(
                (
                    int(season[0]),
                    tables[season[1]],
                    tables[season[2]],
                    _watt_hours(own["blocks"]) if "blocks" in own else self.limits,
                    own.get("blocks_reset", False),
                )
            )
        self._tables = tables
        self._holidays = document.get("holidays", ())  # walked as they are: 254 take 2 kB already
        self._holiday_table = tables.get(document.get("holiday_day"))
        self._day = None  # the local date of which the next three speak
        self._season = None
        self._table = None
        self._is_holiday = False

    def _look(self, days):
        """Find season, day table and holiday of a local date."""
        if days == self._day:
            return
        _, month, day = civil(days)
        today = month * 100 + day
        # The season that began last; before the first of a year, the last of the year before.
        season = None
        for other in self._seasons:
            if season is None or (other[0] <= today, other[0]) > (season[0] <= today, season[0]):
                season = other
        self._season = season
        self._table = season[2 if weekday(days) in self._weekend else 1]
        self._is_holiday = False
        date = 0
        for entry in self._holidays:
            table = None
            if isinstance(entry, list):
                entry, table = entry
            date += entry
            if date >= days:
                if date == days:
                    self._is_holiday = table is None
                    self._table = self._holiday_table or season[2]
                    if table is not None:
                        self._table = self._tables[table]
                break
        self._day = days

    def table(self, days):
        """The switches [minute, band] of a local date."""
        self._look(days)
        return self._table

    def band_at(self, unix):
        """Index of the band in force at `unix`."""
        days, second = self.zone.local(unix)
        self._look(days)
        band = 0
        for start, index in self._table:
            if start > second // 60:
                break
            band = index
        return band

    def next_edge(self, unix):
        """The next instant at which band, local date or offset from UTC may change.

        Between two such instants a tariff charges the same; seasons and cycles turn at midnight.
        """
        days, second = self.zone.local(unix)
        self._look(days)
        until = DAY_MINUTES
        for start, _ in self._table:
            if start > second // 60:
                until = start
                break
        return self.zone.ahead(unix, until * 60 - second)

    def next_change(self, unix):
        """(unix, band) of the next switch to another band, or None within the next 8 days."""
        if self._change is None or not self._asked <= unix < self._change[0]:
            self._change = self._find_change(unix)
            self._asked = unix
        return self._change

    def _find_change(self, unix):
        band = self.band_at(unix)
        at = unix
        while at < unix + SEARCH_S:
            at = self.next_edge(at)
            if self.band_at(at) != band:
                return at, self.band_at(at)
        return None

    def friendly_until(self, unix):
        """Unix time at which the friendly period that holds at `unix` ends, or None."""
        at = unix
        while at < unix + SEARCH_S:
            days, second = self.zone.local(at)
            until = self._friendly_end(days, second // 60)
            if until is None:
                break
            at = self.zone.ahead(at, until * 60 - second)
        return at if at > unix else None

    def _friendly_end(self, days, minute):
        """The minute of `days` up to which friendly periods cover `minute` unbroken, or None."""
        if self.friendly_holidays:
            self._look(days)
            if self._is_holiday:
                return DAY_MINUTES
        end = None
        today = weekday(days)
        found = True
        while found and minute < DAY_MINUTES:
            found = False
            for day, start, until in self.friendly:
                if day == today and start <= minute < until:
                    minute = end = until
                    found = True
        return end

    def cycle_day(self, unix):
        """The first day (since 2000-01-01) of the billing cycle that holds `unix`; 0 for none."""
        if self.cycle == "none":
            return 0
        days, _ = self.zone.local(unix)
        if self.cycle == "year":
            return _latest(days, int(self.cycle_start))
        year, month, day = civil(days)
        if day < self.cycle_start:
            month -= 1
            if month == 0:
                year, month = year - 1, 12
        return day_number(year, month, self.cycle_start)

    def block_day(self, unix):
        """The first day of the period that the use of blocks at `unix` is counted in.

        That of the billing cycle, or of a season in which blocks start anew if that began later:
        the season in force may go on with the count of one before it.
        """
        begun = self.cycle_day(unix)
        days, _ = self.zone.local(unix)
        for season in self._seasons:
            if season[4]:
                begun = max(begun, _latest(days, season[0]))
        return begun

    def block_of(self, used_wh, unix):
        """Index of the block the next Wh at `unix` falls in, after `used_wh` of the period.

        None for a time that is not known: no season is then, the set's own limits hold.
        """
        block = 0
        for limit in self.limits_at(unix):
            if used_wh < limit:
                break
            block += 1
        return block

    def block_left(self, used_wh, unix):
        """Wh left in the present block, or None in the last."""
        for limit in self.limits_at(unix):
            if used_wh < limit:
                return limit - used_wh
        return None

    def limits_at(self, unix):
        """The block limits at `unix`, Wh; those of the set itself where the time is not known."""
        if unix is None:
            return self.limits
        self._look(self.zone.local(unix)[0])
        return self._season[3]


def _watt_hours(limits):
    return [limit * 1000 for limit in limits]


def _latest(days, month_day):
    """The last day, up to `days`, that is the month and day MMDD."""
    year, month, day = civil(days)
    if month * 100 + day < month_day:
        year -= 1
    return day_number(year, month_day // 100, month_day % 100)


def load(data, price_limit=DEFAULT_PRICE_LIMIT, known=None):
    """Tariff from the bytes of its document; TariffError names the place and the remedy.

    One whose SHA-256 is `known` was checked when it was taken: that is not done again, for the
    checks are as large as what they check for.
    """
    document = parse_object(data, MAX_BYTES, TariffError)
    if known is not None and hashlib.sha256(data).digest() == known:
        return Tariff(document, len(data), known)
    return made(document, data, price_limit)


def made(document, data, price_limit, tidy=None):
    """Tariff from a JSON object and the bytes it was read from; `tidy` as in check_document()."""
    from wattledger.agent.billing.document import check_document  # large, and rarely needed

    check_document(document, price_limit, tidy)
    return Tariff(document, len(data), hashlib.sha256(data).digest())
