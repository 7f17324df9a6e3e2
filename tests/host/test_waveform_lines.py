"""numpy, map() and the portable loop give the same integers, to the bit."""

import random
import sys

import pytest

from wattledger.hal.meter import waveform, waveform_linux
from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.hal.sample import OK, new_sample
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip

SUMS = ("v", "i", "vv", "ii", "vi", "wi")
TONES = ("v_cosine", "v_sine", "i_cosine", "i_sine")


def lines(pairs):
    made = [waveform.Line(pairs), waveform_linux.MapLine(pairs)]
    if waveform_linux.numpy is not None:
        made.append(waveform_linux.NumpyLine(pairs))
    return made


def values(line, names):
    found = [getattr(line, name) for name in names]
    assert all(type(value) is int for value in found), names
    return found


@pytest.fixture
def numpy():
    return pytest.importorskip("numpy", reason="numpy is not installed")


def raw_block(rng, pairs, stride, bad=0):
    raw = bytearray(rng.randbytes(pairs * stride))
    for at in range(1, len(raw), 3):
        raw[at] &= 0xEF
    for at in rng.sample(range(1, len(raw), 3), bad):
        raw[at] |= 0x10
    return raw


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("slots", [1, 2, 3])
@pytest.mark.parametrize("seed", range(20))
def test_random_blocks(seed, slots):
    rng = random.Random(seed)
    pairs = rng.randint(1, waveform.MAX_PAIRS)
    made = lines(pairs)
    offset = 6 * rng.randrange(slots)
    cosines = [rng.randint(-(2**14), 2**14) for _ in range(pairs)]
    sines = [rng.randint(-(2**14), 2**14) for _ in range(pairs)]
    for turn in range(3):
        bad = rng.choice((0, 0, rng.randint(1, pairs)))
        raw = raw_block(rng, pairs, 6 * slots, bad)
        first = rng.randint(0, pairs)
        last = rng.randint(first, pairs)
        start = rng.randint(1, pairs + 5)
        level = rng.randint(-2100, 2100)
        found = []
        for line in made:
            if turn == 2:
                line.forget(17, -18)
            told = [line.load(raw, offset, 6 * slots), line.saturated]
            line.sum(first, last)
            told += values(line, SUMS)
            line.tone(first, last - first, cosines, sines)
            told += [*values(line, TONES), line.crossing(start, level)]
            told += [int(line.voltage[0]), int(line.current[0]), int(line.voltage[pairs])]
            found.append(told)
        assert found[0] == found[1] == found[2]


@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("code", [0, 0xFFF])
def test_the_largest_sums(code):
    pairs = waveform.MAX_PAIRS
    raw = bytes((0, code >> 8, code & 0xFF)) * 2 * pairs
    corner = code - 2048
    for line in lines(pairs):
        line.load(raw, 0, 6)
        line.load(raw, 0, 6)
        line.sum(0, pairs)
        square = corner * corner * pairs
        assert values(line, SUMS) == [corner * pairs, corner * pairs, *[square] * 4]
        assert square <= 2**31


def test_a_block_by_hand():
    # Codes 2049 2046 | 2050 2047 | 2047 2052 after a pair at rest of 5 and -6 from the middle.
    raw = bytes.fromhex("ffe801 ffe7fe ffe802 ffe7ff ffe7ff ffe804".replace(" ", ""))
    for line in lines(3):
        line.forget(5, -6)
        assert line.load(raw, 0, 6) == 0
        line.sum(0, 3)
        # v 5, 1, 2 (then -1), i -6, -2, -1
        assert values(line, SUMS) == [8, -9, 30, 41, -34, -6 - 4 + 1]
        assert line.saturated is False
        assert line.crossing(1, 2) == 2
        assert line.crossing(3, 2) == -1


def test_the_best_line_is_numpy_s_where_it_is(monkeypatch):
    assert waveform_linux.best_line() is (
        waveform_linux.MapLine if waveform_linux.numpy is None else waveform_linux.NumpyLine
    )
    monkeypatch.setattr(waveform_linux, "numpy", None)
    assert waveform_linux.best_line() is waveform_linux.MapLine


def test_without_numpy_the_module_still_loads(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, waveform_linux.__name__)
    import wattledger.hal.meter.waveform_linux as again

    assert again.numpy is None and again.best_line() is again.MapLine


@pytest.mark.usefixtures("numpy")
def test_whole_readings_are_the_same():
    def readings(line):
        chip = Chip(seed=3)
        chip.noise_permille = 700
        sampler = SimulatedSampler(chip)
        driver = Mcp3208(chip, lambda ms: None, [{"phase": 1_234}], sampler, line=line)
        chip.set_mains(49_870)
        driver.begin()
        sample = new_sample()
        found = []
        for turn in range(4):
            chip.set_phase(0, 229_000 + turn, 9_000, 1_000_000 * (turn - 1), 700_000)
            chip.feed(777)
            assert driver.read_into(sample) == OK
            found += [*sample, *driver.part(0), *driver.health()["offsets"]]
        return found

    plain = readings(waveform.Line)
    assert readings(waveform_linux.MapLine) == plain
    assert readings(waveform_linux.NumpyLine) == plain


@pytest.mark.parametrize("place", [0, 3, 6, 15])
@pytest.mark.parametrize(
    ("code", "wanted"), [(0, True), (1, False), (4094, False), (4095, True), (3840, False)]
)
def test_the_ends_of_the_range_are_seen(place, code, wanted):
    raw = bytearray(bytes.fromhex("ffe900 ffe700".replace(" ", "")) * 3)
    raw[place + 1 : place + 3] = bytes((0xE0 | code >> 8, code & 0xFF))
    for line in lines(3):
        line.load(raw, 0, 6)
        assert line.saturated is wanted
        # What is before the block is not of the block.
        line.load(bytes.fromhex("ffe900 ffe700".replace(" ", "")) * 3, 0, 6)
        assert line.saturated is False
