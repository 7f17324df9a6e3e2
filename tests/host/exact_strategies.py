"""Random tariffs with everything a document may say, and random profiles that cross its edges.

Profiles lie near instants at which something turns: daylight saving, a year's end, a leap day, the
cycle's end, a season, the next version. Block limits are a few kWh, so that they are crossed.
"""

from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from wattledger.tests.host import exact_calendar as calendar
from wattledger.tests.host.exact_engine import SYNCED, Row

QUARTER = 900
DAY = 86400
CREDIT = {"low": [2, 1], "reconnect_above": 1, "max": 1000000, "friendly": []}
ZONES = [
    "UTC0", "CST-8", "<+0545>-5:45", "PST8", "GMT0BST,M3.5.0/1,M10.5.0",
    "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "IST-2IDT,M3.4.4/26,M10.5.0", "AAA3BBB,J60/0,J300/0",
]  # fmt: skip
# UTC instants near which profiles begin: changes of daylight saving (Europe, America, Australia,
# Chile), month, quarter and year ends, the leap days of 2028 and 2096, 2038 and 2106.
INSTANTS = [
    "2027-03-28", "2027-10-31", "2027-03-14", "2027-11-07", "2027-04-04", "2027-10-03",
    "2027-09-04", "2027-01-01", "2027-02-01", "2027-06-15", "2028-02-29", "2028-03-01",
    "2096-02-29", "2038-01-19", "2106-02-07", "2030-12-31",
]  # fmt: skip
PRICES = st.one_of(st.integers(0, 2000000), st.sampled_from([0, 1, 999999999]))
SIGNED = st.one_of(st.integers(-2000000, 2000000), st.sampled_from([0, -1]))
WH = st.one_of(st.just(0), st.integers(1, 4000), st.integers(1, 4000), st.integers(0, 10**7))


def unix(text):
    return int((datetime.fromisoformat(text) - calendar.EPOCH).total_seconds())


def mmdd(day):
    """A day of the year that every year has."""
    return "0228" if (day.month, day.day) == (2, 29) else day.strftime("%m%d")


def _limits(draw, count):
    return sorted(draw(st.sets(st.integers(1, 12), min_size=count, max_size=count)))


def _table(draw, bands):
    minutes = draw(st.sets(st.integers(1, 95), max_size=draw(st.sampled_from([0, 2, 5, 13]))))
    return [[15 * minute, draw(st.integers(0, bands - 1))] for minute in [0, *sorted(minutes)]]


def _seasons(draw, tables, blocks, around):
    """Seasons in the order of the year, some of which begin near the profile."""
    near = st.integers(-3, 12).map(lambda n: mmdd(around + timedelta(n)))
    far = st.integers(0, 364).map(lambda n: mmdd(date(2027, 1, 1) + timedelta(n)))
    starts = draw(st.sets(st.one_of(near, far), max_size=draw(st.sampled_from([0, 1, 3, 13]))))
    found = []
    for start in sorted({"0101", *starts}):
        entry = [start, draw(st.sampled_from(tables)), draw(st.sampled_from(tables))]
        extra = {}
        if blocks and draw(st.booleans()):
            extra["blocks"] = _limits(draw, len(blocks))
        if draw(st.integers(0, 3)) == 0:
            extra["blocks_reset"] = True
        found.append([*entry, extra] if extra else entry)
    return found


def _holidays(draw, tables, around):
    """Days from a week before the profile on; every third with a table of its own."""
    gaps = draw(st.lists(st.integers(1, 6), max_size=6))
    if not gaps:
        return []
    first = (around - calendar.FIRST_HOLIDAY).days - 7
    listed = [first + gaps[0], *gaps[1:]]
    return [
        [gap, draw(st.sampled_from(tables))] if draw(st.integers(0, 2)) == 0 else gap
        for gap in listed
    ]


def _money(draw, bands, blocks):
    """What a new version may change without moving a cycle or a season."""
    export = draw(st.sampled_from([0, 1, bands]))
    return {
        "price": [[draw(SIGNED) for _ in range(bands)] for _ in range(blocks + 1)],
        "export": [draw(SIGNED) for _ in range(export)],
        "standing_day": draw(st.sampled_from([0, draw(PRICES)])),
        "minimum": draw(st.sampled_from([0, draw(st.integers(1, 10**8)), 10**12])),
    }


