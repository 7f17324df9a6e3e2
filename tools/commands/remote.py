"""Commands sent to a meter over the broker."""

import re
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
Broker = Annotated[
    str, typer.Option(metavar="URL", help="mqtt://127.0.0.1:1883, or a head end's folder.")
]
Keys = Annotated[Path, typer.Option(metavar="DIR", help="The utility's keys directory.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")
]


# What a person can do about a refusal that does not say it itself.
HINTS = {
    "bad signature": "the meter has other keys: give --keys the folder it was provisioned from",
    "stale": "the meter has said a newer hello meanwhile: repeat the command",
    "rate": "the meter takes no more of these for now: the detail says how many, or when",
    "no space": "the meter's storage does not take writes: read its alarms, then repeat",
}


Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="As 10 or 0.50.")]
VendNumber = Annotated[
    int | None, typer.Option("--n", metavar="N", help="Repeat this vend number.")
]


class Relay(str, Enum):
    """What `relay` may ask of a meter."""

    ARM = "arm"
    OPEN = "open"


class Read(str, Enum):
    """What `read` may ask of a meter."""

    CONFIG = "config"
    JOURNAL = "journal"
    LIVE = "live"
    DISPLAY = "display"


def credit(
    meter: Meter,
    amount: Amount,
    broker: Broker,
    keys: Keys,
    n: VendNumber = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Credit a meter and wait for its signed answer."""
    from wattledger.tools import vend

    if dry_run:
        return shown(vend.dry_run("credit", meter, amount, keys, n), as_json)
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
    from wattledger.tools import orders

    if action is Relay.ARM:
        if reason or until or gate:
            raise typer.BadParameter("--reason, --until and --gate are for open")
        return commanded(meter, orders.arming(), broker, keys, dry_run, as_json)
    if reason is None or gate is None:
        raise typer.BadParameter("open needs --reason and --gate")
    order = orders.opening(reason, moment(until), orders.gate_key(gate, keys, meter))
    if not dry_run and not yes:
        confirm(f"cut the supply of {meter} ({reason})?", "open cuts a home's supply")
    return commanded(meter, order, broker, keys, dry_run, as_json)


def message(
    meter: Meter,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='For the display; "" clears it.')],
    broker: Broker,
    keys: Keys,
    until: Annotated[
        str | None, typer.Option(metavar="T", help="Its end, as 2027-01-31T18:00+08:00.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Show a message on a meter's display and wait for its signed answer."""
    from wattledger.tools import orders

    order = orders.message(text, moment(until))
    return commanded(meter, order, broker, keys, dry_run, as_json)


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
    what: Annotated[
        Read,
        typer.Argument(help="config: its settings. journal: entries once more. The rest: assist."),
    ],
    broker: Broker,
    keys: Keys,
    first: Annotated[int, typer.Option("--from", metavar="N", help="First entry.")] = 1,
    last: Annotated[int, typer.Option("--to", metavar="N", help="Last entry.")] = 1,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Read a meter's settings, have it send a range of its journal once more, or, once the
    household has agreed (assist), read what it measures or shows."""
    from wattledger.tools import desk_orders, orders

    if what is Read.JOURNAL:
        order = orders.read_journal(first, last)
    else:
        order = {
            Read.CONFIG: orders.read_config,
            Read.LIVE: desk_orders.read_live,
            Read.DISPLAY: desk_orders.read_display,
        }[what]()
    return commanded(meter, order, broker, keys, dry_run, as_json)


def commanded(
    meter: str,
    order: "Order",
    broker: str,
    keys: Path,
    dry_run: bool,
    as_json: bool,
    timeout_s: float = 30,
) -> int:
    """Send an order, or show what would be sent."""
    from wattledger.tools import orders

    if dry_run:
        return shown(orders.dry_run(meter, order, keys), as_json)
    return answered(orders.send(meter, order, broker, keys, timeout_s), as_json)


def shown(found: dict[str, object], as_json: bool) -> int:
    """Show what would be sent."""
    if as_json:
        output.result(found)
    else:
        print(f"not sent ({found['bytes']} bytes): {found['detail']}")
    return 0


def confirm(question: str, why: str) -> None:
    """Ask before a supply or money is taken away; whoever cannot be asked must say --yes."""
    from wattledger.tools import question as ask

    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{why}: add --yes to do it without asking")
    if not ask.confirm(question):
        raise typer.Abort()


def moment(text: str | None, option: str = "--until") -> int | None:
    """Unix seconds of a time with its offset; None for none."""
    if text is None:
        return None
    from wattledger.agent.billing.calendar import EPOCH_2000
    from wattledger.agent.comms.orders import MAX_UNIX

    try:
        at = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))  # Z: from Python 3.11 on
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{option} must be a time with its offset, as 2027-01-31T18:00Z")
    if not EPOCH_2000 <= at.timestamp() <= MAX_UNIX:
        raise typer.BadParameter(f"{option} must be from 2000 to 2099, where a meter has a clock")
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
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Set what a household owes beside its energy, and how it is paid off."""
    from wattledger.tools import debt as debts

    order = debts.order(debts.Terms(id, total, per_day, share, cap))
    return commanded(meter, order, broker, keys, dry_run, as_json)


def answered(answer: dict[str, object], as_json: bool) -> int:
    """Show a meter's answer. A duplicate is done too: the meter has it from before."""
    hint = HINTS.get(str(answer["result"]))
    if hint:
        output.note(hint)
    if as_json:
        output.result(answer)
    else:
        detail = f": {answer['detail']}" if answer["detail"] else ""
        number = f", vend number {answer['n']}" if "n" in answer else ""
        print(f"{answer['result']}{detail} ({answer['latency_ms']} ms{number})")
    return 0 if answer["result"] in ("ok", "scheduled", "duplicate") else 1
