"""Dynamic prices that corrections have put in the place of others, for records of the past."""

from wattledger.hal.sample import TRUST_SYNCED


class CorrectedPrices:
    """`found` holds (correction, PriceList), the newest first: that one rules."""

    def __init__(self, found):
        self._found = found

    def price(self, piece):
        """Micro per kWh of a record, None where no correction has one for all of its time."""
        if piece.trust != TRUST_SYNCED:
            return None  # no dynamic price holds for a time that was not known
        for held, prices in self._found:
            price = _throughout(prices, piece) if held.holds(piece) else None
            if price is not None:
                return price
        return None


def _throughout(prices, piece):
    """The one price of all slots that a record lies in, else None."""
    begin, price = prices.slot(piece.start)
    while begin + prices.step < piece.end:
        begin, following = prices.slot(begin + prices.step)
        if following != price:
            return None
    return price
