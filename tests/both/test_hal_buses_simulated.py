"""The simulated chips' own faces keep the promises of bus devices."""

import unittest

from wattledger.tests.both import houses_buses as houses


class SpiFace(houses.SpiBench):
    refuses_lengths = False

    def reach(self, chip):
        return chip


class I2cFace(houses.I2cBench):
    allocates = True  # it joins the pointer and the bytes

    def reach(self, chip):
        return chip


class UartFace(houses.UartBench):
    def reach(self, chip):
        return chip


class TestFaces(unittest.TestCase):
    def test_spi(self):
        houses.keep_promises(self, houses.SpiPromises, SpiFace)

    def test_i2c(self):
        houses.keep_promises(self, houses.I2cPromises, I2cFace)

    def test_uart(self):
        houses.keep_promises(self, houses.UartPromises, UartFace)


if __name__ == "__main__":
    unittest.main()
