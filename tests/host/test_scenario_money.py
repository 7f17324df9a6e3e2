"""The scenarios about money: emergency credit, a spoofed clock, a price change corrected."""

import json
from functools import partial

import pytest

from wattledger.agent import events
from wattledger.agent.comms.commands import DUPLICATE, OK, OPS, RESULTS, TOKEN_ENTER
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.host.scenario_bench import (
    FLAT,
    HOUR_S,
    PEAK,
    moves,
    of_kind,
    price_at,
    shipped,
    told,
    value_of,
)
from wattledger.tests.host.scenario_bench import play as play_of
from wattledger.tools import mpy
from wattledger.tools.scenario import DEMO_TARIFF


@pytest.fixture
def play(tmp_path):
    """Runs a shipped scenario; nothing may break a promise."""
    return partial(shipped, tmp_path)


def test_emergency_credit_over_a_weekend(play):
    outcome = play("emergency-credit")
    minute = 60
    (low_1,) = told(outcome, events.LOW_CREDIT_1)
    (low_2,) = told(outcome, events.LOW_CREDIT_2)
    assert 0 <= low_1 - 30 * minute <= 12  # a Wh takes 7.2 s
    assert 0 <= low_2 - 130 * minute <= 12
    # Of the three times somebody asks, once something is offered: 17:46, heard in the next tick.
    ((accepted, entry),) = of_kind(outcome, records.EMERGENCY)
    assert 0 <= accepted - 226 * minute <= 10
    limit, available = readers.unpack_emergency(entry.payload)
    assert limit == 1_500_000
    assert abs(available - 20_000_000) <= 1_200_000  # 4 minutes of 0.005 are left
    (exhausted,) = told(outcome, events.CREDIT_EXHAUSTED)
    assert 0 <= exhausted - 230 * minute <= 12
    # Warned of before the cut that emergency credit put off, and before the one on Monday.
    monday = 68 * HOUR_S
    for code, ahead in ((events.CUT_IN_15, 15 * minute), (events.CUT_IN_5, 5 * minute)):
        first, second = told(outcome, code)
        assert 0 <= 230 * minute - ahead - first <= 40
        assert 0 <= monday - ahead - second <= 40
    (opened, opening), (closed, closing) = moves(outcome)
    assert not opening and closing
    assert 0 <= opened - monday <= 5
    assert 0 <= closed - (69 * HOUR_S + 5 * minute) <= 15
    # 68 h at 0.30 and three standing charges, less what there was and what was lent; a Wh more.
    below = 68 * 300_000 + 3 * 120_000 - 1_150_000 - 1_500_000
    assert below == 18_110_000
    assert 0 <= value_of(outcome, events.CUT_FRIENDLY) - below <= 600
    assert 0 <= value_of(outcome, events.CUT_RESTORE) - below - 200_000 <= 600
    # 15.00 do not arm it, so nobody could close before 11:00.
    assert [entry.amount for _, entry in of_kind(outcome, records.CREDIT)] == [
        15 * 10**9,
        6 * 10**9,
    ]
    on_s = 68 * HOUR_S + (70 * HOUR_S - closed)
    assert abs(outcome.report["register_wh"] - on_s * 500 / 3600) < 1.5
    assert abs(outcome.report["charged_micro"] - (on_s * 300_000 // HOUR_S + 360_000)) <= 1_500
    assert 0 <= outcome.report["balance_micro"] - 1_115_000 <= 3_000


def test_tokens_by_keypad_and_by_message_count_once(play):
    outcome = play("tokens")
    taken = [(at, entry.amount) for at, entry in of_kind(outcome, records.TOKEN)]
    # As the story has them; the third was not durable when the power went, so typed again.
    hours = [HOUR_S, 2 * HOUR_S, 3 * HOUR_S + 600, 5 * HOUR_S]
    assert [amount for _, amount in taken] == [3 * 10**9, 1_500_040_000, 3 * 10**9, 6 * 10**8]
    for (at, _), wanted in zip(taken, hours, strict=True):
        assert 0 <= at - wanted <= 70  # a broker that is back is found within a minute
    answers = [
        readers.unpack_command(entry.payload)[1:] for _, entry in of_kind(outcome, records.COMMAND)
    ]
    ok, duplicate = RESULTS.index(OK), RESULTS.index(DUPLICATE)
    entered = [result for op, result in answers if op == OPS[TOKEN_ENTER][0]]
    assert entered == [duplicate, ok, duplicate, ok]
    # 1.00 and 8.10004 less 5 h 55 min of 0.5 kW at 0.60; the cut may lose 10 s of it.
    left = 9_100_040 - 1_775_000
    assert 0 <= outcome.report["balance_micro"] - left <= 2_000


def test_a_spoofed_clock(play):
    outcome = play("spoofed-clock")
    begin = outcome.evidence.entries[0].time
    # Until the power fails, and on after the clock is set, the bands are those of the hour. In
    # between time is what the meter knew last, and one band is billed. Nothing is on from
    # Wednesday 10:10 to 12:35.
    (_, _), (closed, closing) = moves(outcome)
    assert closing and 0 <= closed - (36 * HOUR_S + 35 * 60) <= 15
    first = sum(1000 * price_at(begin + hour * HOUR_S) for hour in range(10))
    assert first == 4_260_000_000
    blind = 24_000 * FLAT
    last = sum(price_at(begin + hour * HOUR_S) * 1000 for hour in range(37, 48))
    last += (37 * HOUR_S - closed) * 1000 * FLAT // HOUR_S
    charged = first + blind + last + 3 * 120_000_000
    # A cut may cost what passes in 10 s, a tick and the write.
    assert (
        -outcome.report["loss_bound_wh"] * FLAT - 2 * PEAK
        <= (outcome.report["charged_nano"] - charged)
        <= 2 * PEAK
    )
    assert abs(outcome.report["balance_nano"] - 6_299_167_000) <= 6_000_000
    # The meter's clock stands ten minutes back from the cut until it is set.
    behind = 600
    (exhausted,) = told(outcome, events.CREDIT_EXHAUSTED)
    assert abs(exhausted - (10 * HOUR_S + 5.62 / 0.53 * HOUR_S)) <= 15
    (opened, opening), _ = moves(outcome)
    assert not opening and abs(opened + behind - (34 * HOUR_S + 600)) <= 15
    assert abs(value_of(outcome, events.CUT_RESTORE) - 7_300_000) <= 6_000
    # Three steps are believed: what was lost, and five minutes there and back.
    clocks = of_kind(outcome, records.CLOCK)
    steps = [readers.unpack_clock(entry.payload) for _, entry in clocks]
    made_up, ahead, back = [after - before for before, after, _ in steps]
    assert abs(made_up - behind) <= 15 and (ahead, back) == (300, -300)
    # Without a clock everything is billed in the fallback band, and no day is paid.
    for at, entry in of_kind(outcome, records.INTERVAL):
        if entry.trust != TRUST_SYNCED:
            assert 10 * HOUR_S <= at <= 36 * HOUR_S
            for part in readers.unpack_interval(entry.payload).parts:
                assert (part.band & ~payloads.FALLBACK, part.price) == (1, FLAT)
    assert [at // HOUR_S for at, _ in of_kind(outcome, records.STANDING)] == [0, 36, 48]


NIGHT, DAY = 0, 1
PRICES = {  # micro per kWh by set: (block 0), (block 1), each night and day; standing
    1: ((300_000, 600_000), (400_000, 700_000), 120_000),
    2: ((360_000, 720_000), (460_000, 820_000), 150_000),
    3: ((330_000, 660_000), (430_000, 760_000), 130_000),
}


def charged_by(sets):
    """Micro by month of what the house of price-change takes, hour by hour; `sets` is the set in
    force on each of its five days and the instant after them."""
    used = {1: 60, 2: 0}
    cost = {1: 0, 2: 0}
    for hour in range(5 * 24):
        day, hour = divmod(hour, 24)
        month = 1 if day < 3 else 2
        block = int(used[month] >= 100)
        used[month] += 1
        if day == 2 and 12 <= hour < 14:
            cost[month] += 25_000  # half an hour of 0.10, half of -0.05
        else:
            cost[month] += PRICES[sets[day]][block][DAY if 8 <= hour < 22 else NIGHT]
    for day, number in enumerate(sets):
        cost[1 if day < 3 else 2] += PRICES[number][2]
    return cost


def test_a_price_change_and_its_correction(play):
    outcome = play("price-change")
    was, right = charged_by([1, 2, 2, 2, 3, 3]), charged_by([1, 3, 3, 3, 3, 3])
    assert sum(was.values()) == 67_420_000 and sum(right.values()) == 64_060_000
    report = outcome.report
    assert report["register_wh"] == 120_000
    assert report["charged_nano"] == 64_060_000_000
    assert report["balance_nano"] == 15_940_000_000
    adjusted = {}
    for at, entry in of_kind(outcome, records.ADJUST):
        assert 0 < at - 4 * 86_400 - 12 * HOUR_S < 600
        _, n, cycle, unrated_wh, diverted, tariff = readers.unpack_adjust(entry.payload)
        assert (n, unrated_wh, diverted, tariff) == (4, 0, 0, "home")
        adjusted[cycle] = entry.amount
    assert adjusted == {
        20270101: (was[1] - right[1]) * 1000,
        20270201: (was[2] - right[2]) * 1000,
    }
    assert list(adjusted.values()) == [2_200_000_000, 1_160_000_000]
    # A set comes into force at its midnight; the correction never does.
    sets = of_kind(outcome, records.TARIFF)
    days = [(at / 86_400, readers.unpack_tariff(entry.payload)[0]) for at, entry in sets]
    assert days == [(0, 1), (1, 2), (4, 3)]
    assert len(of_kind(outcome, records.CORRECTION)) == 1
    (refused,) = told(outcome, events.TARIFF_REFUSED)
    assert 0 <= refused - 12 * HOUR_S <= 10
    (why,) = report["refused_documents"]
    assert why.startswith("price[0][1]: 7200000 is more than 50 % above 600000")


def test_keep_power_and_a_debt_reach_the_meter(tmp_path):
    """1000 W from Tuesday, 08:00: peak 0.78. Half a unit lasts to 08:38:28; the power is kept on
    from 08:31 to 11:31. A debt of 2.00 takes 20 % of the 5.00 paid at 11:00."""
    outcome = play_of(
        tmp_path,
        hours=4,
        tick_s=10,
        start="2027-01-19 08:00",
        credit="0.50",
        events=[
            {"at": "31 min", "keep": "3h"},
            {"at": "2h", "broker": {"down": "10 min"}},
            {"at": "2h 5 min", "debt": {"total": "2.00", "share": 20}},
            {"at": "3h", "credit": "5.00"},
        ],
    )
    assert {name: found for name, found in outcome.problems.items() if found} == {}
    assert moves(outcome) == []
    assert value_of(outcome, events.CREDIT_EXHAUSTED) <= 0
    kept = [readers.unpack_event(e.payload) for _, e in of_kind(outcome, records.EVENT)]
    assert [value for code, value in kept if code == events.KEEP_POWER] == [10_800, 0]
    # Set while the broker was away, so it came when that was back, and once.
    (came, set_), (_, share) = of_kind(outcome, records.DEBT)
    assert 2 * HOUR_S + 600 <= came <= 2 * HOUR_S + 700
    assert (set_.amount, share.amount) == (0, -1_000_000_000)
    # Three hours of peak, one of flat.
    assert outcome.report["register_wh"] == 4_000
    assert outcome.report["balance_nano"] == (500 + 5_000 - 1_000 - 3 * 780 - 530) * 10**6


@pytest.mark.skipif(mpy.find_tool("micropython") is None, reason="no micropython")
def test_a_document_and_emergency_credit_are_the_same_on_both(tmp_path):
    """A set, prices, a correction and a refusal, and emergency credit: 1200 W take 0.94 an hour
    and then 1.00, so 0.25 of 0.80 is left at 08:35. No friendly period holds the cut back."""
    first = json.loads(DEMO_TARIFF.read_text())
    first["credit"].update({"emergency": 1_000_000, "friendly": []})
    first["from"] = "2027-01-19 08:00"
    second = {**first, "n": 2, "from": "2027-01-19 08:30"}
    second["price"] = [[price + 50_000 for price in row] for row in first["price"]]
    correction = {**first, "n": 3, "correct": {"from": first["from"], "until": second["from"]}}
    correction["price"] = [[price - 50_000 for price in row] for row in first["price"]]
    prices = {"v": 1, "prices_of": "demo", "n": 1, "step": 900, "prices": [100_000]}
    prices["start"] = "2027-01-19 09:30"
    content = {
        "hours": 3,
        "tick_s": 10,
        "start": "2027-01-19 08:00",
        "credit": "0.80",
        "load": {"watts": 1200},
        "tariff": first,
        "events": [
            {"at": "5 min", "document": second},
            {"at": "6 min", "document": {**second, "v": 1, "standing_day": 7}},
            {"at": "35 min", "accept": True},
            {"at": "40 min", "document": correction},
            {"at": "1h", "document": prices},
        ],
    }
    ends = []
    for name in ("cpython", "micropython"):
        outcome = play_of(tmp_path / name, name, **content)
        assert {key: found for key, found in outcome.problems.items() if found} == {}
        report = outcome.report
        assert report["refused_documents"] == ["n: 2 is held already with other content"]
        ends.append((report["journal_head"], report["balance_nano"]))
        assert len(of_kind(outcome, records.EMERGENCY)) == 1
        # Half an hour of peak, 600 Wh, was 0.05 a kWh too dear.
        ((_, adjusted),) = of_kind(outcome, records.ADJUST)
        assert adjusted.amount == 600 * 50_000
        ((_, opening),) = moves(outcome)
        assert not opening
    assert ends[0] == ends[1]
