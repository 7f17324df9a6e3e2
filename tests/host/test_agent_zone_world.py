"""Time zones of the world: the agent's arithmetic beside zoneinfo's, by the strings of tzdata."""

import importlib.resources
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from wattledger.agent.billing.zone_text import parse_zone

YEARS = (2030, 2110)
EPOCH = datetime(2000, 1, 1)
# Both hemispheres, changes at, before and after midnight, negative times and half hours.
PLACES = (
    "Europe/London", "Europe/Berlin", "Europe/Dublin", "Europe/Chisinau", "America/New_York",
    "America/Santiago", "America/Havana", "America/Nuuk", "America/St_Johns", "Atlantic/Azores",
    "Africa/Cairo", "Asia/Beirut", "Asia/Jerusalem", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Shanghai", "Antarctica/Troll", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter", "Pacific/Kiritimati",
)  # fmt: skip


def both(place):
    """(zoneinfo's zone, the agent's) of a place."""
    resource = importlib.resources.files("tzdata.zoneinfo").joinpath(*place.split("/"))
    data = resource.read_bytes()
    text = data.rstrip(b"\n").rsplit(b"\n", 1)[1].decode()  # RFC 9636, 3.3: the footer
    with resource.open("rb") as file:
        return ZoneInfo.from_file(file), parse_zone(text)


def offset(zone, unix):
    moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=unix)
    return int(moment.astimezone(zone).utcoffset().total_seconds())


def changes(zone):
    """Instants at which zoneinfo's offset changes, to the second."""
    first, last = (int(datetime(y, 1, 1, tzinfo=timezone.utc).timestamp()) for y in YEARS)
    before = offset(zone, first)
    for later in range(first + 86400, last, 86400):
        after = offset(zone, later)
        if after != before:
            low, high = later - 86400, later
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
            yield high
            before = after


@pytest.mark.parametrize("place", PLACES)
def test_offsets_and_dates_are_those_of_zoneinfo(place):
    pytest.importorskip("tzdata")
    theirs, ours = both(place)
    chance = random.Random(place)
    seen = list(changes(theirs))
    assert len(seen) in (0, 2 * (YEARS[1] - YEARS[0]))
    times = [change + delta for change in seen for delta in (-1, 0, 1, 899, 43200)]
    times += [chance.randrange(1893456000, 4417977600) for _ in range(500)]
    chance.shuffle(times)  # a zone remembers what it was asked last
    for unix in times:
        assert ours.offset_at(unix) == offset(theirs, unix), unix
        days, second = ours.local(unix)
        begin = ours.first_instant(days)
        # The first instant has this date, the second before it another, and none precedes it.
        assert begin <= unix
        assert ours.local(begin)[0] == days
        for earlier in range(begin - 10800, begin, 900):
            assert ours.local(earlier)[0] < days
        assert ours.local(begin - 1)[0] == days - 1
        assert ours.local(ours.first_instant(days, second)) == (days, second)
        assert ours.first_instant(days, second) <= unix
