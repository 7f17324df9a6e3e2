"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")
]
LONGEST_S = 366 * 86_400  # beyond it a timer of the system would fail, long after the start


def wait(seconds: float | None) -> float | None:
    """The seconds of an option; BadParameter for what no timer can wait."""
    if seconds is not None and not 0 <= seconds <= LONGEST_S:  # not so for nan either
        raise typer.BadParameter(f"give seconds from 0 to {LONGEST_S}, not {seconds:g}")
    return seconds


State = Annotated[
    Path, typer.Argument(metavar="DIR", help="State directory of a meter, a copy or a live one.")
]
File = Annotated[Path, typer.Argument(metavar="F", help="The JSON file.")]
