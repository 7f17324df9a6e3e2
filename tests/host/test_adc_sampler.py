"""The Pi's sampler thread: no pair lost, gaps measured, trouble counted, a clean end."""

import threading
import time

import pytest

from wattledger.hal.errors import BusError
from wattledger.hal.meter.adc_sampler_linux import AdcSampler
from wattledger.hal.meter.mcp3208 import Block, Mcp3208
from wattledger.hal.meter.waveform_linux import best_line
from wattledger.hal.sample import ENERGY_COUNTS, OK, RESTARTED, UNCONFIRMED, new_sample
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip

ROUND = 6
ROUNDS = 20  # in a batch
PAIR_US = 250
BATCH_US = ROUNDS * PAIR_US


class Batch:
    """An SPI batch in virtual time: takes what its conversions take, when it is allowed to."""

    def __init__(self, chip=None):
        self.us = 0
        self.done = 0
        self.slow = {}  # number of a batch: microseconds it is held up for before it begins
        self.fails = {}  # number of a batch: what it raises
        self._chip = chip
        self._allowed = threading.Semaphore(0)
        self._idle = threading.Condition()
        self.goal = 0
        self.waiting = False

    def now_ns(self):
        return self.us * 1000

    def allow(self, batches):
        """Let so many happen, and return when the thread waits for the next."""
        with self._idle:
            self.goal += batches
            for _ in range(batches):
                self._allowed.release()
            assert self._idle.wait_for(lambda: self.done == self.goal and self.waiting, 5)

    def transfer_into(self, into):
        with self._idle:
            self.waiting = True
            self._idle.notify_all()
        assert self._allowed.acquire(timeout=5)
        with self._idle:
            self.waiting = False
            number = self.done
            self.done += 1
        self.us += self.slow.get(number, 0)
        if number in self.fails:
            self.us += BATCH_US
            raise self.fails[number]
        for place in range(2 * ROUNDS):
            at = self.us + place * PAIR_US // 2
            code = self._chip.convert(place % 2, at) if self._chip else number
            into[3 * place + 1] = code >> 8
            into[3 * place + 2] = code & 0xFF
        self.us += BATCH_US


@pytest.fixture
def batch():
    return Batch()


@pytest.fixture
def sampler(batch):
    made = AdcSampler(batch, ROUND, ROUNDS, 40, PAIR_US, 4, batch.now_ns)
    made.start()
    yield made
    stop(batch, made)


def stop(batch, sampler):
    """A batch under way has to come back before the thread can end."""
    for _ in range(3):
        batch._allowed.release()
    sampler.stop()


def taken(sampler):
    block = Block(40 * ROUND)
    found = []
    while sampler.take(block):
        found.append((block.raw[2], block.raw[-1], block.ended_us))
    return found


def test_every_batch_is_in_a_block_once_and_in_order(batch, sampler):
    found = []
    for _ in range(25):
        batch.allow(6)
        found += taken(sampler)
    assert found == [(2 * n, 2 * n + 1, (n + 1) * 2 * BATCH_US) for n in range(75)]
    assert (sampler.errors, sampler.overruns) == (0, 0)


def test_what_is_not_finished_is_not_taken(batch, sampler):
    batch.allow(3)
    assert taken(sampler) == [(0, 1, 10_000)]
    assert taken(sampler) == []


def test_a_full_ring_gives_up_the_newest_and_says_so(batch, sampler):
    batch.allow(16)
    assert [first for first, _, _ in taken(sampler)] == [0, 2, 4, 6]
    assert sampler.overruns == 4
    batch.allow(2)
    # The stamps show the hole of 4 blocks: 80 ms and not 50.
    assert taken(sampler) == [(16, 17, 90_000)]


def test_a_bus_error_spoils_its_block_and_is_counted(batch, sampler):
    batch.fails[3] = BusError("no")
    batch.allow(8)
    assert taken(sampler) == [(0, 1, 10_000), (4, 5, 30_000), (6, 7, 40_000)]
    assert sampler.errors == 1 and sampler.alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_seen_and_can_be_started_again(batch, sampler):
    batch.fails[2] = ValueError("a defect")
    batch.allow(2)
    thread = sampler._thread
    batch._allowed.release()
    thread.join(5)
    assert not sampler.alive()
    batch.goal = batch.done
    sampler.start()
    batch.allow(2)
    # What was finished before the start is not that of now.
    assert sampler.alive() and [first for first, _, _ in taken(sampler)] == [3]


