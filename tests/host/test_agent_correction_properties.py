"""Corrections one over the other, against a slow engine that prices each record by the last.

The slow engine knows local time by datetime, counts blocks a Wh at a time and looks at demand
window by window; it shares nothing with the device's but the documents.
"""

import datetime
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_tariffs import local_2027

ZONE = datetime.timezone(datetime.timedelta(hours=8))
START = local_2027(5, 30, 20)  # two evenings before the cycle's end
QUARTER = 900


class Row(NamedTuple):
    """An interval as it was metered."""

    start: int
    end: int
    wh: int
    export: int
    synced: bool


def local(unix):
    return datetime.datetime.fromtimestamp(unix, ZONE)


def midnight(date):
    return int(datetime.datetime(date.year, date.month, date.day, tzinfo=ZONE).timestamp())


@st.composite
def documents(draw):
    """The parts of a document that a correction may change."""
    limits = sorted(draw(st.lists(st.integers(1, 4), max_size=2, unique=True)))
    prices = st.integers(-3000, 3000)
    switches = sorted(draw(st.lists(st.integers(1, 95), max_size=3, unique=True)))
    minutes = [0] + [switch * 15 for switch in switches]
    made = {
        "blocks": limits,
        "price": [[draw(prices), draw(prices)] for _ in range(len(limits) + 1)],
        "days": {"all": [[minute, draw(st.integers(0, 1))] for minute in minutes]},
        "fallback": draw(st.integers(0, 1)),
        "export": [draw(prices), draw(prices)],
        "net": draw(st.booleans()),
        "standing_day": draw(st.sampled_from([0, 700])),
    }
    if draw(st.booleans()):
        window = draw(st.sampled_from([15, 30, 60]))
        made["demand"] = {"minutes": window, "price": draw(st.integers(0, 50))}
    return made


@st.composite
def profiles(draw):
    """Intervals over some days: quarters mostly, some parts of one, gaps, time off, lost time."""
    rows = []
    at = START
    for _ in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(["quarter", "quarter", "quarter", "part", "gap", "off"]))
        if kind == "off":
            at += draw(st.integers(1, 60)) * QUARTER
        seconds = QUARTER
        if kind == "gap":
            seconds = draw(st.integers(2, 12)) * QUARTER
        elif kind == "part":
            seconds = 300
        wh = draw(st.integers(0, 900))
        export = draw(st.sampled_from([0, 0, 0, 400]))
        rows.append(Row(at, at + seconds, wh, export, draw(st.integers(0, 5)) > 0))
        at += seconds
        if kind == "part":
            rows.append(Row(at, at + 600, draw(st.integers(0, 500)), 0, rows[-1].synced))
            at += 600
    return rows


dynamic_slots = st.dictionaries(st.integers(0, 200), st.integers(-2000, 2000), max_size=10)
spans = st.tuples(st.integers(-5, 250), st.integers(1, 260))


