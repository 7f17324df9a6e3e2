"""Energy of the ATM90E32 when an address is hit on its way to the chip, not only the answer."""

import unittest

from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    RESTARTED,
    UNCONFIRMED,
    new_sample,
)
from wattledger.tests.both import fixtures_spi as spi

ADDRESS_BITS = 10


def counts(sample, phase=0):
    return sample[phase * PHASE_FIELDS + ENERGY_COUNTS]


class Misaddressed:
    """The next frame that names `register` reaches the chip with `mask` flipped in its address."""

    def __init__(self, chip):
        self._chip = chip
        self.register = -1
        self.mask = 0

    def transfer(self, out, into):
        if out[0] & spi.READ and spi.address_of(out) == self.register:
            self.register = -1
            out = bytearray(out)
            out[0] ^= self.mask >> 8
            out[1] ^= self.mask & 0xFF
        self._chip.transfer(out, into)


def loaded(phases=1):
    """(chip, wire, driver) with two readings behind them: 1000 counts in 10 s on phase A."""
    chip = spi.new_chip()
    wire = Misaddressed(chip)
    driver = spi.new_driver(wire, phases)
    driver.begin()
    chip.set_phase(0, 230_000, 4_891, 1_125_000, 500_000)
    for phase in range(1, phases):
        chip.set_phase(phase, 230_000, 9_782, -2_250_000 if phase == 1 else 3_375_000)
    for _ in range(2):
        chip.feed(10_000)
        driver.read_into(new_sample())
    return chip, wire, driver


class TestAddresses(unittest.TestCase):
    def each(self, phases, registers, wanted):
        """Flip each bit of each register's address once; counts over that reading and the next."""
        for register in registers:
            for mask in [1 << bit for bit in range(ADDRESS_BITS)] + [0x8000]:
                chip, wire, driver = loaded(phases)
                chip.feed(10_000)
                wire.register = register
                wire.mask = mask
                sample = new_sample()
                found = [0] * phases
                for _ in range(2):
                    status = driver.read_into(sample)
                    self.assertFalse(status & (NO_ANSWER | CORRUPT | RESTARTED))
                    for phase in range(phases):
                        found[phase] += counts(sample, phase)
                self.assertEqual(wire.register, -1)
                where = "0x%02X ^ 0x%03X" % (register, mask)
                # Of the phases' sum, which is billed, nothing is missing or too much.
                self.assertEqual(sum(found), sum(wanted), "%s %r" % (where, found))

    def test_one_phase(self):
        self.each(1, (spi.FORWARD_A, spi.REVERSE_A, spi.TOTAL, 0x84), [1000])

    def test_three_phases(self):
        registers = [spi.TOTAL, 0x84] + [
            base + phase for base in (0x81, 0x85) for phase in (0, 1, 2)
        ]
        self.each(3, registers, [1000, -2000, 3000])

    def test_a_meter_that_only_exports_is_not_taken_for_one_that_imports(self):
        # 0x82 ^ 4 is 0x86, the other direction of B: twice its 2000 counts would be missing.
        chip, wire, driver = loaded(3)
        for phase, milliwatts in ((0, 0), (1, -2_250_000), (2, 0)):
            chip.set_phase(phase, 230_000, abs(milliwatts) // 230, milliwatts)
        sample = new_sample()
        for _ in range(2):
            chip.feed(10_000)
            driver.read_into(sample)
        chip.feed(10_000)
        wire.register = 0x82
        wire.mask = 4
        self.assertEqual(driver.read_into(sample), UNCONFIRMED)
        self.assertEqual([counts(sample, phase) for phase in range(3)], [0, -2000, 0])

    def test_last_spi_data_asked_of_another_register_changes_nothing(self):
        # What that one holds is what LastSPIData holds from then on.
        for bit in range(ADDRESS_BITS):
            chip, wire, driver = loaded()
            chip.feed(10_000)
            wire.register = spi.LAST_SPI_DATA
            wire.mask = 1 << bit
            sample = new_sample()
            driver.read_into(sample)
            self.assertEqual(counts(sample), 1000)

    def test_nor_when_there_is_too_little_for_the_total_to_tell(self):
        chip, wire, driver = loaded(3)
        chip.set_phase(0, 230_000, 15, 3_375)  # 3 counts in 10 s
        for phase in (1, 2):
            chip.set_phase(phase, 230_000, 0, 0)
        driver.read_into(new_sample())
        chip.feed(10_000)
        wire.register = spi.LAST_SPI_DATA
        wire.mask = 0x100  # 0x178 reads 0
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), UNCONFIRMED)
        self.assertEqual(counts(sample), 3)

    def test_meter_enable_that_swallows_the_total_costs_no_phase(self):
        chip, wire, driver = loaded()
        chip.feed(10_000)
        wire.register = spi.METER_EN
        wire.mask = 0x80
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), UNCONFIRMED)
        self.assertEqual(counts(sample), 1000)
        self.assertEqual(driver.health()["unsettled"], 0)

    def test_a_total_that_does_not_work_loses_no_energy(self):
        chip, _, driver = loaded()
        sample = new_sample()
        for _ in range(5):
            chip.feed(10_000)
            chip.poke(spi.TOTAL, 0)
            self.assertEqual(driver.read_into(sample), UNCONFIRMED)
            self.assertEqual(counts(sample), 1000)
        self.assertEqual(driver.health()["unsettled"], 5)

    def test_people_who_look_at_health_cost_no_energy(self):
        # A fault cut a reading short, and its value waits in LastSPIData.
        chip = spi.new_chip()
        wire = spi.FailingWire(chip, after=True)
        driver = spi.new_driver(wire)
        driver.begin()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        wire.at = wire.count + 1
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), NO_ANSWER)
        driver.health()
        driver.read_into(sample)
        self.assertEqual(counts(sample), 1000)


