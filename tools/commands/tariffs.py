"""Commands that show tariff documents and make them of other forms."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.desk import Timeout
from wattledger.tools.commands.options import File, Json, drawn
from wattledger.tools.commands.remote import Broker, Keys, Meter

Kid = Annotated[str, typer.Option(metavar="KID", help="The signing key's name.")]
MOST = 0xFFFFFFFF  # a version of 32 bits
Group = Annotated[str, typer.Option(metavar="G", help="The group of meters it is for.")]


def tariff_show(
    file: File,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=drawn, help="Draw the weeks too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The week of each season, hour by hour, with prices by block and the special days."""
    from wattledger.tools import tariff_picture, tariff_show, tariff_week

    if png is not None:
        tariff_picture.require()
    week = tariff_week.Week(file)
    if as_json:
        output.result(week.report())
    else:
        tariff_show.show(week)
    if png is not None:
        tariff_picture.draw(week, png)
        output.note(f"the picture is {png}")


def tariff_import_urdb(
    file: File,
    zone: Annotated[
        str,
        typer.Option(
            "--tz", metavar="POSIX", help="The place's time zone, as EST5EDT,M3.2.0,M11.1.0."
        ),
    ],
    currency: Annotated[str, typer.Option(metavar="CCC", help="Three capitals.")] = "USD",
    n: Annotated[int, typer.Option("--n", metavar="N", min=1, max=MOST, help="The version.")] = 1,
    start: Annotated[
        int | None,
        typer.Option("--from", metavar="UNIX", min=0, help="In force from; else the rate's own."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a file a rate here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Documents of a rate from OpenEI's Utility Rate Database, with notes on what is lost."""
    from wattledger.tools import urdb

    found = urdb.read(file, urdb.Options(zone, currency, n, start))
    if as_json:
        output.result({"imports": [one.report() for one in found]})
    else:
        urdb.show(found, out)


def tariff_sign(
    file: File,
    keys: Keys,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Else FILE.jws.")
    ] = None,
    kid: Kid = "tariff.1",
    as_json: Json = False,
) -> None:
    """Sign a tariff, a correction or dynamic prices, checked first; `push` sends it."""
    from wattledger.tools import push, signing

    document = push.Document(file)
    token = document.signed(signing.load(keys, kid))
    path = out or file.with_name(file.name + ".jws")
    path.write_bytes(token + b"\n")
    if as_json:
        output.result({"ok": True, "id": document.id, "n": document.n, "file": str(path)})
    else:
        print(f"{document.id} n {document.n} is signed by {kid}: {path}, {len(token)} bytes")


def tariff_want(
    meter: Meter,
    id: Annotated[str, typer.Option("--id", metavar="ID", help="The tariff's id.")],
    n: Annotated[
        int,
        typer.Option("--n", metavar="N", min=0, max=MOST, help="At least this version."),
    ],
    group: Group,
    broker: Broker,
    keys: Keys,
    kid: Kid = "tariff.1",
    timeout: Timeout = 90,
    as_json: Json = False,
) -> int:
    """Tell a meter which tariff it shall take, and of which group it is; waits for its hello."""
    from wattledger.tools import push, signing

    wanted = {"id": id, "n": n, "group": group}
    found = push.want(meter, wanted, signing.load(keys, kid), broker, keys, timeout)
    if as_json:
        output.result(found)
    elif found["held"]:
        print(f"{meter} holds want {found['version']}: {id}, n {n} or later, group {group}")
    else:
        output.note(f"{meter} has not said hello with it yet; the broker keeps it for the meter")
    return 0 if found["held"] else 1


def tariff_push(
    file: File,
    group: Group,
    broker: Broker,
    keys: Keys,
    meters: Annotated[
        str, typer.Option(metavar="M,M", help="Wait for these meters' signed hello.")
    ] = "",
    kid: Kid = "tariff.1",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and sign, send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Timeout = 90,
    as_json: Json = False,
) -> int:
    """Send a tariff, a correction or dynamic prices to every meter of a group."""
    from wattledger.tools import push, question, signing

    push.name_of(group, "group")
    document = push.Document(file)
    token = document.signed(signing.load(keys, kid))
    names = [name for name in meters.split(",") if name]
    what = f"{document.id} n {document.n} to group {group}, {len(token)} bytes"
    if dry_run:
        output.note(f"nothing was sent: {what}")
    elif not yes and not question.confirm(f"push {what}?"):
        return 1
    sent = not dry_run
    found = push.push(document, token, group, names, broker, keys, timeout) if sent else {}
    report = {"sent": sent, "id": document.id, "n": document.n, **found}
    if as_json:
        output.result(report)
    elif sent:
        for meter in report["held"]:
            print(f"{meter} has it")
        for meter in report["silent"]:
            why = report["refused"][meter]
            late = "has not said so yet; the broker keeps it for the meter"
            print(f"{meter} {f'refuses it: {why}' if why else late}")
    return 1 if report.get("silent") else 0
