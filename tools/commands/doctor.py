"""`wattledger doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools.commands.options import Json

Folder = Path | None
Text = str | None


def doctor(
    board: Annotated[Text, typer.Option(metavar="NAME", help="The board; else --site's.")] = None,
    site: Annotated[
        Folder, typer.Option(metavar="DIR", help="The folder that provisioning filled.")
    ] = None,
    state: Annotated[
        Folder, typer.Option(metavar="DIR", help="The folder of the meter's own files.")
    ] = None,
    broker: Annotated[Text, typer.Option(metavar="URL", help="The meter's broker.")] = None,
    ca: Annotated[Text, typer.Option(metavar="F", help="The broker's authority, PEM.")] = None,
    cert: Annotated[Text, typer.Option(metavar="F", help="The meter's certificate.")] = None,
    key: Annotated[Text, typer.Option(metavar="F", help="The key of that certificate.")] = None,
    page: Annotated[
        Text, typer.Option(metavar="HOST:PORT", help="Where the display shall listen.")
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="The house exports now: negative power is right.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check this Raspberry Pi: bus, chip, readings, relay, clocks, files, broker; what to do."""
    from wattledger.tools import doctor as doctors
    from wattledger.tools import output
    from wattledger.tools.findings import FAIL

    if board is None and site is None:
        raise typer.BadParameter("which board? name it with --board, or its folder with --site")
    scope = doctors.Scope(board, site, state, broker, ca, cert, key, page, export)
    findings = []
    for finding in doctors.examine(scope):
        findings.append(finding)
        if not as_json:
            doctors.show(finding)
    if as_json:
        output.result(doctors.report(findings))
    else:
        print(doctors.summary(findings))
    return 1 if any(finding.state == FAIL for finding in findings) else 0
