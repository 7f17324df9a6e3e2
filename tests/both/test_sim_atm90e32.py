"""The simulated ATM90E32 against its datasheet, frame by frame."""

import unittest

from wattledger.host_sim.chip.atm90e32 import Atm90e32

try:
    from micropython import heap_lock, heap_unlock
except ImportError:  # CPython has no heap to lock; the transfers are made all the same

    def heap_lock():
        pass

    def heap_unlock():
        pass


FORWARD_T = 0x80
FORWARD_A = 0x81
REVERSE_A = 0x85
LAST_SPI_DATA = 0x78
CRC_ERR_STATUS = 0x79
LOCK = 0x7F
# 40 W for an hour is 40 Wh, at 3.125 mWh a count 12 800 counts.
HOUR_MS = 3_600_000
COUNTS_OF_40_WH = 12_800


class Host:
    """The wire seen from the host."""

    def __init__(self, chip):
        self.chip = chip

    def frame(self, text):
        into = bytearray(len(text) // 2)
        out = bytearray(int(text[i : i + 2], 16) for i in range(0, len(text), 2))
        self.chip.transfer(out, into)
        return into

    def read(self, address):
        into = self.frame("%02X%02X0000" % (0x80 | address >> 8, address & 0xFF))
        return into[2] << 8 | into[3]

    def write(self, address, value):
        self.frame("%02X%02X%04X" % (address >> 8, address & 0xFF, value))

    def read32(self, high, low):
        return self.read(high) << 16 | self.read(low)


def started(voltage_gain=0x8000, current_gain=0x8000):
    """A chip that measures with the gains its board needs, and its host."""
    chip = Atm90e32(voltage_gain, current_gain)
    host = Host(chip)
    host.write(LOCK, 0x55AA)
    host.write(0x00, 1)
    for phase in range(3):
        host.write(0x61 + 4 * phase, voltage_gain)
        host.write(0x62 + 4 * phase, current_gain)
    return chip, host


class TestFrames(unittest.TestCase):
    def test_read_frame_carries_read_bit_and_ten_address_bits(self):
        host = Host(Atm90e32())
        self.assertEqual(bytes(host.frame("80050000")[2:]), b"\x14\x3f")
        self.assertEqual(bytes(host.frame("80000000")[2:]), b"\x00\x00")
        host.chip.poke(0x3FF, 0xDEAD)
        self.assertEqual(bytes(host.frame("83FF0000")), b"\x00\x00\xde\xad")

    def test_power_on_values(self):
        host = Host(Atm90e32())
        self.assertEqual(host.read32(0x31, 0x32), 140_625_000)  # 450e9 / 3200
        self.assertEqual(host.read(0x33), 0x0087)
        self.assertEqual(host.read(0x61), 0x8000)
        self.assertEqual(host.read(0x6A), 0x8000)
        self.assertEqual(host.read(0x47), 0)
        self.assertEqual(host.read(LOCK), 0)

    def test_only_exactly_32_clocks_do_anything(self):
        chip, host = started()
        host.write(0x08, 0x1234)
        for text in ("0008AA", "0008AABBCC", "00", "0008AABB0009CCDD"):
            answer = host.frame(text)
            self.assertEqual(bytes(answer), b"\xff" * len(answer))
        self.assertEqual(chip.framing_faults, 4)
        self.assertEqual(host.read(0x08), 0x1234)

    def test_short_read_does_not_clear_energy(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        host.frame("808100")
        self.assertEqual(host.read(FORWARD_A), COUNTS_OF_40_WH)

    def test_silent_chip_answers_ones_and_hears_nothing(self):
        chip, host = started()
        chip.silent = True
        self.assertEqual(host.read(0x33), 0xFFFF)
        host.write(0x08, 0x4321)
        chip.silent = False
        self.assertEqual(host.read(0x08), 0x1000)
        self.assertEqual(chip.framing_faults, 0)


class TestLock(unittest.TestCase):
    def test_configuration_takes_writes_only_while_open(self):
        host = Host(Atm90e32())
        host.write(0x00, 1)
        self.assertEqual(host.read(0x00), 0)
        host.frame("007F55AA")
        host.write(0x00, 1)
        self.assertEqual(host.read(0x00), 1)
        host.frame("007F0000")
        host.write(0x6C, 5)
        self.assertEqual(host.read(0x6C), 0)
        self.assertEqual(host.read(0x00), 1)

    def test_measurements_and_energy_take_no_writes(self):
        host = started()[1]
        for address in (FORWARD_A, 0xB1, 0xD9, 0xF8, LAST_SPI_DATA, CRC_ERR_STATUS):
            host.write(address, 0x5555)
            self.assertEqual(host.chip.peek(address), 0x5555 if address == LAST_SPI_DATA else 0)

    def test_soft_reset_restores_power_on_values_and_needs_its_key(self):
        chip, host = started()
        host.write(0x61, 0x9000)
        host.write(0x70, 0x1234)
        self.assertEqual(host.read(0x61), 0x9000)
        host.frame("0070789A")
        self.assertEqual(host.read(0x61), 0x8000)
        self.assertEqual(host.read(0x00), 0)
        self.assertEqual(host.read(LOCK), 0)

    def test_disturbed_configuration_raises_the_crc_flag_until_closed_again(self):
        chip, host = started()
        host.write(LOCK, 0)
        chip.poke(0x61, 0x8001)
        self.assertEqual(host.read(CRC_ERR_STATUS), 1)
        host.write(LOCK, 0x55AA)
        host.write(LOCK, 0)
        self.assertEqual(host.read(CRC_ERR_STATUS), 0)


class TestEnergyRegisters(unittest.TestCase):
    def test_one_count_is_11250_mws(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 5, 1_125)
        chip.feed(9_999)
        self.assertEqual(host.read(FORWARD_A), 0)
        chip.feed(1)  # 1.125 W x 10 s
        self.assertEqual(host.read(FORWARD_A), 1)

    def test_read_clears_one_register_and_keeps_the_remainder(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS + 281)  # 281 ms at 40 W is 11 240 mWs
        self.assertEqual(host.read(FORWARD_A), COUNTS_OF_40_WH)
        self.assertEqual(host.read(FORWARD_A), 0)
        self.assertEqual(host.read(FORWARD_T), COUNTS_OF_40_WH)
        chip.feed(1)
        self.assertEqual(host.read(FORWARD_A), 1)

    def test_export_counts_in_the_reverse_register(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 174, -40_000)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_A), 0)
        self.assertEqual(host.read(REVERSE_A), COUNTS_OF_40_WH)
        self.assertEqual(host.read(0x84), COUNTS_OF_40_WH)
        self.assertEqual(chip.total_counts(0), -COUNTS_OF_40_WH)
        self.assertEqual((chip.true_import, chip.true_export), (0, 144_000_000_000))

    def test_sum_of_phases_is_by_sign_or_absolute(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 435, 100_000)
        chip.set_phase(1, 230_000, 174, -40_000)
        chip.set_phase(2, 230_000, 87, -20_000)
        chip.feed(HOUR_MS)
        self.assertEqual((host.read(FORWARD_T), host.read(0x84)), (COUNTS_OF_40_WH, 0))
        host.write(0x33, 0x008F)  # ABSEnP
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_T), 51_200)  # 160 Wh
        host.write(0x33, 0x0084)  # phase A alone
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_T), 32_000)  # 100 Wh

    def test_reactive_and_apparent_energy_count(self):
        chip, host = started()
        chip.set_phase(0, 200_000, 1_000, 160_000, -120_000)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(0x89), 0)
        self.assertEqual(host.read(0x8D), 38_400)  # 120 varh
        self.assertEqual(host.read(0x91), 64_000)  # 200 VAh

    def test_register_wraps_after_65535_counts(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 0, 1_000_000)  # without current, so that VAh does not wrap too
        chip.feed(HOUR_MS)  # 320 000 counts = 4 x 65 536 + 57 856
        self.assertEqual(host.read(FORWARD_A), 57_856)
        self.assertEqual(chip.overflows, 8)  # four times phase A, four times the sum
        self.assertEqual(chip.total_counts(0), 320_000)

    def test_a_day_in_odd_slices_is_exact(self):
        # 1 234.567 W x 86 400 s / 11 250 mWs = 9 481 474.56 counts
        chip, host = started(0x8F5C, 0x7C29)
        chip.set_phase(0, 230_000, 5_368, 1_234_567)
        collected = passed = 0
        while passed < 86_400_000:
            slice_ms = min(9_973, 86_400_000 - passed)
            chip.feed(slice_ms)
            passed += slice_ms
            collected += host.read(FORWARD_A)
        self.assertEqual(collected, 9_481_474)
        self.assertEqual(chip.total_counts(0), 9_481_474)
        self.assertEqual(chip.held_counts(0), 0)
        self.assertEqual(chip.true_import, 106_666_588_800_000)
        chip.feed(5)  # 0.44 of a count is 4 950 mWs: 4.0096 ms more
        self.assertEqual(host.read(FORWARD_A), 1)

    def test_other_meter_constant_changes_the_count(self):
        chip, host = started()
        host.write(0x31, 0x10C3)  # 281 250 000: 1600 imp/kWh
        host.write(0x32, 0x88D0)
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_A), COUNTS_OF_40_WH // 2)

    def test_nothing_counts_below_the_start_thresholds(self):
        chip, host = started()
        host.write(0x38, 125)  # PPhaseTh: 125 x 0.32 mW = 40 mW
        chip.set_phase(0, 230_000, 1, 39)
        chip.feed(1000 * HOUR_MS)
        self.assertEqual((host.read(FORWARD_A), host.read(FORWARD_T)), (0, 0))
        chip.set_phase(0, 230_000, 1, 40)
        chip.feed(1000 * HOUR_MS)
        self.assertEqual((host.read(FORWARD_A), host.read(FORWARD_T)), (12_800, 12_800))
        host.write(0x35, 126)  # PStartTh stops the sum only
        chip.feed(1000 * HOUR_MS)
        self.assertEqual((host.read(FORWARD_A), host.read(FORWARD_T)), (12_800, 0))

    def test_nothing_counts_before_metering_is_enabled(self):
        chip = Atm90e32()
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        self.assertEqual(Host(chip).read(FORWARD_A), 0)
        self.assertEqual(Host(chip).read(0xD9), 0)
        self.assertEqual(chip.true_import, 144_000_000_000)


