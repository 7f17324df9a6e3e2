"""The raw ADC's arithmetic a pair of samples, beside the least that Python and numpy can do.

The least is the same sums and nothing else: three products, two sums, the second tap and a search
for zero crossings. `sums` does as much over samples that lie ready, as its least does. `reading`
is the whole driver from the answers as they come off the wire; its least unpacks them as well.
"""

import random
import time
from array import array
from collections.abc import Callable
from operator import mul
from typing import Any

from wattledger.hal.meter import waveform_linux
from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.hal.sample import OK, new_sample
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Report, Row, best

PAIRS = 400
SKIP = 57  # samples of a cycle of 70 Hz at 4 kS/s
ROUNDS = 15
COUNT = 300
SIGNED_HIGH = bytes((byte & 15) - 8 & 0xFF for byte in range(256))
PAIR = "ns a pair"


def run(count: int = COUNT, rounds: int = ROUNDS) -> Report:
    """Nanoseconds a pair, best of `rounds` of `count` blocks in turns. BenchError."""
    raw = _answers()
    voltage, current = _samples(raw)
    wanted = _plain(voltage, current)
    names = ["loop", "passes", "unpacked", "map", "map, reading"]
    work: list[Callable[[], object]] = [
        lambda: _plain(voltage, current),
        lambda: _passes(voltage, current),
        lambda: _passes(*_unpacked(raw)),
        _sums(waveform_linux.MapLine, raw, wanted),
        _reading(waveform_linux.MapLine, raw),
    ]
    if not wanted == _passes(voltage, current) == _passes(*_unpacked(raw)):
        raise BenchError("two ways to the same sums differ")
    if waveform_linux.numpy is not None:
        names += ["numpy's least", "numpy unpacked", "numpy", "numpy, reading"]
        arrays = [waveform_linux.numpy.array(codes) for codes in (voltage, current)]
        if not wanted == _numpy_least(*arrays) == _numpy_least(*_numpy_unpacked(raw)):
            raise BenchError("numpy's sums differ")
        work += [
            lambda: _numpy_least(*arrays),
            lambda: _numpy_least(*_numpy_unpacked(raw)),
            _sums(waveform_linux.NumpyLine, raw, wanted),
            _reading(waveform_linux.NumpyLine, raw),
        ]
    took = best(rounds, [_timer(each, count) for each in work])
    ns = {name: seconds * 1e9 / (count * PAIRS) for name, seconds in zip(names, took, strict=True)}
    least = min(ns["loop"], ns["passes"])
    python = "the best pure Python"
    rows = [
        Row("sums, pure Python", ns["map"], least, PAIR, python, "<= 1.3"),
        Row("reading, pure Python", ns["map, reading"], ns["unpacked"], PAIR, python, "<= 1.3"),
    ]
    if "numpy" in ns:
        row = Row("sums, numpy", ns["numpy"], ns["numpy's least"], PAIR, "numpy's least", "<= 2")
        whole, unpacked = ns["numpy, reading"], ns["numpy unpacked"]
        rows += [row, Row("reading, numpy", whole, unpacked, PAIR, "numpy's least", "<= 2")]
    notes = ["a reading adds null bits, extremes, offsets, energy, cycles, reactive power"]
    if "numpy" not in ns:
        notes.append("numpy is not installed: pip install numpy")
    return Report(
        "dsp",
        "Raw ADC, one pair of voltage and current",
        rows,
        {"ns": {name: round(value, 1) for name, value in ns.items()}, "pairs_a_block": PAIRS},
        notes,
    )


def _answers() -> bytes:
    """A block of 230 V and 10 A with noise, as it comes off the wire."""
    chip = Chip(seed=1)
    chip.noise_permille = 500
    chip.set_phase(0, 230_000, 10_000, 2_000_000, 1_135_782)
    rng = random.Random(1)
    raw = bytearray()
    for pair in range(PAIRS):
        for channel in (0, 1):
            code = chip.convert(channel, 250 * pair + 125 * channel)
            raw += bytes((rng.randrange(256), 0xE0 | code >> 8, code & 0xFF))
    return bytes(raw)


def _samples(raw: bytes) -> tuple[list[int], list[int]]:
    codes = [((raw[at + 1] & 15) << 8 | raw[at + 2]) - 2048 for at in range(0, len(raw), 3)]
    return [0, *codes[::2]], [0, *codes[1::2]]


