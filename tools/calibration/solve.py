"""New constants from pairs of readings, and what makes a pair implausible.

The chip's modules of this folder turn a ratio or an angle into registers; the arithmetic of the
errors is the same for all: with both gains right, a meter reads k S cos(phi + eps). Two loads, one
near unity and one near half power factor, give k and eps exactly.
"""

import math
from typing import Any

from wattledger.tools.calibration.reading import CalibrationError, Reading

SPAN = 0.20  # of the nominal gain; design rule of Wattledger, and of most makers' end tests
NO_LOAD_AMPS = 0.05
LEAST_AMPS = 0.5


def check_idle(measured: Reading) -> None:
    """The offset step needs no current."""
    if measured.amps > NO_LOAD_AMPS:
        raise CalibrationError(
            f"there are {measured.amps:.3f} A where none should flow: switch the load off, or "
            "take the clamp off the wire"
        )


def check_pair(measured: Reading, reference: Reading, lowest: float, highest: float) -> None:
    """Both readings of a loaded step; the reference's power factor from `lowest` to `highest`."""
    check_reference(reference, lowest, highest)
    if measured.amps < NO_LOAD_AMPS:
        raise CalibrationError(
            f"the meter reads {measured.amps:.3f} A, the reference {reference.amps:g} A: is the "
            "current transformer on the wire of this phase, and plugged in?"
        )
    if measured.watts < 0:
        raise CalibrationError(
            f"the meter reads {measured.watts:.1f} W where the reference shows import: the "
            "current transformer is reversed; turn it round or swap its two wires"
        )


def check_reference(reference: Reading, lowest: float, highest: float) -> None:
    """What the reference shows of a load; its power factor from `lowest` to `highest`."""
    if reference.volts <= 0 or reference.amps < LEAST_AMPS or reference.watts <= 0:
        raise CalibrationError(
            f"the reference shows {reference.volts:g} V, {reference.amps:g} A, "
            f"{reference.watts:g} W: a calibration needs at least {LEAST_AMPS:g} A of import"
        )
    if reference.factor > 1.005:
        raise CalibrationError(
            f"{reference.watts:g} W are more than {reference.volts:g} V x {reference.amps:g} A: "
            "check the numbers and their units"
        )
    if not lowest <= reference.factor <= highest:
        raise CalibrationError(
            f"the reference's power factor is {reference.factor:.3f}, this step needs {lowest:g} "
            f"to {highest:g}: use another load"
        )


def gains(chip: Any, constants: dict[str, int], measured: Reading, reference: Reading) -> None:
    """Put those gains of voltage and current right that this phase of the chip has."""
    for name, constant, field in (
        ("voltage", "voltage_gain", "volts"),
        ("current", "current_gain", "amps"),
    ):
        if constant not in constants:
            continue
        have = getattr(measured, field)
        if not have:
            raise CalibrationError(f"the meter reads 0 {field}; check the wiring of this input")
        getattr(chip, name)(constants, getattr(reference, field) / have)


def power(chip: Any, constants: dict[str, int], measured: Reading, reference: Reading) -> None:
    """Put the power gain right at unity: all that a chip without a phase constant can do."""
    chip.power(constants, reference.watts / measured.watts)


def energy(chip: Any, constants: dict[str, int], measured: float, reference: float) -> None:
    """Put the energy of a count right from mean W: by the counts, and of the reference."""
    if measured <= 0:
        raise CalibrationError(
            f"the chip counted {measured:.1f} W where the reference shows import: the current's "
            "sensor is reversed; swap its two wires"
        )
    chip.energy(constants, reference / measured)


def angle_and_power(
    chip: Any,
    constants: dict[str, int],
    unity: tuple[Reading, Reading],
    half: tuple[Reading, Reading],
) -> None:
    """Put the phase and the power gain right from (measured, reference) at both loads.

    The readings were taken with the gains of voltage and current already right.
    """
    ratios, angles = [], []
    for measured, reference in (unity, half):
        ratios.append(measured.watts / (reference.volts * reference.amps))
        angles.append(math.acos(min(reference.factor, 1.0)))
    ratio = ratios[1] / ratios[0]
    lag = math.atan2(
        math.cos(angles[1]) - ratio * math.cos(angles[0]),
        math.sin(angles[1]) - ratio * math.sin(angles[0]),
    )
    chip.angle(constants, -math.degrees(lag), half[0].hertz)
    if hasattr(chip, "power"):
        scale = ratios[0] / math.cos(angles[0] + lag)
        chip.power(constants, 1 / scale)


def check_constants(chip: Any, nominal: dict[str, int], constants: dict[str, int]) -> None:
    """Refuse a constant out of the chip's range, and a gain too far from the board's."""
    wide = getattr(chip, "WIDE", ())
    for name, _, lowest, highest in chip.TABLE:
        if name not in constants:
            continue
        value = constants[name]
        if name.endswith("_gain") and nominal[name] and name not in wide:
            change = value / nominal[name] - 1
            if abs(change) > SPAN:
                raise CalibrationError(
                    f"{name} would be {value}, {change:+.1%} from this board's {nominal[name]}; "
                    f"at most {SPAN:.0%} is plausible: check the numbers, their units, the "
                    "sensor's ratio and how often the wire passes through it"
                )
        if not lowest <= value <= highest:
            raise CalibrationError(
                f"{name} would be {value}, the chip takes {lowest} to {highest}: the sensor's "
                "error is too large to be calibrated away; check its type and wiring"
            )
