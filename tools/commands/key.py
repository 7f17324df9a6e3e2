"""Commands about a meter's own keys."""

from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.desk import Root, RootKid, Timeout
from wattledger.tools.commands.options import Json
from wattledger.tools.commands.remote import Broker, DryRun, Keys, Meter, answered, shown


def key_rotate(
    meter: Meter,
    broker: Broker,
    keys: Keys,
    hours: Annotated[
        int, typer.Option(metavar="H", help="How long the old keys stay good; 0: they end now.")
    ] = 24,
    lost: Annotated[
        bool, typer.Option("--lost", help="It has lost its store: its ledger begins anew as well.")
    ] = False,
    balance: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="With --lost: of a missing ledger.")
    ] = None,
    root: Root = None,
    kid: RootKid = "root.1",
    timeout: Timeout = 150,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Give a meter its next generation of keys, with the root key."""
    from wattledger.tools import keys as meters
    from wattledger.tools import orders, root_orders, rotate, signing

    if balance is not None and not lost:
        raise typer.BadParameter("--balance is for a meter that has --lost its store")
    signer = signing.load(root or keys, kid)
    floors = {}
    if lost:
        opening = root_orders.open_ledger(signer, keys, meter, None, None, balance)
        floors = opening.arguments
    if dry_run:
        generation = meters.load(keys, meter).next + 1
        order = rotate.order(generation, hours, signer, floors)
        return shown(orders.dry_run(meter, order, keys), as_json)
    answer = rotate.rotate(meter, hours, signer, broker, keys, floors, timeout)
    output.note(f"{meter} has the keys of generation {answer['generation']}")
    return answered(answer, as_json)
