"""The simulated ADE7953 against its datasheet, frame by frame."""

import unittest

from wattledger.host_sim.chip.ade7953 import Ade7953

HEAP = "256K"


class Host:
    """The wire seen from the host, SPI frames as hexadecimal text."""

    def __init__(self, chip=None):
        self.chip = chip or Ade7953()

    def frame(self, text):
        out = bytearray(int(text[i : i + 2], 16) for i in range(0, len(text), 2))
        into = bytearray(len(out))
        self.chip.transfer(out, into)
        return "".join("%02X" % byte for byte in into[3:])


class TestFrames(unittest.TestCase):
    def test_power_on_values_by_width(self):
        host = Host()
        self.assertEqual(host.frame("00048000"), "40")  # LCYCMODE: RSTREAD
        self.assertEqual(host.frame("0102800000"), "8004")  # CONFIG
        self.assertEqual(host.frame("020480000000"), "00E419")  # VAR_NOLOAD, not 0
        self.assertEqual(host.frame("028080000000"), "400000")  # AIGAIN
        self.assertEqual(host.frame("022D80000000"), "100000")  # IRQSTATA: RESET

    def test_the_long_page_is_the_short_one_with_its_sign(self):
        host = Host()
        host.chip.poke(0x212, 0xFFFFFE)
        self.assertEqual(host.frame("021280000000"), "FFFFFE")
        self.assertEqual(host.frame("03128000000000"), "FFFFFFFE")

    def test_the_optimum_setting_needs_its_unlock_just_before(self):
        host = Host()
        host.frame("0120000030")
        self.assertEqual(host.frame("0120800000"), "0000")
        host.frame("00FE00AD")
        host.frame("0102000004")
        host.frame("0120000030")
        self.assertEqual(host.frame("0120800000"), "0000")
        host.frame("00FE00AD")
        host.frame("0120000030")
        self.assertEqual(host.frame("0120800000"), "0030")

    def test_the_last_registers_tell_what_was_heard(self):
        host = Host()
        host.frame("028100412345")
        self.assertEqual(host.frame("00FD8000"), "CA")
        self.assertEqual(host.frame("01FE800000"), "0281")
        self.assertEqual(host.frame("02FF80000000"), "412345")
        host.frame("0102800000")
        self.assertEqual(host.frame("00FD8000"), "35")
        self.assertEqual(host.frame("01FE800000"), "0102")
        self.assertEqual(host.frame("01FF800000"), "8004")
        self.assertEqual(host.frame("02FF80000000"), "412345")  # each width has its own

    def test_energy_clears_when_read_and_last_data_keeps_it(self):
        host = Host()
        host.chip.poke(0x21E, 0x123456)
        self.assertEqual(host.frame("021E80000000"), "123456")
        self.assertEqual(host.frame("02FF80000000"), "123456")
        self.assertEqual(host.frame("021E80000000"), "000000")

    def test_without_rstread_energy_stays(self):
        host = Host()
        host.frame("00040000")
        host.chip.poke(0x21E, 0x123456)
        self.assertEqual(host.frame("021E80000000"), "123456")
        self.assertEqual(host.frame("021E80000000"), "123456")

    def test_a_short_frame_does_nothing(self):
        host = Host()
        host.chip.poke(0x21E, 0x123456)
        host.frame("021E800000")
        self.assertEqual(host.chip.framing_faults, 1)
        self.assertEqual(host.chip.held_counts(0), 0x123456)

    def test_write_protection_covers_each_width_but_not_itself(self):
        host = Host()
        host.frame("00400007")
        host.frame("028100412345")
        host.frame("0108000010")
        host.frame("00040000")
        self.assertEqual(host.frame("028180000000"), "400000")
        self.assertEqual(host.frame("0108800000"), "0000")
        self.assertEqual(host.frame("00048000"), "40")
        host.frame("00400000")
        host.frame("028100412345")
        self.assertEqual(host.frame("028180000000"), "412345")

    def test_a_lock_on_one_interface_shuts_the_other(self):
        host = Host()
        host.frame("0102000004")
        self.assertFalse(host.chip.i2c_write(b"\x01\x02"))
        host.chip.brown_out()
        self.assertTrue(host.chip.i2c_write(b"\x01\x02"))
        self.assertTrue(host.chip.i2c_write(b"\x01\x02\x00\x04"))
        self.assertEqual(host.frame("0102800000"), "0000")

    def test_i2c_keeps_the_pointer(self):
        chip = Ade7953()
        chip.i2c_write(b"\x02\x81\x41\x23\x45")
        chip.i2c_write(b"\x02\x81")
        into = bytearray(3)
        self.assertTrue(chip.i2c_read(into))
        self.assertEqual(bytes(into), b"\x41\x23\x45")


