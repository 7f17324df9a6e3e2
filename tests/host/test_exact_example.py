"""The exact engine against the worked example, which was reckoned by hand and published."""

import random
import time
from datetime import date, datetime

import pytest

from wattledger.tests.host import exact_calendar as calendar
from wattledger.tests.host.exact_engine import Exact, Row, adjustments, nano

FIRST = {
    "v": 1, "id": "demo-cn", "n": 1, "currency": "CNY", "tz": "CST-8", "from": 1798732800,
    "cycle": "month", "cycle_start": 1, "blocks": [100], "bands": ["valley", "peak"],
    "fallback": 0, "price": [[333333, 777777], [555555, 999999]],
    "days": {"w": [[0, 0], [480, 1], [1320, 0]]}, "seasons": [["0101", "w", "w"]],
    "weekend": [], "export": [123457],
}  # fmt: skip
SECOND = dict(
    FIRST,
    n=2,
    price=[[300001, 700003], [500009, 900007]],
    standing_day=260003,
    **{"from": 1801396800},
)
JANUARY, FEBRUARY = date(2027, 1, 1), date(2027, 2, 1)


def at(text):
    """Unix seconds of a time in China, `2027-01-31 07:30`."""
    return int(datetime.fromisoformat(text + "+08:00").timestamp())


def row(text, import_wh, export_wh=0):
    start = at(text)
    return Row(start, start + 900, import_wh, export_wh)


ROWS = [
    row("2027-01-31 07:30", 101),
    row("2027-01-31 07:45", 257),
    row("2027-01-31 08:00", 199),
    row("2027-01-31 08:15", 343 + 391),
    row("2027-01-31 09:00", 777),
    row("2027-01-31 12:00", 3, 1501),
    row("2027-01-31 19:45", 411),
    row("2027-01-31 20:00", 389),
    row("2027-01-31 23:45", 1003),
    row("2027-02-01 00:00", 523),
]
DYNAMIC = {"v": 1, "prices_of": "demo-cn", "n": 1, "start": at("2027-01-31 09:00"), "step": 1800,
           "prices": [-54321]}  # fmt: skip
CORRECTION = dict(
    SECOND,
    n=3,
    price=[[290003, 690003], [480007, 850011]],
    correct={"from": at("2027-01-31 20:00"), "until": at("2027-02-01 00:15")},
)
AMOUNTS = [
    -33666633, -85666581, -154777623, -266777511, -390999609, 42207417, -2999997, 185308957,
    -410999589, -350102723, -501509027, -156900523,
]  # fmt: skip


def test_the_worked_example_line_by_line():
    exact = Exact([FIRST, SECOND], [DYNAMIC], used_wh=99100).run(ROWS)
    energy = [p for p in exact.postings if p.kind in ("energy", "export")]
    assert [-nano(posting.amount) for posting in energy] == AMOUNTS
    assert nano(exact.sum("standing")) == 260003000
    assert nano(exact.sum()) == 50000000000 - 47613113558


def test_the_correction_of_the_worked_example():
    found = adjustments([FIRST, SECOND], [CORRECTION], ROWS, [DYNAMIC], 99100)
    assert found == {JANUARY: 39510450, FEBRUARY: 5228954}
    # Sent again it changes nothing: its own amounts are then what was posted.
    assert adjustments([FIRST, SECOND], [CORRECTION] * 2, ROWS, [DYNAMIC], 99100) == {}


def test_cycles_bands_and_blocks_of_the_example():
    found = Exact([FIRST, SECOND], [DYNAMIC], used_wh=99100).run(ROWS).lines("energy")
    assert found == {
        (JANUARY, 0, 0, 333333): 358,
        (JANUARY, 1, 0, 777777): 542,
        (JANUARY, 1, 1, 999999): 391 + 3 + 411,
        (JANUARY, 1, 1, -54321): 777,
        (JANUARY, 1, 1, 900007): 389,
        (JANUARY, 0, 1, 500009): 1003,
        (FEBRUARY, 0, 0, 300001): 523,
    }


def test_an_untrusted_row_takes_the_fallback_band_and_turns_no_cycle():
    rows = [
        Row(at("2027-01-31 23:45"), at("2027-02-01 00:00"), 100000),
        Row(at("2027-02-01 08:00"), at("2027-02-01 08:15"), 7, 0, "restored"),
        Row(at("2027-02-01 08:15"), at("2027-02-01 08:30"), 7),
    ]
    found = Exact([FIRST]).run(rows).lines("energy")
    assert found == {
        (JANUARY, 0, 0, 333333): 100000,
        (JANUARY, 0, 1, 555555): 7,
        (FEBRUARY, 1, 0, 777777): 7,
    }


