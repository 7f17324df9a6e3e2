"""Dynamic prices: what a kWh costs slot by slot, from signed documents of their own.

Two documents are held, that of the day that runs and the next. A price replaces the band's price
in every block; where none is known the caller takes the tariff's day table.
"""

import hashlib

from wattledger.agent.billing.tariff import DEFAULT_PRICE_LIMIT, MAX_BYTES
from wattledger.agent.errors import TariffError
from wattledger.agent.values import parse_object


class PriceList:
    """One checked document: `prices[i]`, micro per kWh, from `start` + i * `step` (unix seconds).

    Slots that begin before `since` are not charged by: they had begun when it arrived. One with
    `correct` is not charged by at all: it re-rates what was.
    """

    def __init__(self, document, data):
        self.id = document["prices_of"]
        self.n = document["n"]
        self.start = document["start"]
        self.step = document["step"]
        self.prices = document["prices"]
        self.end = self.start + self.step * len(self.prices)
        self.size = len(data)
        self.digest = hashlib.sha256(data).digest()
        self.since = self.start
        self.correct = (self.start, self.end) if "correct" in document else None  # unix

    def slot(self, unix):
        """(first instant, price) of the slot that holds `unix`, or None."""
        if not self.start <= unix < self.end:
            return None
        index = (unix - self.start) // self.step
        begin = self.start + index * self.step
        return (begin, self.prices[index]) if begin >= self.since else None


class DynamicPrices:
    """`held`: two places, each a PriceList or None. Only lists of `tariff_id` answer."""

    def __init__(self):
        self.held = [None, None]
        self.tariff_id = None

    def answering(self, unix):
        """The newest list that has a slot at `unix`, or None."""
        found = None
        for prices in self.held:
            if prices and prices.id == self.tariff_id and (not found or prices.n > found.n):
                found = prices if prices.slot(unix) else found
        return found

    def slot(self, unix):
        """(first instant, price) of the slot in force at `unix`, or None."""
        prices = self.answering(unix)
        return prices.slot(unix) if prices else None

    def price_at(self, unix):
        """Micro per kWh at `unix`, or None when no document says."""
        slot = self.slot(unix)
        return slot[1] if slot else None

    def next_change(self, unix):
        """The next instant at which another price, or none, holds; None when none is known of."""
        price = self.price_at(unix)
        at = unix
        while True:
            edges = [
                max(at + prices.step - (at - prices.start) % prices.step, prices.since)
                for prices in self.held
                if prices and prices.id == self.tariff_id and at < prices.end
            ]
            if not edges:
                return None
            at = min(edges)
            if self.price_at(at) != price:
                return at

    def is_expected(self):
        """True when this tariff has had dynamic prices: a slot without one is then missing."""
        expected = False
        for prices in self.held:  # asked at each interval, and a generator takes heap
            if prices and prices.id == self.tariff_id:
                expected = True
        return expected


def load(data, price_limit=DEFAULT_PRICE_LIMIT):
    """PriceList from the bytes of its document; TariffError names the place and the remedy."""
    return made(parse_object(data, MAX_BYTES, TariffError), data, price_limit)


def made(document, data, price_limit):
    """PriceList from a JSON object and the bytes it was read from."""
    from wattledger.agent.billing.dynamic_document import check_prices  # once a day

    check_prices(document, price_limit)
    return PriceList(document, data)
