"""Every command of `wattledger`. Each imports what it needs, so that none waits for the others."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output

app = typer.Typer(
    name="wattledger",
    help="Wattledger: exact prepaid metering, simulated, vended and audited.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
tariff_app = typer.Typer(help="Tariff documents.", rich_markup_mode=None)
device_app = typer.Typer(help="A meter's device.json.", rich_markup_mode=None)
ledger_app = typer.Typer(help="The journal of a meter, offline.", rich_markup_mode=None)
app.add_typer(tariff_app, name="tariff")
app.add_typer(device_app, name="device")
app.add_typer(ledger_app, name="ledger")

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")
]
State = Annotated[
    Path, typer.Argument(metavar="DIR", help="State directory of a meter, a copy or a live one.")
]
File = Annotated[Path, typer.Argument(metavar="F", help="The JSON file.")]
Meter = Annotated[str, typer.Argument(metavar="METER", help="The meter's id.")]
Broker = Annotated[str, typer.Option(metavar="URL", help="As mqtt://127.0.0.1:1883.")]
Keys = Annotated[Path, typer.Option(metavar="DIR", help="The utility's keys directory.")]


class Relay(str, Enum):
    """What `relay` may ask of a meter."""

    ARM = "arm"


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


@app.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="S", help="End after S wall seconds.")
    ] = None,
    speed: Annotated[float, typer.Option(help="World seconds in a wall second.")] = 60,
    load: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Replay this load; own or UCI form.")
    ] = None,
    tariff: Annotated[
        Path | None, typer.Option(metavar="F", help="Tariff document; default: the demo's own.")
    ] = None,
    credit: Annotated[str, typer.Option(metavar="AMOUNT", help="Opening credit.")] = "2.00",
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep everything here, or go on from it.")
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No page.")] = False,
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Of the simulated household.")] = 1,
) -> int:
    """A simulated house with its meter, a broker, a utility and the display in a browser."""
    from wattledger.tools import demo as demos

    return demos.run(
        seconds=seconds,
        speed=speed,
        load=load,
        tariff=tariff,
        credit=credit,
        state=state,
        headless=headless,
        as_json=as_json,
        seed=seed,
    )


@tariff_app.command("check")
def tariff_check(file: File, as_json: Json = False) -> None:
    """Check a tariff document as the meter would; prints what it says and the bytes it takes."""
    from wattledger.tools import tariff

    found = tariff.check(file)
    if as_json:
        output.result(found)
    else:
        tariff.show(found)


@device_app.command("check")
def device_check(file: File, as_json: Json = False) -> None:
    """Check a device.json as the meter would."""
    from wattledger.agent import config
    from wattledger.tools import places

    values = vars(places.load(file, config.load))
    if as_json:
        output.result({"ok": True, **values})
    else:
        for key, value in values.items():
            print(f"{key:18} {value}")


@app.command()
def bill(
    tariff: Annotated[Path, typer.Option(metavar="T.json", help="Tariff document.")],
    profile: Annotated[
        Path,
        typer.Option(metavar="P.csv", help="Rows start_utc,import_wh[,export_wh][,trust]."),
    ],
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Charge a row that spans a switch by its start."),
    ] = False,
    used: Annotated[
        int, typer.Option(metavar="WH", min=0, help="Used in the cycle before the first row.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """What a load profile costs, by the meter's own engine.

    A row lasts to the start of the next, the last as long as the one before it; one row alone
    lasts 15 minutes. --json counts blocks from 0, as the journal does.
    """
    from wattledger.tools import bill as bills
    from wattledger.tools import profile as profiles
    from wattledger.tools import tariff as tariffs

    found = bills.bill(tariffs.load(tariff), profiles.read(profile), profile, used, estimate)
    if as_json:
        output.result(found)
    else:
        bills.show(found)


@app.command()
def profile(
    state: State,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows `bill` reads.")] = False,
    as_json: Json = False,
) -> None:
    """The load profile in a meter's journal: a summary, or with --csv its rows."""
    from wattledger.tools import ledger
    from wattledger.tools import profile as profiles

    found = profiles.of_journal(state)
    if csv:
        sys.stdout.writelines(line + "\n" for line in profiles.text(found.rows))
    summary = found.summary()
    if as_json:
        output.result(summary)
    elif not csv:
        for key, value in summary.items():
            print(f"{key:10} {value}")
    if found.used_wh:
        output.note(f"the meter was opened within a cycle: bill needs --used {found.used_wh}")
    ledger.require_whole(state)


@ledger_app.command("verify")
def ledger_verify(state: State, as_json: Json = False) -> int:
    """Check a whole journal: chain, checksums, sums, registers, purchases. Never writes."""
    from wattledger.tools import ledger, listing

    scan = ledger.verify(state)
    if as_json:
        output.result(scan.report())
    else:
        listing.show_outcome(scan)
    if scan.problem is not None:
        output.error(f"{state}: {scan.problem}; {ledger.REMEDY}")
        return 1
    return 0


