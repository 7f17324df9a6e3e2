"""Dynamic price documents: their form, and whether one may join those that are held.

Imported only when a document arrives or is read back.
"""

from wattledger.agent.billing.checks import MAX_N, fail, integer, listing, mapping, price, quarter
from wattledger.agent.units import QUARTER_S
from wattledger.agent.values import is_name

VERSION = 1
MAX_SLOTS = 96
STEPS = (900, 1800, 3600)
KEYS = ("v", "prices_of", "n", "start", "step", "prices")


def check_prices(document, price_limit):
    """Check every field of a JSON object; raises TariffError at the first that is wrong."""
    mapping(document, (), KEYS, ("correct",))
    integer(document["v"], ("v",), VERSION, VERSION)
    if not is_name(document["prices_of"]):
        fail(("prices_of",), "must be the id of a tariff, 1 to 32 of a-z, 0-9, - _ and .")
    integer(document["n"], ("n",), 1, MAX_N)
    quarter(document["start"], ("start",))
    integer(document["step"], ("step",), STEPS[0], STEPS[2])
    if document["step"] not in STEPS:
        fail(("step",), "must be 900, 1800 or 3600 seconds, is %d" % document["step"])
    for index, value in enumerate(listing(document["prices"], ("prices",), 1, MAX_SLOTS)):
        price(value, ("prices", index), price_limit)
    if document.get("correct", True) is not True:
        fail(("correct",), "must be true, or be left out; the slots say what it reaches")


def check_over(new, open_since):
    """A correction of prices is for slots that are over: what runs on is charged as it was.

    `open_since` is where the open interval begins (unix s): what was before it is in the journal.
    """
    if new.end > open_since:
        index = max(open_since - new.start, 0) // new.step
        fail(
            ("prices", index),
            "its slot is not over before %d; correct it then"
            % (new.start + (index + 1) * new.step),
        )


def admit(new, dynamic, now, open_since):
    """The place (0 or 1) of `dynamic` that the PriceList `new` takes; None: it is held already.

    `now` is the time (unix s), `open_since` where the open interval begins: what it still needs
    stays. TariffError says why `new` may not join.
    """
    if new.id != dynamic.tariff_id:
        fail(("prices_of",), "is %s, the meter charges by %s" % (new.id, dynamic.tariff_id))
    highest = 0
    for prices in dynamic.held:
        if prices and prices.id == new.id:
            if prices.digest == new.digest:
                return None
            highest = max(highest, prices.n)
    if new.n <= highest:
        fail(("n",), "must be above %d, which the meter holds" % highest)
    if new.end <= now:
        fail(("start",), "leads to an end at %d, which has passed" % new.end)
    _check_begun(new, dynamic, now)
    new.since = _since(new, dynamic, now)
    return _place(new, dynamic, open_since)


def _check_begun(new, dynamic, now):
    """A slot that has begun keeps its price; only a correction changes it."""
    for index, value in enumerate(new.prices):
        begin = new.start + index * new.step
        for at in range(begin, begin + new.step, QUARTER_S):
            held = dynamic.slot(at)
            if held and held[0] <= now and held[1] != value:
                fail(
                    ("prices", index),
                    "its slot has begun at %d; only a correction changes it" % held[1],
                )


def _since(new, dynamic, now):
    """The first slot of `new` that is charged by.

    One that had begun without a price keeps the day table; one whose price is the same goes over
    to `new`, so that the older document is not needed for it.
    """
    begun = max((now - new.start) // new.step + 1, 0)
    while begun and _is_same(new, dynamic, begun - 1, now):
        begun -= 1
    return new.start + begun * new.step


def _is_same(new, dynamic, index, now):
    begin = new.start + index * new.step
    for at in range(begin, min(begin + new.step, now + 1), QUARTER_S):
        held = dynamic.slot(at)
        if held is None or held[1] != new.prices[index]:
            return False
    return True


def _place(new, dynamic, open_since):
    for place in (0, 1):
        held = dynamic.held[place]
        if held is None or not _is_needed(held, new, dynamic, open_since):
            return place
    starts = [prices.start for prices in dynamic.held]
    last = 1 if starts[1] > starts[0] else 0
    if new.start >= starts[last]:
        first_end = dynamic.held[1 - last].end
        fail(("start",), "two documents are held; send this when one ends, at %d" % first_end)
    return last


def _is_needed(held, new, dynamic, open_since):
    """True when a slot from `open_since` on would lose its price without `held`."""
    for at in range(held.start, held.end, QUARTER_S):
        if at + QUARTER_S > open_since and dynamic.answering(at) is held and not new.slot(at):
            return True
    return False
