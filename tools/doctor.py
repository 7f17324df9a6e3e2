"""`wattledger doctor`: is this computer fit to be the meter of a board?

A check is a Finding. Nothing here moves the relay or writes to the ledger. Readings need the chip
for themselves: while a meter runs they are left out and that is said.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wattledger.firmware import parts_linux
from wattledger.firmware.errors import FirmwareError
from wattledger.firmware.site import Site
from wattledger.tools import (
    doctor_broker,
    doctor_bus,
    doctor_clock,
    doctor_pins,
    doctor_readings,
    doctor_storage,
)
from wattledger.tools.errors import ToolError
from wattledger.tools.findings import FAIL, OK, WARN, Finding

WIDTH = 80
STOP = "stop it for these checks: sudo systemctl stop wattledger"
PROGRAMS = ("wattledger-meter", "firmware.main_pi")


@dataclass
class Scope:
    """What is to be looked at; what is None is left out."""

    board: str | None = None
    site: Path | None = None
    state: Path | None = None
    broker: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    page: str | None = None
    export: bool = False


def examine(scope: Scope) -> Iterator[Finding]:
    """Every check of the scope, in the order in which to mend. ToolError on bad usage."""
    site = None
    if scope.site is not None:
        try:
            site = Site(str(scope.site))
            yield Finding("site", OK, f"the meter {site.config.meter}, of {scope.site}")
        except FirmwareError as error:
            yield doctor_bus.told("site", error, "; ")
    name = scope.board or (site.config.board if site else None)
    if name is None:
        raise ToolError("which board? name it with --board, or give its folder with --site")
    board = parts_linux.board(name)
    if site and site.config.board != name:
        yield Finding(
            *("board", FAIL, f"device.json names {site.config.board}, not {name}"),
            "name the same board in both",
        )
    yield from _hardware(board, site, scope.export)
    yield doctor_clock.system()
    if scope.state is not None:
        yield from doctor_storage.state(scope.state)
    if scope.broker is not None:
        # What is not named is the folder's own, as the meter takes it.
        yield from doctor_broker.check(
            scope.broker,
            scope.ca or (site.ca if site else None),
            scope.cert or (site.certificate if site else None),
            scope.key or (site.key if site else None),
        )
    if scope.page is not None:
        yield doctor_broker.page(scope.page, running_meter() is not None)


def _hardware(board: ModuleType, site: Site | None, export: bool) -> Iterator[Finding]:
    bus = doctor_bus.present(board)
    yield bus
    meter = running_meter()
    if meter is not None:
        yield Finding("meter", WARN, f"one runs (process {meter}) and has chip and pins", STOP)
    elif bus.state != FAIL:
        chip = doctor_bus.identity(board)
        yield chip
        calibration = doctor_storage.calibration(board, site)
        yield calibration
        if FAIL not in (chip.state, calibration.state):
            yield from doctor_readings.check(board, site.calibration if site else None, export)
    if meter is None:
        yield doctor_pins.contact(board)
    yield doctor_clock.battery(board)


def running_meter(processes: Path = Path("/proc")) -> int | None:
    """The process that is a meter on this computer, or None."""
    for folder in processes.glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has ended
            continue
        if any(word.endswith(PROGRAMS) for word in words[:4]):
            return int(folder.name)
    return None


def report(findings: list[Finding]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "ok": all(finding.state != FAIL for finding in findings),
        "checks": [finding._asdict() for finding in findings],
    }


def show(finding: Finding) -> None:
    """A finding on stdout, at most 80 columns wide; its remedy below it."""
    head = f"{finding.state:<4}  {finding.name:<11} "
    indent = " " * len(head)
    print(_wrapped(finding.found, head, indent))
    if finding.fix:
        print(_wrapped(finding.fix, indent + "-> ", indent + "   "), flush=True)


def _wrapped(text: str, head: str, indent: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: list[Finding]) -> str:
    """The last line: how many of each."""
    counts = [
        (state, sum(1 for finding in findings if finding.state == state))
        for state in (OK, WARN, FAIL)
    ]
    return ", ".join(f"{count} {state}" for state, count in counts)
