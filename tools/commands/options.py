"""What several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")
]
State = Annotated[
    Path, typer.Argument(metavar="DIR", help="State directory of a meter, a copy or a live one.")
]
File = Annotated[Path, typer.Argument(metavar="F", help="The JSON file.")]
