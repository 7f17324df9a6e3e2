"""Corrections by both engines: what each cycle is paid back or claims, to the nano-unit."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattledger.agent.billing import dynamic, tariff
from wattledger.agent.billing.correction import Corrections
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_NAMES, TRUST_SYNCED
from wattledger.tests.both.houses_account import METER, open_account, stored
from wattledger.tests.host import exact_calendar as calendar
from wattledger.tests.host.exact_device import encoded
from wattledger.tests.host.exact_engine import SYNCED, adjustments
from wattledger.tests.host.exact_strategies import SIGNED, cases
from wattledger.tools import bill_prices

QUARTER = 900
RICH = 10**18


def device_adjustments(case, corrections):
    """[{cycle: nano}] that the meter's journal holds, one a correction."""
    start = case.rows[0].start
    storage, journal, account = open_account(RICH, case.used_wh, start)
    lists = [dynamic.load(encoded(document)) for document in case.dynamic]
    account.dynamic = bill_prices.Prices(lists) if lists else None
    sets = [tariff.load(encoded(document)) for document in case.versions]
    while len(sets) > 1 and sets[1].start <= start:
        sets.pop(0)
    account.pending = sets.pop(0)
    account.switch(start, TRUST_SYNCED)
    registers = [0, 0]
    for row in case.rows:
        if row.trust == "unknown" and row.end - row.start > QUARTER:
            continue  # off
        trust = TRUST_NAMES.index(row.trust)
        if sets and trust == TRUST_SYNCED and row.start >= sets[0].start:
            account.pending = sets.pop(0)
            account.switch(row.start, TRUST_SYNCED)
        account.charge_standing(row.start, trust)
        account.begin(row.start, *registers, trust)
        registers = [registers[0] + row.import_wh, registers[1] + row.export_wh]
        account.close(row.end, *registers)
    journal.flush()
    account.begin(case.rows[-1].end, *registers, TRUST_SYNCED)
    worker = Corrections(storage, account, journal, METER)
    found = []
    for document in corrections:
        data = encoded(document)
        if "prices_of" in document:
            worker.offer(dynamic.load(data), data, account.start, encoded(case.versions[-1]))
        else:
            worker.offer(tariff.load(data), data, account.start)
        while worker.is_waiting():
            worker.work(account.start, TRUST_SYNCED, *registers)
            journal.flush()
        found.append(posted(storage, document["n"]))
    return found


def posted(storage, n):
    """{yyyymmdd of the cycle, 0 for none: nano} of the adjustments of a correction."""
    found = {}
    for entry in stored(storage):
        if entry.kind == records.ADJUST:
            _, by, cycle, unrated_wh, diverted, _ = readers.unpack_adjust(entry.payload)
            assert (unrated_wh, diverted) == (0, 0)
            if by == n:
                assert cycle not in found, "an adjustment is posted once"
                found[cycle] = entry.amount
    return {cycle: nano for cycle, nano in found.items() if nano}


def key(cycle):
    return 0 if cycle == calendar.NEVER else int(cycle.strftime("%Y%m%d"))


@st.composite
def corrected_prices(draw, case, n):
    """Other dynamic prices for slots from one of the rows on."""
    start = draw(st.sampled_from(case.rows)).start
    return {
        "v": 1,
        "prices_of": "random",
        "n": n,
        "start": start - start % QUARTER,
        "step": draw(st.sampled_from([900, 1800, 3600])),
        "prices": draw(st.lists(SIGNED, min_size=1, max_size=40)),
        "correct": True,
    }


@st.composite
def corrected(draw):
    """A case whose last row ends at once, and one to three corrections within and around it, of
    the tariff and of dynamic prices in any order."""
    case = draw(cases())
    case.rows[-1] = case.rows[-1]._replace(end=case.rows[-1].start + 300)
    case.rows[0] = case.rows[0]._replace(trust=SYNCED)
    base = case.versions[0]
    bands, blocks = len(base["bands"]), len(base["blocks"])
    found = []
    for n in range(11, 12 + draw(st.integers(0, 2))):
        if draw(st.integers(0, 2)) == 0:
            found.append(draw(corrected_prices(case, n)))
            continue
        first, last = (draw(st.sampled_from(case.rows)).start for _ in range(2))
        start, until = sorted((first - first % QUARTER, last - last % QUARTER))
        until += QUARTER * draw(st.integers(1, 200))
        document = dict(
            base,
            n=n,
            price=[[draw(SIGNED) for _ in range(bands)] for _ in range(blocks + 1)],
            export=[draw(SIGNED) for _ in range(draw(st.sampled_from([0, 1, bands])))],
            standing_day=draw(st.sampled_from([0, 260003])),
            minimum=draw(st.sampled_from([0, draw(st.integers(1, 10**7)), 10**12])),
            correct={"from": start, "until": until},
        )
        if "demand" in base:
            document["demand"] = dict(base["demand"], price=draw(st.integers(0, 10**6)))
        found.append(document)
    for other in case.versions[1:]:
        other["net"] = base["net"]  # what fills the blocks does not change
    return case, found


def compare(case, corrections):
    found = device_adjustments(case, corrections)
    for number in range(len(corrections)):
        expected = adjustments(
            case.versions, corrections[: number + 1], case.rows, case.dynamic, case.used_wh
        )
        assert found[number] == {key(cycle): nano for cycle, nano in expected.items()}


MANY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@settings(MANY, max_examples=200)
@given(corrected())
def test_a_correction_adjusts_each_cycle_as_the_exact_engine_says(case):
    compare(*case)


@pytest.mark.nightly
@settings(MANY, max_examples=4000)
@given(corrected())
def test_many_corrections_adjust_as_the_exact_engine_says(case):
    compare(*case)
