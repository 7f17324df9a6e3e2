"""Checks of the days of a tariff document: day tables, seasons, weekend and holidays."""

from wattledger.agent.billing.checks import (
    blocks,
    fail,
    flag,
    integer,
    listing,
    mapping,
    month_day,
)
from wattledger.agent.values import shown

MAX_TABLES = 8
MAX_LIMITS = 5
MAX_SWITCHES = 14
MAX_SEASONS = 14
MAX_HOLIDAYS = 254
MAX_DAY = 0xFFFF  # two bytes, as the journal has it
DAY_MINUTES = 1440
SWITCH_MINUTES = 15


def check_days(document, bands):
    """`days`: tables by name, each from midnight and in steps of 15 minutes."""
    days = mapping(document["days"], ("days",))
    if not 1 <= len(days) <= MAX_TABLES:
        fail(("days",), "must have 1 to %d day tables, has %d" % (MAX_TABLES, len(days)))
    for name, table in days.items():
        listing(table, ("days", name), 1, MAX_SWITCHES)
        below = -1
        for index, switch in enumerate(table):
            path = ("days", name, index)
            listing(switch, path, 2, 2)
            minute = integer(switch[0], path + (0,), 0, DAY_MINUTES - SWITCH_MINUTES)
            integer(switch[1], path + (1,), 0, bands - 1)
            if index == 0 and minute:
                fail(path + (0,), "must be 0: the day's first band starts at midnight")
            if minute % SWITCH_MINUTES:
                fail(path + (0,), "must be a multiple of 15 minutes, is %d" % minute)
            if minute <= below:
                fail(path + (0,), "must be after the switch before, at %d" % below)
            below = minute


def check_calendar(document):
    """`seasons`, `weekend` and `holidays`: which table a date takes."""
    seasons = listing(document["seasons"], ("seasons",), 1, MAX_SEASONS)
    for index, season in enumerate(seasons):
        path = ("seasons", index)
        listing(season, path, 3, 4)
        month_day(season[0], path + (0,))
        if season[0] in [other[0] for other in seasons[:index]]:
            fail(path + (0,), "%s begins another season already" % season[0])
        _table(document, season[1], path + (1,))
        _table(document, season[2], path + (2,))
        if len(season) == 4:
            _check_season_blocks(document, season[3], path + (3,))
    weekend = listing(document["weekend"], ("weekend",), 0, 7)
    for index, day in enumerate(weekend):
        integer(day, ("weekend", index), 0, 6)
    _check_holidays(document)


def _table(document, name, path):
    if not isinstance(name, str) or name not in document["days"]:
        fail(path, "names no day table of days: %s" % shown(name))


def _check_season_blocks(document, found, path):
    mapping(found, path, (), ("blocks", "blocks_reset"))
    flag(found.get("blocks_reset", False), path + ("blocks_reset",))
    if "blocks" in found:
        wanted = len(document["blocks"])
        blocks(found["blocks"], path + ("blocks",), MAX_LIMITS)
        if len(found["blocks"]) != wanted:
            fail(
                path + ("blocks",),
                "must have as many limits as the document's own blocks, %d" % wanted,
            )


def _check_holidays(document):
    if "holiday_day" in document:
        _table(document, document["holiday_day"], ("holiday_day",))
    date = -1
    for index, entry in enumerate(
        listing(document.get("holidays", []), ("holidays",), 0, MAX_HOLIDAYS)
    ):
        path = ("holidays", index)
        if isinstance(entry, list):
            listing(entry, path, 2, 2)
            _table(document, entry[1], path + (1,))
            entry, path = entry[0], path + (0,)
        # The first is a date, every other the days since the one before it.
        if date < 0:
            date = integer(entry, path, 0, MAX_DAY)
        else:
            date += integer(entry, path, 1, MAX_DAY)
            if date > MAX_DAY:
                fail(path, "leads beyond day %d, the last that the meter counts" % MAX_DAY)
