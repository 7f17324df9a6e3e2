"""Every driver on spidev and smbus2 as they are, on emulated buses; the contract of each chip."""

import threading
import time
import unittest

import pytest

from wattledger.board import pi_mcp3208
from wattledger.firmware import chips, parts_linux
from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.bus.spi_batch_linux import SpiBatch
from wattledger.hal.bus.spi_linux import LinuxSpi
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.ade7953 import Ade7953
from wattledger.hal.meter.ade7953_i2c import Ade7953I2c
from wattledger.hal.meter.ade7953_spi import Ade7953Spi
from wattledger.hal.meter.ina228 import Ina228
from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.hal.meter.mcp3208_frames import code_of, round_of
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_MW,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_adc as adc
from wattledger.tests.both.houses_chips import keep_promises
from wattledger.tests.both.test_hal_ade7953_contract import SpiBench
from wattledger.tests.both.test_hal_ina228_contract import SHUNT, Ina228Bench
from wattledger.tests.both.test_hal_mcp3208_contract import (
    BLOCK,
    PAIR_US,
    ROOM,
    WEIGHTS,
    Mcp3208Bench,
)
from wattledger.tests.host.umockdev_bench import emulated

NOON = 1_795_867_200  # 2026-11-28 12:00:00


def no_wait(ms):
    """The simulated chips need no time."""


def keep_the_ade7953s_promises(chip, port):
    class Bench(SpiBench):
        hour_readings = 20  # 180 s of the 1272 s that a kilowatt takes to the overflow

        def __init__(self, phases):
            chip.renew()
            self.chip = chip
            second = "phase" if phases == 2 else "neutral"
            self.driver = Ade7953(port(), no_wait, [{}] * phases, second=second)

    keep_promises(unittest.TestCase(), Bench)


def keep_them_on_spi(chip):
    keep_the_ade7953s_promises(chip, lambda: Ade7953Spi(LinuxSpi(0, 0, 3, 1_000_000)))


def keep_them_on_i2c(chip):
    keep_the_ade7953s_promises(chip, lambda: Ade7953I2c(LinuxI2c(1, 0x38, 2)))


def keep_the_ina228s_promises(chip):
    class Bench(Ina228Bench):
        hour_readings = 20

        def __init__(self, phases):
            super().__init__(phases)
            chip.renew()
            self.chip = Silent(chip)
            self.driver = Ina228(LinuxI2c(1, 0x40), no_wait, [{}], 250, SHUNT)

    class Silent:
        """The remote chip, with `silent` to be read too."""

        def __init__(self, remote):
            self.__dict__["_remote"] = remote

        def __getattr__(self, name):
            return self._remote.ask("silent") if name == "silent" else getattr(self._remote, name)

        def __setattr__(self, name, value):
            setattr(self._remote, name, value)

    keep_promises(unittest.TestCase(), Bench)


def let_the_ds3231_be_set_and_believed(chip):
    clock = Ds3231(LinuxI2c(1, 0x68))
    clock.begin()
    assert clock.read() is None  # new: its oscillator flag is set
    assert clock.set(NOON)
    chip.feed(90_000)
    assert clock.read() == NOON + 90
    assert clock.temperature_dc() is not None
    chip.silent = True
    assert clock.read() is None
    assert clock.bus_errors == 1
    with pytest.raises(ChipError, match="no chip answers at 0x68"):
        clock.begin()


@pytest.mark.parametrize(
    ("chip", "bus", "check"),
    [
        ("ade7953", "spi", keep_them_on_spi),
        ("ade7953", "i2c", keep_them_on_i2c),
        ("ina228", "i2c", keep_the_ina228s_promises),
        ("ds3231", "i2c", let_the_ds3231_be_set_and_believed),
    ],
)
def test_on_an_emulated_bus(chip, bus, check):
    emulated(chip, bus, check)


def convert_many_in_one_message(chip):
    for channel in range(8):
        chip.stick(channel, 0x100 * channel + 0x42)
    spi = LinuxSpi(0, 0, 0, 1_000_000)
    # Four rounds of two pairs are 16 selects, each 24 us long and 26 us from the next.
    batch = SpiBatch(spi.fileno(), round_of(((0, 1), (2, 7))) * 4, 3, 1_000_000, 26)
    answers = bytearray(48)
    before = chip.ask("now_us")
    batch.transfer_into(answers)
    codes = [code_of(answers[at : at + 3]) for at in range(0, 48, 3)]
    assert codes == [0x042, 0x142, 0x242, 0x742] * 4
    assert chip.ask("now_us") - before == 16 * 24 + 15 * 26
    spi.close()
    with pytest.raises(BusError, match="SPI message failed"):
        batch.transfer_into(answers)


