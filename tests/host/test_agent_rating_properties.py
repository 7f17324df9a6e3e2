"""Rating and calendar over random tariffs, against slow and obvious engines."""

import datetime
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.billing import calendar
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.billing.rating import rate, total
from wattledger.agent.journal.journal import Journal
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_tariffs import document

UTC = datetime.timezone.utc
EPOCH_2000 = datetime.date(2000, 1, 1)
prices = st.integers(-(10**10), 10**10)
moments = st.integers(946684800, 7258118399)  # 2000 to 2199


@st.composite
def documents(draw):
    """A random good tariff document (a dict)."""
    bands = draw(st.integers(1, 8))
    blocks = draw(st.integers(1, 6))
    limits = draw(st.lists(st.integers(1, 40), min_size=blocks - 1, max_size=5, unique=True))
    limits = sorted(limits)[: blocks - 1]

    def table():
        minutes = draw(st.lists(st.integers(1, 95), max_size=13, unique=True))
        return [[minute * 15, draw(st.integers(0, bands - 1))] for minute in [0, *sorted(minutes)]]

    quarters = draw(st.integers(-12 * 4, 14 * 4))  # east of Greenwich
    hours, rest = divmod(abs(quarters), 4)
    made = document(
        tz="<ABC>%s%d:%02d" % ("-" if quarters > 0 else "", hours, rest * 15),
        blocks=limits,
        bands=["b%d" % band for band in range(bands)],
        fallback=draw(st.integers(0, bands - 1)),
        price=[[draw(prices) for _ in range(bands)] for _ in range(blocks)],
        days={"work": table(), "rest": table()},
        seasons=[["0101", "work", "rest"]],
        weekend=draw(st.lists(st.integers(0, 6), max_size=7)),
        export=draw(st.sampled_from([[], [1], list(range(bands))])),
    )
    made["offset"] = quarters * 900
    return made


def load(made):
    return tariffs.load(json.dumps({k: made[k] for k in made if k != "offset"}).encode())


def slow_band(made, unix):
    """The band at `unix`, by Python's datetime."""
    zone = datetime.timezone(datetime.timedelta(seconds=made["offset"]))
    local = datetime.datetime.fromtimestamp(unix, zone)
    table = made["days"]["rest" if local.isoweekday() % 7 in made["weekend"] else "work"]
    minute = local.hour * 60 + local.minute
    return [band for start, band in table if start <= minute][-1]


def slow_nano(made, unix, import_wh, export_wh, used_wh, synced, dynamic):
    """Nano-units of one interval, a Wh at a time."""
    band = slow_band(made, unix) if synced else made["fallback"]
    nano = 0
    for wh in range(used_wh, used_wh + import_wh):
        block = sum(1 for limit in made["blocks"] if wh >= limit * 1000)
        # Without synced time no slot is known: the fallback band is charged (behaviour, 2).
        dynamic_now = dynamic if synced else None
        nano -= made["price"][block][band] if dynamic_now is None else dynamic_now
    export = made["export"] or [0]
    return nano + export_wh * export[band if len(export) > 1 else 0]


@given(
    documents(),
    moments,
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.integers(0, 45000),
    st.booleans(),
    st.none() | prices,
)
@settings(max_examples=150, deadline=None)
def test_rating_is_the_sum_of_its_watt_hours(made, unix, wh, export, used, synced, dynamic):
    trust = TRUST_SYNCED if synced else TRUST_RESTORED
    parts = rate(load(made), unix, wh, export, used, trust, dynamic)
    assert total(parts) == slow_nano(made, unix, wh, export, used, synced, dynamic)
    assert sum(part.wh for part in parts if not part.band & 0x80) == wh
    assert [part.block for part in parts] == sorted(part.block for part in parts)
    assert all(part.wh > 0 for part in parts)


