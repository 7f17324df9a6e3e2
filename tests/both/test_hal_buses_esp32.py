"""The ESP32's bus files keep the promises of bus devices, on the simulated `machine`."""

import unittest

from wattledger.hal.errors import BusError
from wattledger.host_sim import machine
from wattledger.tests.both import (
    fixtures_machine,  # noqa: F401  before the ESP32's files
    fixtures_spi,
)
from wattledger.tests.both import houses_buses as houses
from wattledger.tests.both.fixtures_wires import Cells, Mirror, Talker
from wattledger.tests.both.houses_chips import keep_promises
from wattledger.tests.both.test_hal_atm90e32_contract import Atm90e32Bench

# isort: split
from wattledger.hal.bus.i2c_esp32 import Esp32I2c
from wattledger.hal.bus.spi_esp32 import Esp32Spi
from wattledger.hal.bus.uart_esp32 import Esp32Uart

SELECT = 5
ADDRESS = 0x38


def spi(mode=3, select=SELECT):
    return Esp32Spi(2, select, mode, 1_000_000, 18, 23, 19)


def i2c(register_bytes=2, address=ADDRESS):
    return Esp32I2c(0, address, register_bytes, 400_000, 22, 21)


def uart():
    return Esp32Uart(1, 4800, 17, 16, even=True)


class Spi(houses.SpiBench):
    def reach(self, chip):
        machine.detach_all()
        machine.attach_spi(2, SELECT, chip, mode=3)
        return spi()


class I2c(houses.I2cBench):
    def reach(self, chip):
        machine.detach_all()
        machine.attach_i2c(0, ADDRESS, chip)
        return i2c()


class Uart(houses.UartBench):
    def reach(self, chip):
        machine.detach_all()
        machine.attach_uart(1, chip)
        return uart()


class Atm90e32OnEsp32(Atm90e32Bench):
    """The driver, the ESP32's bus file, the simulated host and the chip."""

    def __init__(self, phases):
        self.chip = fixtures_spi.new_chip()
        machine.detach_all()
        machine.attach_spi(2, SELECT, self.chip, mode=3)
        self.driver = fixtures_spi.new_driver(spi(), phases)


class TestPromises(unittest.TestCase):
    def test_spi(self):
        houses.keep_promises(self, houses.SpiPromises, Spi)

    def test_i2c(self):
        houses.keep_promises(self, houses.I2cPromises, I2c)

    def test_uart(self):
        houses.keep_promises(self, houses.UartPromises, Uart)

    def test_a_metering_chip_at_the_end_of_it(self):
        keep_promises(self, Atm90e32OnEsp32)


class TestSpi(unittest.TestCase):
    def setUp(self):
        machine.detach_all()

    def test_two_chips_share_a_bus_and_each_hears_its_own(self):
        first, second = Mirror(), Mirror()
        machine.attach_spi(2, 5, first)
        machine.attach_spi(2, 6, second)
        one, other = spi(select=5), spi(select=6)
        one.transfer(b"\x01", bytearray(1))
        other.transfer(b"\x02\x03", bytearray(2))
        self.assertEqual((first.last(), second.last()), ("01", "0203"))

    def test_a_chip_hears_nothing_in_another_mode(self):
        chip = Mirror()
        machine.attach_spi(2, SELECT, chip, mode=3)
        into = bytearray(2)
        spi(mode=0).transfer(b"\x01\x02", into)
        self.assertEqual((chip.frames(), into), ([], bytearray(b"\xff\xff")))

    def test_the_chip_is_let_go_after_a_transfer_that_failed(self):
        class Failing:
            def transfer(self, out, into):
                raise OSError(5)

        machine.attach_spi(2, SELECT, Failing())
        with self.assertRaises(BusError):
            spi().transfer(b"\x01", bytearray(1))
        self.assertEqual(machine.Pin(SELECT).value(), 1)


class TestI2c(unittest.TestCase):
    def setUp(self):
        machine.detach_all()

    def test_a_pointer_of_one_byte(self):
        chip = Cells(1)
        machine.attach_i2c(0, ADDRESS, chip)
        device = i2c(1)
        device.write(0x68, b"\x12")
        into = bytearray(1)
        device.read_into(0x68, into)
        self.assertEqual((chip.peek(0x68), into), (0x12, bytearray(b"\x12")))

    def test_an_address_where_nothing_is_names_itself(self):
        machine.attach_i2c(0, ADDRESS, Cells())
        with self.assertRaises(BusError) as raised:
            i2c(address=0x39).read_into(0, bytearray(1))
        self.assertIn("no chip answers at 0x39", str(raised.exception))


class TestUart(unittest.TestCase):
    def setUp(self):
        machine.detach_all()

    def test_a_jammed_line_says_so(self):
        for room in (0, 3):
            machine.attach_uart(1, Talker(), room)
            with self.assertRaises(BusError) as raised:
                uart().write(b"abcdef")
            self.assertIn("took %d of 6 bytes" % room, str(raised.exception))

    def test_even_parity_is_the_esp32s_zero(self):
        self.assertEqual(uart()._port.settings, (4800, 8, 0, 1))
        self.assertEqual(Esp32Uart(1, 9600, 17, 16)._port.settings, (9600, 8, None, 1))


if __name__ == "__main__":
    unittest.main()
