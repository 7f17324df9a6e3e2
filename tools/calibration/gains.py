"""Gains in ppm that a driver multiplies with: most chips without registers for them have these."""


def voltage(constants: dict[str, int], ratio: float) -> None:
    """The reading of the voltage must become `ratio` times as large."""
    constants["voltage_gain"] = round(constants["voltage_gain"] * ratio)


def current(constants: dict[str, int], ratio: float) -> None:
    """The reading of the current must become `ratio` times as large."""
    constants["current_gain"] = round(constants["current_gain"] * ratio)


def power(constants: dict[str, int], ratio: float) -> None:
    """The reading of the power must become `ratio` times as large; energy stays."""
    constants["power_gain"] = round(constants["power_gain"] * ratio)


def energy(constants: dict[str, int], ratio: float) -> None:
    """The energy of a count must become `ratio` times as large; the power stays."""
    constants["energy_gain"] = round(constants["energy_gain"] * ratio)