def test_stop_ends_the_thread(batch, sampler):
    thread = sampler._thread
    stop(batch, sampler)
    assert not thread.is_alive() and not sampler.alive()
    assert taken(sampler) == []
    sampler.stop()


def test_a_transfer_that_never_returns_is_an_error_and_not_a_wait_for_ever(monkeypatch):
    monkeypatch.setattr("wattledger.hal.meter.adc_sampler_linux.STOP_S", 0.05)
    release = threading.Event()

    class Hanging:
        def transfer_into(self, into):
            release.wait(5)

    sampler = AdcSampler(Hanging(), ROUND, ROUNDS, 40)
    sampler.start()
    with pytest.raises(BusError, match="hangs"):
        sampler.stop()
    release.set()


def test_blocks_are_whole_batches():
    with pytest.raises(ValueError, match="50 pairs"):
        AdcSampler(Batch(), ROUND, ROUNDS, 50)


class House:
    """The driver on the thread, 3.6 kW: a count a millisecond."""

    def __init__(self):
        self.chip = Chip()
        self.chip.set_phase(0, 230_000, 15_652, 3_600_000)
        self.batch = Batch(self.chip)
        self.sampler = AdcSampler(self.batch, ROUND, ROUNDS, 400, PAIR_US, 64, self.batch.now_ns)
        self.driver = Mcp3208(self.chip, lambda ms: None, [{}], self.sampler, line=best_line())
        self.sample = new_sample()
        self.driver.begin()

    def read(self, batches):
        self.batch.allow(batches)
        return self.driver.read_into(self.sample), self.sample[ENERGY_COUNTS]


@pytest.fixture
def house():
    made = House()
    yield made
    stop(made.batch, made.sampler)


def test_ten_seconds_through_the_thread_are_their_energy(house):
    counts = 0
    for _ in range(10):
        status, moved = house.read(200)
        assert status == OK
        counts += moved
    assert abs(counts - 10_000) <= 3


def test_a_thread_held_up_again_and_again_loses_no_energy(house):
    # 2 ms here and there, as a busy Pi does, make 10.4 s of time; and once 150 ms.
    house.read(200)
    house.batch.slow = dict.fromkeys(range(200, 2200, 10), 2000)
    counts = sum(house.read(200)[1] for _ in range(10))
    assert abs(counts - 10_400) <= 10_400 * 3 // 1000
    house.batch.slow = {2_210: 150_000}
    status, moved = house.read(200)
    assert status == UNCONFIRMED and abs(moved - 1_150) <= 5
    # A block had come to take 104 ms.
    assert house.driver.health()["estimated_ms"] == 146


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_driver_starts_a_dead_thread_again(house):
    house.read(200)
    house.batch.fails[200] = ValueError("a defect")
    thread = house.sampler._thread
    house.batch._allowed.release()
    thread.join(5)
    assert house.driver.read_into(house.sample) == RESTARTED
    house.batch.goal = house.batch.done
    status, _ = house.read(200)
    assert status & ~UNCONFIRMED == OK and house.driver.restarts == 1


def test_wall_time_and_a_real_thread():
    # Half a second: blocks of 10 ms with batches that really take their time.
    class Sleeping:
        count = 0

        def transfer_into(self, into):
            time.sleep(BATCH_US / 1e6)
            into[2] = self.count & 0xFF
            self.count += 1

    sampler = AdcSampler(Sleeping(), ROUND, ROUNDS, 40, PAIR_US, 64)
    sampler.start()
    block = Block(40 * ROUND)
    firsts, ends = [], []
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        while sampler.take(block):
            firsts.append(block.raw[2])
            ends.append(block.ended_us)
        time.sleep(0.01)
    sampler.stop()
    assert len(firsts) > 5
    assert firsts == [2 * n & 0xFF for n in range(len(firsts))]
    assert ends == sorted(ends) and sampler.overruns == 0
    assert threading.active_count() == 1 or not any(
        thread.name == "adc-sampler" for thread in threading.enumerate()
    )
