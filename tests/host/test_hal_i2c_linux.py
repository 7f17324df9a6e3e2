"""The I2C device of Linux, with smbus2 as it is, on an emulated /dev/i2c-1."""

import sys
import unittest

import pytest
import smbus2

from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.errors import BusError
from wattledger.tests.both.houses_buses import I2cBench, I2cPromises, keep_promises
from wattledger.tests.host.umockdev_bench import emulated

ADDRESS = 0x38  # of the emulated chip


def keep_the_bus_promises(chip):
    class Bench(I2cBench):
        def __init__(self):
            chip.renew()
            self.chip = chip
            self.device = LinuxI2c(1, ADDRESS, 2)

    keep_promises(unittest.TestCase(), I2cPromises, Bench)


def use_a_pointer_of_one_byte(chip):
    device = LinuxI2c(1, ADDRESS, 1)
    device.write(0x68, b"\x12\x34")
    # The emulated chip takes two bytes for its pointer: 0x6812, and 0x34 to put there.
    assert chip.peek(0x6812) == 0x34


def ask_where_nothing_is(chip):
    said = "/dev/i2c-1: no chip answers at 0x39"
    with pytest.raises(BusError, match=said):
        LinuxI2c(1, ADDRESS + 1, 2).read_into(0, bytearray(1))


@pytest.mark.parametrize(
    "check", [keep_the_bus_promises, use_a_pointer_of_one_byte, ask_where_nothing_is]
)
def test_on_an_emulated_bus(check):
    emulated("cells", "i2c", check)


class FailingBus:
    """A bus whose every exchange fails with `error`."""

    def __init__(self, error):
        self._error = error

    def i2c_rdwr(self, *messages):
        raise self._error


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (6, "no chip answers at 0x38: check its power"),  # ENXIO
        (121, "no chip answers at 0x38: check its power"),  # EREMOTEIO
        (110, "the transfer with 0x38 failed: .*110"),  # ETIMEDOUT
    ],
)
def test_each_driver_of_the_kernel_has_its_word_for_no_acknowledge(monkeypatch, number, said):
    monkeypatch.setattr(smbus2, "SMBus", lambda bus: FailingBus(OSError(number, "it")))
    device = LinuxI2c(1, 0x38)
    for attempt in (
        lambda: device.read_into(0, bytearray(1)),
        lambda: device.write(0, b"\x01"),
    ):
        with pytest.raises(BusError, match=said):
            attempt()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "it"), "/dev/i2c-1 is missing: .*dtparam=i2c_arm=on"),
        (PermissionError(13, "it"), "/dev/i2c-1 may not be used by this user: .*-aG i2c"),
        (OSError(16, "it"), "/dev/i2c-1 cannot be opened: .*16"),
    ],
)
def test_a_bus_that_cannot_be_opened_says_what_to_do(monkeypatch, error, said):
    def refuse(bus):
        raise error

    monkeypatch.setattr(smbus2, "SMBus", refuse)
    with pytest.raises(BusError, match=said):
        LinuxI2c(1, 0x38)


def test_the_real_package_gives_the_error_of_a_missing_bus():
    with pytest.raises(BusError, match="/dev/i2c-99 is missing"):
        LinuxI2c(99, 0x38)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "smbus2", None)
    with pytest.raises(BusError, match="/dev/i2c-1 needs the package smbus2: pip install"):
        LinuxI2c(1, 0x38)
