"""`wattledger calibrate`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json


def calibrate(
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
    phases: Annotated[int, typer.Option(metavar="N", min=1, max=3, help="Phases in use.")] = 1,
    voltage_ppm: Annotated[
        int, typer.Option(metavar="N", help="Simulated error of the voltage, 1e-6.")
    ] = 31_000,
    current_ppm: Annotated[
        int, typer.Option(metavar="N", help="Simulated error of the current, 1e-6.")
    ] = -42_000,
    angle_mdeg: Annotated[
        int, typer.Option(metavar="N", help="Simulated lag of the current, 1/1000 degree.")
    ] = -2_000,
    as_json: Json = False,
) -> None:
    """Calibrate a chip against a reference: offset, gains, phase, power; verify, then save."""
    from wattledger.board import sim as board
    from wattledger.tools import calibrate as guide
    from wattledger.tools.calibration import atm90e32
    from wattledger.tools.calibration.reading import CalibrationError
    from wattledger.tools.calibration.reference import FromCsv, Typed
    from wattledger.tools.calibration.simulated import SimulatedBench

    if not simulate:
        raise CalibrationError(
            "no board with a bus to calibrate on is known yet; try it with --simulate"
        )

    def say(text: str) -> None:
        typer.echo(text, err=True)

    source = Typed() if reference is None else FromCsv(reference)
    output.note(guide.WARNING)
    if not by:
        by = typer.prompt("Who calibrates", err=True)
    if not against:
        against = typer.prompt("Against which reference (maker, serial, class)", err=True)
    constants = [dict(board.CALIBRATION[0]) for _ in range(phases)]
    bench = SimulatedBench(atm90e32, constants, voltage_ppm, current_ppm, angle_mdeg)
    result = guide.Guide(bench, source, say).run()
    content = guide.document(
        atm90e32.NAME, result, int(time.time()), f"{against} ({source.name})", by
    )
    guide.save(out, content, atm90e32.TABLE)
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