class Dynamic:
    """price_at() of the account, a slot a quarter of an hour."""

    def __init__(self, slots):
        self.slots = slots

    def price_at(self, unix):
        return self.slots.get((unix - START) // QUARTER)

    def is_expected(self):
        return True


def band(document, unix):
    moment = local(unix)
    minute = moment.hour * 60 + moment.minute
    return [index for start, index in document["days"]["all"] if start <= minute][-1]


def can_rate(document, row):
    if row.start // QUARTER == (row.end - 1) // QUARTER:
        return True
    if local(row.start).month != local(row.end - 1).month:
        return False
    bands = {band(document, at) for at in range(row.start, row.end, QUARTER)}
    return not row.synced or len(bands) == 1


def amounts(document, rows, dynamic):
    """Nano-units of each row by a document."""
    found = []
    month = None
    used = 0
    for row in rows:
        if row.synced and local(row.start).month != month:
            # The month that a book begins in is known with the first synced time only.
            used = used if month is None else 0
            month = local(row.start).month
        index = band(document, row.start) if row.synced else document["fallback"]
        slot = dynamic.price_at(row.start) if row.synced else None
        both = min(row.wh, row.export) if document["net"] else 0
        nano = (row.export - both) * document["export"][index]
        for _ in range(row.wh - both):
            block = sum(used >= limit * 1000 for limit in document["blocks"])
            nano -= document["price"][block][index] if slot is None else slot
            used += 1
        found.append(nano)
    return found


def windows(document, rows):
    """(start, end, nano) of each demand charge by a document."""
    if "demand" not in document:
        return []
    span = document["demand"]["minutes"] * 60
    found = []
    highest = {}
    for start in range(START // span * span, rows[-1].end, span):
        inside = [row for row in rows if start <= row.start and row.end <= start + span]
        if sum(row.end - row.start for row in inside) != span:
            continue
        if not all(row.synced for row in inside):
            continue
        watts = sum(row.wh for row in inside) * (3600 // span)
        month = local(start).month
        if watts > highest.get(month, 0):
            nano = (highest.get(month, 0) - watts) * document["demand"]["price"]
            found.append((start, start + span, nano))
            highest[month] = watts
    return found


def slow_balance(documents, rows, dynamic):
    """All amounts, each by the last of (document, from, until) that reaches it; the first is the
    set in force and reaches everything."""
    total = 0
    priced = [amounts(document, rows, dynamic) for document, _, _ in documents]
    for number, row in enumerate(rows):
        for layer in range(len(documents) - 1, -1, -1):
            document, start, until = documents[layer]
            if layer and not (start <= row.start and row.end <= until):
                continue
            if layer and not can_rate(document, row):
                continue
            total += priced[layer][number]
            break
    for layer, (document, start, until) in enumerate(documents):
        later = documents[layer + 1 :]
        for begin, end, nano in windows(document, rows):
            mine = not layer or (start <= begin and end <= until)
            if mine and not any(first <= begin and end <= last for _, first, last in later):
                total += nano
    for instant in dates(rows):
        reached = [
            document
            for layer, (document, start, until) in enumerate(documents)
            if not layer or start <= instant < until
        ]
        total -= reached[-1]["standing_day"] * 1000
    return total


def dates(rows):
    """First instants of the local dates that had begun by the last synced interval."""
    synced = [row.start for row in rows if row.synced]
    if not synced:
        return []
    day = local(START).date() + datetime.timedelta(1)
    found = []
    while day <= local(synced[-1]).date():
        found.append(midnight(day))
        day += datetime.timedelta(1)
    return found


def play(first, corrections, rows, slots, interrupt):
    """(the books, what the slow engine says) after corrections of a profile."""
    dynamic = Dynamic(slots)
    first = dict(first, n=1)
    books = Books(START, balance=10**15, **first)
    books.account.dynamic = dynamic
    for row in rows:
        trust = TRUST_SYNCED if row.synced else TRUST_RESTORED
        books.interval(row.start, row.wh, row.export, row.end - row.start, trust)
    layers = [(first, 0, 1 << 40)]
    for number, (document, (begin, length)) in enumerate(corrections):
        start = START + begin * QUARTER
        until = start + length * QUARTER
        books.offer(start, until, number + 2, **document)
        for _ in range(interrupt):  # then the power goes
            books.corrections.work(books.now, TRUST_SYNCED, *books.registers)
        if interrupt:
            books.boot()
        books.work()
        layers.append((document, start, until))
    return books, 10**15 + slow_balance(layers, rows, dynamic)


def check(first, corrections, rows, slots, interrupt):
    books, wanted = play(first, corrections, rows, slots, interrupt)
    assert books.journal.balance - books.account.debt.owed == wanted
    assert books.sum() == books.journal.balance
    adjusted = [(entry.payload[1:5], cycle) for entry, cycle in zip(
        books.entries(records.ADJUST), [found[0] for found in books.adjusted()], strict=True
    )]  # fmt: skip
    assert len(set(adjusted)) == len(adjusted)  # (n, cycle) once


cases = st.tuples(
    documents(),
    st.lists(st.tuples(documents(), spans), min_size=1, max_size=4),
    profiles(),
    dynamic_slots,
    st.integers(0, 4),
)


@given(cases)
@settings(max_examples=60, deadline=None)
def test_each_record_costs_what_the_last_correction_that_reaches_it_says(case):
    check(*case)


@pytest.mark.nightly
@given(cases)
@settings(max_examples=2000, deadline=None)
def test_each_record_costs_what_the_last_correction_says_over_many(case):
    check(*case)
