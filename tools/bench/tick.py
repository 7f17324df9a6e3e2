"""The tick on both interpreters beside an empty call, and the bytes it allocates: none."""

import tempfile
from pathlib import Path

from wattledger.tools.bench import device, programs
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.rows import Report, Row

COUNT = 20_000
ROUNDS = 5
EMPTY = "empty call"


def run(count: int = COUNT, rounds: int = ROUNDS) -> Report:
    """Microseconds a tick, best of `rounds` of `count` ticks. BenchError."""
    here = programs.tick(count, rounds)
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        device.stage(device.modules_of(device.PROGRAMS), tree)
        there = Device(tree).run("tick", count, rounds)
    if not there["counter"]:
        raise BenchError("MicroPython's heap counter does not see an allocation")
    return Report(
        "tick",
        "One tick with the real driver on the simulated chip, one phase",
        [
            Row("tick, CPython", here["tick_us"], here["empty_us"], "us", EMPTY),
            Row("tick, MicroPython", there["tick_us"], there["empty_us"], "us", EMPTY),
            Row("tick, MicroPython", there["tick_us"], here["tick_us"], "us", "CPython's tick"),
            Row(
                "allocated a tick, MicroPython",
                there["allocated"] / count,
                there["counter"],
                "B",
                "a list of one",
                "0",
            ),
        ],
    )
