"""The BL0942 driver: every count once and with its sign, whatever the line brings."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.bl0942 import Bl0942
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_uart as uart

CF_CNT = 0x07
MODE = 0x19
ASK_PACKET = b"\x58\xaa"
ASK_MODE = b"\x58\x19"
# ~(58 + 19 + 07) = 87
MODE_IS_OURS = b"\x07\x00\x00\x87"
# A count is 672.8177 J (see the contract's bench): at 6 728.177 W ten of them in a second.
TEN_A_SECOND = 6_728_178


def packet(count, watt=0):
    """A packet with this CF_CNT and WATT, its checksum right."""
    frame = bytearray(uart.data(uart.BL0942_FRAME))
    for at, value in ((13, count), (10, watt & 0xFFFFFF)):
        for index in range(3):
            frame[at + index] = value >> 8 * index & 0xFF
    frame[22] = ~(0x58 + sum(frame[:22])) & 0xFF
    return bytes(frame)


def scripted(first):
    """(answers, driver) begun on a chip whose packets the test writes."""
    answers = {ASK_MODE: MODE_IS_OURS, ASK_PACKET: first}
    driver = Bl0942(uart.Replies(answers), uart.no_wait, [{}])
    driver.begin()
    return answers, driver


def loaded(power=TEN_A_SECOND, **options):
    """(chip, driver) that have run under this power past what is near zero."""
    chip, driver = uart.bl0942(**options)
    chip.set_phase(0, 230_000, abs(power) // 230, power)
    chip.set_mains(50_000)
    for _ in range(100):
        chip.feed(1_000)
        driver.read_into(new_sample())
    uart.settle(driver, new_sample(), 8)
    return chip, driver


class TestBegin(unittest.TestCase):
    def test_a_cold_chip_is_unlocked_reset_written_read_back_and_locked(self):
        line = uart.Log(uart.Bl0942Chip())
        waited = []
        Bl0942(line, waited.append, [{}]).begin()
        written = b"".join(line.written)
        # Each with ~(its sum): unlock, reset, unlock, MODE 07 (adds with sign), GAIN 16, lock.
        setup = "A81D550000E5A81C5A5A5A2DA81D550000E5A81907000037A81A0200003B"
        setup = uart.data(setup + "A81D0000003A")
        self.assertTrue(setup in written)
        after = written[written.index(setup) + len(setup) :]
        self.assertEqual(after[:4], b"\x58\x19\x58\x1a")
        self.assertTrue(50 in waited)

    def test_sixty_hertz_sets_its_bit(self):
        chip, _ = uart.Bl0942Chip(), None
        Bl0942(chip, uart.no_wait, [{}], sixty_hertz=True).begin()
        self.assertEqual(chip.peek(MODE), 0x27)

    def test_a_warm_chip_is_not_written_to_and_keeps_its_energy(self):
        chip, _ = uart.bl0942()
        chip.set_phase(0, 230_000, 29_253, TEN_A_SECOND)
        chip.feed(60_000)
        line = uart.Log(chip)
        Bl0942(line, uart.no_wait, [{}]).begin()
        self.assertEqual([message for message in line.written if message[0] & 0xFC == 0xA8], [])
        self.assertEqual(chip.peek(CF_CNT), 600)

    def test_another_address_answers_only_its_own_driver(self):
        chip = uart.Bl0942Chip(address=2)
        Bl0942(chip, uart.no_wait, [{}], address=2).begin()
        with self.assertRaises(ChipError) as caught:
            Bl0942(chip, uart.no_wait, [{}]).begin()
        self.assertEqual(caught.exception.stage, "bus")

    def test_a_dead_line_is_refused_at_the_stage_bus(self):
        broken = uart.Script()
        broken.broken = True
        for line in (uart.Script(), broken):
            with self.assertRaises(ChipError) as caught:
                Bl0942(line, uart.no_wait, [{}]).begin()
            self.assertEqual(caught.exception.stage, "bus")

    def test_a_register_that_does_not_hold_is_refused_at_the_stage_read_back(self):
        # MODE reads 0x87 whatever is written: ~(58 + 19 + 87) = 07
        line = uart.Replies({ASK_MODE: b"\x87\x00\x00\x07"})
        with self.assertRaises(ChipError) as caught:
            Bl0942(line, uart.no_wait, [{}]).begin()
        self.assertEqual(caught.exception.stage, "read back")
        for word in ("0x19", "0x87", "0x7"):
            self.assertIn(word, str(caught.exception))

    def test_constants_are_checked(self):
        for wrong in ({"voltage_gain": 1_200_001}, {"volts": 1}, {"energy_gain": 499_999}):
            with self.assertRaises(ChipError) as caught:
                Bl0942(uart.Script(), uart.no_wait, [wrong])
            self.assertEqual(caught.exception.stage, "calibration")

    def test_a_real_baud_rate_and_real_waits(self):
        chip = uart.Bl0942Chip(baud=4_800)
        driver = Bl0942(chip, chip.feed, [{}])
        driver.begin()
        chip.set_phase(0, 230_000, 29_253, TEN_A_SECOND)
        sample = new_sample()
        total = 0
        for _ in range(20):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(sample), OK)
            total += sample[ENERGY_COUNTS]
        # The last reading's answer is that of a second before.
        self.assertEqual(total, 190)


class TestValues(unittest.TestCase):
    def test_the_golden_frame(self):
        _, driver = scripted(uart.data(uart.BL0942_FRAME))
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        # 3 558 558 x 1.218 V x (1 950 510 / 510) / 73 989 = 224 043.4 mV;
        # 47 523 x 1.218 / 305 978 = 189.17 mA; -26 380 is -42 316.8 mW; 10^9 / 19 990 mHz.
        self.assertTrue(abs(sample[VOLTAGE_MV] - 224_043) <= 2)
        self.assertEqual(sample[CURRENT_MA], 189)
        self.assertTrue(abs(sample[POWER_MW] + 42_316) <= 1)
        self.assertEqual(sample[FREQUENCY_MHZ], 50_025)

    def test_the_golden_frame_says_153_counts(self):
        answers, driver = scripted(uart.data(uart.BL0942_FRAME))
        answers[ASK_PACKET] = packet(160)
        self.assertEqual(uart.settle(driver, new_sample(), 3), (OK, 7))

    def test_power_of_export_is_negative(self):
        # Tasmota 15374: the absolute value was shown.
        chip, driver = loaded(-1_000_000)
        sample = new_sample()
        driver.read_into(sample)
        self.assertTrue(abs(sample[POWER_MW] + 1_000_000) <= 20)

    def test_gains_scale_their_own_value_only(self):
        for name, index in (
            ("voltage_gain", VOLTAGE_MV),
            ("current_gain", CURRENT_MA),
            ("power_gain", POWER_MW),
        ):
            answers, driver = scripted(packet(1_000, 100_000))
            gained = Bl0942(uart.Replies(answers), uart.no_wait, [{name: 1_100_000}])
            gained.begin()
            plain = new_sample()
            sample = new_sample()
            driver.read_into(plain)
            gained.read_into(sample)
            for field in (VOLTAGE_MV, CURRENT_MA, POWER_MW):
                wanted = plain[field] * 11 // 10 if field == index else plain[field]
                self.assertTrue(abs(sample[field] - wanted) <= 3)
            self.assertEqual(gained.energy_numerator, driver.energy_numerator)

    def test_energy_has_its_own_gain(self):
        line = uart.Script()
        for gain in (1_000_000, 1_548_000, 612_345):
            driver = Bl0942(line, uart.no_wait, [{"energy_gain": gain}])
            wh = driver.energy_numerator / driver.energy_denominator
            # 0.186 893 813 5 Wh a count at gain 1.
            self.assertTrue(abs(wh / (0.1868938135 * gain / 1e6) - 1) < 1e-8)

    def test_the_board_says_its_parts(self):
        chip = uart.Bl0942Chip(shunt_uohm=3_000, divider_low=1_000, divider_high=3_000_000)
        driver = Bl0942(
            chip, uart.no_wait, [{}], shunt_uohm=3_000, divider_low=1_000, divider_high=3_000_000
        )
        driver.begin()
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        driver.read_into(new_sample())
        sample = new_sample()
        uart.settle(driver, sample, 4)
        self.assertTrue(abs(sample[VOLTAGE_MV] - 230_000) <= 30)
        self.assertTrue(abs(sample[CURRENT_MA] - 4_348) <= 1)
        self.assertTrue(abs(sample[POWER_MW] - 1_000_000) <= 20)
        chip.feed(3_600_000)
        _, counts = uart.settle(driver, sample, 8)
        wh = counts * driver.energy_numerator / driver.energy_denominator
        self.assertTrue(999.8 < wh <= 1_000.1)


class TestEnergy(unittest.TestCase):
    def test_export_is_never_import_whichever_way_cnt_add_sel_works(self):
        for inverted in (False, True):
            chip, driver = uart.bl0942()
            chip.inverted_add_select = inverted
            chip.set_phase(0, 230_000, 29_253, -TEN_A_SECOND)
            sample = new_sample()
            uart.settle(driver, sample, 4)
            total = 0
            for _ in range(60):
                chip.feed(1_000)
                total += uart.settle(driver, sample, 4)[1]
            # 60 s of ten a second.
            self.assertEqual(total, -600)
            self.assertEqual(driver.health()["unsigned"] > 0, inverted)

    def test_import_and_export_in_turn(self):
        chip, driver = loaded()
        sample = new_sample()
        forward = backward = 0
        for second in range(100):
            power = TEN_A_SECOND if second % 20 < 13 else -TEN_A_SECOND
            chip.set_phase(0, 230_000, 29_253, power)
            chip.feed(1_000)
            _, counts = uart.settle(driver, sample, 3)
            forward += max(counts, 0)
            backward += min(counts, 0)
        # 65 s and 35 s; at each of the ten turns less than a count is netted within the chip.
        self.assertTrue(645 <= forward <= 650 and -350 <= backward <= -345)
        self.assertTrue(abs(forward + backward - 300) <= 1)

    def test_the_counter_runs_over_its_end_both_ways(self):
        for start, power, wanted in ((0xFFFFF0, TEN_A_SECOND, 30), (16, -TEN_A_SECOND, -30)):
            chip, _ = uart.bl0942()
            chip.poke(CF_CNT, start)
            driver = Bl0942(chip, uart.no_wait, [{}])
            driver.begin()
            chip.set_phase(0, 230_000, 29_253, power)
            total = 0
            for _ in range(3):
                chip.feed(1_000)
                total += uart.settle(driver, new_sample(), 6)[1]
            self.assertEqual(total, wanted)

    def test_a_jump_with_a_good_checksum_waits_for_a_second_opinion(self):
        answers, driver = scripted(packet(5_000))
        sample = new_sample()
        # Each answer is parsed by the reading after next's; MODE is seen before one is believed.
        found = []
        for count in (5_003, 5_003 + 0x100000, 5_010, 5_012, 5_012, 5_012):
            answers[ASK_PACKET] = packet(count)
            found.append((driver.read_into(sample), sample[ENERGY_COUNTS]))
        self.assertEqual(found, [(OK, 0), (OK, 3), (CORRUPT, 0), (NO_ANSWER, 0), (OK, 7), (OK, 2)])


class TestFaults(unittest.TestCase):
    def test_no_single_flipped_bit_is_ever_believed(self):
        good = packet(5_000, -26_380)
        answers, driver = scripted(good)
        sample = new_sample()
        for _ in range(2):
            self.assertEqual(driver.read_into(sample), OK)
        wanted = list(sample)
        for bit in range(8 * len(good)):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            answers[ASK_PACKET] = bytes(bad)
            uart.settle(driver, new_sample(), 4)
            self.assertEqual(driver.read_into(sample), CORRUPT)
            self.assertEqual(list(sample), wanted)

    def test_a_silent_chip_is_no_answer_and_its_energy_waits(self):
        chip, driver = loaded()
        chip.silent = True
        driver.read_into(new_sample())
        for _ in range(5):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        chip.silent = False
        self.assertEqual(uart.settle(driver, new_sample(), 6), (OK, 50))

    def test_a_line_that_breaks_is_no_answer_and_is_counted(self):
        line = uart.Script()
        driver = Bl0942(line, uart.no_wait, [{}])
        line.broken = True
        self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        self.assertEqual(driver.health()["bus_errors"], 1)

    def test_a_stuck_line_is_corrupt(self):
        for level in (0x00, 0xFF, 0x55):
            chip, driver = loaded()
            chip.line.stuck = level
            for _ in range(4):
                self.assertEqual(driver.read_into(new_sample()), CORRUPT)
            chip.line.stuck = -1
            chip.feed(1_000)
            self.assertEqual(uart.settle(driver, new_sample(), 8), (OK, 10))

    def test_a_frame_that_is_cut_or_followed_by_rubbish_loses_nothing(self):
        for length in range(23):
            chip, driver = loaded()
            chip.line.truncate_next(length)
            driver.read_into(new_sample())
            for byte in b"\x55\x00\xff":
                chip.line.put(byte)
            chip.feed(1_000)
            self.assertEqual(uart.settle(driver, new_sample(), 6), (OK, 10))

    def test_a_reset_far_from_zero_is_found_before_its_energy_is_believed(self):
        chip, driver = loaded()
        self.assertEqual(chip.peek(CF_CNT), 1_000)
        chip.brown_out()
        seen = []
        for _ in range(6):
            chip.feed(1_000)
            sample = new_sample()
            seen.append(driver.read_into(sample))
            self.assertEqual(sample[ENERGY_COUNTS], 0)
            if seen[-1] == RESTARTED:
                break
        # The packet asked for before the reset, the one after it, MODE of a reset, MODE of ours.
        self.assertEqual(seen, [OK, NO_ANSWER, NO_ANSWER, NO_ANSWER, RESTARTED])
        self.assertEqual(chip.peek(MODE), 0x07)
        self.assertEqual(driver.health()["restarts"], 1)
        # From that packet on: ten a second.
        chip.feed(3_000)
        status, counts = uart.settle(driver, new_sample(), 6)
        self.assertEqual(status, OK)
        self.assertEqual(counts, 40)

    def test_a_reset_of_a_chip_that_exported_is_no_import(self):
        # From -1000, which is 0xFFFC18, to 0: no thousand counts of import.
        for power in (-TEN_A_SECOND, -TEN_A_SECOND // 10):
            chip, driver = loaded(power)
            chip.brown_out()
            seen = []
            for _ in range(8):
                sample = new_sample()
                chip.feed(1_000)
                seen.append(driver.read_into(sample))
                self.assertTrue(sample[ENERGY_COUNTS] <= 0)
            self.assertIn(RESTARTED, seen)

    def test_a_reset_in_a_long_silence_is_found_out(self):
        chip, driver = loaded()
        chip.silent = True
        driver.read_into(new_sample())
        chip.brown_out()
        chip.feed(50_000)
        chip.silent = False
        status, counts = uart.settle(driver, new_sample(), 10)
        self.assertEqual((status, counts), (RESTARTED, 0))

    def test_a_reset_whose_counter_was_at_zero_is_found_too(self):
        chip, driver = uart.bl0942()
        chip.brown_out()
        found = [driver.read_into(new_sample()) for _ in range(70)]
        self.assertIn(RESTARTED, found)

    def test_a_mode_that_changed_by_itself_is_found_and_written_again(self):
        chip, driver = loaded()
        chip.poke(MODE, 0x47)  # clears CF_CNT when read
        found = [driver.read_into(new_sample()) for _ in range(70)]
        self.assertIn(RESTARTED, found)
        self.assertEqual(chip.peek(MODE), 0x07)

    def test_a_begin_that_finds_a_reset_chip_tells_of_it(self):
        chip, driver = loaded()
        chip.brown_out()
        driver.begin()
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), RESTARTED)
        chip.feed(1_000)
        self.assertEqual(uart.settle(driver, sample, 6), (OK, 10))

    def test_one_odd_mode_resets_no_good_chip(self):
        # ~(58 + 19 + 17) = 77
        answers = {ASK_MODE: MODE_IS_OURS, ASK_PACKET: packet(5_000)}
        line = uart.Replies(answers)
        driver = Bl0942(line, uart.no_wait, [{}])
        driver.begin()
        answers[ASK_MODE] = b"\x17\x00\x00\x77"
        while line.written[-1] != ASK_MODE:
            self.assertEqual(driver.read_into(new_sample()), OK)
        answers[ASK_MODE] = MODE_IS_OURS
        found = [driver.read_into(new_sample()) for _ in range(4)]
        self.assertEqual(found, [CORRUPT, NO_ANSWER, OK, OK])

    def test_a_chip_that_repeats_itself_under_load_is_corrupt_in_the_end(self):
        # 2 638 000 bits of WATT are 4 231.7 W: 60 kJ after 142 readings of 423.2 J.
        answers, driver = scripted(packet(5_000, 2_638_000))
        statuses = [driver.read_into(new_sample()) for _ in range(200)]
        self.assertFalse(CORRUPT in statuses[:140])
        self.assertFalse(OK in statuses[-50:])
        answers[ASK_PACKET] = packet(5_001, 2_638_000)
        self.assertEqual([driver.read_into(new_sample()) for _ in range(4)][-1], OK)

    def test_a_fall_near_zero_is_handed_on_once_mode_is_seen(self):
        # A house that exports what it imported after a power cut: no restart.
        chip, driver = uart.bl0942()
        chip.set_phase(0, 230_000, 29_253, TEN_A_SECOND)
        total = 0
        for power in (TEN_A_SECOND, -TEN_A_SECOND):
            chip.set_phase(0, 230_000, 29_253, power)
            for _ in range(5):
                chip.feed(1_000)
                status, counts = uart.settle(driver, new_sample(), 4)
                self.assertEqual(status & RESTARTED, 0)
                total += counts
            self.assertTrue(abs(total - (50 if power > 0 else 0)) <= 1)

    def test_a_power_at_the_end_of_its_register_is_told(self):
        for watt, wanted in ((0x7FFFFF, FLAG_SATURATED), (-0x800000, FLAG_SATURATED), (7, 0)):
            _, driver = scripted(packet(5_000, watt))
            sample = new_sample()
            driver.read_into(sample)
            self.assertEqual(sample[FLAGS], wanted)


if __name__ == "__main__":
    unittest.main()
