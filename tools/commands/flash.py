"""The command that makes an ESP32's image and brings it onto a board."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json
from wattledger.tools.commands.options import wait as wait_s

if TYPE_CHECKING:
    from wattledger.tools.flash.table import Table

SECONDS = 60.0


class LayoutName(str, Enum):
    """How the flash is divided."""

    OTA = "ota"
    ROM = "rom"


def flash(
    board: Annotated[str, typer.Option(metavar="B", help="The board, see `board list`.")],
    port: Annotated[
        str | None, typer.Option(metavar="P", help="Its serial port, as /dev/ttyUSB0.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make and measure the image; touch no board.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the image's files there too.")
    ] = None,
    layout: Annotated[
        LayoutName, typer.Option(help="ota: the core frozen, two places; rom: in a ROMFS.")
    ] = LayoutName.OTA,
    firmware: Annotated[
        Path | None,
        typer.Option(metavar="F", help="MicroPython built with the image's manifest.py."),
    ] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase all of the flash first, a ledger too.")
    ] = False,
    site: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The meter's folder of `provision`.")
    ] = None,
    release_of: Annotated[
        Path | None,
        typer.Option("--app", metavar="RELEASE", help="What `update sign` made of its app."),
    ] = None,
    release: Annotated[
        bool, typer.Option("--release", help="No prompt once the meter is commissioned.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="S",
            callback=wait_s,
            help="Wait so long for a first reading; 0: not.",
        ),
    ] = SECONDS,
    as_json: Json = False,
) -> None:
    """Make the image of an ESP32 board, show that it fits, and bring it onto one."""
    from wattledger.tools.flash import firmware as firmwares
    from wattledger.tools.flash import image, programs, table, upload
    from wattledger.tools.flash import layout as layouts

    if port is None and not dry_run:
        raise typer.BadParameter("needs --port, or --dry-run")
    if erase and firmware is None:
        raise typer.BadParameter("--erase needs --firmware: nothing would be left to start")
    if firmware is not None:
        firmwares.check(firmware, layouts.Layout(layout.value))
    size = firmware.stat().st_size if firmware else None
    made = image.build(board, layout.value, release)
    fits = table.Table(made, size)
    if not as_json:
        _show(made.board, layout.value, fits)
    fits.check()
    if out is not None:
        made.write(out)
    line = None
    if port is not None and not dry_run:
        programs.need("mpremote", "serial", *(["esptool"] if firmware else []))
        with upload.scratch() as name:
            plan = upload.Plan(made, port, Path(name), firmware, erase, site, release_of)
            plan.run(output.note)
        if site is not None and wait:
            line = upload.first_line(port, wait)
            output.note(f"the meter says: {line}")
    if as_json:
        output.result(_told(made.board, layout.value, fits, made.files, line, dry_run))


def _show(board: str, layout: str, fits: "Table") -> None:
    rows = [
        (row.name, row.partition, f"{row.content}", f"{row.taken}", row.note) for row in fits.rows
    ]
    rows += [("free", place, "", str(free), "") for place, free in fits.free.items()]
    output.table(
        f"{board} on 4 MB, layout {layout}; not tried on hardware",
        ("part", "partition", "content>", "bytes>", ""),
        rows,
    )


def _told(
    board: str,
    layout: str,
    fits: "Table",
    files: dict[str, bytes],
    line: str | None,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "board": board,
        "layout": layout,
        "dry_run": dry_run,
        "files": [{"path": path, "bytes": len(data)} for path, data in sorted(files.items())],
        "parts": [row.told() for row in fits.rows],
        "free": fits.free,
        "first_line": line,
    }
