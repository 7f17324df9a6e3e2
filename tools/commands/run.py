"""Commands that run something here: the demo, a simulation, a bench."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json, drawn, wait


def _speed(value: float) -> float:
    from wattledger.firmware.main_sim import MAX_SPEED

    if not 0 < value <= MAX_SPEED:
        raise typer.BadParameter(f"must be above 0 and at most {MAX_SPEED}, is {value:g}")
    return value


def demo(
    seconds: Annotated[
        float | None,
        typer.Option("--for", metavar="S", callback=wait, help="End after S wall seconds."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            metavar="X", callback=_speed, help="World seconds in a wall second, to 2000."
        ),
    ] = 60,
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
    seed: Annotated[int, typer.Option(metavar="N", help="Of the simulated household.")] = 1,
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


class Interpreter(str, Enum):
    """What runs the meter of a simulation."""

    CPYTHON = "cpython"
    MICROPYTHON = "micropython"


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
    if scenario is None:
        raise typer.BadParameter(f"needs a YAML file, or one of: {', '.join(sims.shipped())}")
    found = sims.simulate(sims.find(scenario), days, seed, interpreter.value, state)
    if as_json:
        output.result(found.report)
    else:
        sims.show(found)
    return sims.tell_problems(found)


class Bench(str, Enum):
    """What `bench` may measure."""

    ACCURACY = "accuracy"
    DSP = "dsp"
    ESP32 = "esp32"
    HEAP = "heap"
    LEDGER = "ledger"
    PAGE = "page"
    RATING = "rating"
    SIM = "sim"
    TICK = "tick"
    WEAR = "wear"
    WIRE = "wire"


def bench(
    name: Annotated[
        Bench,
        typer.Argument(
            metavar="NAME",
            help="accuracy, dsp, esp32, heap, ledger, page, rating, sim, tick, wear or wire.",
        ),
    ],
    png: Annotated[
        Path | None,
        typer.Option(
            metavar="F", callback=drawn, help="Draw it too: accuracy, heap, ledger, sim."
        ),
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
