"""Calibration of a chip against loads that can be set: the simulator's, or a test bench's."""

from collections.abc import Callable
from typing import Any

from wattledger.tools.calibration import solve
from wattledger.tools.calibration.reading import Reading, measure

# Loads: 0 A, 5 A at unity, 5 A at 0.5 inductive (575 W, sqrt(3) as many var), and 2.5 A at 0.8
# inductive to verify with.
LOADS = {
    "offset": Reading(230.0, 0.0, 0.0, 0.0),
    "gain": Reading(230.0, 5.0, 1150.0, 0.0),
    "phase": Reading(230.0, 5.0, 575.0, 995.929),
    "verify": Reading(230.0, 2.5, 460.0, 345.0),
}
# Power factors a step needs.
FACTORS = {"gain": (0.98, 1.005), "phase": (0.3, 0.7), "verify": (0.3, 1.005)}


def full(chip: Any, constants: dict[str, int]) -> dict[str, int]:
    """Every constant of a phase, nominal where not given."""
    return {name: constants.get(name, nominal) for name, nominal, _, _ in chip.TABLE}


def calibrate(
    build: Callable[[list[dict[str, int]]], Any],
    chip: Any,
    reference: Callable[[str, int], Reading],
    wait_ms: Callable[[int], None],
    nominal: list[dict[str, int]],
) -> list[dict[str, int]]:
    """Constants of each phase. `build(constants)` makes a driver and begins it; `reference(step,
    phase)` puts the load of a step of LOADS on a phase and returns what the reference reads;
    `nominal` are the board's own constants. CalibrationError.
    """
    found = [full(chip, constants) for constants in nominal]
    driver = build(found)
    for phase, start in enumerate([dict(constants) for constants in found]):
        reference("offset", phase)
        idle = measure(driver, wait_ms, phase)
        solve.check_idle(idle)
        if hasattr(chip, "offset"):
            chip.offset(found[phase], idle.amps, idle.watts, idle.vars)
            driver = build(found)
        pair = loaded(driver, reference, wait_ms, "gain", phase)
        solve.gains(chip, found[phase], *pair)
        solve.check_constants(chip, start, found[phase])
        driver = build(found)
        unity = loaded(driver, reference, wait_ms, "gain", phase)
        half = loaded(driver, reference, wait_ms, "phase", phase)
        solve.angle_and_power(chip, found[phase], unity, half)
        solve.check_constants(chip, start, found[phase])
        driver = build(found)
    return found


def loaded(
    driver: Any,
    reference: Callable[[str, int], Reading],
    wait_ms: Callable[[int], None],
    step: str,
    phase: int,
) -> tuple[Reading, Reading]:
    """(measured, reference) of a loaded step that passed its checks. CalibrationError."""
    shown = reference(step, phase)
    measured = measure(driver, wait_ms, phase)
    solve.check_pair(measured, shown, *FACTORS[step])
    return measured, shown
