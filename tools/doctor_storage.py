"""Checks of a meter's files: its state folder, its journal, its calibration."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from wattledger.firmware import constants
from wattledger.firmware.site import Site
from wattledger.hal.errors import ChipError
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import doctor_bus, ledger, output
from wattledger.tools.errors import ToolError
from wattledger.tools.findings import FAIL, OK, WARN, Finding

PROBE = "doctor"  # a file that is written, read back and removed
SLOW_MS = 1_000
FULL_BYTES, LOW_BYTES = 1_000_000, 20_000_000
COMMISSION = "open it: wattledger-meter SITE --state DIR --commission MICRO"


def state(folder: Path) -> Iterator[Finding]:
    """Write, sync and rename work; there is room; the journal is whole."""
    if not folder.is_dir():
        fix = "create it for the user the meter runs as: sudo install -d -m 700 -o meter DIR"
        yield Finding("storage", FAIL, f"{folder}: no such folder", fix)
        return
    yield _write(folder)
    yield _room(folder)
    try:
        scan = ledger.verify(folder)
    except ToolError as error:
        found = str(error).partition(": ")[2].partition(";")[0]
        yield Finding("journal", WARN, f"{folder}: {found}", COMMISSION)
        return
    if scan.problem is not None:
        yield Finding("journal", FAIL, f"{folder}: {scan.problem}", ledger.REMEDY)
    else:
        balance = output.money(scan.balance)
        what = f"whole, {scan.entries} entries of {scan.meter}, balance {balance}"
        yield Finding("journal", OK, what)


def _write(folder: Path) -> Finding:
    storage = PosixStorage(folder)
    started = time.monotonic()
    try:
        storage.commit(PROBE, b"wattledger doctor")
        storage.remove(PROBE)
    except OSError as error:
        fix = f"sudo chown meter {folder}, or run this as the meter's user; check the card"
        return Finding("storage", FAIL, f"{folder}: {error.strerror}", fix)
    took = round(1000 * (time.monotonic() - started))
    if took > SLOW_MS:
        fix = "the card is worn or busy: copy it to a new one"
        return Finding("storage", WARN, f"writing for good takes {took} ms", fix)
    return Finding("storage", OK, f"{folder}: written, synced and renamed in {took} ms")


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e6:.0f} MB free"
    if free < LOW_BYTES:
        level = FAIL if free < FULL_BYTES else WARN
        return Finding("room", level, found, "sudo journalctl --vacuum-size=50M, or a larger card")
    return Finding("room", OK, found)


def calibration(board: ModuleType, site: Site | None) -> Finding:
    """Is there a calibration for this board, and by whom?"""
    data = site.calibration if site else None
    if data is None:
        where = "no --site was given" if site is None else "no calibration.json"
        return Finding(
            *("calibration", WARN, f"{where}: the nominal constants of {board.NAME}"),
            f"wattledger calibrate --board {board.NAME}",
        )
    try:
        constants.constants(board, data)
    except ChipError as error:
        return doctor_bus.told("calibration", error, "; ")
    document = json.loads(data)
    day = output.utc(document["when"])[:10]
    against = output.printable(document["against"])
    return Finding("calibration", OK, f"of {day} against {against}")
