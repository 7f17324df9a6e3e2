"""A second billing engine: Fractions of the currency, plain loops, nothing of the device's.

It reads a tariff as JSON gave it and goes through a profile row by row. It posts what each row,
date, demand window and cycle costs; a bill and a correction are sums over those postings.
"""

from fractions import Fraction
from typing import NamedTuple

from wattledger.tests.host import exact_calendar as calendar

SYNCED = "synced"
ENDLESS = 10**30  # Wh of the last block


class Row(NamedTuple):
    """Energy between two times; `trust` is that of the clock which gave them."""

    start: int
    end: int
    import_wh: int
    export_wh: int = 0
    trust: str = SYNCED


class Posting(NamedTuple):
    """One charge (positive) or earning (negative), in the currency."""

    time: int
    cycle: object  # first date
    kind: str  # energy, export, standing, demand, minimum
    amount: Fraction
    band: int | None = None
    block: int | None = None
    wh: int = 0
    price: int = 0


def cost(wh, price):
    """What `wh` cost at `price` micro-units per kWh, exactly, in the currency."""
    return Fraction(wh, 1000) * Fraction(price, 10**6)


def nano(amount):
    """An amount in nano-units, which must come out whole."""
    value = amount * 10**9
    assert value.denominator == 1, amount
    return int(value)


