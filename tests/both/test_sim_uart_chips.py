"""The simulated serial chips against their sources, frame by frame."""

import unittest

from wattledger.host_sim.chip.angle import rotate
from wattledger.host_sim.chip.bl0942 import Bl0942
from wattledger.host_sim.chip.cse7766 import Cse7766
from wattledger.host_sim.chip.pzem004t import Pzem004t, crc16
from wattledger.host_sim.chip.uart_line import UartLine
from wattledger.tests.both import fixtures_uart as uart


def said(chip):
    """All that has arrived from a chip, as hexadecimal digits."""
    found = ""
    buffer = bytearray(16)
    while True:
        count = chip.read_into(buffer)
        if not count:
            return found
        found += "".join("%02X" % byte for byte in buffer[:count])


def asked(chip, text):
    """What a chip answers to these bytes."""
    chip.write(uart.data(text))
    return said(chip)


class TestLine(unittest.TestCase):
    def test_bytes_arrive_at_the_speed_of_the_line(self):
        line = UartLine(4_800)
        line.send(bytes(range(23)), 23)
        buffer = bytearray(64)
        # A character of ten bits takes 2.083 ms.
        self.assertEqual(line.read_into(buffer), 0)
        line.feed(2)
        self.assertEqual(line.read_into(buffer), 0)
        line.feed(1)
        self.assertEqual(line.read_into(buffer), 1)
        line.feed(44)
        self.assertEqual(line.read_into(buffer), 21)  # 47 ms are 22.56 characters
        line.feed(1)
        self.assertEqual(line.read_into(buffer), 1)
        self.assertEqual(buffer[0], 22)

    def test_a_parity_bit_makes_it_slower(self):
        line = UartLine(4_800, 11)
        line.send(bytes(24), 24)
        line.feed(54)
        buffer = bytearray(64)
        self.assertEqual(line.read_into(buffer), 23)  # 24 take 55 ms
        line.feed(1)
        self.assertEqual(line.read_into(buffer), 1)

    def test_a_full_receiver_keeps_the_oldest(self):
        line = UartLine()
        for number in range(1_030):
            line.put(number & 0xFF)
        self.assertEqual(line.lost, 6)
        buffer = bytearray(2_000)
        self.assertEqual(line.read_into(buffer), 1_024)
        self.assertEqual((buffer[0], buffer[1_023]), (0, 0xFF))

    def test_faults(self):
        line = UartLine()
        buffer = bytearray(8)
        line.corrupt_next(0x81, 2)
        line.send(b"\x00\x00\x00", 3)
        self.assertEqual((line.read_into(buffer), bytes(buffer[:3])), (3, b"\x00\x00\x81"))
        line.truncate_next(1)
        line.send(b"\x07\x08", 2)
        line.send(b"\x09", 1)
        self.assertEqual((line.read_into(buffer), bytes(buffer[:2])), (2, b"\x07\x09"))
        line.stuck = 0xFF
        self.assertEqual((line.read_into(buffer), bytes(buffer)), (8, b"\xff" * 8))
        line.stuck = -1
        line.silent = True
        line.send(b"\x07", 1)
        line.silent = False
        self.assertEqual(line.read_into(buffer), 0)


