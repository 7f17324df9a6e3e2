"""Commands that make a tenant, its broker, its head ends and its meters, and end them."""

import re
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

if TYPE_CHECKING:
    from wattledger.tools.provision.tenant import Tenant

app = typer.Typer(
    help="Make a meter (--board, --meter, --out), or what the words below make.",
    rich_markup_mode=None,
    invoke_without_command=True,
)

Out = Annotated[Path, typer.Option(metavar="DIR", help="A new folder for it.")]
Ca = Annotated[Path | None, typer.Option(metavar="DIR", help="Authorities; else beside --out.")]
Keys = Annotated[Path | None, typer.Option(metavar="DIR", help="The keys; else beside --out.")]
Gate = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The gate secrets; else beside --out.")
]
CaHere = Annotated[Path, typer.Option(metavar="DIR", help="The tenant's authorities.")]
KeysHere = Annotated[Path, typer.Option(metavar="DIR", help="The tenant's keys directory.")]
GateHere = Annotated[Path, typer.Option(metavar="DIR", help="The gate secrets.")]
Days = Annotated[int, typer.Option(metavar="N", min=1, help="How long its certificate is good.")]
Host = Annotated[
    list[str], typer.Option("--host", metavar="NAME", help="Name or address; may be repeated.")
]
Brokers = Annotated[
    list[Path] | None,
    typer.Option("--broker-dir", metavar="DIR", help="A broker's folder to give the new list."),
]
Named = Annotated[str, typer.Argument(metavar="METER", help="The meter's id.")]
DAYS = 3650
WHOLE = re.compile(r"-?[0-9]{1,18}")  # what is longer is out of every range


class TokenScheme(str, Enum):
    """The tokens a meter takes."""

    STS = "sts"
    OPENPAYGO = "openpaygo"


@app.callback()
def provision(
    context: typer.Context,
    board: Annotated[
        str | None, typer.Option(metavar="B", help="Its board, as `board list` has them.")
    ] = None,
    meter: Annotated[str | None, typer.Option(metavar="ID", help="Its id.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for the meter.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose it is; made when there is none.")
    ] = None,
    keys: Keys = None,
    gate: Gate = None,
    ca: Ca = None,
    days: Days = DAYS,
    tariff: Annotated[
        Path | None, typer.Option(metavar="F", help="A tariff to begin with.")
    ] = None,
    token_scheme: Annotated[
        TokenScheme | None, typer.Option("--token-scheme", help="Tokens that it takes.")
    ] = None,
    token_set: Annotated[
        list[str] | None,
        typer.Option("--token-set", metavar="KEY=VALUE", help="More of device.json's token."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="More of device.json."),
    ] = None,
    support: Annotated[
        str, typer.Option(metavar="TEXT", help="A line on the label: whom to call.")
    ] = "",
    ssid: Annotated[
        str | None, typer.Option(metavar="NAME", help="An ESP32's Wi-Fi; needs --broker.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--wifi-password-file", metavar="F", help="Else it is asked for."),
    ] = None,
    wifi_open: Annotated[
        bool, typer.Option("--wifi-open", help="The Wi-Fi has no password: all can listen.")
    ] = False,
    broker: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="An ESP32's broker, a name of its certificate."),
    ] = None,
    port: Annotated[int, typer.Option(metavar="P", help="The broker's for meters.")] = 8883,
    ntp: Annotated[
        str | None, typer.Option(metavar="HOST", help="An ESP32's time server.")
    ] = None,
    credit: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Opens an ESP32's ledger, once its time is known."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Of a meter whose folder is lost: the same secrets.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a meter, or what the words below make."""
    if context.invoked_subcommand is not None:
        return
    if board is None or meter is None or out is None:
        raise typer.BadParameter("a meter needs --board, --meter and --out")
    if not support.isprintable():
        raise typer.BadParameter("--support is a line of text, without line breaks in it")
    from wattledger.tools.commands import wifi
    from wattledger.tools.provision import meter as meters
    from wattledger.tools.provision import network as networks
    from wattledger.tools.provision import tenant as tenants

    base = out.resolve().parent
    ca, keys = ca or base / "ca", keys or base / "keys"
    if gate is None:
        gate = base / "gate"
        if ca.exists() and not gate.exists():
            # A new one would put the gate secret beside the keys, of which one service has one.
            raise typer.BadParameter(
                f"{gate}: no such folder; name with --gate where this tenant's gate secrets are"
            )
    token = _token(token_scheme, token_set or [])
    wanted = meters.Wanted(board, meter, support, tariff, token, _pairs(set_ or []))
    if credit is not None:
        wanted.credit = networks.opening(credit)
    link = wifi.Options(ssid, password_file, wifi_open, broker, port, ntp)
    wanted.network = link.network()
    name = tenant or tenants.DEFAULT_NAME
    wanted.device(name)  # what is wrong with it is told before a tenant is made
    wanted.own()  # and before somebody types a password
    if wanted.network is not None:
        wanted.network = wanted.network._replace(password=link.password())
    if tenant is None and not ca.exists():
        _warn_of_another(base)
    made = [] if ca.exists() else tenants.create(name, ca, keys, gate)
    found = tenants.Tenant(ca, keys)
    if tenant not in (None, found.name):
        raise typer.BadParameter(f"{ca} is of {found.name}, not of {tenant}")
    made += meters.create(found, gate, out, wanted, days, again)
    for lack in wanted.lacks():
        output.note(lack)
    _tell({"meter": meter, "tenant": found.name}, made, as_json)


