"""Checks of a tariff document: which keys it has, what it is called, its times and its cycle."""

from wattledger.agent.billing.checks import (
    MAX_N,
    fail,
    integer,
    mapping,
    month_day,
    quarter,
)
from wattledger.agent.values import is_name, shown

VERSION = 1
CYCLES = ("month", "year", "none")
REQUIRED = ("v", "id", "n", "currency", "tz", "from", "cycle", "blocks", "bands", "fallback",
            "price", "days", "seasons", "weekend", "credit")  # fmt: skip
OPTIONAL = ("cycle_start", "holidays", "holiday_day", "export", "net", "standing_day", "demand",
            "minimum", "kwh_credit", "correct")  # fmt: skip


def check_head(document):
    """Every key, and the values that say which document this is."""
    mapping(document, (), REQUIRED, OPTIONAL)
    integer(document["v"], ("v",), VERSION, VERSION)
    if not is_name(document["id"]):
        fail(("id",), "must be 1 to 32 of a-z, 0-9, - _ and .")
    integer(document["n"], ("n",), 1, MAX_N)
    currency = document["currency"]
    if not isinstance(currency, str) or len(currency) != 3 or not _is_capitals(currency):
        fail(("currency",), "must be three capitals such as CNY, is %s" % shown(currency))
    quarter(document["from"], ("from",))
    if "correct" in document:
        _check_correct(document["correct"])
    _check_cycle(document)


def _is_capitals(text):
    return all("A" <= letter <= "Z" for letter in text)


def _check_correct(correct):
    mapping(correct, ("correct",), ("from", "until"), ())
    quarter(correct["from"], ("correct", "from"))
    if quarter(correct["until"], ("correct", "until")) <= correct["from"]:
        fail(("correct", "until"), "must be after correct.from, %d" % correct["from"])


def _check_cycle(document):
    cycle = document["cycle"]
    if cycle not in CYCLES:
        fail(("cycle",), "must be month, year or none, is %s" % shown(cycle))
    start = document.get("cycle_start")
    if cycle == "month":
        integer(start, ("cycle_start",), 1, 28)
    elif cycle == "year":
        month_day(start, ("cycle_start",))