class TestLastSpiData(unittest.TestCase):
    def test_holds_the_data_of_the_last_transfer(self):
        host = started()[1]
        host.frame("007F55AA")
        self.assertEqual(host.read(LAST_SPI_DATA), 0x55AA)
        self.assertEqual(host.read(LAST_SPI_DATA), 0x55AA)
        host.read(0x33)
        self.assertEqual(host.read(LAST_SPI_DATA), 0x0087)

    def test_keeps_the_energy_the_wire_spoiled(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        chip.corrupt_next(0x0101, FORWARD_A)
        self.assertEqual(host.read(0x33), 0x0087)
        self.assertEqual(host.read(FORWARD_A), COUNTS_OF_40_WH ^ 0x0101)
        self.assertEqual(host.read(LAST_SPI_DATA), COUNTS_OF_40_WH)
        self.assertEqual(host.read(FORWARD_A), 0)

    def test_any_next_answer_can_be_corrupted_once(self):
        chip, host = started()
        chip.corrupt_next(0x8000)
        self.assertEqual(host.read(0x33), 0x8087)
        self.assertEqual(host.read(0x33), 0x0087)


class TestMeasurements(unittest.TestCase):
    def test_units_of_the_registers(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 5_500, -1_265_000)
        chip.set_mains(49_980, 315)
        chip.feed(1)
        self.assertEqual(host.read(0xD9), 23_000)
        self.assertEqual(host.read(0xDD), 5_500)
        self.assertEqual(host.read(0xF8), 4_998)
        self.assertEqual(host.read(0xFC), 32)
        self.assertEqual(host.read(0xBD), 0xFC18)  # -1.000
        # -1265 W / 0.32 mW = -3 953 125; 1265 VA = 3 953 125
        self.assertEqual(host.read32(0xB1, 0xC1), 0x100000000 - 3_953_125)
        self.assertEqual(host.read32(0xB0, 0xC0), 0x100000000 - 3_953_125)
        self.assertEqual(host.read32(0xB9, 0xC9), 3_953_125)

    def test_power_is_a_signed_32_bit_pair(self):
        chip, host = started()
        host.write(0x41, 11)  # 20.968 W is 65 525 steps of 0.32 mW, and 11 of offset
        chip.set_phase(0, 230_000, 91, 20_968)
        chip.feed(1)
        self.assertEqual((host.read(0xB1), host.read(0xC1)), (1, 0))
        host.write(0x41, 0xFFFF)
        chip.set_phase(0, 230_000, 0, 0)
        chip.feed(1)
        self.assertEqual((host.read(0xB1), host.read(0xC1)), (0xFFFF, 0xFFFF))

    def test_voltage_gain_of_the_application_note(self):
        # 0x8000 x 220.00 / 123.453 = 0xE41B (Atmel-46103A)
        chip = Atm90e32(0xE41B, 0x8000)
        host = Host(chip)
        host.write(LOCK, 0x55AA)
        host.write(0x00, 1)
        chip.set_phase(0, 220_000, 0, 0)
        chip.feed(1)
        self.assertEqual(host.read(0xD9), 12_345)
        host.write(0x61, 0xE41B)
        chip.feed(1)
        self.assertEqual(host.read(0xD9), 22_000)

    def test_wrong_gains_show_in_current_power_and_energy(self):
        chip, host = started()
        host.write(0x62, 0x4000)
        chip.set_phase(0, 230_000, 1_000, 230_000)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(0xDD), 500)
        self.assertEqual(host.read32(0xB1, 0xC1), 359_375)  # 115 W / 0.32 mW
        self.assertEqual(host.read(FORWARD_A), 36_800)  # 115 Wh

    def test_power_gain_corrects_by_parts_of_32768(self):
        # 5 % too much: -0.05 / 1.05 x 2**15 = -1560.4, the gain is 31 208 / 32 768
        chip, host = started()
        host.write(0x47, 0x10000 - 1_560)
        chip.set_phase(0, 230_000, 174, 40_960)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_A), 12_483)  # 39.01 Wh / 3.125 mWh = 12 483.2
        self.assertEqual(host.read32(0xB1, 0xC1), 121_906)  # 39.01 W / 0.32 mW = 121 906.25

    def test_offset_counts_without_load(self):
        chip, host = started()
        host.write(0x43, 125)  # phase B: 40 mW
        chip.feed(1000 * HOUR_MS)
        self.assertEqual(host.read(0x82), COUNTS_OF_40_WH)

    def test_voltage_offset_is_in_512ths_of_a_hundredth(self):
        chip, host = started()
        host.write(0x63, 0x10000 - 512)
        chip.set_phase(0, 230_000, 0, 0)
        chip.feed(1)
        self.assertEqual(host.read(0xD9), 22_999)

    def test_current_amplifier_multiplies(self):
        chip, host = started()
        host.write(0x34, 0x0002)
        chip.set_phase(0, 230_000, 1_000, 230_000)
        chip.feed(1)
        self.assertEqual(host.read(0xDD), 4_000)

    def test_amplifiers_of_all_channels(self):
        # 0x15 and 0x2A: 2x and 4x of A, B and C.
        chip, host = started()
        for mode, current in ((0x00, 1_000), (0x15, 2_000), (0x2A, 4_000)):
            host.write(0x34, mode)
            for phase in range(3):
                chip.set_phase(phase, 230_000, 1_000, 230_000)
            chip.feed(1)
            for register in (0xDD, 0xDE, 0xDF):
                self.assertEqual(host.read(register), current)

    def test_readings_saturate(self):
        chip, host = started()
        chip.set_phase(0, 700_000, 90_000, 0)
        chip.feed(1)
        self.assertEqual((host.read(0xD9), host.read(0xDD)), (0xFFFF, 0xFFFF))