@ledger_app.command("list")
def ledger_list(
    state: State,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="Only the last N.")] = 40,
) -> None:
    """The newest entries of a journal."""
    from wattledger.tools import ledger, listing

    listing.show_entries(state, last)
    ledger.require_whole(state)


@app.command()
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

    return _answered(vend.credit(meter, amount, broker, keys, n), as_json)


@app.command()
def relay(
    meter: Meter,
    action: Annotated[Relay, typer.Argument(metavar="arm", help="Let a person there close it.")],
    broker: Broker,
    keys: Keys,
    as_json: Json = False,
) -> int:
    """Arm a meter's supply relay and wait for its signed answer."""
    from wattledger.tools import vend

    return _answered(vend.arm(meter, broker, keys), as_json)


def _answered(answer: dict[str, object], as_json: bool) -> int:
    """Show a meter's answer. A duplicate is done too: the meter has it from before."""
    if as_json:
        output.result(answer)
    else:
        detail = f": {answer['detail']}" if answer["detail"] else ""
        number = f", vend number {answer['n']}" if "n" in answer else ""
        print(f"{answer['result']}{detail} ({answer['latency_ms']} ms{number})")
    return 0 if answer["result"] in ("ok", "scheduled", "duplicate") else 1


class Format(str, Enum):
    """What `statement` may write."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class Language(str, Enum):
    """What `statement` may be written in."""

    EN = "en"
    ZH = "zh"


Start = Annotated[
    str | None,
    typer.Option("--from", metavar="T", help="Local date or time, or unix seconds."),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="T", help="Up to here; a date means its first instant."),
]


@ledger_app.command("explain")
def ledger_explain(
    state: State, start: Start = None, until: Until = None, as_json: Json = False
) -> int:
    """Why the balance moved between two times: each interval's parts, each charge, each credit.

    --json counts blocks from 0, as the journal does.
    """
    from wattledger.tools import explain, ledger

    found = explain.explain(state, start, until)
    scan = ledger.verify(state)
    if as_json:
        output.result(explain.report(found, scan))
    else:
        explain.show(found)
    if scan.problem is not None:
        output.error(f"{state}: {scan.problem}; {ledger.REMEDY}")
        return 1
    return 0


@app.command()
def statement(
    state: State,
    start: Start = None,
    until: Until = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="A calendar month, local time.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="json counts blocks from 0.")] = (
        Format.TEXT
    ),
    language: Annotated[Language, typer.Option("--lang", help="Of text and html.")] = Language.EN,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F", help="Write to this file.")
    ] = None,
) -> None:
    """What a period cost: balances, days, bands and blocks, top-ups, and each cut's reason."""
    from wattledger.tools import ledger
    from wattledger.tools import statement as statements
    from wattledger.tools.statement_words import Words

    found = statements.collect(state, start, until, month)
    statements.write(found, form.value, Words(language.value), out)
    ledger.require_whole(state)


class Interpreter(str, Enum):
    """What runs the meter of a simulation."""

    CPYTHON = "cpython"
    MICROPYTHON = "micropython"


@app.command()
def sim(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A YAML file, or a shipped scenario's name."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=366, help="Other than the scenario's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Other than the scenario's.")
    ] = None,
    interpreter: Annotated[
        Interpreter, typer.Option(help="The meter's; the journal is the same.")
    ] = Interpreter.CPYTHON,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the meter's state in this new folder.")
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a commented scenario and end.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Run a scenario in virtual time, and check the ten promises of a meter on the way."""
    from wattledger.tools import sim as sims

    if example:
        sys.stdout.write(sims.example())
        return 0
    found = sims.simulate(sims.find(scenario), days, seed, interpreter.value, state)
    if as_json:
        output.result(found.report)
    else:
        sims.show(found)
    return sims.tell_problems(found)


class Bench(str, Enum):
    """What `bench` may measure."""

    HEAP = "heap"
    LEDGER = "ledger"
    RATING = "rating"
    SIM = "sim"
    TICK = "tick"


@app.command()
def bench(
    name: Annotated[
        Bench, typer.Argument(metavar="NAME", help="heap, ledger, rating, sim or tick.")
    ],
    png: Annotated[
        Path | None, typer.Option("--png", metavar="F", help="Draw it too: heap, ledger, sim.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure this machine's meter beside a peer or a limit in the same run.

    Each time is the best of several: other work on the machine only ever adds to it.
    """
    from importlib import import_module

    from wattledger.tools.bench import picture

    if png is not None:
        picture.require(name.value)
    report = import_module(f"wattledger.tools.bench.{name.value}").run()
    if as_json:
        output.result(report.report())
    else:
        report.show()
    if png is not None:
        picture.draw(report, png)