class Paced:
    """A batch whose clock is the world's, whatever the emulation takes: 32 conversions of 24 us
    with 31 rests of 100 us between them are 3868 us."""

    def __init__(self, batch):
        self._batch = batch
        self._allowed = threading.Semaphore(0)
        self.us = 0

    def now_ns(self):
        return self.us * 1000

    def transfer_into(self, into):
        if not self._allowed.acquire(timeout=0.1):
            raise BusError("not now")
        self._batch.transfer_into(into)
        self.us += 3_868

    def allow(self, blocks, sampler):
        filled = sampler._filled + blocks
        for _ in range(25 * blocks):  # 400 pairs in batches of 16
            self._allowed.release()
        deadline = time.monotonic() + 20
        while sampler._filled < filled and time.monotonic() < deadline:
            time.sleep(0.005)
        assert sampler._filled == filled


def meter_by_the_sampler_of_the_root(chip):
    """The driver, thread, batch and numbers of the root; an emulated message is too slow for
    4000 pairs a second, so the sampler's clock is the world's."""
    spi = parts_linux.bus_device(pi_mcp3208)
    chip.set_phase(0, 230_000, 5_000, 1_150_000)
    sampler = parts_linux.sampler(pi_mcp3208, spi)
    paced = sampler._batch = Paced(sampler._batch)
    sampler._now_ns = paced.now_ns
    driver = chips.driver(pi_mcp3208, spi, no_wait, [{}], sampler)
    driver.begin()
    sample = new_sample()
    counts = 0
    for _ in range(6):
        paced.allow(3, sampler)
        assert driver.read_into(sample) == OK
        counts += sample[ENERGY_COUNTS]
    assert abs(sample[FREQUENCY_MHZ] - 50_000) < 50
    assert abs(sample[VOLTAGE_MV] - 230_000) < 1_000
    assert abs(sample[CURRENT_MA] - 5_000) < 50
    assert abs(sample[POWER_MW] - 1_150_000) < 20_000
    # 1150 W for 18 blocks of 25 messages of 3868 us are 556.0 mWh.
    assert abs(counts - 556) < 8
    chip.silent = True
    paced.allow(1, sampler)
    assert driver.read_into(sample) & NO_ANSWER
    sampler.stop()


class Wired:
    """The converter in the other process, each conversion a select on spidev at its own time."""

    def __init__(self, remote):
        remote.renew()
        self.pairs = ((0, 1),)
        self.changes = 0
        self.now_us = 0
        self._remote = remote
        self._silent = False
        self._spi = LinuxSpi(0, 0, 0, 1_000_000)
        self._out = [round_of(((channel, channel),))[:3] for channel in range(8)]
        self._in = bytearray(3)
        self.transfer = self._spi.transfer

    def convert(self, channel, at_us):
        self._remote.now_us = at_us
        self._spi.transfer(self._out[channel], self._in)
        return code_of(self._in)

    def repeats(self, took):
        return False  # every block is converted, whatever it may be equal to

    def feed(self, ms):
        self.now_us += 1_000 * ms

    def set_phase(self, *values):
        self._remote.now_us = self.now_us
        self._remote.set_phase(*values)
        self.changes += 1

    def set_mains(self, frequency_mhz):
        self._remote.now_us = self.now_us
        self._remote.set_mains(frequency_mhz)
        self.changes += 1

    @property
    def silent(self):
        return self._silent

    @silent.setter
    def silent(self, silent):
        self._silent = self._remote.silent = silent


def keep_the_converters_promises(chip):
    class Bench(Mcp3208Bench):
        phases = 1
        hour_ms = 7_000  # 50 blocks of it
        hour_readings = 7

        def __init__(self, phases):
            self.chip = Wired(chip)
            models = [adc.PairModel(*WEIGHTS[1], BLOCK, PAIR_US)]
            self.sampler = adc.TappedSampler(self.chip, models, BLOCK, PAIR_US, ROOM)
            self.driver = Mcp3208(self.chip, no_wait, [{}], self.sampler, self.chip.pairs)
            self.chip.set_phase(0, 230_000, 0, 0)

    keep_promises(unittest.TestCase(), Bench)


@pytest.mark.parametrize(
    "check",
    [
        convert_many_in_one_message,
        meter_by_the_sampler_of_the_root,
        keep_the_converters_promises,
    ],
)
def test_the_converter_on_an_emulated_bus(check):
    emulated("mcp3208", "spi", check)