class TestRestarts(unittest.TestCase):
    def test_brown_out_forgets_everything_but_the_truth(self):
        chip, host = started(0x9000, 0x9000)
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        chip.brown_out()
        self.assertEqual(host.read(FORWARD_A), 0)
        self.assertEqual(host.read(0x61), 0x8000)
        self.assertEqual(host.read(0x00), 0)
        self.assertEqual(host.read(LOCK), 0)
        chip.feed(HOUR_MS)
        self.assertEqual(host.read(FORWARD_A), 0)
        self.assertEqual(host.read(0xD9), 0)
        self.assertEqual(chip.total_counts(0), COUNTS_OF_40_WH)
        self.assertEqual(chip.true_import, 288_000_000_000)

    def test_restored_chip_goes_on_to_the_last_mws(self):
        chip, host = started(0x8F5C, 0x7C29)
        chip.set_phase(0, 231_000, 174, 40_000, 1_000)
        chip.feed(HOUR_MS + 281)
        host.read(FORWARD_T)
        copy = Atm90e32(0x8F5C, 0x7C29)
        copy.restore(chip.state())
        self.assertEqual(copy.peek(LAST_SPI_DATA), COUNTS_OF_40_WH)
        self.assertEqual(copy.state(), chip.state())
        self.assertEqual(Host(copy).read(0xD9), 23_100)  # measured before any time passes
        self.assertEqual(Host(copy).read(FORWARD_T), 0)
        self.assertEqual(Host(copy).read(FORWARD_A), COUNTS_OF_40_WH)
        copy.feed(1)
        self.assertEqual(Host(copy).read(FORWARD_A), 1)

    def test_changed_tells_what_must_be_saved(self):
        chip, host = started()
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        chip.changed = False
        host.read(0xD9)
        host.read(REVERSE_A)
        self.assertFalse(chip.changed)
        host.read(FORWARD_A)
        self.assertTrue(chip.changed)
        chip.changed = False
        host.write(0x08, 1)
        self.assertTrue(chip.changed)


