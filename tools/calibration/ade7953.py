"""The ADE7953's constants from errors (datasheet Rev. B: gains, PHCAL, offsets).

One path serves power and energy: AWGAIN moves both, so there is no gain of energy of its own.
"""

from typing import Any

from wattledger.hal.meter.ade7953 import Ade7953
from wattledger.hal.meter.ade7953_setup import CONSTANTS, OF_CHANNEL_A, power_fraction

NAME = "ade7953"
DRIVER = Ade7953
TABLE = CONSTANTS
FIRST_PHASE_ONLY = OF_CHANNEL_A
DELAYS = 895_000  # a second, in which PHCAL counts


def voltage(constants: dict[str, int], ratio: float) -> None:
    """The reading of the voltage must become `ratio` times as large."""
    constants["voltage_gain"] = round(constants["voltage_gain"] * ratio)


def current(constants: dict[str, int], ratio: float) -> None:
    """The reading of the current must become `ratio` times as large."""
    constants["current_gain"] = round(constants["current_gain"] * ratio)


def power(constants: dict[str, int], ratio: float) -> None:
    """Power and energy must become `ratio` times as large; the gains of U and I are right."""
    constants["power_gain"] = round(constants["power_gain"] * ratio)


def angle(constants: dict[str, int], degrees: float, hertz: float) -> None:
    """The current must be read as lagging by `degrees` more: PHCAL delays it."""
    constants["phase"] += round(degrees / 360 * DELAYS / hertz)


def offset(
    constants: dict[str, int],
    amps: float,
    watts: float,
    vars_: float,
    *,
    volt_lsb: int = 26_000,
    amp_lsb: int = 100_000,
    **_: Any,
) -> None:
    """What is read without a load is no current and no power. Units: 4096 squared LSB of the
    current, 1/512 LSB of the power."""
    numerator, denominator = power_fraction(volt_lsb, amp_lsb)
    steps = 512 * 1000 * denominator / numerator  # a W
    constants["current_offset"] -= round((amps * amp_lsb) ** 2 / 4096)
    constants["power_offset"] -= round(watts * steps)
    constants["reactive_offset"] -= round(vars_ * steps)
