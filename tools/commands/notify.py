"""Commands about alerts."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

app = typer.Typer(help="Alerts to a household.", rich_markup_mode=None)


@app.callback()
def group() -> None:
    pass


@app.command("test")
def notify_test(
    place: Annotated[
        Path, typer.Argument(metavar="SITE", help="The meter's folder, or its alerts.json.")
    ],
    as_json: Json = False,
) -> int:
    """Send a test alert to each service in alerts.json, and say which took it."""
    from wattledger.tools import notify

    found = notify.run(place)
    if as_json:
        output.result({"services": found})
    for service in found:
        if service["fault"] is not None:
            output.error(f"{service['name']}: {service['fault']}; check its url in alerts.json")
        elif not as_json:
            print(f"{service['name']}: taken")
    return int(any(service["fault"] is not None for service in found))
