"""`wattledger calibrate`."""

import sys
import time
from pathlib import Path
from textwrap import fill
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

WIDTH = 79
ANGLE_MDEG = -2_000  # of the simulated transformer


def calibrate(
    board: Annotated[
        str, typer.Option("--board", metavar="B", help="The board, see `board list`.")
    ] = "sim",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="A simulated chip with sensors that are wrong.")
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="F.csv", help="The reference meter's readings, instead of typing."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="F", help="The calibration file.")] = Path(
        "calibration.json"
    ),
    by: Annotated[str, typer.Option(metavar="NAME", help="Who calibrates.")] = "",
    against: Annotated[
        str, typer.Option(metavar="TEXT", help="The reference: maker, serial, class.")
    ] = "",
    phases: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Calibrate the first N of the board's phases."),
    ] = None,
    voltage_ppm: Annotated[
        int, typer.Option(metavar="N", help="Simulated error of the voltage, 1e-6.")
    ] = 31_000,
    current_ppm: Annotated[
        int, typer.Option(metavar="N", help="Simulated error of the current, 1e-6.")
    ] = -42_000,
    angle_mdeg: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Simulated lag of the current, 1/1000 degree: -2000, 0 where a chip has no "
            "constant for it.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Calibrate a chip against a reference: offset, gains, phase, energy; verify, then save."""
    from wattledger.tools import calibrate as guide
    from wattledger.tools import question, wiring
    from wattledger.tools.calibration import chips
    from wattledger.tools.calibration.reading import CalibrationError
    from wattledger.tools.calibration.reference import FromCsv, Typed
    from wattledger.tools.calibration.simulated import SimulatedBench
    from wattledger.tools.calibration.wired import WiredBench

    if not simulate and board == "sim":
        raise CalibrationError("name the board of this computer with --board, or take --simulate")

    if out.is_dir() or not out.parent.is_dir():  # told now, not after the work
        raise CalibrationError(f"--out {out}: is a folder, or lies in none; give a file's name")

    def say(text: str) -> None:
        print(fill(text, WIDTH, subsequent_indent="  "), file=sys.stderr)

    module = wiring.any_board(board)
    table = chips.load(module.CHIP)
    if phases is not None and phases > len(module.PHASES):
        raise CalibrationError(f"--phases {phases}: {board} has {len(module.PHASES)}")
    constants = [dict(phase) for phase in module.CALIBRATION[:phases]]
    source = Typed() if reference is None else FromCsv(reference)
    say(f"note: {guide.WARNING}")
    if not by:
        by = question.ask("Who calibrates")
    if not against:
        against = question.ask("Against which reference (maker, serial, class)")
    if angle_mdeg is None:
        angle_mdeg = ANGLE_MDEG if hasattr(table, "angle") else 0
    options = getattr(module, "OPTIONS", {})
    if simulate:
        bench = SimulatedBench(table, constants, voltage_ppm, current_ppm, angle_mdeg, options)
        result = guide.Guide(bench, source, say).run()
    else:
        wired = WiredBench(board, table, constants)
        try:
            result = guide.Guide(wired, source, say).run()
        finally:
            wired.close()
    content = guide.document(
        table.NAME, result, int(time.time()), f"{against} ({source.name})", by
    )
    guide.save(out, content, table.TABLE)
    if as_json:
        output.result(
            {
                "file": str(out),
                "constants": result.constants,
                "before": result.before,
                "after": result.after,
            }
        )
    else:
        guide.show(result)
        print(f"saved {out}; crc {content['crc']:08x}")
