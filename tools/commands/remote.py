"""Commands sent to a meter over the broker."""

import sys
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json

if TYPE_CHECKING:
    from wattledger.tools.orders import Order

Meter = Annotated[str, typer.Argument(metavar="METER", help="The meter's id.")]
Broker = Annotated[str, typer.Option(metavar="URL", help="As mqtt://127.0.0.1:1883.")]
Keys = Annotated[Path, typer.Option(metavar="DIR", help="The utility's keys directory.")]


class Relay(str, Enum):
    """What `relay` may ask of a meter."""

    ARM = "arm"
    OPEN = "open"


class Read(str, Enum):
    """What `read` may ask of a meter."""

    CONFIG = "config"
    JOURNAL = "journal"


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")
]


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
    action: Annotated[Relay, typer.Argument(help="arm: let a person close it. open: cut it.")],
    broker: Broker,
    keys: Keys,
    reason: Annotated[
        str | None, typer.Option(metavar="R", help="request, debt, vacant, tamper or works.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="T", help="Its end, as 2027-01-31T18:00+08:00.")
    ] = None,
    gate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The gate secrets, apart from the keys.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a supply is cut.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Arm or open a meter's supply relay and wait for its signed answer."""
    from wattledger.tools import orders, vend

    if action is Relay.ARM:
        if reason or until or gate or dry_run:
            raise typer.BadParameter("--reason, --until, --gate and --dry-run are for open")
        return answered(vend.arm(meter, broker, keys), as_json)
    if reason is None or gate is None:
        raise typer.BadParameter("open needs --reason and --gate")
    order = orders.opening(reason, moment(until), orders.gate_key(gate, keys, meter))
    if not dry_run and not yes:
        confirm(f"cut the supply of {meter} ({reason})?")
    return commanded(meter, order, broker, keys, dry_run, as_json)


def message(
    meter: Meter,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='For the display; "" clears it.')],
    broker: Broker,
    keys: Keys,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Show a message on a meter's display and wait for its signed answer."""
    from wattledger.tools import orders

    return commanded(meter, orders.message(text), broker, keys, dry_run, as_json)


def keep(
    meter: Meter,
    hours: Annotated[int, typer.Argument(metavar="HOURS", help="Of powered time; 0 ends it.")],
    broker: Broker,
    keys: Keys,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Keep a meter's supply on without credit and wait for its signed answer."""
    from wattledger.tools import orders

    return commanded(meter, orders.keep(hours), broker, keys, dry_run, as_json)


def read(
    meter: Meter,
    what: Annotated[Read, typer.Argument(help="Its settings, or entries once more.")],
    broker: Broker,
    keys: Keys,
    first: Annotated[int, typer.Option("--from", metavar="N", help="First entry.")] = 1,
    last: Annotated[int, typer.Option("--to", metavar="N", help="Last entry.")] = 1,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Read a meter's settings, or have it send a range of its journal once more."""
    from wattledger.tools import orders

    order = orders.read_config() if what is Read.CONFIG else orders.read_journal(first, last)
    return commanded(meter, order, broker, keys, dry_run, as_json)


def commanded(
    meter: str, order: "Order", broker: str, keys: Path, dry_run: bool, as_json: bool
) -> int:
    """Send an order, or show what would be sent."""
    from wattledger.tools import orders

    if dry_run:
        found = orders.dry_run(meter, order, keys)
        if as_json:
            output.result(found)
        else:
            print(f"not sent ({found['bytes']} bytes): {found['detail']}")
        return 0
    return answered(orders.send(meter, order, broker, keys), as_json)


def confirm(question: str) -> None:
    """Ask before a supply is cut; whoever cannot be asked must say --yes."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("open cuts a home's supply: add --yes to do it without asking")
    if not typer.confirm(question, err=True):
        raise typer.Abort()


def moment(text: str | None) -> int | None:
    """Unix seconds of a time with its offset; None for none."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter("--until must be a time with its offset, as 2027-01-31T18:00Z")
    return int(at.timestamp())


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
