"""The tariff document: what a utility may charge, checked once and then only looked up.

Prices are micro-units per kWh, block limits kWh, times local minutes in steps of 15. The form is
docs/tariffs.md. What this firmware does not rate yet is refused by name, never ignored.
"""

import hashlib

from wattledger.agent.billing.calendar import civil, day_number, parse_zone, weekday
from wattledger.agent.billing.document import check_document
from wattledger.agent.config import parse_object
from wattledger.agent.errors import TariffError
from wattledger.agent.units import DAY_S, MICRO_PER_UNIT

MAX_BYTES = 4096
DEFAULT_PRICE_LIMIT = 10000 * MICRO_PER_UNIT  # per kWh, either sign
_SEARCH_DAYS = 8  # a week and a day: every weekly table has repeated by then


class Tariff:
    """One checked document. Attributes carry its fields; methods answer questions about a time."""

    def __init__(self, document, size, digest):
        self.size = size
        self.digest = digest
        self.id = document["id"]
        self.n = document["n"]
        self.currency = document["currency"]
        self.zone = parse_zone(document["tz"])
        self.start = document["from"]
        self.bands = document["bands"]
        self.fallback = document["fallback"]
        self.price = document["price"]
        self.limits = [limit * 1000 for limit in document["blocks"]]  # Wh
        export = document.get("export") or [0]
        self.export = export if len(export) > 1 else export * len(self.bands)
        self.standing_day = document.get("standing_day", 0)
        self.kwh_credit = document.get("kwh_credit", 0)
        self.cycle = document["cycle"]
        self.cycle_start = document.get("cycle_start")
        credit = document["credit"]
        self.low = credit["low"]
        self.reconnect_above = credit["reconnect_above"]
        self.credit_max = credit["max"]
        self.friendly = credit["friendly"]
        season = document["seasons"][0]
        weekend = document["weekend"]
        self._tables = [document["days"][season[2 if day in weekend else 1]] for day in range(7)]

    def band_at(self, unix):
        """Index of the band in force at `unix`."""
        days, second = self.zone.local(unix)
        return self._band(days, second // 60)

    def _band(self, days, minute):
        band = 0
        for start, index in self._tables[weekday(days)]:
            if start > minute:
                break
            band = index
        return band

    def next_change(self, unix):
        """(unix, band) of the next switch to another band, or None when the band never changes."""
        days, _ = self.zone.local(unix)
        band = self.band_at(unix)
        for day in range(days, days + _SEARCH_DAYS):
            midnight = self.zone.first_instant(day)
            for start, index in self._tables[weekday(day)]:
                at = midnight + start * 60
                if at > unix and index != band:
                    return at, index
        return None

    def friendly_until(self, unix):
        """Unix time at which the friendly period that holds at `unix` ends, or None."""
        days, second = self.zone.local(unix)
        end = None
        for day in range(days, days + _SEARCH_DAYS):
            minute = second // 60 if end is None else 0
            until = self._friendly_end(day, minute)
            if until is None:
                break
            end = self.zone.first_instant(day) + until * 60
            if until < DAY_S // 60:
                break
        return end

    def _friendly_end(self, days, minute):
        """The minute of `days` up to which friendly periods cover `minute` unbroken, or None."""
        end = None
        today = weekday(days)
        found = True
        while found and minute < DAY_S // 60:
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
        year, month, day = civil(days)
        if self.cycle == "month":
            if day < self.cycle_start:
                month -= 1
                if month == 0:
                    year, month = year - 1, 12
            return day_number(year, month, self.cycle_start)
        first_month, first_day = int(self.cycle_start[:2]), int(self.cycle_start[2:])
        if (month, day) < (first_month, first_day):
            year -= 1
        return day_number(year, first_month, first_day)

    def block_of(self, used_wh):
        """Index of the block the next Wh falls in, after `used_wh` of the cycle."""
        block = 0
        for limit in self.limits:
            if used_wh < limit:
                break
            block += 1
        return block

    def block_left(self, used_wh):
        """Wh left in the present block, or None in the last."""
        block = self.block_of(used_wh)
        return self.limits[block] - used_wh if block < len(self.limits) else None


def load(data, price_limit=DEFAULT_PRICE_LIMIT):
    """Tariff from the bytes of its document; TariffError names the place and the remedy."""
    document = parse_object(data, MAX_BYTES, TariffError)
    check_document(document, price_limit)
    return Tariff(document, len(data), hashlib.sha256(data).digest())
