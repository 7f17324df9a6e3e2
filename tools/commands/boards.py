"""Commands about boards: which there are, and how they are wired."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

Name = Annotated[str, typer.Argument(metavar="BOARD", help="A board's name, see `board list`.")]


def board_list(as_json: Json = False) -> None:
    """The boards there are constants for."""
    from wattledger.tools import wiring

    rows = []
    for name in wiring.names():
        board = wiring.load(name)
        rows.append((name, board.CHIP, board.BUS, str(len(board.PHASES))))
    if as_json:
        output.result({"boards": [row[0] for row in rows]})
    else:
        output.table(
            "None has been tried on hardware yet.", ("board", "chip", "bus", "phases>"), rows
        )


def board_wiring(
    name: Name,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Draw the wires too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The wires of a board: which pin leads where."""
    from wattledger.tools import wiring, wiring_drawing

    board = wiring.load(name)
    found = wiring.wires(board)
    ends = wiring.far_ends(board)
    if as_json:
        output.result({"wires": [vars(wire) for wire in found]})
    else:
        rows = [(wire.here, ends[wire.group], wire.there, wire.note) for wire in found]
        title = "Mains voltage kills: the metering side is isolated, and an electrician's work."
        output.table(title, ("from", "to", "at its", ""), rows)
    if svg is not None:
        svg.write_text(wiring_drawing.draw(board), encoding="utf-8")
        output.note(f"the drawing is {svg}")


def board_page(
    name: Name,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where page and drawing go.")],
) -> None:
    """Write a board's page and drawing, as they stand in docs/boards."""
    from wattledger.tools import wiring, wiring_drawing

    text = wiring.page(name)
    (out / f"{name}.md").write_text(text, encoding="utf-8")
    (out / f"{name}.svg").write_text(wiring_drawing.draw(wiring.load(name)), encoding="utf-8")
    output.note(f"{out / name}.md and .svg are written")
