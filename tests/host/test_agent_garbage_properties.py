"""Whatever a chip says, the meter adds what can have moved, or nothing, and says which."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent import config as configs
from wattledger.agent.metering.meter import Meter
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    MAX_PHASES,
    NO_ANSWER,
    PHASE_FIELDS,
    QUALITY_ESTIMATED,
    QUALITY_OK,
    QUALITY_REJECTED,
    QUALITY_STALE,
    RESTARTED,
    SAMPLE_LENGTH,
    UNCONFIRMED,
)
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.houses_watch import SampledChip, Watched

WORD = st.one_of(
    st.sampled_from([0, 1, -1, 4416, 4417, -4416, -4417, 65_535, 2**31 - 1, -(2**31)]),
    st.integers(-5_000, 5_000),
    st.integers(-(2**31), 2**31 - 1),
)
TICK = st.tuples(
    st.sampled_from([0, 0, 0, UNCONFIRMED, NO_ANSWER, CORRUPT, RESTARTED, 15]),
    st.one_of(st.just(1_000), st.integers(100, 200_000), st.integers(0, 2**29)),
    st.lists(WORD, min_size=SAMPLE_LENGTH, max_size=SAMPLE_LENGTH),
)
WATTS = 60 * 276


def counts_of(register):
    return (
        register.import_wh * 320 + register.import_rest,
        register.export_wh * 320 + register.export_rest,
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(1, MAX_PHASES), st.booleans(), st.lists(TICK, min_size=1, max_size=12))
def test_no_reading_moves_more_than_the_service_can_carry(phases, per_phase, ticks):
    chip = SampledChip(phases)
    clock = VirtualClock(0)
    config = configs.load(
        json.dumps(
            {"v": 1, "meter": "m", "tenant": "t", "board": "b", "max_amps": 60}
            | ({"phase_sum": "per_phase"} if per_phase else {})
        ).encode()
    )
    meter = Meter(chip, clock, config)
    clock.advance(1_000)
    meter.tick()  # the first reading is bounded by the chip's register alone
    since_good = 0
    for status, gap, words in ticks:
        chip.status = status
        chip.sample[:] = type(chip.sample)("i", words)
        before, rejected = counts_of(meter.register), meter.rejected
        clock.advance(gap)
        since_good += gap
        meter.tick()
        moved = [after - was for after, was in zip(counts_of(meter.register), before, strict=True)]
        assert min(moved) >= 0  # never down
        counts = [words[phase * PHASE_FIELDS + ENERGY_COUNTS] for phase in range(phases)]
        total = sum(map(abs, counts))
        if status & (NO_ANSWER | CORRUPT):
            assert moved == [0, 0] and meter.quality == QUALITY_STALE
            continue
        if status & RESTARTED:
            assert moved == [0, 0] and meter.quality == QUALITY_ESTIMATED
            since_good = 0
            continue
        # Imax x Vmax x dt of every phase, two seconds more: a count is 11.25 Ws, rounded up.
        bound = -(-WATTS * phases * 4 // 45) * (since_good // 1000 + 2)
        since_good = 0
        if total > bound:
            assert moved == [0, 0]
            assert meter.rejected == rejected + total
            assert meter.quality == QUALITY_REJECTED
            continue
        assert meter.rejected == rejected
        assert meter.quality == QUALITY_OK
        parts = counts if per_phase else [sum(counts)]
        assert moved == [
            sum(part for part in parts if part > 0),
            -sum(part for part in parts if part < 0),
        ]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MAX_PHASES), st.lists(TICK, min_size=1, max_size=30))
def test_no_reading_upsets_the_watch(phases, ticks):
    bench = Watched(phases, quality={"frozen_readings": 2})
    for status, gap, words in ticks:
        bench.chip.status = status
        bench.chip.sample[:] = type(bench.chip.sample)("i", words)
        bench.clock.advance(gap)
        bench.time.powered_s += gap // 1000
        bench.meter.tick()
        bench.watch.work()
        assert 0 <= bench.watch.active < 1 << 29
        assert bench.watch.latched & ~0xF83 == 0
    # A kind at most six pairs an hour: each of at most three phases may end and begin.
    hours = (bench.time.powered_s - 1000) // 3600 + 2
    assert len(bench.told) <= 15 * (2 * 6 + 1) * hours
