"""Commands sent to a meter over the broker."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

Meter = Annotated[str, typer.Argument(metavar="METER", help="The meter's id.")]
Broker = Annotated[str, typer.Option(metavar="URL", help="As mqtt://127.0.0.1:1883.")]
Keys = Annotated[Path, typer.Option(metavar="DIR", help="The utility's keys directory.")]


class Relay(str, Enum):
    """What `relay` may ask of a meter."""

    ARM = "arm"


def credit(
    meter: Meter,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="As 10 or 0.50.")],
    broker: Broker,
    keys: Keys,
    n: Annotated[
        int | None, typer.Option("--n", metavar="N", help="Repeat this vend number.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Credit a meter and wait for its signed answer."""
    from wattledger.tools import vend

    return answered(vend.credit(meter, amount, broker, keys, n), as_json)


def relay(
    meter: Meter,
    action: Annotated[Relay, typer.Argument(metavar="arm", help="Let a person there close it.")],
    broker: Broker,
    keys: Keys,
    as_json: Json = False,
) -> int:
    """Arm a meter's supply relay and wait for its signed answer."""
    from wattledger.tools import vend

    return answered(vend.arm(meter, broker, keys), as_json)


def debt(
    meter: Meter,
    total: Annotated[str, typer.Argument(metavar="TOTAL", help="What the debt was, as 120.00.")],
    id: Annotated[int, typer.Option("--id", metavar="N", help="Rises with each new debt.")],
    broker: Broker,
    keys: Keys,
    per_day: Annotated[str, typer.Option(metavar="AMOUNT", help="Taken each local date.")] = "0",
    share: Annotated[int, typer.Option(metavar="PERCENT", help="Of each top-up, at most 90.")] = 0,
    cap: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Most a week by share; 0: any.")
    ] = "0",
    as_json: Json = False,
) -> int:
    """Set what a household owes beside its energy, and how it is paid off."""
    from wattledger.tools import debt as debts

    terms = debts.Terms(id, total, per_day, share, cap)
    return answered(debts.set_debt(meter, terms, broker, keys), as_json)


def answered(answer: dict[str, object], as_json: bool) -> int:
    """Show a meter's answer. A duplicate is done too: the meter has it from before."""
    if as_json:
        output.result(answer)
    else:
        detail = f": {answer['detail']}" if answer["detail"] else ""
        number = f", vend number {answer['n']}" if "n" in answer else ""
        print(f"{answer['result']}{detail} ({answer['latency_ms']} ms{number})")
    return 0 if answer["result"] in ("ok", "scheduled", "duplicate") else 1
