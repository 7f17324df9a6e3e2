"""The CSE7766 driver: frames that push themselves, a weak checksum, a counter that wraps."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.cse7766 import Cse7766
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_uart as uart

GOLDEN = [uart.data(text) for text in uart.CSE7766_FRAMES]
CF = 3  # of the simulated chip's peek and poke
KILOWATT_COUNTS = 187  # in a second: 1000 J / 5.351 J = 186.9


def framed(base, changes):
    """A frame with bytes changed and its sum right again."""
    frame = bytearray(base)
    for at, value in changes:
        frame[at] = value
    frame[23] = sum(frame[2:23]) & 0xFF
    return bytes(frame)


def counted(count, toggle=0):
    """The second golden frame with this CF."""
    return framed(GOLDEN[1], ((20, 0x71 | toggle << 7), (21, count >> 8), (22, count & 0xFF)))


def scripted(*frames):
    """(line, driver): begun on the first frame; each further one is a reading's."""
    line = uart.Script(frames[0], b"")
    driver = Cse7766(line, uart.no_wait, [{}])
    driver.begin()
    line.arrivals = [item for frame in frames[1:] for item in (frame, b"")]
    return line, driver


def statuses(driver, times):
    """[(status, counts)] of so many readings."""
    found = []
    for _ in range(times):
        sample = new_sample()
        found.append((driver.read_into(sample), sample[ENERGY_COUNTS]))
    return found


def values(frame):
    """Voltage, current and power the driver makes of a frame."""
    line, driver = scripted(frame, frame)
    sample = new_sample()
    status = driver.read_into(sample)
    return status, sample[VOLTAGE_MV], sample[CURRENT_MA], sample[POWER_MW]


class TestValues(unittest.TestCase):
    def test_the_golden_frames(self):
        # 194 400 000 / 858, 16 400 000 / 297 887; adj 0x61: the power cycle is still running.
        self.assertEqual(values(GOLDEN[0]), (OK, 226_573, 55, 0))
        # / 939, / 155 741, and 5 351 000 000 / 256 495.
        self.assertEqual(values(GOLDEN[1]), (OK, 207_028, 105, 20_862))
        # / 865, / 356 928; state 0xF2: the power cycle is out of range.
        self.assertEqual(values(GOLDEN[2]), (OK, 224_739, 45, 0))

    def test_their_energy_is_cf(self):
        for at, count in enumerate((44_193, 2_938, 32_589)):
            frame = GOLDEN[at]
            later = framed(frame, ((21, count + 7 >> 8), (22, count + 7 & 0xFF)))
            _, driver = scripted(frame, later)
            self.assertEqual(statuses(driver, 1), [(OK, 7)])

    def test_a_socket_without_mains_reads_zero_and_not_an_error(self):
        # As on ElectroDragon's HLW8032 page, with these coefficients: state FA, adj 01.
        frame = framed(GOLDEN[0], ((20, 0x01), (11, 0), (12, 0), (13, 0)))
        self.assertEqual(values(b"\xfa" + frame[1:]), (OK, 0, 0, 0))

    def test_gains(self):
        line = uart.Script(GOLDEN[1])
        gains = {"voltage_gain": 1_100_000, "current_gain": 900_000, "power_gain": 1_200_000}
        driver = Cse7766(line, uart.no_wait, [gains])
        driver.begin()
        line.arrivals = [GOLDEN[1]]
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        # 207 028.75 x 1.1, 105.303 x 0.9, 20 862.005 x 1.2 (the coefficient rounded down).
        self.assertEqual(sample[VOLTAGE_MV], 227_731)
        self.assertEqual(sample[CURRENT_MA], 94)
        self.assertTrue(abs(sample[POWER_MW] - 25_034) <= 1)

    def test_the_wh_of_a_count(self):
        for gain in (1_000_000, 987_654):
            driver = Cse7766(uart.Script(), uart.no_wait, [{"energy_gain": gain}])
            wh = driver.energy_numerator / driver.energy_denominator
            self.assertTrue(abs(wh / (5.351 / 3600 * gain / 1e6) - 1) < 1e-6)
            self.assertTrue(driver.energy_denominator <= 32_768)


