"""Every command of `wattledger`, a file for each thing they are about.

Each imports what it needs, so that none waits for the others.
"""

from typing import Annotated

import typer

from wattledger.tools.commands import (
    boards,
    calibrate,
    desk,
    display,
    doctor,
    document,
    flash,
    journal,
    key,
    notify,
    provision,
    rating,
    remote,
    run,
    tariffs,
    token,
    update,
)

app = typer.Typer(
    name="wattledger",
    help="Wattledger: exact prepaid metering, simulated, vended and audited.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        try:
            print(f"wattledger {metadata.version('wattledger')}")
        except metadata.PackageNotFoundError:
            print("wattledger, not installed (run from its source tree)")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


# Listed by --help in this order.
for command in (
    run.demo,
    rating.bill,
    rating.profile,
    remote.credit,
    desk.refund,
    remote.relay,
    remote.keep,
    remote.message,
    remote.read,
    remote.debt,
    desk.assist,
    journal.statement,
    journal.book,
    calibrate.calibrate,
    doctor.doctor,
    flash.flash,
    run.sim,
    run.bench,
):
    app.command()(command)

tariff_app = typer.Typer(help="Tariff documents.", rich_markup_mode=None)
tariff_app.command("check")(document.tariff_check)
tariff_app.command("show")(tariffs.tariff_show)
tariff_app.command("import-urdb")(tariffs.tariff_import_urdb)
board_app = typer.Typer(help="Boards and their wires.", rich_markup_mode=None)
board_app.command("list")(boards.board_list)
board_app.command("wiring")(boards.board_wiring)
board_app.command("page")(boards.board_page)
tariff_app.command("sign")(tariffs.tariff_sign)
tariff_app.command("want")(tariffs.tariff_want)
tariff_app.command("push")(tariffs.tariff_push)
device_app = typer.Typer(help="A meter's device.json.", rich_markup_mode=None)
device_app.command("check")(document.device_check)
ledger_app = typer.Typer(
    help="The journal of a meter; open and correct: its ledger.", rich_markup_mode=None
)
ledger_app.command("verify")(journal.ledger_verify)
ledger_app.command("list")(journal.ledger_list)
ledger_app.command("explain")(journal.ledger_explain)
ledger_app.command("freezes")(journal.ledger_freezes)
ledger_app.command("open")(desk.ledger_open)
ledger_app.command("correct")(desk.ledger_correct)
config_app = typer.Typer(help="A meter's settings.", rich_markup_mode=None)
config_app.command("set")(desk.config_set)
time_app = typer.Typer(help="A meter's clock.", rich_markup_mode=None)
time_app.command("set")(desk.time_set)
tamper_app = typer.Typer(help="Tampers a meter has seen.", rich_markup_mode=None)
tamper_app.command("clear")(desk.tamper_clear)
app.add_typer(tariff_app, name="tariff")
app.add_typer(board_app, name="board")
app.add_typer(device_app, name="device")
app.add_typer(ledger_app, name="ledger")
app.add_typer(display.app, name="display")
app.add_typer(token.app, name="token")
app.add_typer(provision.app, name="provision")
key_app = typer.Typer(help="A meter's own keys.", rich_markup_mode=None)
key_app.command("rotate")(key.key_rotate)
app.add_typer(key_app, name="key")
update_app = typer.Typer(help="The application a meter runs.", rich_markup_mode=None)
update_app.command("pack")(update.update_pack)
update_app.command("sign")(update.update_sign)
update_app.command("push")(update.update_push)
update_app.command("serve")(update.update_serve)
app.add_typer(update_app, name="update")
app.add_typer(config_app, name="config")
app.add_typer(time_app, name="time")
app.add_typer(tamper_app, name="tamper")
app.add_typer(notify.app, name="notify")
