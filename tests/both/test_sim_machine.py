"""The simulated `machine` does what MicroPython's does on an ESP32, where a driver can tell."""

import unittest

from wattledger.host_sim import machine as simulated
from wattledger.tests.both import fixtures_machine  # noqa: F401  before `machine`
from wattledger.tests.both.fixtures_wires import Cells, Mirror, Talker

# isort: split
import machine


class MachineTest(unittest.TestCase):
    def setUp(self):
        simulated.detach_all()


class TestTheModule(MachineTest):
    def test_it_takes_the_place_of_the_built_in_one(self):
        self.assertIs(machine.SPI, simulated.SPI)

    def test_causes_of_a_reset_are_the_esp32s(self):
        self.assertEqual(machine.reset_cause(), machine.PWRON_RESET)
        simulated.set_reset_cause(machine.WDT_RESET)
        self.assertEqual(machine.reset_cause(), 3)
        self.assertEqual(len(machine.unique_id()), 6)


class TestPin(MachineTest):
    def test_pins_of_one_number_share_a_level(self):
        machine.Pin(4, machine.Pin.OUT, value=1)
        pin = machine.Pin(4)
        self.assertEqual(pin(), 1)
        machine.Pin(4).off()
        self.assertEqual(pin.value(), 0)
        self.assertEqual(machine.Pin(5).value(), 0)


class TestSpi(MachineTest):
    def test_without_a_select_nothing_is_heard_and_the_line_floats(self):
        chip = Mirror()
        simulated.attach_spi(2, 5, chip)
        into = bytearray(2)
        machine.SPI(2).write_readinto(b"\0\0", into)
        self.assertEqual((into, chip.frames()), (bytearray(b"\xff\xff"), []))

    def test_a_second_transfer_in_one_select_is_no_second_frame(self):
        chip = Mirror()
        simulated.attach_spi(2, 5, chip)
        spi = machine.SPI(2)
        select = machine.Pin(5, machine.Pin.OUT, value=1)
        into = bytearray(2)
        select(0)
        spi.write_readinto(b"\x01\x02", into)
        spi.write_readinto(b"\x03\x04", into)
        self.assertEqual((into, chip.frames()), (bytearray(b"\xff\xff"), [2]))
        select(1)
        select(0)
        spi.write_readinto(b"\x03\x04", into)
        self.assertEqual((into, chip.frames()), (bytearray(b"\xfc\xfb"), [2, 2]))

    def test_two_selected_chips_are_a_fault_of_the_board(self):
        for select in (5, 6):
            simulated.attach_spi(2, select, Mirror())
            machine.Pin(select, machine.Pin.OUT, value=0)
        with self.assertRaises(RuntimeError):
            machine.SPI(2).write_readinto(b"\0", bytearray(1))

    def test_buffers_of_two_lengths_are_refused(self):
        with self.assertRaises(ValueError):
            machine.SPI(2).write_readinto(b"\0", bytearray(2))


class TestI2c(MachineTest):
    def test_no_acknowledge_is_enodev(self):
        chip = Cells()
        simulated.attach_i2c(0, 0x38, chip)
        bus = machine.I2C(0)
        chip.silent = True
        for attempt in (
            lambda: bus.writeto(0x38, b"\0\0"),
            lambda: bus.readfrom_into(0x38, bytearray(1)),
            lambda: bus.writeto_mem(0x38, 0, b"\0", addrsize=16),
            lambda: bus.readfrom_mem_into(0x38, 0, bytearray(1), addrsize=16),
            lambda: bus.writeto(0x39, b"\0\0"),
            lambda: machine.I2C(1).writeto(0x38, b"\0\0"),
        ):
            with self.assertRaises(OSError) as raised:
                attempt()
            self.assertEqual(raised.exception.args[0], 19)

    def test_a_scan_finds_what_is_there(self):
        simulated.attach_i2c(0, 0x68, Cells())
        simulated.attach_i2c(0, 0x38, Cells())
        self.assertEqual(machine.I2C(0).scan(), [0x38, 0x68])
        self.assertEqual(machine.SoftI2C(1).scan(), [])

    def test_raw_messages_and_registers_are_the_same_bytes(self):
        chip = Cells()
        simulated.attach_i2c(0, 0x38, chip)
        bus = machine.I2C(0)
        bus.writeto_mem(0x38, 0x0102, b"\x07", addrsize=16)
        into = bytearray(1)
        bus.writeto(0x38, b"\x01\x02")
        bus.readfrom_into(0x38, into)
        self.assertEqual(into, bytearray(b"\x07"))
        with self.assertRaises(ValueError):
            bus.writeto_mem(0x38, 0, b"\0", addrsize=12)


class TestUart(MachineTest):
    def test_nothing_is_none_and_a_piece_is_its_length(self):
        chip = Talker()
        simulated.attach_uart(1, chip)
        line = machine.UART(1, baudrate=4800)
        buffer = bytearray(4)
        self.assertIsNone(line.readinto(buffer))
        chip.says = b"ab"
        self.assertEqual(line.readinto(buffer), 2)
        self.assertEqual(line.write(b"xy"), 2)
        self.assertEqual(chip.heard, b"xy")

    def test_a_full_buffer_takes_what_fits(self):
        chip = Talker()
        simulated.attach_uart(1, chip, room=3)
        self.assertEqual(machine.UART(1).write(b"abcde"), 3)
        self.assertEqual(chip.heard, b"abc")
        simulated.attach_uart(1, chip, room=0)
        self.assertIsNone(machine.UART(1).write(b"a"))

    def test_an_open_line_hears_and_says_nothing(self):
        line = machine.UART(1)
        self.assertEqual(line.write(b"abc"), 3)
        self.assertIsNone(line.readinto(bytearray(3)))


if __name__ == "__main__":
    unittest.main()
