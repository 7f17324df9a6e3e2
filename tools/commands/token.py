"""Commands about tokens: reading one as the meter would, making one under a test key, and
sending one to its meter."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json
from wattledger.tools.commands.remote import Broker, Keys, Meter, answered

app = typer.Typer(help="STS-format and OpenPAYGO tokens.", rich_markup_mode=None)


class Scheme(str, Enum):
    """Which tokens."""

    STS = "sts"
    OPENPAYGO = "openpaygo"


class Algorithm(str, Enum):
    """An encryption algorithm of STS."""

    EA07 = "07"
    EA11 = "11"


class Derivation(str, Enum):
    """How a decoder key comes from a vending key."""

    DKGA02 = "02"
    DKGA04 = "04"


class Base(str, Enum):
    """The year from which minutes count."""

    FIRST = "1993"
    SECOND = "2014"
    THIRD = "2035"


class Interpreter(str, Enum):
    """Which interpreter runs the decoder."""

    CPYTHON = "cpython"
    MICROPYTHON = "micropython"


class Kind(str, Enum):
    """What an OpenPAYGO token does."""

    ADD = "add"
    SET = "set"
    DISABLE = "disable"
    SYNC = "sync"


OptScheme = Annotated[Scheme, typer.Option("--scheme", help="Which tokens.")]
Ea = Annotated[Algorithm, typer.Option("--ea", help="Algorithm of STS: 07 or 11.")]
OptBase = Annotated[Base, typer.Option("--base", help="Base date of STS identifiers.")]
Start = Annotated[
    int | None,
    typer.Option(
        "--start",
        metavar="N",
        min=0,
        max=999_999_999,
        help="OpenPAYGO starting code; derived if not given.",
    ),
]
Count = Annotated[
    int | None,
    # Each count is one more hash of the chain: a million takes a minute.
    typer.Option(
        "--count",
        metavar="N",
        min=0,
        max=1_000_000,
        help="OpenPAYGO count of the last token.",
    ),
]
Restricted = Annotated[bool, typer.Option("--restricted", help="Digits 1 to 4 only.")]
Extended = Annotated[bool, typer.Option("--extended", help="The long form, 12 or 20 digits.")]


@app.command("decode")
def decode(
    tokens: Annotated[
        list[str], typer.Argument(metavar="TOKEN...", help="Its digits; all of a key change.")
    ],
    key: Annotated[str, typer.Option(metavar="HEX", help="The meter's key.")],
    scheme: OptScheme = Scheme.STS,
    ea: Ea = Algorithm.EA07,
    base: OptBase = Base.FIRST,
    start: Start = None,
    count: Count = None,
    restricted: Restricted = False,
    extended: Extended = False,
    interpreter: Annotated[
        Interpreter, typer.Option(help="Which interpreter runs the meter's decoder.")
    ] = Interpreter.CPYTHON,
    as_json: Json = False,
) -> int:
    """Read a token with the decoder of the meter. 1 when it does not decode."""
    from wattledger.tools import token_decode

    length = 16 if scheme is Scheme.OPENPAYGO or ea is Algorithm.EA11 else 8
    _check_key(key, length)
    if scheme is Scheme.OPENPAYGO:
        if count is None:
            raise typer.BadParameter(
                "OpenPAYGO needs it: the count of the last token", param_hint="--count"
            )
        if len(tokens) != 1:
            raise typer.BadParameter("OpenPAYGO tokens are read one by one", param_hint="TOKEN")
    request = {
        "scheme": scheme.value,
        "ea": ea.value,
        "key": key,
        "base": int(base.value),
        "start": start,
        "count": count,
        "restricted": restricted,
        "extended": extended,
        "tokens": ["".join(token.split()).replace("-", "") for token in tokens],
    }
    answer = token_decode.decode(request, interpreter.value)
    if as_json:
        output.result(answer)
    else:
        token_decode.show(answer)
    return 0 if answer["ok"] else 1


def _check_key(key: str, length: int) -> None:
    try:
        found = len(bytes.fromhex(key))
    except ValueError:
        raise typer.BadParameter("is not hex digits", param_hint="--key") from None
    if found != length:
        raise typer.BadParameter(
            f"has {2 * found} hex digits, not {2 * length}", param_hint="--key"
        )


@app.command("vend")
def vend(
    meter: Annotated[
        str | None, typer.Argument(metavar="[METER]", help="With --keys: whose key to take.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The utility's keys directory.")
    ] = None,
    scheme: OptScheme = Scheme.STS,
    key: Annotated[
        str | None, typer.Option(metavar="HEX", help="The meter's key; a test key.")
    ] = None,
    ea: Ea = Algorithm.EA07,
    base: OptBase = Base.SECOND,
    dkga: Annotated[
        Derivation, typer.Option(help="How --vending-key gives the meter's key.")
    ] = Derivation.DKGA04,
    vending_key: Annotated[str | None, typer.Option(metavar="HEX", help="A test key.")] = None,
    pan: Annotated[str | None, typer.Option(metavar="DIGITS", help="18 digits.")] = None,
    sgc: Annotated[
        str | None, typer.Option(metavar="DIGITS", help="Supply group, 6 digits.")
    ] = None,
    ti: Annotated[str, typer.Option(metavar="DIGITS", help="Tariff index, 2 digits.")] = "01",
    krn: Annotated[int, typer.Option(min=1, max=9, help="Key revision.")] = 1,
    kt: Annotated[int, typer.Option(min=0, max=3, help="Key type.")] = 2,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As 2027-01-12T06:30; default: now.")
    ] = None,
    rnd: Annotated[int | None, typer.Option(min=0, max=15, help="The random bits.")] = None,
    kwh: Annotated[str | None, typer.Option(metavar="KWH", help="As 12.5.")] = None,
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="As 3.20.")] = None,
    up: Annotated[
        bool, typer.Option("--up", help="Not less than asked: the next a token can say.")
    ] = False,
    power_limit: Annotated[
        int | None, typer.Option(metavar="W", min=0, help="The load limit from now on.")
    ] = None,
    unbalance_limit: Annotated[
        int | None, typer.Option(metavar="W", min=0, help="Between phases.")
    ] = None,
    clear_credit: Annotated[
        int | None, typer.Option(metavar="REGISTER", min=0, max=65535, help="65535: all.")
    ] = None,
    clear_tamper: Annotated[bool, typer.Option("--clear-tamper", help="Journalled.")] = False,
    test: Annotated[
        int | None, typer.Option(metavar="BITS", min=0, max=(1 << 36) - 1, help="Which tests.")
    ] = None,
    new_key: Annotated[str | None, typer.Option(metavar="HEX", help="For a key change.")] = None,
    new_krn: Annotated[int, typer.Option(min=1, max=9, help="Its revision.")] = 1,
    ken: Annotated[int, typer.Option(min=0, max=255, help="Its expiry number.")] = 255,
    rollover: Annotated[bool, typer.Option("--rollover", help="With a new base date.")] = False,
    kind: Annotated[Kind, typer.Option("--type", help="What an OpenPAYGO token does.")] = Kind.ADD,
    value: Annotated[int, typer.Option(help="Of an OpenPAYGO token.")] = 0,
    start: Start = None,
    count: Count = None,
    restricted: Restricted = False,
    extended: Extended = False,
    as_json: Json = False,
) -> None:
    """Make a token under a test key; only amounts that a token can say exactly."""
    from wattledger.tools import token_till, token_vend

    wanted = {
        "key": key, "ea": ea.value, "base": int(base.value), "dkga": dkga.value,
        "vending_key": vending_key, "pan": pan, "sgc": sgc, "ti": ti, "krn": krn, "kt": kt,
        "at": at, "rnd": rnd, "kwh": kwh, "amount": amount, "power_limit": power_limit,
        "unbalance_limit": unbalance_limit, "clear_credit": clear_credit,
        "clear_tamper": clear_tamper, "test": test, "new_key": new_key, "new_krn": new_krn,
        "ken": ken, "rollover": rollover, "type": kind.value, "value": value, "start": start,
        "count": count, "restricted": restricted, "extended": extended, "tid": None, "up": up,
    }  # fmt: skip
    if (meter is None) != (keys is None):
        raise typer.BadParameter("METER and --keys go together", param_hint="METER")
    if meter is not None and keys is not None:
        if key is not None or vending_key is not None or scheme is not Scheme.STS:
            raise typer.BadParameter("the keys directory has the key", param_hint="--keys")
        token_till.wanted(wanted, keys, meter, token_vend.moment(at))
    found = token_vend.vend(scheme.value, wanted)
    output.note("a test key's token, not one of a utility")
    if as_json:
        output.result(found)
    else:
        for token in found["tokens"]:
            print(token)
        if up:
            output.note(f"it says {found.get('amount') or found.get('kwh')}")


@app.command("enter")
def enter(
    meter: Meter,
    token: Annotated[str, typer.Argument(metavar="DIGITS", help="In groups or not.")],
    broker: Broker,
    keys: Keys,
    as_json: Json = False,
) -> int:
    """Enter a token at a meter over the broker and wait for its signed answer."""
    from wattledger.tools import token_enter

    return answered(token_enter.enter(meter, token, broker, keys), as_json)
