"""The DS3231's driver on the simulated chip: dates, trust, and a bus that fails."""

import unittest

from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.errors import BusError, ChipError
from wattledger.host_sim.chip.ds3231 import Ds3231 as Chip

NOON = 1_795_867_200  # 2026-11-28 12:00:00, a Saturday


def registers(chip):
    return "".join("%02x" % chip.peek(at) for at in range(7))


def written(unix_s):
    chip = Chip()
    clock = Ds3231(chip)
    assert clock.set(unix_s)
    return chip, clock


class FailingWire:
    """Raises BusError at transfer number `at`, from 0."""

    def __init__(self, chip, at):
        self._chip = chip
        self.at = at

    def _count(self):
        self.at -= 1
        if self.at == -1:
            raise BusError("no acknowledge")

    def read_into(self, register, buffer):
        self._count()
        self._chip.read_into(register, buffer)

    def write(self, register, buffer):
        self._count()
        self._chip.write(register, buffer)


class HitWire:
    """The minutes of time reading number `hit`, from 1, have a bit flipped."""

    def __init__(self, chip, hit):
        self._chip = chip
        self._left = hit

    def read_into(self, register, buffer):
        self._chip.read_into(register, buffer)
        if register == 0:
            self._left -= 1
            if self._left == 0:
                buffer[1] ^= 0x10


class TestDates(unittest.TestCase):
    def test_registers_of_dates_known_from_a_calendar(self):
        for unix_s, expected in (
            (946_684_800, "00000006010100"),  # 2000-01-01, a Saturday
            (NOON, "00001206281126"),
            (1_709_251_199, "59592304290224"),  # 2024-02-29 23:59:59, a Thursday
            (1_735_689_599, "59592302311224"),  # 2024-12-31, a Tuesday
            (1_740_787_200, "00000006010325"),  # 2025-03-01, a Saturday
            (4_102_444_799, "59592304311299"),  # 2099-12-31, a Thursday
            (4_102_444_800, "00000005018100"),  # 2100-01-01, a Friday, with the century
        ):
            chip, clock = written(unix_s)
            self.assertEqual(registers(chip), expected)
            self.assertEqual(clock.read(), unix_s)

    def test_seconds_are_right_across_every_kind_of_turn(self):
        for last in (
            1_709_164_799,  # 2024-02-28
            1_709_251_199,  # 2024-02-29
            1_740_787_199,  # 2025-02-28
            1_798_761_599,  # 2026-12-31
            4_102_444_799,  # 2099-12-31: the century bit
            4_107_542_399,  # 2100-02-28: the chip goes on to a 29th that is none
            4_107_628_799,  # and from there to its 1 March, our 2 March
        ):
            chip, clock = written(last)
            chip.feed(1_000)
            self.assertEqual(clock.read(), last + 1)

    def test_a_year_of_days_one_by_one(self):
        chip, clock = written(NOON)
        for day in range(1, 800):
            chip.poke(2, 0x23)
            chip.poke(1, 0x59)
            chip.poke(0, 0x59)
            chip.feed(1_000)
            self.assertEqual(clock.read(), NOON + day * 86_400 - 43_200)

    def test_twelve_hour_form_is_understood(self):
        chip, clock = written(NOON)
        for byte, hour in ((0x52, 0), (0x41, 1), (0x51, 11), (0x72, 12), (0x61, 13), (0x71, 23)):
            chip.poke(2, byte)
            self.assertEqual(clock.read(), NOON + (hour - 12) * 3600)

    def test_a_set_returns_to_24_hours(self):
        chip, clock = written(NOON)
        chip.poke(2, 0x72)
        clock.set(NOON + 3600)
        self.assertEqual(chip.peek(2), 0x13)

    def test_times_no_chip_can_hold_are_not_set(self):
        clock = Ds3231(Chip())
        self.assertFalse(clock.set(946_684_799))
        self.assertFalse(clock.set(946_684_800 + 50 * 1461 * 86_400))
        self.assertTrue(clock.set(946_684_800 + 50 * 1461 * 86_400 - 1))


class TestTrust(unittest.TestCase):
    def test_a_new_chip_is_not_believed_until_it_is_set(self):
        chip = Chip()
        clock = Ds3231(chip)
        self.assertEqual(clock.read(), None)
        self.assertTrue(clock.set(NOON))
        self.assertEqual(clock.read(), NOON)
        self.assertEqual(chip.peek(0x0F) & 0x80, 0)

    def test_a_lost_battery_is_not_believed(self):
        chip, clock = written(NOON)
        chip.lose_battery()
        chip.feed(5_000)
        self.assertEqual(clock.read(), None)

    def test_the_battery_carries_the_time_through_a_power_cut(self):
        chip, clock = written(NOON)
        chip.cut_supply(True)
        chip.feed(7_200_000)
        self.assertEqual(clock.read(), None)  # no supply, no bus
        chip.cut_supply(False)
        self.assertEqual(clock.read(), NOON + 7_200)

    def test_begin_lets_the_oscillator_run_with_the_battery(self):
        chip, clock = written(NOON)
        chip.poke(0x0E, 0x9C)
        clock.begin()
        self.assertEqual(chip.peek(0x0E), 0x1C)
        chip.cut_supply(True)
        chip.feed(60_000)
        chip.cut_supply(False)
        self.assertEqual(clock.read(), NOON + 60)

    def test_an_oscillator_that_stood_is_not_believed(self):
        chip, clock = written(NOON)
        chip.poke(0x0E, 0x9C)
        chip.cut_supply(True)
        chip.feed(60_000)
        chip.cut_supply(False)
        self.assertEqual(clock.read(), None)

    def test_other_bits_of_the_status_stay(self):
        chip = Chip()
        Ds3231(chip).set(NOON)
        self.assertEqual(chip.peek(0x0F), 0x08)


