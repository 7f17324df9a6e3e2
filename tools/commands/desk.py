"""Commands of the service desk: refunds, adjustments, settings, the clock, remote assistance."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools.commands.options import Json, wait
from wattledger.tools.commands.remote import (
    Amount,
    Broker,
    DryRun,
    Keys,
    Meter,
    VendNumber,
    answered,
    commanded,
    confirm,
    moment,
    shown,
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
Root = Annotated[
    Path | None, typer.Option("--root", metavar="DIR", help="Where root.1.pem lies; else --keys.")
]
RootKid = Annotated[str, typer.Option("--kid", metavar="KID", help="The root key's name.")]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="S", callback=wait, help="Wait that long.")
]


class Scope(str, Enum):
    """What a household may be asked to let the desk read."""

    LIVE = "live"
    DISPLAY = "display"


def refund(
    meter: Meter,
    amount: Amount,
    broker: Broker,
    keys: Keys,
    n: VendNumber = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Take off a meter's balance what was paid back; it never cuts a supply."""
    from wattledger.tools import vend

    if dry_run:
        return shown(vend.dry_run("refund", meter, amount, keys, n), as_json)
    vend.parse_amount(amount)
    if not yes:
        confirm(f"take {amount} off the balance of {meter}?", "a refund takes money away")
    return answered(vend.refund(meter, amount, broker, keys, n), as_json)


def assist(
    meter: Meter,
    scope: Annotated[Scope, typer.Argument(help="live: what it measures. display: its display.")],
    broker: Broker,
    keys: Keys,
    minutes: Annotated[int, typer.Option("--for", metavar="MIN", help="At most 239.")] = 60,
    until: Annotated[
        str | None,
        typer.Option(metavar="T", help="Its end by the meter's clock, as 2027-01-12T08:00+08:00."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Ask a household to let the desk read; once it has agreed, `read METER live` or `display`."""
    from wattledger.tools import desk_orders

    order = desk_orders.assistance(scope.value, minutes, moment(until))
    return commanded(meter, order, broker, keys, dry_run, as_json)


def config_set(
    meter: Meter,
    key: Annotated[str, typer.Argument(metavar="KEY", help="As load_limit_w.")],
    value: Annotated[int, typer.Argument(metavar="VALUE", help="A whole number.")],
    broker: Broker,
    keys: Keys,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Change one of a meter's settings that may change in the field; kept over reboots."""
    from wattledger.tools import desk_orders

    order = desk_orders.config_set(key, value)
    return commanded(meter, order, broker, keys, dry_run, as_json)


def time_set(
    meter: Meter,
    broker: Broker,
    keys: Keys,
    at: Annotated[
        str | None,
        typer.Option(metavar="T", help="As 2027-01-31T18:00+08:00; else this machine's time."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Set a meter's clock, however far it is off."""
    from wattledger.tools import desk_orders

    order = desk_orders.time_set(moment(at, "--at"))
    return commanded(meter, order, broker, keys, dry_run, as_json)


def tamper_clear(
    meter: Meter, broker: Broker, keys: Keys, dry_run: DryRun = False, as_json: Json = False
) -> int:
    """Forget a meter's tampers that are over."""
    from wattledger.tools import desk_orders

    return commanded(meter, desk_orders.tamper_clear(), broker, keys, dry_run, as_json)


def ledger_open(
    meter: Meter,
    broker: Broker,
    keys: Keys,
    balance: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Of a ledger that is missing.")
    ] = None,
    credit: Annotated[
        int | None, typer.Option(metavar="N", help="Highest vend number used; else --keys knows.")
    ] = None,
    want: Annotated[
        int | None, typer.Option(metavar="V", help="Highest want used; else --keys knows.")
    ] = None,
    root: Root = None,
    kid: RootKid = "root.1",
    timeout: Timeout = 150,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Begin anew the ledger of a meter that has lost it, with the root key."""
    from wattledger.tools import root_orders, signing

    signer = signing.load(root or keys, kid)
    order = root_orders.open_ledger(signer, keys, meter, credit, want, balance)
    if not dry_run and not yes:
        what = f"with a balance of {balance}" if balance is not None else "as it stands"
        confirm(f"begin the ledger of {meter} anew, {what}?", "it sets what a household has")
    return commanded(meter, order, broker, keys, dry_run, as_json, timeout)


def ledger_correct(
    meter: Meter,
    broker: Broker,
    keys: Keys,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="For the household and the audit.")],
    give: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Add to the balance.")] = None,
    charge: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Take off it.")] = None,
    n: Annotated[
        int | None, typer.Option("--n", metavar="N", help="Repeat this adjustment's number.")
    ] = None,
    root: Root = None,
    kid: RootKid = "root.1",
    timeout: Timeout = 150,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Move a meter's balance by hand, with a reason and the root key; it never cuts a supply."""
    from wattledger.tools import push, root_orders, signing

    signer = signing.load(root or keys, kid)
    number = n
    if number is None:
        number = push.last_version(keys, meter, root_orders.COUNTER) + 1
    order = root_orders.correct(signer, number, give, charge, reason)
    if charge is not None and not dry_run and not yes:
        confirm(f"charge {meter} {charge} ({reason})?", "a charge takes money away")
    if n is None and not dry_run:
        number = root_orders.next_number(keys, meter)
        order = root_orders.correct(signer, number, give, charge, reason)
    return commanded(meter, order, broker, keys, dry_run, as_json, timeout)
