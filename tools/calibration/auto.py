"""Calibration of a chip against loads that can be set: the simulator's, or a test bench's."""

from collections.abc import Callable
from typing import Any

from wattledger.tools.calibration import solve
from wattledger.tools.calibration.reading import Reading, counted, measure

# Loads: 0 A, 5 A at unity, 5 A at 0.5 inductive (575 W, sqrt(3) as many var), and 2.5 A at 0.8
# inductive to verify with. Energy is counted at the load of the gain.
LOADS = {
    "offset": Reading(230.0, 0.0, 0.0, 0.0),
    "gain": Reading(230.0, 5.0, 1150.0, 0.0),
    "phase": Reading(230.0, 5.0, 575.0, 995.929),
    "count": Reading(230.0, 5.0, 1150.0, 0.0),
    "energy": Reading(230.0, 5.0, 1150.0, 0.0),
    "verify": Reading(230.0, 2.5, 460.0, 345.0),
}
# Chips without a constant for the phase are wrong at a load that lags by whatever their sensor
# does: they are verified at unity. A direct current has neither.
UNITY = Reading(230.0, 2.5, 575.0, 0.0)
DIRECT = {
    "offset": Reading(48.0, 0.0, 0.0),
    "gain": Reading(48.0, 10.0, 480.0),
    "verify": Reading(48.0, 5.0, 240.0),
}
# Power factors a step needs; without a phase constant each is at unity.
AT_UNITY = (0.98, 1.005)
FACTORS = {
    "gain": AT_UNITY,
    "phase": (0.3, 0.7),
    "energy": AT_UNITY,
    "verify": (0.3, 1.005),
}
Reference = Callable[[str, int], Reading]
Wait = Callable[[int], None]


def load_of(chip: Any, step: str) -> Reading:
    """The load of a step on this chip."""
    if hasattr(chip, "DIRECT"):
        return DIRECT[step]
    if step == "verify" and not hasattr(chip, "angle"):
        return UNITY
    return LOADS[step]


def full(chip: Any, constants: dict[str, int], phase: int = 0) -> dict[str, int]:
    """Every constant of a phase, nominal where not given."""
    elsewhere = getattr(chip, "FIRST_PHASE_ONLY", ()) if phase else ()
    return {
        name: constants.get(name, nominal)
        for name, nominal, _, _ in chip.TABLE
        if name not in elsewhere
    }


def calibrate(
    build: Callable[[list[dict[str, int]]], Any],
    chip: Any,
    reference: Reference,
    wait_ms: Wait,
    nominal: list[dict[str, int]],
    options: dict[str, Any] | None = None,
) -> list[dict[str, int]]:
    """Constants of each phase. `build(constants)` makes a driver and begins it; `reference(step,
    phase)` puts the load of a step of LOADS on a phase and returns what the reference reads;
    `nominal` and `options` are the board's own constants. CalibrationError.
    """
    found = [full(chip, constants, phase) for phase, constants in enumerate(nominal)]
    driver = build(found)
    for phase, start in enumerate([dict(constants) for constants in found]):
        constants = found[phase]
        reference("offset", phase)
        idle = measure(driver, wait_ms, phase)
        solve.check_idle(idle)
        if hasattr(chip, "offset"):
            chip.offset(constants, idle.amps, idle.watts, idle.vars, **(options or {}))
            driver = build(found)
        pair = loaded(driver, chip, reference, wait_ms, "gain", phase)
        solve.gains(chip, constants, *pair)
        solve.check_constants(chip, start, constants)
        driver = build(found)
        unity = loaded(driver, chip, reference, wait_ms, "gain", phase)
        if hasattr(chip, "angle"):
            half = loaded(driver, chip, reference, wait_ms, "phase", phase)
            solve.angle_and_power(chip, constants, unity, half)
        elif hasattr(chip, "power"):
            solve.power(chip, constants, *unity)
        solve.check_constants(chip, start, constants)
        driver = build(found)
        if hasattr(chip, "energy"):
            weigh(driver, chip, constants, reference, wait_ms, phase)
            solve.check_constants(chip, start, constants)
            driver = build(found)
    return found


def weigh(
    driver: Any,
    chip: Any,
    constants: dict[str, int],
    reference: Reference,
    wait_ms: Wait,
    phase: int,
) -> None:
    """Put the energy of a count right: what was counted over minutes beside the reference."""
    reference("count", phase)
    measured = counted(driver, wait_ms, phase)
    shown = reference("energy", phase)
    solve.check_reference(shown, *FACTORS["energy"])
    solve.energy(chip, constants, measured, shown.watts)


def loaded(
    driver: Any, chip: Any, reference: Reference, wait_ms: Wait, step: str, phase: int
) -> tuple[Reading, Reading]:
    """(measured, reference) of a loaded step that passed its checks. CalibrationError."""
    shown = reference(step, phase)
    measured = measure(driver, wait_ms, phase)
    factors = FACTORS[step] if hasattr(chip, "angle") else AT_UNITY
    solve.check_pair(measured, shown, *factors)
    return measured, shown
