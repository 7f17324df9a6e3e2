"""The ATM90E32's constants from errors (Atmel-46103A: gains, PQGain, Phi, offsets).

One path serves power and energy: PQGain moves both, so there is no gain of energy of its own.
"""

from typing import Any

from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.meter.atm90e32_setup import CONSTANTS

NAME = "atm90e32"
DRIVER = Atm90e32
TABLE = CONSTANTS
UNIT = 1 << 15  # of PQGain
CYCLES = 2_048_000  # a second, in which Phi counts


def voltage(constants: dict[str, int], ratio: float) -> None:
    """The reading of the voltage must become `ratio` times as large."""
    constants["voltage_gain"] = round(constants["voltage_gain"] * ratio)


def current(constants: dict[str, int], ratio: float) -> None:
    """The reading of the current must become `ratio` times as large."""
    constants["current_gain"] = round(constants["current_gain"] * ratio)


def power(constants: dict[str, int], ratio: float) -> None:
    """Power and energy must become `ratio` times as large; the gains of U and I are right."""
    constants["power_gain"] = round((UNIT + constants["power_gain"]) * ratio) - UNIT


def angle(constants: dict[str, int], degrees: float, hertz: float) -> None:
    """The current must be read as lagging by `degrees` more."""
    constants["phase"] += round(degrees / 360 * CYCLES / hertz)


def offset(constants: dict[str, int], amps: float, watts: float, vars_: float, **_: Any) -> None:
    """What is read without a load is no current and no power. Units: 1 mA / 512, 0.00032 W."""
    constants["current_offset"] -= round(amps * 1000 * 512)
    constants["power_offset"] -= round(watts / 0.00032)
    constants["reactive_offset"] -= round(vars_ / 0.00032)