class Exact:
    """Bills a profile by one tariff's versions, in order of their `from`."""

    def __init__(self, documents, dynamic=(), used_wh=0, corrections=()):
        self.documents = sorted(documents, key=lambda document: document["from"])
        self.dynamic = sorted(dynamic, key=lambda prices: prices["n"])
        self.corrections = list(corrections)
        self.used = used_wh
        self.postings = []
        self._document = None
        self._cycle = self._block_day = None
        self._most_w = 0  # the cycle's highest demand
        self._window = []  # rows of the open demand window

    # What is in force.

    def in_force(self, unix):
        """The version in force at a time; the first one for all that was before it."""
        begun = [document for document in self.documents if document["from"] <= unix]
        return begun[-1] if begun else self.documents[0]

    def corrected(self, document, start, end):
        """The document whose prices hold from `start` to `end`: the last correction of it all."""
        for other in self.corrections:
            if "prices_of" in other:
                continue
            if other["correct"]["from"] <= start and end <= other["correct"]["until"]:
                document = other
        return document

    def dynamic_price(self, document, unix):
        """The dynamic price at a time, None where no slot covers it: the newest document rules,
        or the last correction of prices."""
        found = None
        corrections = [other for other in self.corrections if "prices_of" in other]
        for prices in [*self.dynamic, *corrections]:
            slot = (unix - prices["start"]) // prices["step"]
            if prices["prices_of"] == document["id"] and 0 <= slot < len(prices["prices"]):
                found = prices["prices"][slot]
        return found

    # A row.

    def run(self, rows):
        """Post everything that `rows`, in order, cost; self for the sums."""
        for row in rows:
            self._begin(row)
            self._rate(row)
            self._measure_demand(row)
        self._charge_standing(rows[0].start, rows[-1].end)
        self._charge_minimum(rows[0].start, rows[-1].end)
        return self

    def _begin(self, row):
        """Versions, cycles and block counters turn only by a synced clock, and never back.

        The first row is taken at its word: a meter begins in a cycle.
        """
        if row.trust != SYNCED and self._document is not None:
            return
        self._document = self.in_force(row.start)
        day = calendar.local(self._document["tz"], row.start).date()
        cycle = calendar.cycle_day(self._document, day)
        block_day = calendar.block_day(self._document, day)
        if self._cycle is not None and cycle > self._cycle:
            self._most_w, self._window = 0, []
        if self._block_day is not None and block_day > self._block_day:
            self.used = 0
        self._cycle = max(cycle, self._cycle or cycle)
        self._block_day = max(block_day, self._block_day or block_day)

    def _rate(self, row):
        document = self.corrected(self._document, row.start, row.end)
        synced = row.trust == SYNCED
        band = calendar.band(document, row.start) if synced else document["fallback"]
        dynamic = self.dynamic_price(document, row.start) if synced else None
        imported, exported = row.import_wh, row.export_wh
        if document.get("net"):
            both = min(imported, exported)
            imported, exported = imported - both, exported - both
        self._rate_import(document, row, imported, band, dynamic)
        self._rate_export(document, row, exported, band)

    def _rate_import(self, document, row, wh, band, dynamic):
        kwh = self._limits(document, row)
        edges = [0, *(limit * 1000 for limit in kwh), ENDLESS]
        for block in range(len(edges) - 1):
            low, high = max(edges[block], self.used), min(edges[block + 1], self.used + wh)
            if low < high:
                price = document["price"][block][band] if dynamic is None else dynamic
                amount = cost(high - low, price)
                self._post(row.start, "energy", amount, band, block, high - low, price)
        self.used += wh

    def _limits(self, document, row):
        """A clock that is not synced selects no season: the document's own limits hold."""
        if row.trust != SYNCED:
            return document["blocks"]
        return calendar.limits(document, calendar.local(document["tz"], row.start).date())

    def _rate_export(self, document, row, wh, band):
        prices = document.get("export") or [0]
        price = prices[band] if len(prices) > 1 else prices[0]
        if wh:
            self._post(row.start, "export", -cost(wh, price), band, None, wh, price)

    def _measure_demand(self, row):
        """Take a row into the clock-aligned window; a whole synced one may be a new maximum."""
        if not self._document.get("demand"):
            self._window = []
            return
        minutes = self._document["demand"]["minutes"]
        start = row.start - row.start % (minutes * 60)
        self._window = [other for other in self._window if other.start >= start] + [row]
        covered = sum(r.end - r.start for r in self._window if r.trust == SYNCED)
        if row.end == start + minutes * 60 and covered == minutes * 60:
            watts = Fraction(sum(r.import_wh for r in self._window)) * 60 / minutes
            if watts > self._most_w:
                document = self.corrected(self._document, start, row.end)
                price = Fraction(document["demand"]["price"], 10**6)
                self._post(row.start, "demand", (watts - self._most_w) / 1000 * price)
                self._most_w = watts

    def _post(self, time, kind, amount, band=None, block=None, wh=0, price=0):
        self.postings.append(Posting(time, self._cycle, kind, amount, band, block, wh, price))

    # Days and cycles.

    def _charge_standing(self, start, end):
        for day in calendar.dates_begun(self.documents[0]["tz"], start, end):
            first = calendar.first_instant(self.documents[0]["tz"], day)
            document = self.corrected(self.in_force(first), first, first + 1)
            amount = Fraction(document.get("standing_day", 0), 10**6)
            cycle = calendar.cycle_day(document, day)
            self.postings.append(Posting(first, cycle, "standing", amount))

    def _charge_minimum(self, start, end):
        """What the energy and standing of each cycle that is whole lack of the minimum."""
        zone = self.documents[0]["tz"]
        for day in calendar.dates_begun(zone, start, end):
            cycle = calendar.cycle_day(self.documents[0], day)
            if cycle != day:  # no cycle begins here, or the profile has no part of its beginning
                continue
            until = calendar.first_instant(zone, calendar.cycle_end(self.documents[0], cycle))
            document = self.corrected(self.in_force(until - 1), until - 1, until)
            least = Fraction(document.get("minimum", 0), 10**6)
            lack = least - self.sum("energy", cycle) - self.sum("standing", cycle)
            if until <= end and least and lack > 0:  # 0 is no minimum
                self.postings.append(Posting(until, cycle, "minimum", lack))

    # Sums.

    def sum(self, kind=None, cycle=None):
        """The postings of a kind (all: None) in a cycle (all: None)."""
        return sum(
            (
                posting.amount
                for posting in self.postings
                if kind in (None, posting.kind) and cycle in (None, posting.cycle)
            ),
            Fraction(0),
        )

    def lines(self, kind):
        """{(cycle, band, block, price): Wh} of the energy or the export."""
        found = {}
        for posting in self.postings:
            if posting.kind == kind:
                key = (posting.cycle, posting.band, posting.block, posting.price)
                found[key] = found.get(key, 0) + posting.wh
        return found


def adjustments(documents, corrections, rows, dynamic=(), used_wh=0):
    """{cycle: nano-units} that the last of `corrections` pays back (positive) or claims.

    Each charge that began within it is made again, and with it what the minimum of its cycle
    lacks; what was posted, earlier corrections included, is the sum to compare with.
    """
    sums = []
    for applied in (corrections[:-1], corrections):
        sums.append(Exact(documents, dynamic, used_wh, applied).run(rows))
    found = {}
    for posted, sign in zip(sums, (1, -1), strict=True):
        for posting in posted.postings:
            found[posting.cycle] = found.get(posting.cycle, 0) + sign * posting.amount
    return {cycle: nano(amount) for cycle, amount in found.items() if amount}