@app.command("tenant")
def tenant(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower case; in every topic.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="ca, keys and gate are made in it.")],
    gate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The gate secrets, best elsewhere.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a tenant: its authorities, its signing keys, a folder for the gate secrets."""
    from wattledger.tools.provision import tenant as tenants

    made = tenants.create(name, out / "ca", out / "keys", gate or out / "gate")
    _tell({"tenant": name}, made, as_json)


@app.command("broker")
def broker(
    out: Out,
    host: Host,
    keys: Keys = None,
    ca: Ca = None,
    port: Annotated[int, typer.Option(metavar="P", help="For meters.")] = 8883,
    head_end_port: Annotated[int, typer.Option(metavar="P", help="For head ends.")] = 8884,
    bind: Annotated[str, typer.Option(metavar="IP", help="Listen there alone.")] = "",
    user: Annotated[
        str, typer.Option(metavar="NAME", help="Who it runs as; the folder must be his.")
    ] = "mosquitto",
    days: Days = DAYS,
    as_json: Json = False,
) -> None:
    """Make a broker: mosquitto's configuration, its certificate, who may write what."""
    from wattledger.tools.provision import broker as brokers

    found = _tenant(out, ca, keys)
    doors = brokers.Doors(tuple(host), port, head_end_port, bind, user)
    made = brokers.create(found, out, doors, days)
    _tell({"run": f"mosquitto -c {out.resolve()}/mosquitto.conf"}, made, as_json)


@app.command("head-end")
def head_end(
    out: Out,
    host: Annotated[str, typer.Option(metavar="NAME", help="The broker, as its certificate.")],
    keys: Keys = None,
    ca: Ca = None,
    port: Annotated[int, typer.Option(metavar="P", help="The broker's for head ends.")] = 8884,
    days: Days = DAYS,
    as_json: Json = False,
) -> None:
    """Make a head end's folder, which every command takes as --broker."""
    from wattledger.tools.provision import door

    made = door.create(_tenant(out, ca, keys), out, host, port, days)
    _tell({"broker": str(out)}, made, as_json)


@app.command("renew")
def renew(
    meter: Named,
    board: Annotated[str, typer.Option(metavar="B", help="Its board: the form it reads.")],
    out: Out,
    keys: Keys = None,
    ca: Ca = None,
    days: Days = DAYS,
    as_json: Json = False,
) -> None:
    """Make a meter a new certificate; the present one stays good beside it."""
    from wattledger.tools.provision import retire

    made = retire.renew(_tenant(out, ca, keys), meter, board, out, days)
    _tell({"meter": meter}, made, as_json)


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="METER", help="Its id, or head-end.")],
    ca: CaHere,
    keys: KeysHere,
    broker_dir: Brokers = None,
    as_json: Json = False,
) -> None:
    """Revoke the certificates of a meter, or of every head end."""
    from wattledger.tools.provision import retire
    from wattledger.tools.provision.tenant import Tenant

    count = retire.revoke(Tenant(ca, keys), name, broker_dir or [])
    if not broker_dir:
        output.note(f"copy {ca}/*.crl to every broker, and send it SIGHUP or restart it")
    _tell({"revoked": count}, broker_dir or [], as_json)


@app.command("decommission")
def decommission(
    meter: Named,
    ca: CaHere,
    keys: KeysHere,
    gate: GateHere,
    broker_dir: Brokers = None,
    as_json: Json = False,
) -> None:
    """Take a meter out of service: certificates revoked, its secrets archived."""
    from wattledger.tools.provision import retire
    from wattledger.tools.provision.tenant import Tenant

    moved = retire.decommission(Tenant(ca, keys), gate, meter, broker_dir or [])
    output.note("at the meter: wattledger-meter DIR --state DIR --decommission")
    _tell({"meter": meter}, moved, as_json)


def _warn_of_another(base: Path) -> None:
    """A second tenant made by a wrong --out would have keys that no broker of the first knows."""
    for folder in base.parents[:2]:
        if (folder / "ca").is_dir() and (folder / "keys").is_dir():
            raise typer.BadParameter(
                f"{base} has no tenant, and {folder} has one: put --out beside {folder / 'ca'}, "
                "or name --ca, --keys and --gate, or --tenant for a new one"
            )


def _tenant(out: Path, ca: Path | None, keys: Path | None) -> "Tenant":
    from wattledger.tools.provision.tenant import Tenant

    base = out.resolve().parent
    return Tenant(ca or base / "ca", keys or base / "keys")


def _token(scheme: TokenScheme | None, pairs: list[str]) -> dict[str, Any] | None:
    """The token section of device.json: an STS meter's is of now, EA07, base 2014."""
    if scheme is None:
        if pairs:
            raise typer.BadParameter("--token-set needs --token-scheme")
        return None
    import time

    found: dict[str, Any] = {"scheme": scheme.value}
    if scheme is TokenScheme.STS:
        found.update(ea="07", base=2014, made=int(time.time()))
    return {**found, **_pairs(pairs)}


def _pairs(words: list[str]) -> dict[str, Any]:
    """KEY=VALUE words: a value that is a whole number or true or false is one, but for ea."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise typer.BadParameter(f"{word!r}: write it as KEY=VALUE")
        if value in ("true", "false"):
            found[key] = value == "true"
        else:
            found[key] = int(value) if WHOLE.fullmatch(value) and key != "ea" else value
    return found


def _tell(what: dict[str, Any], paths: Iterable[Path], as_json: bool) -> None:
    places = [str(path) for path in paths]
    if as_json:
        output.result({**what, "paths": places})
        return
    for place in places:
        print(place)
    for key, value in what.items():
        output.note(f"{key}: {value}")