class TestHeap(unittest.TestCase):
    def test_thousand_transfers_allocate_nothing(self):
        chip = started()[0]
        chip.set_phase(0, 230_000, 174, 40_000)
        chip.feed(HOUR_MS)
        texts = (
            "80810000",
            "80780000",
            "80D90000",
            "80B10000",
            "00081234",
            "0070789A",
            "007F55AA",
        )
        frames = [bytearray(int(t[i : i + 2], 16) for i in (0, 2, 4, 6)) for t in texts]
        short = bytearray(3)
        into = bytearray(4)
        chip.corrupt_next(1, 0xD9)
        heap_lock()
        try:
            for count in range(1000):
                chip.transfer(frames[count % 7], into)
            chip.transfer(short, into)
        finally:
            heap_unlock()
        self.assertEqual(chip.framing_faults, 1)


class TestFrontEnd(unittest.TestCase):
    """Sensors that are wrong, and what Phi makes of them. 10 A, 230 V."""

    def power(self, chip, host):
        chip.feed(1000)
        value = host.read32(0xB1, 0xC1)
        return (value - (1 << 32) if value >> 31 else value) * 0.00032

    def watts(self, angle_mdeg=0, phi=0, power_mw=1_150_000, hertz=50):
        chip, host = started()
        chip.set_mains(hertz * 1000)
        chip.set_front_end(0, angle_mdeg=angle_mdeg)
        chip.set_phase(0, 230_000, 10_000, power_mw, 1_991_858)
        host.write(LOCK, 0x55AA)
        host.write(0x48, phi)
        host.write(LOCK, 0)
        return self.power(chip, host)

    def assert_near(self, found, wanted):
        self.assertLess(abs(found - wanted), 0.05)

    def test_gain_errors_are_in_what_they_measure(self):
        chip, host = started()
        chip.set_front_end(0, 30_000, -20_000)
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        # 230 V x 1.03, 10 A x 0.98, 2300 W x 1.03 x 0.98.
        self.assert_near(self.power(chip, host), 2321.62)
        self.assertEqual((host.read(0xD9), host.read(0xDD)), (23_690, 9_800))

    def test_a_current_that_lags_more_carries_less(self):
        # 2300 VA at 60 degrees; cos 62 = 0.4694716, cos 58 = 0.5299193.
        self.assert_near(self.watts(), 1150)
        self.assert_near(self.watts(2_000), 1079.785)
        self.assert_near(self.watts(-2_000), 1218.814)

    def test_phi_delays_the_current_or_with_bit_15_the_voltage(self):
        # 100 of 40 960 cycles are 0.8789 degrees: cos 60.8789 = 0.486655, cos 59.1211 = 0.513226.
        self.assert_near(self.watts(phi=100), 1119.31)
        self.assert_near(self.watts(phi=0x8064), 1180.42)
        # At 60 Hz 1.0547 degrees: cos 61.0547 = 0.483974.
        self.assert_near(self.watts(phi=100, hertz=60), 1113.14)

    def test_it_survives_a_restart_of_the_simulator(self):
        chip, _ = started()
        chip.set_front_end(1, 1, -2, 3)
        chip.set_sequence(True)
        chip.feed(1)
        second = Atm90e32()
        second.restore(chip.state())
        self.assertEqual(second.state(), chip.state())


