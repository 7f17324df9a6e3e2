"""Commands about the application a meter runs: sign it, serve it, roll it out."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json, wait
from wattledger.tools.commands.remote import Broker, Keys


class Hardware(str, Enum):
    """What a meter is."""

    ESP32 = "esp32"
    PI = "pi"


Release = Annotated[Path, typer.Argument(metavar="RELEASE", help="Folder of `update sign`.")]


def update_pack(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    as_json: Json = False,
) -> None:
    """Lay this version's program out as the application of a Raspberry Pi, to be signed."""
    from wattledger.tools.pack import pack

    files = pack(out)
    if as_json:
        output.result({"ok": True, "files": len(files)})
    else:
        print(f"{out}: {len(files)} files; sign it with --hardware pi")


def update_sign(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The application's files.")],
    keys: Keys,
    sequence: Annotated[
        int, typer.Option(metavar="N", min=1, help="Above every one a meter ever ran.")
    ],
    version: Annotated[str, typer.Option(metavar="V", help="For people, as 0.3.0.")],
    out: Annotated[Path, typer.Option(metavar="RELEASE", help="A new folder.")],
    hardware: Annotated[Hardware, typer.Option(help="What it runs on.")] = Hardware.ESP32,
    min_core: Annotated[int, typer.Option(metavar="C", min=1, help="The core it needs.")] = 1,
    kid: Annotated[str, typer.Option(metavar="KID", help="The signing key.")] = "firmware.1",
    core: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="Image (folder, or image.rom) that the meters have."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign an application; the release is a folder of its files and the manifest."""
    from wattledger.tools import signing, update

    if core is not None:
        if hardware is not Hardware.ESP32:
            raise typer.BadParameter("--core is for esp32: another application is a whole program")
        update.check_core(folder, core)
    signer = signing.load(keys, kid)
    made = update.sign(folder, out, signer, sequence, hardware.value, version, min_core)
    size = sum(file.size for file in made.manifest.files)
    if as_json:
        count = len(made.manifest.files)
        output.result({"ok": True, "sequence": sequence, "files": count, "bytes": size})
    else:
        print(f"{out}: sequence {sequence} is signed by {kid}, {size} bytes")


def update_push(
    release: Release,
    broker: Broker,
    keys: Keys,
    meters: Annotated[str, typer.Option(metavar="M,M", help="The fleet, first to last.")],
    stages: Annotated[
        str, typer.Option(metavar="P,P", help="Per cent of the fleet in each stage.")
    ] = "1,10,100",
    kid: Annotated[str, typer.Option(metavar="KID", help="Who signs the wants.")] = "tariff.1",
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="S", callback=wait, help="Wait so long for a stage."),
    ] = 7200,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> int:
    """Roll an application out in stages, serving its parts; ends where a meter fails it."""
    from wattledger.tools import question, rollout, signing, update

    found = update.load(release, signing.public_keys(keys))
    names = [name for name in meters.split(",") if name]
    try:
        percents = tuple(int(text) for text in stages.split(","))
    except ValueError:
        raise typer.BadParameter("--stages are whole numbers, as 1,10,100") from None
    if not names or not all(0 < percent <= 100 for percent in percents):
        raise typer.BadParameter("needs meters, and stages from 1 to 100")
    what = f"sequence {found.sequence} to {len(names)} meters"
    if not yes and not question.confirm(f"roll out {what}?"):
        return 1
    signer = signing.load(keys, kid)
    plan = rollout.Rollout(found, names, signer, keys, output.note)
    report = plan.run(broker, percents, timeout)
    if as_json:
        output.result(report)
    else:
        for meter in report["proven"]:
            print(f"{meter} runs it, proven")
        for meter, why in report["failed"].items():
            print(f"{meter} {why}")
        for meter in report["waiting"]:
            print(f"{meter} has not said so")
    return 0 if len(report["proven"]) == len(set(names)) else 1


def update_serve(
    releases: Annotated[list[Path], typer.Argument(metavar="RELEASE...", help="Folders.")],
    broker: Broker,
    keys: Keys,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="S", callback=wait, help="End after so long.")
    ] = None,
) -> None:
    """Serve the parts of applications to meters that want them, until interrupted."""
    from wattledger.tools import rollout, signing, update

    known = signing.public_keys(keys)
    served = rollout.serve([update.load(path, known) for path in releases], broker, keys, seconds)
    output.note(f"{served} parts were served")