@given(documents(), moments, st.lists(st.integers(0, 900), max_size=12), st.integers(0, 30000))
@settings(max_examples=100, deadline=None)
def test_any_slicing_is_the_same_sum(made, unix, slices, used):
    tariff = load(made)
    whole = total(rate(tariff, unix, sum(slices), 0, used, TRUST_SYNCED))
    sliced = 0
    for wh in slices:
        sliced += total(rate(tariff, unix, wh, 0, used, TRUST_SYNCED))
        used += wh
    assert sliced == whole


@given(documents(), moments)
@settings(max_examples=150, deadline=None)
def test_next_change_is_the_first_quarter_of_another_band(made, unix):
    tariff = load(made)
    band = slow_band(made, unix)
    assert tariff.band_at(unix) == band
    quarter = unix // 900 * 900 + 900
    wanted = None
    for at in range(quarter, quarter + 8 * 86400, 900):
        other = slow_band(made, at)
        if other != band:
            wanted = (at, other)
            break
    assert tariff.next_change(unix) == wanted


friendly_periods = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)).filter(
        lambda period: period[1] < period[2]
    ),
    max_size=12,
)


@given(friendly_periods, st.integers(1798732800, 1798732800 + 14 * 86400))
@settings(max_examples=150, deadline=None)
def test_friendly_until_by_walking_the_minutes(periods, unix):
    made = document()
    made["credit"]["friendly"] = [list(period) for period in periods]
    made["offset"] = 28800
    covered = set()
    for day, start, until in periods:
        covered.update(day * 1440 + minute for minute in range(start, until))

    def friendly(at):
        # 1970-01-01 was a Thursday.
        minutes = (at + 28800) // 60
        return (minutes // 1440 + 4) % 7 * 1440 + minutes % 1440 in covered

    until = load(made).friendly_until(unix)
    if not friendly(unix):
        assert until is None
        return
    at = unix // 60 * 60
    while friendly(at) and at < unix + 7 * 86400:
        at += 60
    assert until == at or (until >= unix + 7 * 86400 <= at)


@given(moments, st.integers(1, 28))
@settings(max_examples=200)
def test_month_cycles_by_the_datetime_module(unix, first):
    made = document(cycle_start=first)
    made["offset"] = 0
    day = datetime.datetime.fromtimestamp(unix + 28800, UTC).date()
    while day.day != first:
        day -= datetime.timedelta(1)
    assert load(made).cycle_day(unix) == (day - EPOCH_2000).days


@given(moments, st.dates(datetime.date(2001, 1, 1), datetime.date(2001, 12, 31)))
@settings(max_examples=200)
def test_year_cycles_by_the_datetime_module(unix, first):
    made = document(cycle="year", cycle_start=first.strftime("%m%d"))
    made["offset"] = 0
    day = datetime.datetime.fromtimestamp(unix + 28800, UTC).date()
    while (day.month, day.day) != (first.month, first.day):
        day -= datetime.timedelta(1)
    assert load(made).cycle_day(unix) == (day - EPOCH_2000).days


def test_every_day_from_2000_to_2200_by_the_datetime_module():
    day = EPOCH_2000
    while day.year <= 2200:
        number = (day - EPOCH_2000).days
        assert calendar.day_number(day.year, day.month, day.day) == number
        assert calendar.civil(number) == (day.year, day.month, day.day)
        assert calendar.weekday(number) == day.isoweekday() % 7
        day += datetime.timedelta(1)


@given(
    documents(),
    st.integers(1798732800 // 900, 1830000000 // 900),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_account_balance_is_the_slow_sum(made, quarter, intervals):
    journal = Journal(MemoryStorage(), "demo-0001")
    account = Account(journal)
    account.tariff = load(dict(made, cycle="none"))
    imported = exported = 0
    wanted = 0
    for wh, export in intervals:
        at = quarter * 900
        account.begin(at, imported, exported, TRUST_SYNCED)
        wanted += slow_nano(made, at, wh, export, imported, True, None)
        imported += wh
        exported += export
        assert account.available(imported, exported) == wanted
        account.close(at + 900, imported, exported)
        assert journal.balance == wanted
        quarter += 1