class TestMainsState(unittest.TestCase):
    """EMMState1 tells what is, EMMIntState1 what was until a 1 is written to its bit."""

    def test_sag_and_loss_after_the_time_of_sag_peak_det_cfg(self):
        chip, host = started()
        # SagTh 0x1000 at Ugain 0x8000 is 4096 x 32768 / 23170 = 57.93 V, PhaseLossTh a quarter.
        for volts, state in ((58, 0), (57, 0x4000), (14, 0x4400), (230, 0)):
            for phase in range(3):
                chip.set_phase(phase, 230_000, 0, 0)
            chip.set_phase(0, volts * 1000, 0, 0)
            chip.feed(62)
            before = host.read(0x72)
            chip.feed(1)
            self.assertEqual(host.read(0x72), state)
            self.assertEqual(before == state, state == 0 and volts == 58)
        self.assertEqual(host.read(0x74) & 0x4400, 0x4400)
        host.write(0x74, 0x4000)
        self.assertEqual(host.read(0x74) & 0x4400, 0x0400)

    def test_sequence(self):
        chip, host = started()
        chip.set_sequence(True)
        chip.feed(1)
        self.assertEqual(host.read(0x71), 0x0200)
        chip.set_sequence(False)
        chip.feed(1)
        self.assertEqual((host.read(0x71), host.read(0x73)), (0, 0x0200))


if __name__ == "__main__":
    unittest.main()
