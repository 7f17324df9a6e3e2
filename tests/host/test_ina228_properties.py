"""The INA228's driver at its extremes, and on a bus that flips bits."""

import random
from types import SimpleNamespace

import pytest

from wattledger.hal.meter.ina228 import Ina228
from wattledger.hal.sample import ENERGY_COUNTS, OK, new_sample
from wattledger.host_sim.chip.ina228 import Ina228 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.guard import guarded_import

DRIVER = "wattledger.hal.meter.ina228"
MODULES = (
    "wattledger.agent.metering.quality",
    "wattledger.agent.metering.register",
    "wattledger.agent.metering.meter",
    "wattledger.hal.meter.ina228_port",
    DRIVER,
)


@pytest.mark.parametrize(("amps", "shunt"), [(1, 160_000), (10, 15_625), (250, 625), (1048, 150)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_tick_at_the_extremes_stays_below_2_to_the_30(amps, shunt, sign):
    with guarded_import(MODULES) as guard:
        chip = Chip(shunt)
        driver = guard[DRIVER].Ina228(chip, lambda ms: None, [{}], amps, shunt)
        clock = VirtualClock(0)
        config = SimpleNamespace(
            max_amps=amps, max_volts=85, tick_ms=1000, phase_sum="vector", bill_on="phase"
        )
        meter = guard["wattledger.agent.metering.meter"].Meter(driver, clock, config)
        meter.begin()
        chip.set_phase(0, 85_000, amps * 1000, sign * amps * 85_000)
        chip.set_mains(0, 1_250)

        def tick():
            clock.advance(1_000)
            guard.armed = True
            meter.tick()
            guard.armed = False

        for turn in range(6):
            chip.feed(1_000)
            if turn == 3:  # the wrap
                chip.poke(0x09, 2**40 - 5)
            tick()
        for register in (0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B):
            for value in (0xFFFFFFFFFF, 0x8000000000, 0x7FFFFFFFFF, 0):
                held = chip.peek(register)
                size = {0x06: 16, 0x0B: 16, 0x09: 40, 0x0A: 40}.get(register, 24)
                chip.poke(register, value >> (40 - size))
                tick()
                chip.poke(register, held)
                tick()
        assert guard.checked > 500
        assert guard.findings == {}, guard.report()


class FlippingWire:
    """Flips each bit of an answer with a probability; I2C's acknowledge does not see it."""

    def __init__(self, chip, probability, seed):
        self._chip = chip
        self._random = random.Random(seed)
        self._probability = probability

    def read_into(self, register, buffer):
        self._chip.read_into(register, buffer)
        for index in range(len(buffer)):
            for bit in range(8):
                if self._random.random() < self._probability:
                    buffer[index] ^= 1 << bit

    def write(self, register, buffer):
        self._chip.write(register, buffer)


@pytest.mark.parametrize(("probability", "exact"), [(1e-5, True), (1e-3, False)])
def test_flipped_bits_lose_and_make_no_energy(probability, exact):
    # 3000 ticks of 500 W out of and into a battery, turning every 500 s.
    chip = Chip(15_625)
    driver = Ina228(chip, lambda ms: None, [{}], 10, 15_625)
    driver.begin()
    driver._port.i2c = FlippingWire(chip, probability, 7)
    handed = [0, 0]
    sample = new_sample()
    for second in range(3_000):
        sign = -1 if second // 500 % 2 else 1
        chip.set_phase(0, 50_000, 10_000, sign * 500_000)
        chip.feed(1_000)
        if not driver.read_into(sample) & 7:
            counts = sample[ENERGY_COUNTS]
            # 500 W are 434.03 counts a second: nothing is ever the other way, or much too much.
            assert -1 <= counts * sign <= 435 * 30, (second, counts)
            handed[counts < 0] += abs(counts)
    driver._port.i2c = chip
    assert driver.read_into(sample) == OK
    handed[sample[ENERGY_COUNTS] < 0] += abs(sample[ENERGY_COUNTS])
    wanted = [raw // 1125 for raw in chip.made()]
    slack = 0 if exact else 2 * 435
    assert abs(handed[0] - wanted[0]) <= slack
    assert abs(handed[1] - wanted[1]) <= slack
    assert driver.restarts == 0 or not exact
