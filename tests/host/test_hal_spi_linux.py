"""The SPI device of Linux, with spidev as it is, on an emulated /dev/spidev0.0."""

import sys
import types
import unittest

import pytest

from wattledger.hal.bus.spi_linux import LinuxSpi
from wattledger.hal.errors import BusError
from wattledger.tests.both import fixtures_spi
from wattledger.tests.both.houses_buses import SpiBench, SpiPromises
from wattledger.tests.both.houses_buses import keep_promises as keep_bus_promises
from wattledger.tests.both.houses_chips import keep_promises
from wattledger.tests.both.test_hal_atm90e32_contract import Atm90e32Bench
from wattledger.tests.host.umockdev_bench import emulated, need


def keep_the_bus_promises(chip):
    class Bench(SpiBench):
        def __init__(self):
            chip.renew()
            self.chip = chip
            self.device = LinuxSpi(0, 0, 3, 1_000_000)

    keep_bus_promises(unittest.TestCase(), SpiPromises, Bench)


def keep_the_chips_promises(chip):
    class Bench(Atm90e32Bench):
        hour_readings = 45  # 80 s at a kilowatt are a ninth of the register

        def __init__(self, phases):
            chip.renew()
            self.chip = chip
            self.driver = fixtures_spi.new_driver(LinuxSpi(0, 0, 3, 1_000_000), phases)

    keep_promises(unittest.TestCase(), Bench)


def find_the_settings_in_the_kernel(chip):
    LinuxSpi(0, 0, 3, 1_000_000).close()
    import spidev

    later = spidev.SpiDev()
    later.open(0, 0)  # a fresh one asks the kernel
    assert (later.mode, later.bits_per_word, later.max_speed_hz) == (3, 8, 1_000_000)


@pytest.mark.parametrize(
    ("chip", "check"),
    [
        ("mirror", keep_the_bus_promises),
        ("atm90e32", keep_the_chips_promises),
        ("atm90e32", find_the_settings_in_the_kernel),
    ],
)
def test_on_an_emulated_bus(chip, check):
    emulated(chip, "spi", check)


def expect_a_failed_check(chip):
    chip.set_phase(7, 230_000, 0, 0)


def test_a_check_that_fails_in_the_other_process_fails_here():
    with pytest.raises(AssertionError, match="IndexError"):
        emulated("atm90e32", "spi", expect_a_failed_check)


def opening(monkeypatch, error):
    """The message of a LinuxSpi whose device file gives `error` when opened."""

    class Port:
        def open(self, bus, select):
            raise error

    monkeypatch.setitem(sys.modules, "spidev", types.SimpleNamespace(SpiDev=Port))
    with pytest.raises(BusError) as raised:
        LinuxSpi(0, 1, 3, 1_000_000)
    return str(raised.value)


def test_a_user_without_the_group_is_told_how_to_get_it(monkeypatch):
    said = opening(monkeypatch, PermissionError(13, "Permission denied"))
    assert said == (
        "/dev/spidev0.1 may not be used by this user: sudo usermod -aG spi USER, then log in again"
    )


def test_any_other_refusal_is_passed_on(monkeypatch):
    said = opening(monkeypatch, OSError(16, "Device or resource busy"))
    assert said == "/dev/spidev0.1 cannot be opened: [Errno 16] Device or resource busy"


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(BusError, match=r"spidev0\.0 needs the package spidev: pip install"):
        LinuxSpi(0, 0, 3, 1_000_000)


def test_a_missing_device_says_how_to_enable_the_bus():
    need("spidev")
    with pytest.raises(BusError, match=r"/dev/spidev9\.9 is missing: .*dtparam=spi=on"):
        LinuxSpi(9, 9, 3, 1_000_000)


class ForgetfulPort:
    """A port of the kernel's that takes any settings and a transfer that fails."""

    def __init__(self, held):
        self.held = held
        self.closed = False

    def open(self, bus, select):
        pass

    def xfer2(self, out):
        raise OSError(5, "Input/output error")

    def close(self):
        self.closed = True


def held(monkeypatch, settings):
    port = ForgetfulPort(settings)
    monkeypatch.setitem(sys.modules, "spidev", types.SimpleNamespace(SpiDev=lambda: port))
    monkeypatch.setattr(LinuxSpi, "_settings", lambda self: settings)
    return port


@pytest.mark.parametrize("found", [(0, 8, 1_000_000), (3, 16, 1_000_000), (3, 8, 500_000)])
def test_settings_that_do_not_hold_are_refused(monkeypatch, found):
    port = held(monkeypatch, found)
    with pytest.raises(BusError, match="holds mode %d, %d bits, %d Hz" % found):
        LinuxSpi(0, 0, 3, 1_000_000)
    assert port.closed


def test_a_transfer_that_fails_names_its_place(monkeypatch):
    held(monkeypatch, (3, 8, 1_000_000))
    with pytest.raises(BusError, match=r"/dev/spidev0\.0: the transfer failed: .*Input/output"):
        LinuxSpi(0, 0, 3, 1_000_000).transfer(b"\x01", bytearray(1))