def test_demand_posts_what_a_whole_window_adds_to_the_maximum():
    document = dict(FIRST, demand={"minutes": 30, "price": 2000000}, standing_day=0)
    quarters = [100, 200, 300, 150, 500, 500, 10, 10]
    start = at("2027-01-31 10:00")
    rows = [Row(start + 900 * n, start + 900 * n + 900, wh) for n, wh in enumerate(quarters)]
    rows[4] = rows[4]._replace(trust="restored")  # its window does not count
    exact = Exact([document]).run(rows)
    posted = [nano(p.amount) for p in exact.postings if p.kind == "demand"]
    # 300 Wh in half an hour are 600 W, then 450 Wh 900 W; 2 a kW
    assert posted == [1200000000, 600000000]


def test_minimum_is_what_a_whole_cycle_lacks():
    document = dict(FIRST, minimum=9000000, standing_day=200000)
    start, end = at("2027-01-01 00:00"), at("2027-02-01 00:00")
    exact = Exact([document]).run([Row(start, start + 900, 3000), Row(start + 900, end, 0)])
    # 31 days at 0.2 and 3 kWh at 0.333333 are 7.199999
    assert nano(exact.sum("minimum")) == 1800001000
    late = Exact([document]).run([Row(start + 900, end, 0)])
    early = Exact([document]).run([Row(start, end - 900, 0)])
    assert (late.sum("minimum"), early.sum("minimum")) == (0, 0)


def test_net_rates_the_difference_once():
    document = dict(FIRST, net=True, blocks=[1])
    start = at("2027-01-31 10:00")
    rows = [Row(start, start + 900, 1500, 300), Row(start + 900, start + 1800, 100, 350)]
    exact = Exact([document]).run(rows)
    assert exact.lines("energy") == {(JANUARY, 1, 0, 777777): 1000, (JANUARY, 1, 1, 999999): 200}
    assert exact.lines("export") == {(JANUARY, 1, None, 123457): 250}


def test_seasons_have_blocks_of_their_own_and_may_begin_the_count_anew():
    document = dict(
        FIRST,
        cycle="year",
        cycle_start="0101",
        blocks=[1],
        seasons=[["0101", "w", "w"], ["0601", "w", "w", {"blocks": [2]}],
                 ["0901", "w", "w", {"blocks": [3], "blocks_reset": True}]],
    )  # fmt: skip
    rows = [row(f"2027-{day} 10:00", 1500) for day in ("05-31", "06-01", "09-01", "12-31")]
    found = [(p.block, p.wh) for p in Exact([document]).run(rows).postings if p.wh]
    assert found == [(0, 1000), (1, 500), (0, 500), (1, 1000), (0, 1500), (0, 1500)]


def test_dates_and_offsets_of_zones_with_daylight_saving():
    london, lord_howe = "GMT0BST,M3.5.0/1,M10.5.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
    # 2027: BST from 28 March 01:00 UTC to 31 October 01:00 UTC
    spring, autumn = 1806195600, 1824944400
    assert [calendar.offset_at(london, spring + n) for n in (-1, 0)] == [0, 3600]
    assert [calendar.offset_at(london, autumn + n) for n in (-1, 0)] == [3600, 0]
    day = calendar.first_instant(london, date(2027, 3, 29))
    assert day - calendar.first_instant(london, date(2027, 3, 28)) == 23 * 3600
    assert calendar.local(lord_howe, 1798761600) == datetime(2027, 1, 1, 11)


@pytest.mark.parametrize(
    "zone",
    [
        "GMT0BST,M3.5.0/1,M10.5.0",
        "EST5EDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
        "XXX3YYY1:30,J60/0,J300/24",
        "XXX-5YYY,59/26,299",
        "<+0545>-5:45",
    ],
)
def test_offsets_are_those_of_the_c_library(zone, monkeypatch):
    random_times = random.Random(zone)
    times = [random_times.randrange(1577836800, 2145916800) for _ in range(2000)]
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        expected = [time.localtime(unix).tm_gmtoff for unix in times]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [calendar.offset_at(zone, unix) for unix in times] == expected


def test_holidays_are_gaps_and_a_pair_is_a_make_up_day():
    document = dict(
        FIRST,
        weekend=[0, 6],
        seasons=[["0101", "w", "e"]],
        days={"w": [[0, 0]], "e": [[0, 1]], "h": [[0, 1]], "m": [[0, 0]]},
        holidays=[9862, 1, [2, "m"]],  # 1 and 2 January 2027, and the 4th
        holiday_day="h",
    )
    days = [calendar.day_table(document, date(2027, 1, n)) for n in range(1, 6)]
    assert days == ["h", "h", "e", "m", "w"]