class TestBegin(unittest.TestCase):
    def refused(self, *arrivals):
        with self.assertRaises(ChipError) as caught:
            Cse7766(uart.Script(*arrivals), uart.no_wait, [{}]).begin()
        return caught.exception

    def test_a_line_without_a_frame_is_refused_at_the_stage_bus(self):
        self.assertEqual(self.refused().stage, "bus")
        self.assertIn("8E1", str(self.refused(b"\x00" * 60)))

    def test_a_chip_with_other_coefficients_is_refused_and_they_are_named(self):
        error = self.refused(framed(GOLDEN[1], ((2, 0x02), (3, 0xEE), (4, 0xC8))))
        self.assertEqual(error.stage, "calibration")
        self.assertIn("192200", str(error))  # 0x02EEC8
        self.assertIn("5351000", str(error))

    def test_a_chip_that_the_factory_did_not_calibrate_is_refused(self):
        error = self.refused(b"\xaa" + GOLDEN[1][1:])
        self.assertEqual(error.stage, "calibration")
        self.assertIn("0xAA", str(error))

    def test_its_own_coefficients_can_be_set(self):
        frame = framed(GOLDEN[1], ((2, 0x02), (3, 0xEE), (4, 0xC8)))
        driver = Cse7766(uart.Script(frame), uart.no_wait, [{"voltage_coefficient": 192_200}])
        driver.begin()

    def test_constants_are_checked(self):
        for wrong in ({"power_gain": 1}, {"shunt": 1}):
            with self.assertRaises(ChipError) as caught:
                Cse7766(uart.Script(), uart.no_wait, [wrong])
            self.assertEqual(caught.exception.stage, "calibration")


