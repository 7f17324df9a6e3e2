"""A driver on the simulated ATM90E32, and wires that fail as a test wants them to."""

from wattledger.hal.errors import BusError
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip

GAINS = (0x8F5C, 0x7C29)
READ = 0x80
METER_EN = 0x00
U_GAIN_A = 0x61
LAST_SPI_DATA = 0x78
TOTAL = 0x80
FORWARD_A = 0x81
REVERSE_A = 0x85
POWER_HIGH_A = 0xB1
POWER_LOW_A = 0xC1


def address_of(out):
    """The register a frame names."""
    return (out[0] & 0x03) << 8 | out[1]


class Wire:
    """A wire that keeps a log of (is read, address, value) of every select."""

    def __init__(self, chip):
        self._chip = chip
        self.log = []

    def transfer(self, out, into):
        self._chip.transfer(out, into)
        if out[0] & READ:
            self.log.append((True, address_of(out), into[2] << 8 | into[3]))
        else:
            self.log.append((False, address_of(out), out[2] << 8 | out[3]))


class FailingWire:
    """Raises BusError at select number `at` (from 0): before the chip hears it, or `after`."""

    def __init__(self, chip, at=-1, after=False):
        self._chip = chip
        self.at = at
        self.after = after
        self.count = 0

    def transfer(self, out, into):
        number = self.count
        self.count += 1
        if number == self.at and not self.after:
            raise BusError("the wire is loose")
        self._chip.transfer(out, into)
        if number == self.at:
            raise BusError("the answer was lost")


class BentWire:
    """Every write to `register` arrives as `value`: a cell of the chip that does not hold."""

    def __init__(self, chip, register, value):
        self._chip = chip
        self._register = register
        self._value = value
        self.bent = True

    def transfer(self, out, into):
        if self.bent and not out[0] & READ and address_of(out) == self._register:
            out = bytearray((out[0], out[1], self._value >> 8, self._value & 0xFF))
        self._chip.transfer(out, into)


class HookedWire:
    """Calls `hook(chip)` once, right after the next read of `register`, when it is `armed`."""

    def __init__(self, chip, register, hook):
        self._chip = chip
        self._register = register
        self._hook = hook
        self.armed = False

    def transfer(self, out, into):
        self._chip.transfer(out, into)
        if self.armed and out[0] & READ and address_of(out) == self._register:
            self.armed = False
            self._hook(self._chip)


def no_wait(ms):
    """The simulated chip needs no time after a reset."""


def new_chip():
    """A simulated chip on a board whose sensors need GAINS."""
    return Chip(GAINS[0], GAINS[1])


def calibration(*gains):
    """Constants of phases with these gains of voltage and current."""
    return [{"voltage_gain": voltage, "current_gain": current} for voltage, current in gains]


def new_driver(wire, phases=1):
    """The driver of `phases` phases on a wire."""
    return Atm90e32(wire, no_wait, calibration(GAINS) * phases)


def running(phases=1):
    """(chip, driver) that are set up."""
    chip = new_chip()
    driver = new_driver(chip, phases)
    driver.begin()
    return chip, driver