class TestBl0942(unittest.TestCase):
    def test_the_packet_of_the_golden_frame(self):
        chip = Bl0942()
        for register, value in (
            (0x03, 47_523),
            (0x04, 3_558_558),
            (0x05, 17_299),
            (0x06, 0x1000000 - 26_380),
            (0x07, 153),
            (0x08, 19_990),
            (0x09, 0x0101),
        ):
            chip.poke(register, value)
        self.assertEqual(asked(chip, "58AA"), uart.BL0942_FRAME)

    def test_power_on_values_and_their_checksums(self):
        chip = Bl0942()
        self.assertEqual(asked(chip, "5819"), "87000007")  # ~(58 + 19 + 87)
        self.assertEqual(asked(chip, "581A"), "0200008B")
        self.assertEqual(asked(chip, "5808"), "204E0031")  # 20 000

    def test_writes_need_the_key_and_the_checksum(self):
        chip = Bl0942()
        chip.write(uart.data("A81907000037"))
        self.assertEqual(chip.peek(0x19), 0x87)
        chip.write(uart.data("A81D550000E5A81907000038"))
        self.assertEqual(chip.peek(0x19), 0x87)
        chip.write(uart.data("A81907000037"))
        self.assertEqual(chip.peek(0x19), 0x07)
        chip.write(uart.data("A81C5A5A5A2D"))
        self.assertEqual((chip.peek(0x19), chip.peek(0x1D)), (0x87, 0))

    def test_another_address_is_not_heard(self):
        chip = Bl0942(address=1)
        self.assertEqual(asked(chip, "58AA"), "")
        self.assertEqual(len(asked(chip, "59AA")), 46)

    def test_raw_values_of_a_known_load(self):
        chip = Bl0942()
        chip.set_phase(0, 230_000, 5_000, -1_150_000)
        chip.set_mains(50_000)
        # 230 V x 510 / 1 950 510 are 60.1381 mV: x 73 989 / 1.218 = 3 653 168; 5 mV: x 305 978 /
        # 1.218; 3537 x -(5 x 60.1381) / 1.483524 = -716 903.
        self.assertTrue(abs(chip.peek(0x04) - 3_653_168) <= 2)
        self.assertEqual(chip.peek(0x03), 1_256_067)
        self.assertTrue(abs(chip.peek(0x06) - 0x1000000 + 716_903) <= 2)
        self.assertEqual(chip.peek(0x08), 20_000)

    def test_cf_cnt_by_mode(self):
        # 672.8177 J a count: 1 kW for an hour are 5350.6 counts.
        for mode, power, wanted in (
            (0x87, 1_000_000, 5_350),
            (0x87, -1_000_000, 5_350),
            (0x07, 1_000_000, 5_350),
            (0x07, -1_000_000, 0x1000000 - 5_350),
        ):
            chip = Bl0942()
            chip.poke(0x19, mode)
            chip.set_phase(0, 230_000, 4_348, power)
            for _ in range(3_600):
                chip.feed(1_000)
            self.assertEqual(chip.peek(0x07), wanted)
            self.assertEqual(chip.total_counts(0), 5_350 if power > 0 else -5_350)
            self.assertEqual(chip.peek(0x09) & 1, 0 if power > 0 else 1)

    def test_read_to_clear(self):
        chip = Bl0942()
        chip.poke(0x19, 0x47)
        chip.poke(0x07, 0x000203)
        self.assertEqual(asked(chip, "5807")[:6], "030200")
        self.assertEqual(chip.peek(0x07), 0)

    def test_a_brown_out_forgets_set_up_and_energy(self):
        chip = Bl0942()
        chip.poke(0x19, 0x07)
        chip.poke(0x07, 99)
        chip.brown_out()
        self.assertEqual((chip.peek(0x19), chip.peek(0x07)), (0x87, 0))
        self.assertEqual(chip.held_counts(0), 0)

    def test_the_front_end_can_be_wrong(self):
        chip = Bl0942()
        chip.set_phase(0, 230_000, 5_000, 1_150_000)
        power = chip.peek(0x06)
        chip.set_front_end(0, 10_000, 20_000)
        self.assertTrue(abs(chip.peek(0x06) - power * 10_302 // 10_000) <= 2)
        chip.set_front_end(0, 0, 0, 60_000)
        self.assertTrue(abs(chip.peek(0x06) * 2 - power) <= 2)


class TestCse7766(unittest.TestCase):
    def test_a_frame_of_a_known_load(self):
        chip = Cse7766()
        # Cycles 864, 200 and 2 000: 225 V, 82 A, 2 675.5 W.
        chip.set_phase(0, 225_000, 82_000, 2_675_500)
        chip.feed(59)
        self.assertEqual(said(chip), "")
        chip.feed(1)
        # CF: 60 ms of 2 675.5 W are 160.53 J, 30 counts of 5.351 J.
        body = "02F7600003600040100000C851A6580007D071001E"
        total = "%02X" % (sum(uart.data(body)) & 0xFF)
        self.assertEqual(said(chip), "555A" + body + total)

    def test_a_load_that_is_too_small_is_out_of_range(self):
        chip = Cse7766()
        chip.set_phase(0, 230_000, 0, 0)
        chip.push()
        frame = uart.data(said(chip))
        self.assertEqual((frame[0], frame[20]), (0xF6, 0x41))

    def test_cf_wraps_and_toggles(self):
        chip = Cse7766()
        chip.poke(3, 65_535)
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.feed(60)  # 60 J are 11 counts
        frame = uart.data(said(chip))
        self.assertEqual((frame[20] & 0x80, frame[21], frame[22]), (0x80, 0, 10))
        chip.brown_out()
        self.assertEqual(chip.peek(3), 0)

    def test_an_hour_of_a_kilowatt(self):
        chip = Cse7766(period_ms=3_600_000)
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.feed(3_600_000)
        self.assertEqual(chip.total_counts(0), 672_771)  # 3.6 MJ / 5.351 J


class TestPzem(unittest.TestCase):
    def test_the_golden_answer(self):
        module = Pzem004t()
        module.set_phase(0, 225_700, 108, 24_400)
        module.set_mains(50_000)
        module.poke(5, 38)
        module.poke(8, 100)
        self.assertEqual(asked(module, "01040000000A700D"), uart.PZEM_FRAME)

    def test_the_crc_of_the_sources(self):
        for text in ("F8040000000A6464", "01040000000A700D", uart.PZEM_FRAME):
            frame = uart.data(text)
            self.assertEqual(crc16(frame, len(frame) - 2), frame[-2] | frame[-1] << 8)

    def test_a_bad_crc_or_another_address_is_not_heard(self):
        module = Pzem004t()
        self.assertEqual(asked(module, "01040000000A700E"), "")
        self.assertEqual(asked(module, "02040000000A703E"), "")
        self.assertEqual(asked(module, "F8040000000A6464")[:6], "F80414")

    def test_registers_that_are_not_there_are_an_exception(self):
        module = Pzem004t()
        message = uart.data("01040000000B")
        check = crc16(message, 6)
        answer = asked(module, "01040000000B%02X%02X" % (check & 0xFF, check >> 8))
        self.assertEqual(answer[:6], "018402")

    def test_an_hour_of_a_kilowatt_and_a_reset(self):
        module = Pzem004t()
        module.set_phase(0, 230_000, 4_348, 1_000_000)
        for _ in range(3_600):
            module.feed(1_000)
        self.assertEqual(module.peek(5), 1_000)
        check = crc16(b"\x01\x42", 2)
        self.assertEqual(asked(module, "0142%02X%02X" % (check & 0xFF, check >> 8))[:4], "0142")
        self.assertEqual(module.peek(5), 0)
        self.assertEqual(module.total_counts(0), 1_000)


class TestAll(unittest.TestCase):
    def test_a_restored_chip_goes_on_as_the_one_it_was(self):
        for kind in (Bl0942, Cse7766, Pzem004t):
            first, second = kind(), kind()
            for chip in (first,):
                chip.set_phase(0, 230_000, 4_348, 1_000_000, 100_000)
                chip.set_mains(50_010)
                chip.set_front_end(0, 1_000, -2_000, 300)
                chip.feed(12_345)
            said(first)
            second.restore(first.state())
            for chip in (first, second):
                chip.feed(54_321)
            self.assertEqual(first.state(), second.state())
            self.assertEqual(said(first), said(second))
            self.assertEqual(second.true_import, 1_000_000 * 66_666)

    def test_angles(self):
        # cos 60 = 1/2, sin 60 = 0.8660254.
        self.assertEqual(rotate(1_000_000, 0, 60_000), (500_000, 866_025))
        self.assertEqual(rotate(1_000_000, 0, -60_000), (500_000, -866_025))
        self.assertEqual(rotate(1_000_000, 250_000, 90_000), (-250_000, 1_000_000))
        self.assertEqual(rotate(7, -9, 180_000), (-7, 9))
        self.assertEqual(rotate(123_456, 7, 0), (123_456, 7))
        # One degree: cos = 0.999847695, sin = 0.017452406.
        self.assertEqual(rotate(10_000_000, 0, 1_000), (9_998_477, 174_524))


if __name__ == "__main__":
    unittest.main()
