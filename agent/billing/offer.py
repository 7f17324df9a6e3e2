"""What becomes of a document that is offered: held already, taken, or refused with its reason.

Imported only when one arrives.
"""

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.agent.values import parse_object

# A word for the log.
HELD = "held"
TAKEN_NEXT = "next"
TAKEN_PRICES = "prices"
TAKEN_CORRECTION = "correction"


class Offer:
    """Puts a document of time `now` (unix s) on a TariffShelf, as TariffShelf.offer() says."""

    def __init__(self, shelf, account, journal, now):
        self._shelf = shelf
        self._account = account
        self._journal = journal
        self._now = now

    def take(self, data, price_limit, tidy):
        """Take the bytes of a document of any kind; a word for the log."""
        document = parse_object(data, tariffs.MAX_BYTES, TariffError)
        if "prices_of" in document:
            return self._take_prices(dynamics.made(document, data, price_limit), data)
        tariff = tariffs.made(document, data, price_limit, tidy)
        document = None  # what the set does not need of it may go
        if tidy is not None:
            tidy()
        return self.take_tariff(tariff, data)

    def take_tariff(self, tariff, data):
        """Take a checked Tariff, and the bytes it was read from; a word for the log."""
        return self._correct(tariff, data) if tariff.correct else self._take_set(tariff, data)

    def _take_set(self, tariff, data):
        active = self._account.tariff
        for held in (active, self._account.pending):
            if held is None:
                continue
            if tariff.digest == held.digest:
                return HELD
            if tariff.id != held.id:
                if tariff.id == self._shelf.wanted_id:
                    continue  # its n counts anew
                raise TariffError(
                    ("id",),
                    "is %s, the meter has %s; a change of id needs a signed want"
                    % (tariff.id, held.id),
                )
            if tariff.n < held.n or (tariff.n == held.n and held is active):
                raise TariffError(("n",), "must be above %d, which the meter holds" % held.n)
            _check_other(tariff, held)
        if self._shelf.is_corrected() and self._shelf.corrections().has_used(tariff):
            raise TariffError(("n",), "%d was that of a correction; take the next" % tariff.n)
        if active:
            from wattledger.agent.billing.change import check_change

            check_change(active, tariff, self._shelf.change_percent)
        self._shelf.hold_next(tariff, data)
        return TAKEN_NEXT

    def _take_prices(self, new, data):
        from wattledger.agent.billing.dynamic_document import admit, check_over

        shelf = self._shelf
        active = self._account.tariff
        if active is None:
            raise TariffError(("prices_of",), "there is no tariff in force yet; send that first")
        if new.correct:
            if new.id != active.id:
                message = "is %s, the meter charges by %s" % (new.id, active.id)
                raise TariffError(("prices_of",), message)
            for held in shelf.dynamic.held:
                if held and held.id == new.id:
                    _check_other(new, held)
            check_over(new, self._account.start)
            return self._offer_correction(new, data, shelf.in_force())
        if shelf.is_corrected() and shelf.corrections().has_used(new, True):
            raise TariffError(("n",), "%d was that of a correction; take the next" % new.n)
        place = admit(new, shelf.dynamic, self._now, min(self._now, self._account.start))
        if place is None:
            return HELD
        shelf.hold_prices(new, data, place)
        return TAKEN_PRICES

    def _correct(self, tariff, data):
        active = self._account.tariff
        if active is None or tariff.id != active.id:
            raise TariffError(("id",), "is %s, which is not the tariff in force" % tariff.id)
        for held in (active, self._account.pending):
            if held:
                _check_other(tariff, held)
        return self._offer_correction(tariff, data)

    def _offer_correction(self, document, data, in_force=None):
        taken = self._shelf.corrections().offer(document, data, self._now, in_force)
        return TAKEN_CORRECTION if taken else HELD


def _check_other(new, held):
    if new.n == held.n:
        raise TariffError(("n",), "%d is held already with other content" % held.n)