class TestMetrology(unittest.TestCase):
    def loaded(self, power_mw=2_300_000, reactive=0):
        host = Host()
        host.chip.set_mains(50_000)
        host.chip.set_phase(0, 230_000, 10_000, power_mw, reactive)
        return host

    def test_measurements_of_230_v_and_10_a(self):
        host = self.loaded(-2_300_000)
        host.chip.feed(1_000)
        # 230 x 26 000 = 5 980 000; 10 x 100 000; 2300 x 2.6e9 x 4862401 / 9032007^2 = 356 437.5.
        self.assertEqual(host.chip.peek(0x21C), 5_980_000)
        self.assertEqual(host.chip.peek(0x21A), 1_000_000)
        self.assertEqual(0x1000000 - host.chip.peek(0x212), 356_437)
        self.assertEqual(host.chip.peek(0x10E), 4474)  # 223 750 / 50 - 1
        # 2300 W x 2.6e9 x 206 900 / 9032007^2 = 15 166.8 counts a second.
        self.assertEqual(host.chip.held_counts(0), -15_166)

    def test_half_full_and_full(self):
        # 31 375.83 W is full scale: 206 900 counts a second.
        host = self.loaded(31_375_827)
        for seconds, expected in ((20, 0), (1, 1), (19, 1), (1, 9)):
            host.chip.feed(seconds * 1_000)
            self.assertEqual(host.chip.peek(0x22D) & 9, expected)
        self.assertTrue(host.chip.held_counts(0) < 0)  # 0x7FFFFF went on to 0x800000
        self.assertEqual(host.chip.overflows, 1)

    def test_gains_scale(self):
        host = self.loaded()
        host.frame("028100480000")  # AVGAIN x 1.125
        host.frame("028000300000")  # AIGAIN x 0.75
        host.frame("028200500000")  # AWGAIN x 1.25
        host.chip.feed(1_000)
        self.assertEqual(host.chip.peek(0x21C), 6_727_500)
        self.assertEqual(host.chip.peek(0x21A), 750_000)
        # 356 437.53 x 1.125 x 0.75 x 1.25 = 375 930.2
        self.assertEqual(host.chip.peek(0x212), 375_930)

    def test_phcal_is_sign_and_magnitude_and_a_delay(self):
        # 300 x 360 x 50 / 895 000 = 6.033 degrees: sine 0.10510. Reactive / active power.
        host = self.loaded()
        for word, frequency, sign, sine in (
            ("012C", 50_000, 1, 10510),
            ("032C", 50_000, -1, 10510),
            ("012C", 60_000, 1, 12601),  # 7.240 degrees
        ):
            host.frame("010800" + word)
            host.chip.set_mains(frequency)
            host.chip.feed(1)
            value = host.chip.peek(0x214)
            value = value - 0x1000000 if value & 0x800000 else value
            self.assertTrue(abs(value * 100_000 // 356_437 - sign * sine) < 10)

    def test_a_power_offset_is_a_512th(self):
        host = self.loaded(0)
        host.frame("0289000C8000")  # 819 200 / 512 = 1600 LSB
        host.chip.feed(1_000)
        self.assertEqual(host.chip.peek(0x212), 1600)

    def test_an_rms_offset_is_in_squares_by_4096(self):
        host = self.loaded(0)
        host.chip.set_phase(0, 0, 0, 0)
        host.frame("028600000400")  # 1024 x 4096 is 2048 squared
        host.chip.feed(1)
        self.assertEqual(host.chip.peek(0x21A), 2048)

    def test_no_load_stops_energy_below_a_10_000th_of_full_scale(self):
        # 31 376 W / 10 000 = 3.14 W
        for milliwatts, counts in ((3_100, False), (3_180, True)):
            host = self.loaded(milliwatts)
            host.chip.feed(10_000)
            self.assertEqual(host.chip.held_counts(0) > 0, counts)

    def test_line_cycle_mode_gives_nothing_at_a_second_read(self):
        host = self.loaded()
        host.frame("00040041")  # ALWATT and RSTREAD
        host.frame("0101000064")  # 100 half cycles: 1 s
        host.chip.feed(1_000)
        self.assertEqual(host.frame("021E80000000"), "003B3E")  # 15 166
        host.chip.feed(500)
        self.assertEqual(host.frame("021E80000000"), "000000")

    def test_a_sensor_with_errors(self):
        host = self.loaded()
        host.chip.set_front_end(0, 10_000, -20_000, 60_000)
        host.chip.feed(1)
        self.assertEqual(host.chip.peek(0x21C), 6_039_800)
        self.assertEqual(host.chip.peek(0x21A), 980_000)
        # 356 437.53 x 1.01 x 0.98 x cos 60 = 176 400.9
        self.assertEqual(host.chip.peek(0x212), 176_400)

    def test_the_chip_survives_a_restart_of_the_simulator(self):
        host = self.loaded()
        host.frame("028100480000")
        host.chip.feed(12_345)
        other = Ade7953()
        other.restore(host.chip.state())
        for chip in (host.chip, other):
            chip.feed(5_000)
        self.assertEqual(other.state(), host.chip.state())


if __name__ == "__main__":
    unittest.main()