def _unpacked(raw: bytes) -> tuple[list[int], list[int]]:
    """The samples from the wire, without a look at anything else in it."""
    samples = []
    for offset in (1, 4):
        words = bytearray(2 * PAIRS)
        words[0::2] = raw[offset + 1 :: 6]
        words[1::2] = raw[offset::6].translate(SIGNED_HIGH)
        codes = array("h", bytes(2))
        codes.frombytes(words)
        samples.append(codes.tolist())
    return samples[0], samples[1]


def _numpy_unpacked(raw: bytes) -> Any:
    numpy = waveform_linux.numpy
    codes = numpy.zeros((2, PAIRS + 1), numpy.int64)
    words = numpy.ndarray((2, PAIRS), ">i2", raw, 1, (3, 6)).astype(numpy.int16, "C")
    words &= 0x0FFF
    words -= 2048
    codes[:, 1:] = words
    return codes


def _plain(voltage: list[int], current: list[int]) -> tuple[int, ...]:
    """One loop, everything in it."""
    v_sum = i_sum = vv = ii = vi = wi = crossings = 0
    blind = 0
    before = voltage[0]
    for v, i in zip(voltage[1:], current, strict=False):
        v_sum += before
        i_sum += i
        vv += before * before
        ii += i * i
        vi += before * i
        wi += v * i
        if blind:
            blind -= 1
        elif before < 0 <= v:
            crossings += 1
            blind = SKIP - 1
        before = v
    return v_sum, i_sum, vv, ii, vi, wi, crossings


def _passes(voltage: list[int], current: list[int]) -> tuple[int, ...]:
    """A pass in C for each sum, and a hunt for the crossings that skips most of a cycle."""
    here = voltage[:-1]
    flow = current[:-1]
    after = voltage[1:]
    crossings = 0
    at = 1
    while at < len(voltage):
        if voltage[at - 1] < 0 <= voltage[at]:
            crossings += 1
            at += SKIP
        else:
            at += 1
    return (
        sum(here),
        sum(flow),
        sum(map(mul, here, here)),
        sum(map(mul, flow, flow)),
        sum(map(mul, here, flow)),
        sum(map(mul, after, flow)),
        crossings,
    )


def _numpy_least(voltage: Any, current: Any) -> tuple[int, ...]:
    """The fewest calls to the same sums in int64."""
    here = voltage[:-1]
    flow = current[:-1]
    above = voltage >= 0
    rises = (above[1:] > above[:-1]).nonzero()[0]
    crossings = 0
    at = 0
    for place in rises.tolist():
        if place >= at:
            crossings += 1
            at = place + SKIP
    return (
        int(here.sum()),
        int(flow.sum()),
        int(here.dot(here)),
        int(flow.dot(flow)),
        int(here.dot(flow)),
        int(voltage[1:].dot(flow)),
        crossings,
    )


def _sums(line_class: Any, raw: bytes, wanted: tuple[int, ...]) -> Callable[[], object]:
    """The line's own sums and crossings of a loaded block."""
    line = line_class(PAIRS)
    line.load(raw, 0, 6)

    def work() -> tuple[int, ...]:
        line.sum(0, PAIRS)
        crossings = 0
        at = 1
        while True:
            index = line.crossing(at, 0)
            if index < 0:
                return line.v, line.i, line.vv, line.ii, line.vi, line.wi, crossings
            crossings += 1
            at = index + SKIP

    if work() != wanted:
        raise BenchError(f"{line_class.__name__} sums differ")
    return work


class _Replay(SimulatedSampler):
    """Hands out one block over and over."""

    block = b""
    left = 0

    def take(self, block: Any) -> bool:
        if not self.left:
            return False
        self.left -= 1
        block.raw = self.block
        self._at_us += PAIRS * 250
        block.ended_us = self._at_us
        return True

    def now_us(self) -> int:
        return self._at_us


def _reading(line_class: Any, raw: bytes) -> Callable[[], object]:
    """A block through the driver, readings of ten blocks (a second)."""
    chip = Chip()
    sampler = _Replay(chip, PAIRS, 250)
    sampler.block = raw
    driver = Mcp3208(chip, lambda ms: None, [{}], sampler, line=line_class)
    driver.begin()
    sample = new_sample()
    turn = 0

    def work() -> None:
        nonlocal turn
        turn += 1
        if turn % 10:
            return
        sampler.left = 10
        if driver.read_into(sample) != OK:
            raise BenchError("the driver refused a block")

    return work


def _timer(work: Callable[[], object], count: int) -> Callable[[], float]:
    def measure() -> float:
        began = time.process_time()
        for _ in range(count):
            work()
        return time.process_time() - began

    return measure
