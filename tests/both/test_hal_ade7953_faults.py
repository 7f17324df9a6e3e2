"""The ADE7953 driver on a wire and a chip that fail: every count once, or a gap that is told."""

import unittest

from wattledger.hal.meter.ade7953_spi import Ade7953Spi
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    RESTARTED,
    UNCONFIRMED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_ade7953 as ade

HEAP = "320K"


class TestWire(unittest.TestCase):
    """One fault at any select of a reading, on a chip with two circuits."""

    def walk(self, fault, step=1):
        chip, driver = ade.running(phases=2, wire=ade.FlippingWire)
        wire = driver._port._spi
        handed = [0, 0]
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.set_phase(1, 230_000, 5_000, -1_150_000)
        sample = new_sample()
        faults = 0

        def tick():
            chip.feed(1_000)
            status = driver.read_into(sample)
            if not status & (NO_ANSWER | CORRUPT | RESTARTED):
                self.assertTrue(abs(sample[VOLTAGE_MV] - 230_000) <= 1)
                for phase in range(2):
                    handed[phase] += sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
            return status

        tick()
        before = wire.count
        tick()
        length = wire.count - before
        self.assertGreater(length, 20)
        for at in range(0, length, step):
            fault(wire)
            wire.at = wire.count + at
            faults += tick() != OK
            wire.at = -1
            tick()
            made = [
                (chip.total_counts(phase) - chip.held_counts(phase)) // 64 for phase in range(2)
            ]
            self.assertEqual(handed, made, "at select %d" % at)
        self.assertEqual(driver.restarts, 0)
        return faults

    def flip(self, byte, mask, answer, step=1):
        def fault(wire):
            wire.byte, wire.mask, wire.answer, wire.fail = byte, mask, answer, ""

        return self.walk(fault, step)

    def test_a_flipped_bit_of_an_answer_costs_nothing(self):
        for byte in (3, 4, 5):
            self.assertGreater(self.flip(byte, 0x10, True), 0)

    def test_a_flipped_bit_of_an_address_costs_nothing(self):
        # 0x21E and 0x21F differ in bit 0, 0x21C (voltage) and 0x21E in bit 1, 0x21A (current)
        # and 0x21E in bit 2: each reads, and clears, an energy that was not asked for.
        for bit in range(8):
            self.assertGreater(self.flip(1, 1 << bit, False), 0)
        for bit in range(4):
            self.assertGreater(self.flip(0, 1 << bit, False, 1), 0)

    def test_a_read_that_arrives_as_a_write_costs_nothing(self):
        self.assertGreater(self.flip(2, 0x80, False), 0)

    def test_a_lost_select_or_answer_costs_nothing(self):
        for fail in ("before", "after"):

            def fault(wire, fail=fail):
                wire.mask, wire.fail = 0, fail

            self.assertGreater(self.walk(fault), 20)


class TestChip(unittest.TestCase):
    def loaded(self, power_mw=2_300_000, port=Ade7953Spi):
        chip, driver = ade.running(port)
        chip.set_phase(0, 230_000, 10_000, power_mw)
        chip.feed(1_000)
        self.assertEqual(driver.read_into(new_sample()), OK)
        return chip, driver

    def test_a_corrupted_energy_is_found_in_the_last_data(self):
        chip, driver = self.loaded()
        chip.feed(1_000)
        chip.corrupt_next(0x400000, 0x21E)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), UNCONFIRMED)
        self.assertTrue(abs(sample[ENERGY_COUNTS] - 237) <= 1)  # 2300 W x 6.594248 / 64
        self.assertEqual(driver.health()["unconfirmed"], 1)

    def test_a_reset_is_told_and_the_chip_set_up_again(self):
        for port in ade.PORTS:
            chip, driver = self.loaded(port=port)
            chip.feed(5_000)
            chip.brown_out()
            self.assertEqual(driver.read_into(new_sample()), RESTARTED)
            self.assertEqual((chip.peek(0x120), chip.peek(0x102)), (0x0030, 0x0004))
            self.assertEqual(driver.restarts, 1)
            chip.feed(1_000)
            self.assertEqual(driver.read_into(new_sample()), OK)

    def test_a_set_up_register_that_changed_is_set_up_again(self):
        chip, driver = self.loaded()
        chip.poke(0x282, 0x500000)
        statuses = [driver.read_into(new_sample()) for _ in range(30)]
        self.assertTrue(RESTARTED in statuses)
        self.assertEqual(chip.peek(0x282), 0x400000)

    def test_half_full_is_energy_and_an_overflow_is_a_gap(self):
        # 30 kW is 197 827 counts a second: 0x400000 after 21.2 s, 0x7FFFFF after 42.4 s.
        sample = new_sample()
        for seconds, wanted in ((22, OK), (42, OK), (43, RESTARTED), (5, OK)):
            chip, driver = self.loaded(30_000_000)
            chip.feed(seconds * 1_000)
            self.assertEqual(driver.read_into(sample), wanted)
            if wanted == OK:
                self.assertTrue(abs(sample[ENERGY_COUNTS] * 64 - 197_827 * seconds) < 130)
            else:
                self.assertEqual(sample[ENERGY_COUNTS], 0)  # it reads negative
                chip.feed(1_000)
                self.assertEqual(driver.read_into(sample), OK)
                self.assertTrue(abs(sample[ENERGY_COUNTS] * 64 - 197_827) < 130)

    def test_a_line_that_answers_one_thing_is_no_reading(self):
        for byte in (0x00, 0xFF, 0x21, 0x04):
            chip, driver = self.loaded()

            def stuck(out, into, byte=byte):
                for at in range(len(into)):
                    into[at] = byte

            chip.transfer = stuck
            sample = new_sample()
            for _ in range(3):
                self.assertTrue(driver.read_into(sample) & (NO_ANSWER | CORRUPT))
            self.assertEqual(driver.restarts, 0)

    def test_energy_waits_while_nothing_answers(self):
        for port in ade.PORTS:
            chip, driver = self.loaded(port=port)
            chip.silent = True
            chip.feed(3_000)
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
            chip.silent = False
            sample = new_sample()
            self.assertEqual(driver.read_into(sample), OK)
            self.assertTrue(abs(sample[ENERGY_COUNTS] - 711) <= 1)  # 6900 Ws x 6.594248 / 64


if __name__ == "__main__":
    unittest.main()
