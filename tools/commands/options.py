"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools.errors import ToolError

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")
]
LONGEST_S = 366 * 86_400  # beyond it a timer of the system would fail, long after the start


def wait(seconds: float | None) -> float | None:
    """The seconds of an option; BadParameter for what no timer can wait."""
    if seconds is not None and not 0 <= seconds <= LONGEST_S:  # not so for nan either
        raise typer.BadParameter(f"give seconds from 0 to {LONGEST_S}, not {seconds:g}")
    return seconds


def drawn(path: Path | None) -> Path | None:
    """The path of a picture, looked at before any work is done for it. BadParameter, ToolError."""
    if path is not None and path.suffix.lower() != ".png":
        raise typer.BadParameter(f"{path} must end in .png, which is what is drawn")
    if path is not None and not path.parent.is_dir():
        raise ToolError(f"{path.parent}: no such folder; make it, or give another --png")
    return path


State = Annotated[
    Path, typer.Argument(metavar="DIR", help="State directory of a meter, a copy or a live one.")
]
File = Annotated[Path, typer.Argument(metavar="F", help="The JSON file.")]