class Stuck:
    """A wire whose answers are one value once it is `stuck`; the chip hears all."""

    def __init__(self, chip):
        self._chip = chip
        self.stuck = None

    def transfer(self, out, into):
        self._chip.transfer(out, into)
        if self.stuck is not None:
            for index in range(4):
                into[index] = self.stuck


class TestLines(unittest.TestCase):
    def statuses(self, value, times=4):
        chip = spi.new_chip()
        wire = Stuck(chip)
        driver = spi.new_driver(wire)
        driver.begin()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        sample = new_sample()
        wire.stuck = value
        found = []
        for _ in range(times):
            chip.feed(1_000)
            found.append(driver.read_into(sample))
        wire.stuck = None
        return chip, driver, found, sample

    def test_all_zeros_are_no_answer(self):
        # They look like a chip after a brown-out, and its set-up is then refused.
        _, _, found, sample = self.statuses(0x00)
        self.assertEqual(found, [NO_ANSWER] * 4)
        self.assertEqual(counts(sample), 0)

    def test_all_ones_and_any_other_stuck_line_are_no_reading(self):
        for value in (0xFF, 0xAA, 0x01, 0x80):
            _, _, found, sample = self.statuses(value)
            for status in found:
                self.assertTrue(status & (NO_ANSWER | CORRUPT), "0x%02X" % value)
            self.assertEqual(counts(sample), 0)

    def test_the_line_is_free_again(self):
        for value in (0x00, 0xFF, 0xAA):
            chip, driver, _, sample = self.statuses(value)
            for _ in range(2):
                driver.read_into(sample)
            before = chip.total_counts(0) - chip.held_counts(0)
            chip.feed(10_000)
            self.assertEqual(driver.read_into(sample), OK)
            self.assertEqual(counts(sample), chip.total_counts(0) - chip.held_counts(0) - before)

    def test_a_short_frame_changes_nothing_in_the_chip(self):
        chip, driver = spi.running()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        chip.transfer(bytearray(b"\x80\x81\x00"), bytearray(3))
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(counts(sample), 1000)

    def test_frozen_registers_are_no_new_energy(self):
        # Time stops in the chip: values stay, and nothing is counted twice.
        chip, driver = spi.running()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        sample = new_sample()
        driver.read_into(sample)
        for _ in range(3):
            self.assertEqual(driver.read_into(sample), OK)
            self.assertEqual(counts(sample), 0)

    def test_a_register_that_wrapped_hands_on_what_is_left(self):
        # 65 536 counts and 464 more: the chip keeps 464. The agent refuses so slow a tick.
        chip, driver = spi.running()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(660_000)
        sample = new_sample()
        driver.read_into(sample)
        self.assertEqual(counts(sample), 66_000 - 65_536)
        self.assertEqual(chip.overflows > 0, True)

    def test_a_reset_between_two_readings_is_told(self):
        chip, driver = spi.running(3)
        chip.brown_out()
        self.assertEqual(driver.read_into(new_sample()), RESTARTED)
        self.assertEqual(chip.peek(0x33), 0x0087)


if __name__ == "__main__":
    unittest.main()
