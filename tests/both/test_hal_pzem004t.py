"""The PZEM-004T v3 driver: one Modbus request, whole Wh, no sign."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.pzem004t import Pzem004t
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_FACTOR,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.host_sim.chip.pzem004t import crc16
from wattledger.tests.both import fixtures_uart as uart

GOLDEN = uart.data(uart.PZEM_FRAME)
# As printed in the sources, CRC included.
ASK_EVERYBODY = uart.data("F8040000000A6464")
ASK_ONE = uart.data("01040000000A700D")
WH = 5  # of the simulated module's peek and poke


def counted(wh):
    """The golden answer with this energy."""
    frame = bytearray(GOLDEN[:23])
    frame[13], frame[14] = wh >> 8 & 0xFF, wh & 0xFF
    frame[15], frame[16] = wh >> 24, wh >> 16 & 0xFF
    check = crc16(frame, 23)
    return bytes(frame) + bytes((check & 0xFF, check >> 8))


def scripted(first, **options):
    """(answers, driver): begun on a module whose answers the test writes."""
    answers = {ASK_EVERYBODY: first}
    driver = Pzem004t(uart.Replies(answers), uart.no_wait, [{}], **options)
    driver.begin()
    return answers, driver


class TestFrames(unittest.TestCase):
    def test_the_request_carries_the_address_and_the_crc_of_the_sources(self):
        for options, wanted in (({}, ASK_EVERYBODY), ({"address": 1}, ASK_ONE)):
            line = uart.Replies({wanted: GOLDEN})
            Pzem004t(line, uart.no_wait, [{}], **options).begin()
            self.assertEqual(line.written[0], wanted)

    def test_the_golden_frame(self):
        _, driver = scripted(GOLDEN)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        # 225.7 V, 0.108 A, 24.4 W, 38 Wh, 50.0 Hz, factor 1.00.
        self.assertEqual(sample[VOLTAGE_MV], 225_700)
        self.assertEqual(sample[CURRENT_MA], 108)
        self.assertEqual(sample[POWER_MW], 24_400)
        self.assertEqual(sample[FREQUENCY_MHZ], 50_000)
        self.assertEqual(sample[POWER_FACTOR], 1_000)

    def test_the_golden_frame_says_38_wh(self):
        answers, driver = scripted(GOLDEN)
        driver.read_into(new_sample())
        answers[ASK_EVERYBODY] = counted(40)
        self.assertEqual(uart.settle(driver, new_sample(), 2), (OK, 2))

    def test_nothing_but_function_4_is_ever_sent(self):
        # 0x42 would clear the energy of the module.
        line = uart.Replies({ASK_EVERYBODY: GOLDEN})
        driver = Pzem004t(line, uart.no_wait, [{}])
        driver.begin()
        for answer in (GOLDEN, b"", b"\x00" * 40, counted(0), counted(0), counted(1)):
            line.answers[ASK_EVERYBODY] = answer
            driver.read_into(new_sample())
        driver.begin()
        self.assertEqual({message[1] for message in line.written}, {4})

    def test_every_single_flipped_bit_is_refused(self):
        answers, driver = scripted(GOLDEN)
        sample = new_sample()
        for bit in range(8 * len(GOLDEN)):
            bad = bytearray(GOLDEN)
            bad[bit // 8] ^= 1 << bit % 8
            answers[ASK_EVERYBODY] = bytes(bad)
            driver.read_into(sample)
            self.assertEqual(driver.read_into(sample), CORRUPT)
            self.assertEqual(sample[ENERGY_COUNTS], 0)

    def test_an_answer_of_another_module_is_refused(self):
        answers = {ASK_ONE: GOLDEN}
        driver = Pzem004t(uart.Replies(answers), uart.no_wait, [{}], address=1)
        driver.begin()
        other = bytearray(GOLDEN[:23])
        other[0] = 2
        check = crc16(other, 23)
        answers[ASK_ONE] = bytes(other) + bytes((check & 0xFF, check >> 8))
        driver.read_into(new_sample())
        self.assertEqual(driver.read_into(new_sample()), CORRUPT)

    def test_begin_names_what_is_missing(self):
        broken = uart.Script()
        broken.broken = True
        for line in (uart.Script(), broken):
            with self.assertRaises(ChipError) as caught:
                Pzem004t(line, uart.no_wait, [{}]).begin()
            self.assertEqual(caught.exception.stage, "bus")
        with self.assertRaises(ChipError) as caught:
            Pzem004t(uart.Script(), uart.no_wait, [{"gain": 1}])
        self.assertEqual(caught.exception.stage, "calibration")


class TestEnergy(unittest.TestCase):
    def test_the_low_word_comes_first(self):
        # From 65 535 to 65 537 Wh; read the other way round it would be 4 GWh.
        answers, driver = scripted(counted(65_535))
        driver.read_into(new_sample())
        answers[ASK_EVERYBODY] = counted(65_537)
        self.assertEqual(uart.settle(driver, new_sample(), 2), (OK, 2))

    def test_a_jump_waits_for_a_second_answer(self):
        answers, driver = scripted(counted(100))
        driver.read_into(new_sample())
        answers[ASK_EVERYBODY] = counted(5_100)
        self.assertEqual(driver.read_into(new_sample()), OK)  # asked before
        self.assertEqual(driver.read_into(new_sample()), CORRUPT)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS], 5_000)

    def test_a_count_too_high_that_was_believed_is_made_good(self):
        answers, driver = scripted(counted(100))
        found = []
        for count in (110, 101, 102, 111, 115, 115):
            answers[ASK_EVERYBODY] = counted(count)
            sample = new_sample()
            found.append((driver.read_into(sample), sample[ENERGY_COUNTS]))
        self.assertEqual(found, [(OK, 0), (OK, 10), (CORRUPT, 0), (OK, 0), (OK, 1), (OK, 4)])

    def test_a_module_that_somebody_reset_is_a_restart(self):
        chip, driver = uart.pzem004t()
        chip.poke(WH, 70_000)
        uart.settle(driver, new_sample(), 4)
        # As a person's button does: address, 0x42, CRC.
        message = bytearray((1, 0x42))
        check = crc16(message, 2)
        chip.write(bytes(message) + bytes((check & 0xFF, check >> 8)))
        status, counts = uart.settle(driver, new_sample(), 4)
        self.assertEqual((status, counts), (RESTARTED, 0))
        chip.set_phase(0, 230_000, 43_478, 10_000_000)
        chip.feed(3_600)
        self.assertEqual(uart.settle(driver, new_sample(), 3), (OK, 10))

    def test_it_turns_over_at_the_end_of_its_range_as_a_restart(self):
        chip, driver = uart.pzem004t()
        chip.poke(WH, 9_999_985)
        uart.settle(driver, new_sample(), 4)
        chip.set_phase(0, 230_000, 43_478, 10_000_000)
        chip.feed(3_600)
        # Ten Wh: five before the end, five behind it; those two readings are the gap.
        self.assertEqual(uart.settle(driver, new_sample(), 4), (RESTARTED, 0))
        chip.feed(3_600)
        self.assertEqual(uart.settle(driver, new_sample(), 3), (OK, 10))

    def test_energy_survives_a_loss_of_supply_but_for_the_part_of_a_wh(self):
        chip, driver = uart.pzem004t()
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.feed(9_000)  # 2.5 Wh
        chip.brown_out()
        chip.feed(1_800)  # 0.5 Wh
        self.assertEqual(uart.settle(driver, new_sample(), 3), (OK, 2))

    def test_export_counts_as_import_and_the_driver_says_so(self):
        chip, driver = uart.pzem004t()
        self.assertFalse(driver.bidirectional)
        chip.set_phase(0, 230_000, 4_348, -1_000_000)
        chip.feed(36_000)
        sample = new_sample()
        self.assertEqual(uart.settle(driver, sample, 3), (OK, 10))
        self.assertTrue(sample[POWER_MW] > 0)


class TestFaults(unittest.TestCase):
    def test_silence_is_no_answer_and_energy_waits(self):
        chip, driver = uart.pzem004t()
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.silent = True
        driver.read_into(new_sample())
        for _ in range(4):
            chip.feed(9_000)
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        chip.silent = False
        self.assertEqual(uart.settle(driver, new_sample(), 3), (OK, 10))

    def test_stuck_lines_and_rubbish_are_corrupt(self):
        for level in (0x00, 0xFF, 0x14):
            chip, driver = uart.pzem004t()
            chip.line.stuck = level
            self.assertEqual(driver.read_into(new_sample()), CORRUPT)

    def test_an_answer_cut_anywhere_loses_nothing(self):
        for length in range(25):
            chip, driver = uart.pzem004t()
            driver.read_into(new_sample())
            chip.set_phase(0, 230_000, 4_348, 1_000_000)
            chip.feed(36_000)
            chip.line.truncate_next(length)
            self.assertEqual(uart.settle(driver, new_sample(), 4), (OK, 10))

    def test_a_real_baud_rate(self):
        chip = uart.Pzem004tChip(baud=9_600)
        driver = Pzem004t(chip, chip.feed, [{}])
        driver.begin()
        chip.set_phase(0, 230_000, 15_652, 3_600_000)
        sample = new_sample()
        total = 0
        for _ in range(60):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(sample), OK)
            total += sample[ENERGY_COUNTS]
        # 1 Wh a second; the last one's answer is under way.
        self.assertEqual(total, 59)

    def test_a_module_that_repeats_itself_under_load_is_corrupt_in_the_end(self):
        chip, driver = uart.pzem004t()
        chip.set_phase(0, 230_000, 100_000, 23_000_000)
        # 23 kW, 100 ms a reading, is 2.3 kJ: 60 kJ after 27 readings.
        found = [driver.read_into(new_sample()) for _ in range(40)]
        self.assertEqual(found[:26], [OK] * 26)
        self.assertEqual(found[-10:], [CORRUPT] * 10)
        chip.feed(1_000)
        self.assertEqual(uart.settle(driver, new_sample(), 3)[0], OK)


if __name__ == "__main__":
    unittest.main()