class TestFaults(unittest.TestCase):
    def test_a_set_cut_short_anywhere_is_not_believed(self):
        transfers = 7
        for at in range(transfers):
            for first in (False, True):  # a new chip, and one that was right so far
                chip = Chip()
                clock = Ds3231(chip)
                if first:
                    clock.set(NOON)
                clock._i2c = FailingWire(chip, at)
                self.assertFalse(clock.set(NOON + 86_400))
                self.assertEqual(clock.bus_errors, 1)
                self.assertEqual(clock.read(), None)
                self.assertTrue(clock.set(NOON + 86_400))
                self.assertEqual(clock.read(), NOON + 86_400)
        clock._i2c = FailingWire(chip, transfers)
        self.assertTrue(clock.set(NOON))

    def test_no_acknowledge_is_no_time(self):
        chip, clock = written(NOON)
        chip.silent = True
        self.assertEqual(clock.read(), None)
        self.assertEqual(clock.temperature_dc(), None)
        self.assertFalse(clock.set(NOON))
        self.assertEqual(clock.bus_errors, 3)
        with self.assertRaises(ChipError) as raised:
            clock.begin()
        self.assertEqual(raised.exception.stage, "bus")

    def test_a_stuck_bus_is_no_time(self):
        for level in (0x00, 0xFF, 0x11):
            chip, clock = written(NOON)
            chip.stuck = level
            self.assertFalse(clock.read() == NOON)
            self.assertFalse(clock.set(NOON))
            if level != 0x11:
                self.assertEqual(clock.read(), None)

    def test_a_flipped_bit_is_no_time(self):
        for register in (0, 1, 2, 4, 5, 6):
            for bit in range(8):
                chip, clock = written(NOON)
                chip.corrupt_next(1 << bit, register)
                found = clock.read()
                # The lowest bit of the seconds could be the next second: no harm.
                self.assertTrue(found is None or found == NOON, (register, bit))
                self.assertEqual(clock.read(), NOON)

    def test_the_second_of_two_readings_may_be_the_one_that_was_hit(self):
        for hit in (1, 2):
            chip, clock = written(NOON)
            clock._i2c = HitWire(chip, hit)
            self.assertEqual(clock.read(), None)
            self.assertEqual(clock.read(), NOON)

    def test_registers_that_are_no_time_are_none(self):
        for register, value in (
            (0, 0x60),
            (0, 0x0A),
            (1, 0xA0),
            (2, 0x24),
            (2, 0x40),  # 0 of 12 hours
            (2, 0x53),
            (3, 0),
            (3, 8),
            (4, 0x00),
            (4, 0x31),  # of November
            (5, 0x13),
            (5, 0x00),
            (6, 0x9A),
        ):
            chip, clock = written(NOON)
            chip.poke(register, value)
            self.assertEqual(clock.read(), None)
            self.assertEqual(clock.corrupt, 1)

    def test_the_29th_of_february_is_in_leap_years_only(self):
        chip, clock = written(1_740_700_800)  # 2025-02-28
        chip.poke(4, 0x29)
        self.assertEqual(clock.read(), None)

    def test_temperature_has_quarters_and_a_sign(self):
        chip = Chip()
        clock = Ds3231(chip)
        for high, low, expected in ((25, 0, 250), (25, 0x40, 252), (0xF5, 0x80, -105)):
            chip.poke(0x11, high)
            chip.poke(0x12, low)
            self.assertEqual(clock.temperature_dc(), expected)


class TestChip(unittest.TestCase):
    def test_the_pointer_moves_on_and_wraps(self):
        chip = Chip()
        chip.i2c_write(b"\x12")
        into = bytearray(2)
        chip.i2c_read(into)
        self.assertEqual(bytes(into), b"\x00\x00")
        chip.i2c_write(b"\x04\x28\x11")
        chip.i2c_write(b"\x04")
        chip.i2c_read(into)
        self.assertEqual(bytes(into), b"\x28\x11")

    def test_software_can_clear_the_oscillator_flag_and_not_set_it(self):
        chip = Chip()
        chip.i2c_write(b"\x0f\x08")
        self.assertEqual(chip.peek(0x0F), 0x08)
        chip.i2c_write(b"\x0f\x88")
        self.assertEqual(chip.peek(0x0F), 0x08)

    def test_twelve_hour_form_counts_noon_and_midnight(self):
        chip = Chip()
        chip.i2c_write(b"\x00\x59\x59\x71\x06\x28\x11\x26")  # 11:59:59 PM
        chip.feed(1_000)
        self.assertEqual(registers(chip), "00005207291126")
        chip.i2c_write(b"\x00\x59\x59\x72")  # 12:59:59 PM
        chip.feed(1_000)
        self.assertEqual(chip.peek(2), 0x61)

    def test_a_state_taken_up_again_is_the_same_chip(self):
        chip, _ = written(NOON)
        chip.feed(1_700)
        again = Chip()
        again.restore(chip.state())
        again.feed(300)
        self.assertEqual(Ds3231(again).read(), NOON + 2)


if __name__ == "__main__":
    unittest.main()