@st.composite
def documents(draw, around):
    """One tariff in force well before the date `around`."""
    bands = draw(st.sampled_from([1, 2, 2, 3, 8]))
    blocks = _limits(draw, draw(st.sampled_from([0, 1, 2, 5])))
    tables = ["t%d" % n for n in range(draw(st.integers(1, 4)))]
    cycle = draw(st.sampled_from(["month", "month", "year", "none"]))
    turn = around + timedelta(draw(st.integers(-2, 20)))
    document = {
        "v": 1,
        "id": "random",
        "n": 1,
        "currency": "CNY",
        "tz": draw(st.sampled_from(ZONES)),
        "from": unix("2026-01-01"),
        "cycle": cycle,
        "blocks": blocks,
        "bands": ["band%d" % band for band in range(bands)],
        "fallback": draw(st.integers(0, bands - 1)),
        "days": {name: _table(draw, bands) for name in tables},
        "seasons": _seasons(draw, tables, blocks, around),
        "weekend": draw(st.lists(st.integers(0, 6), max_size=3, unique=True)),
        "net": draw(st.booleans()),
        "credit": CREDIT,
        **_money(draw, bands, len(blocks)),
    }
    if cycle != "none":
        document["cycle_start"] = min(turn.day, 28) if cycle == "month" else mmdd(turn)
    if draw(st.booleans()):
        minutes = draw(st.sampled_from([15, 30, 60]))
        document["demand"] = {"minutes": minutes, "price": draw(PRICES)}
    holidays = _holidays(draw, tables, around)
    if holidays:
        document["holidays"] = holidays
        if draw(st.booleans()):
            document["holiday_day"] = draw(st.sampled_from(tables))
    return document


@st.composite
def profiles(draw, around):
    """Rows of 15 or 5 minutes, gaps without energy between them, some not synced.

    A gap says that its clock is not known: nobody measured there. After a long one the clock is
    synced, so that no cycle goes by unseen.
    """
    length = draw(st.sampled_from([QUARTER, QUARTER, QUARTER, 300]))
    at = unix(around.isoformat()) + QUARTER * draw(st.integers(-120, 120))
    rows, sure = [], draw(st.booleans())
    # Many short gaps, or days and weeks: then whole cycles pass.
    gaps = draw(st.sampled_from([[0] * 10 + [1, 3, 40, 97], [0] * 3 + [40, 97, 300, 1900, 1900]]))
    for _ in range(draw(st.integers(1, 30))):
        trust = SYNCED if sure else draw(st.sampled_from([SYNCED] * 5 + ["restored", "unknown"]))
        export = draw(st.sampled_from([0, 0, 1, draw(WH)]))
        rows.append(Row(at, at + length, draw(WH), export, trust))
        at += length
        gap = draw(st.sampled_from(gaps)) * QUARTER
        sure = gap > DAY
        if gap:
            rows.append(Row(at, at + gap, 0, 0, "unknown"))
            at += gap
    rows.append(Row(at, at + rows[-1].end - rows[-1].start, 0, 0, SYNCED))
    return rows


@st.composite
def prices(draw, rows):
    """Documents of dynamic prices that cover parts of a profile, one after another."""
    found = []
    at = rows[0].start - rows[0].start % QUARTER + QUARTER * draw(st.integers(-8, 8))
    for n in range(draw(st.integers(0, 3))):
        slots = draw(st.lists(SIGNED, min_size=1, max_size=12))
        step = draw(st.sampled_from([900, 1800, 3600]))
        found.append(
            {"v": 1, "prices_of": "random", "n": n + 1, "start": at, "step": step, "prices": slots}
        )
        at += step * len(slots) + QUARTER * draw(st.sampled_from([0, 0, 3, 100]))
    return found


@st.composite
def versions(draw, document, rows):
    """The document, and perhaps a next set that takes force within the rows."""
    if draw(st.booleans()):
        return [document]
    middle = draw(st.sampled_from(rows)).start
    if draw(st.booleans()):  # with a local date, and perhaps a cycle
        zone = document["tz"]
        middle = calendar.first_instant(zone, calendar.local(zone, middle).date())
    money = _money(draw, len(document["bands"]), len(document["blocks"]))
    following = dict(document, n=2, **money, **{"from": middle - middle % QUARTER})
    if draw(st.booleans()):
        following["net"] = not document["net"]
    if following["blocks"] and draw(st.booleans()):
        following["blocks"] = _limits(draw, len(document["blocks"]))
    return [document, following]


class Case:
    """A random case; its text is what a failing example shows."""

    def __init__(self, versions, dynamic, rows, used_wh):
        self.versions, self.dynamic, self.rows, self.used_wh = versions, dynamic, rows, used_wh

    def __repr__(self):
        return f"Case({self.versions!r}, {self.dynamic!r}, {self.rows!r}, {self.used_wh})"


@st.composite
def cases(draw):
    """A whole case: versions, dynamic prices, rows, and what the cycle had used before them."""
    around = date.fromisoformat(draw(st.sampled_from(INSTANTS)))
    document = draw(documents(around))
    rows = draw(profiles(around))
    return Case(
        draw(versions(document, rows)), draw(prices(rows)), rows, draw(st.sampled_from([0, 999]))
    )
