"""What the chip of a board measures, held against what a home can be."""

import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from wattledger.firmware import chips, constants, parts_linux
from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.waveform_linux import best_line
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    FREQUENCY_MHZ,
    NO_ANSWER,
    PHASE_FIELDS,
    POWER_MW,
    VOLTAGE_MV,
    field_bit,
    new_sample,
)
from wattledger.tools.findings import FAIL, OK, WARN, Finding

READINGS = 4
BETWEEN_S = 0.7  # the averages of the chips are older than half a second
NOMINAL = (110, 120, 127, 220, 230, 240)  # V
NOMINAL_PERCENT = 15
DEAD_MV = 20_000
LOAD_MA = 200  # below it a sign says nothing
MAINS_MHZ = (50_000, 60_000)
MAINS_PERMILLE = 20
DIRECT = "ina228"  # a direct current: neither mains voltage nor frequency


def check(board: ModuleType, calibration: bytes | None, export: bool) -> Iterator[Finding]:
    """Read the chip for some seconds; a finding for each phase and one for the frequency."""
    phases = constants.constants(board, calibration)
    device = parts_linux.bus_device(board)
    behind: Any = None
    try:
        if board.CHIP == "mcp3208":
            behind = parts_linux.sampler(board, device)
        driver = chips.driver(
            board, device, parts_linux.wait_ms, phases, behind, best_line() if behind else None
        )
        try:
            sample = _read(driver)
        except (ChipError, BusError) as error:
            fix = "wattledger board wiring %s; switch its supply off and on" % board.NAME
            yield Finding("readings", FAIL, str(error), fix)
            return
        if sample is None:
            fix = "check the wires to the chip, their length and its supply"
            yield Finding("readings", FAIL, "the chip's answers are missing or damaged", fix)
            return
        for number in range(driver.phases):
            yield phase(board, sample, number, export)
        if driver.fields & field_bit(FREQUENCY_MHZ):
            yield frequency(sample[FREQUENCY_MHZ])
    finally:
        if behind is not None:
            behind.stop()
        device.close()


def _read(driver: Any) -> Any:
    """The last of some readings; None when none was whole."""
    sample = new_sample()
    found = None
    driver.begin()
    for _ in range(READINGS):
        time.sleep(BETWEEN_S)
        if not driver.read_into(sample) & (NO_ANSWER | CORRUPT):
            found = sample
    return found


def phase(board: ModuleType, sample: Any, number: int, export: bool) -> Finding:
    """Voltage there and plausible, current plausible, power of the right sign."""
    at = number * PHASE_FIELDS
    volts, amps, watts = (sample[at + field] for field in (VOLTAGE_MV, CURRENT_MA, POWER_MW))
    name = "phase %d" % (number + 1)
    found = "%.1f V, %.2f A, %.0f W" % (volts / 1000, amps / 1000, watts / 1000)
    if board.CHIP != DIRECT and volts < DEAD_MV:
        fix = f"switch its fuse on; check the tap of phase {number + 1} to the board"
        return Finding(name, FAIL, f"no voltage ({found})", fix)
    if volts > board.MAX_VOLTS * 1000 or abs(amps) > board.MAX_AMPS * 1000:
        fix = "calibrate: wattledger calibrate; if it stays, check the sensors' ratios"
        return Finding(name, FAIL, f"more than the board can have ({found})", fix)
    if watts < 0 and abs(amps) >= LOAD_MA and not export:
        fix = (
            f"turn the current transformer of phase {number + 1} round, or swap its two wires; "
            "a house that exports now: --export"
        )
        return Finding(name, FAIL, f"power is negative under load ({found})", fix)
    if board.CHIP != DIRECT and not any(
        abs(volts - 1000 * nominal) <= 10 * nominal * NOMINAL_PERCENT for nominal in NOMINAL
    ):
        fix = "calibrate the voltage, or check the adaptor's ratio"
        return Finding(name, WARN, f"no usual mains voltage ({found})", fix)
    load = "" if abs(amps) >= LOAD_MA else "; switch a load on to see its direction"
    return Finding(name, OK, found + load)


def frequency(mhz: int) -> Finding:
    """50 or 60 Hz, to 2 %."""
    found = "%.2f Hz" % (mhz / 1000)
    if any(abs(mhz - mains) * 1000 <= mains * MAINS_PERMILLE for mains in MAINS_MHZ):
        return Finding("frequency", OK, found)
    return Finding(
        *("frequency", WARN, f"{found} is neither 50 nor 60 Hz"),
        "check the voltage input; an island grid may be off",
    )