class TestBelief(unittest.TestCase):
    def test_every_single_flipped_bit_is_refused_or_changes_nothing(self):
        refused = 0
        for good in GOLDEN:
            wanted = values(good)
            for bit in range(8 * len(good)):
                bad = bytearray(good)
                bad[bit // 8] ^= 1 << bit % 8
                _, driver = scripted(good, bytes(bad), good)
                sample = new_sample()
                status = driver.read_into(sample)
                if status == CORRUPT:
                    refused += 1
                    continue
                self.assertEqual(status, OK)
                found = (sample[VOLTAGE_MV], sample[CURRENT_MA], sample[POWER_MW])
                self.assertEqual((status,) + found, wanted)
                self.assertEqual(sample[ENERGY_COUNTS], 0)
        # All but the few of the state that say no more than adj says already.
        self.assertTrue(refused >= 3 * 192 - 2)

    def test_rubbish_with_a_good_checksum_is_refused(self):
        # Tasmota 5789: the sum is right and the content is not.
        swapped = bytearray(GOLDEN[1])
        swapped[2], swapped[3] = swapped[3], swapped[2]
        shifted = bytearray(GOLDEN[1])
        shifted[8:20] = GOLDEN[1][9:20] + GOLDEN[1][8:9]
        for frame in (swapped, shifted, framed(GOLDEN[1], ((14, 0), (15, 0), (16, 0)))):
            self.assertEqual(sum(frame[2:23]) & 0xFF, frame[23])
            _, driver = scripted(GOLDEN[1], bytes(frame), GOLDEN[1])
            self.assertEqual(statuses(driver, 2), [(CORRUPT, 0), (OK, 0)])

    def test_a_power_cycle_of_no_plug_is_refused(self):
        for cycle in (0, 1, 49):
            frame = framed(GOLDEN[1], ((17, 0), (18, 0), (19, cycle)))
            _, driver = scripted(GOLDEN[1], frame)
            self.assertEqual(statuses(driver, 1), [(CORRUPT, 0)])

    def test_a_jump_of_cf_waits_for_a_second_frame(self):
        _, driver = scripted(counted(1_000), counted(60_000), counted(1_010), counted(1_011))
        self.assertEqual(statuses(driver, 3), [(CORRUPT, 0), (OK, 10), (OK, 1)])

    def test_a_jump_that_two_frames_agree_on_is_energy(self):
        # A minute without a reading at 3 kW: 33 639 counts.
        _, driver = scripted(counted(1_000), counted(34_639), counted(34_700))
        self.assertEqual(statuses(driver, 2), [(CORRUPT, 0), (OK, 33_700)])

    def test_a_count_too_high_that_was_believed_is_made_good(self):
        # 200 too many pass as a movement of less than 256; then less is handed on, never negative.
        later = [counted(count) for count in (1_200, 1_010, 1_015, 1_100, 1_260)]
        _, driver = scripted(counted(1_000), *later)
        found = statuses(driver, 5)
        self.assertEqual(found, [(OK, 200), (CORRUPT, 0), (OK, 0), (OK, 0), (OK, 60)])

    def test_two_frames_of_one_reading_settle_it_at_once(self):
        _, driver = scripted(counted(1_000), counted(34_639) + counted(34_660))
        self.assertEqual(statuses(driver, 1), [(OK, 33_660)])

    def test_cf_wraps_with_its_toggle(self):
        _, driver = scripted(
            counted(65_500), counted(20, 1), counted(65_530, 1), counted(65_535, 1), counted(5, 0)
        )
        found = statuses(driver, 4)
        self.assertEqual(found[0], (OK, 56))
        # A jump of 65 510 agreed on by the next frame, then over the end again.
        self.assertEqual(found[1:], [(CORRUPT, 0), (OK, 65_515), (OK, 6)])

    def test_a_fall_of_cf_without_its_toggle_is_a_restart(self):
        _, driver = scripted(counted(40_000), counted(3), counted(5), counted(9))
        found = [status for status, _ in statuses(driver, 3)]
        self.assertEqual(found, [CORRUPT, RESTARTED, OK])
        self.assertEqual(driver.health()["restarts"], 1)

    def test_counts_before_a_restart_are_not_lost_with_it(self):
        burst = counted(40_010) + counted(3) + counted(5)
        _, driver = scripted(counted(40_000), burst, counted(9))
        # Ten before, four after; what the chip counted after 40 010 is lost with its register.
        self.assertEqual(statuses(driver, 2), [(RESTARTED, 0), (OK, 14)])

    def test_a_good_frame_behind_rubbish_is_used(self):
        for rubbish in (GOLDEN[0][:13], b"\x55\x5a" * 20, GOLDEN[1][1:], b"\xff" * 50):
            _, driver = scripted(counted(7), rubbish + counted(9), b"")
            self.assertEqual(statuses(driver, 2), [(OK, 2), (NO_ANSWER, 0)])


class TestChip(unittest.TestCase):
    def test_a_real_baud_rate(self):
        chip, driver = uart.cse7766(baud=4_800)
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        sample = new_sample()
        total = 0
        for _ in range(100):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(sample), OK)
            total += sample[ENERGY_COUNTS]
        # 100 kJ are 18 688 counts; two frames of 60 ms may be under way.
        self.assertTrue(18_688 - 25 <= total <= 18_688)
        self.assertTrue(abs(sample[POWER_MW] - 1_000_000) <= 130)

    def test_export_counts_as_import_and_the_driver_says_so(self):
        chip, driver = uart.cse7766()
        self.assertFalse(driver.bidirectional)
        chip.set_phase(0, 230_000, 4_348, -1_000_000)
        chip.feed(2_000)
        sample = new_sample()
        driver.read_into(sample)
        # The chip was 20 ms into a frame's 60: the last left after 1 960 ms, 366.3 counts.
        self.assertTrue(abs(sample[POWER_MW] - 1_000_000) <= 130)
        self.assertEqual(sample[ENERGY_COUNTS], 366)

    def test_silence_is_no_answer_and_energy_comes_later(self):
        chip, driver = uart.cse7766()
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.silent = True
        for _ in range(4):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        chip.silent = False
        chip.feed(1_000)
        _, counts = uart.settle(driver, new_sample(), 1)
        self.assertTrue(abs(counts - 5 * KILOWATT_COUNTS) <= 12)

    def test_a_stuck_line_is_corrupt(self):
        for level in (0x00, 0xFF, 0x5A):
            chip, driver = uart.cse7766()
            chip.line.stuck = level
            self.assertEqual(driver.read_into(new_sample()), CORRUPT)

    def test_a_chip_that_repeats_itself_under_load_is_corrupt_in_the_end(self):
        # A power cycle of 54 is 99 kW, 9.9 kJ in 100 ms: 60 kJ after seven readings.
        power = ((17, 0), (18, 0), (19, 54))
        repeated = framed(counted(7), power)
        line, driver = scripted(repeated, *[repeated] * 9)
        found = [status for status, _ in statuses(driver, 9)]
        self.assertEqual(found, [OK] * 6 + [CORRUPT] * 3)
        line.arrivals = [framed(counted(8), power)]
        self.assertEqual(driver.read_into(new_sample()), OK)

    def test_a_broken_line_is_no_answer_and_is_counted(self):
        line, driver = scripted(counted(7))
        line.broken = True
        self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        self.assertEqual(driver.health()["bus_errors"], 1)


if __name__ == "__main__":
    unittest.main()
