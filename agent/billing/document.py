"""Checks of a tariff document, a part at a time. The first fault is raised with its place.

Imported only when a document arrives: the meter needs none of it to charge. Together the parts
are larger than the heap that a core has left, so each is imported when its turn comes.
"""

from wattledger.agent.errors import TariffError

MAX_BANDS = 8
MAX_BLOCKS = 6


def check_document(document, price_limit, tidy=None):
    """Check every field of a JSON object; raises TariffError at the first that is wrong.

    `tidy` is called after each part, whose modules may go then.
    """
    for part in (_head, _zone, _prices, _days, _credit):
        part(document, price_limit)
        if tidy is not None:
            tidy()


# Functions of their own, so that nothing holds a part once it is done.


def _head(document, price_limit):
    from wattledger.agent.billing.document_head import check_head

    check_head(document)


def _zone(document, price_limit):
    from wattledger.agent.billing.zone_text import parse_zone

    try:
        parse_zone(document["tz"])
    except ValueError as error:
        raise TariffError(("tz",), str(error))


def _prices(document, price_limit):
    from wattledger.agent.billing.document_prices import check_prices

    check_prices(document, price_limit, MAX_BANDS, MAX_BLOCKS)


def _days(document, price_limit):
    from wattledger.agent.billing.document_days import check_calendar, check_days

    check_days(document, len(document["bands"]))
    check_calendar(document)


def _credit(document, price_limit):
    from wattledger.agent.billing.document_credit import check_credit

    check_credit(document["credit"])
