"""Meter-seconds per CPU second through the real driver at 1 s ticks, and where the time goes."""

import os
import tempfile
from typing import Any

from wattledger.hal.meter.atm90e32_registers import SLOW_FIELDS
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Report, Row, best, cpu_s
from wattledger.tools.bench.stopwatch import Stopwatch
from wattledger.tools.bench.world import MeteredHouse

SECONDS = 4 * 3600
ROUNDS = 3
LEAST = 10_000  # meter-seconds per CPU second
AIM = 20_000
UNIT = "meter-s/CPU-s"
DRIVER = "driver"
TRANSFERS = "SPI transfers (simulated chip answers)"
PLAYED = 500  # times


def run(seconds: int = SECONDS, rounds: int = ROUNDS) -> Report:
    """Best of `rounds` runs of `seconds` of a household's morning. BenchError on any drift."""
    with tempfile.TemporaryDirectory() as folder:
        number = 0

        def house() -> MeteredHouse:
            nonlocal number
            number += 1
            place = f"{folder}/{number}"
            os.mkdir(place)
            return MeteredHouse(PosixStorage(place, durable=False))

        def whole(in_memory: bool) -> float:
            metered = MeteredHouse(MemoryStorage()) if in_memory else house()
            took = cpu_s(lambda: metered.run(seconds))
            if metered.drift():
                raise BenchError(f"{metered.drift()} counts of drift after {seconds} s")
            return took

        took, without, empty = best(
            rounds,
            [
                lambda: whole(False),
                lambda: whole(True),
                lambda: cpu_s(lambda: _empty(seconds)),
            ],
        )
        watched = [_watched(house(), seconds) for _ in range(rounds)]
        calls = watched[0].calls_each(seconds)
        transfer_s, transfers = _transfers(house())
    times = [watch.parts() for watch in watched]
    parts = {part: min(each[part] for each in times) / 1e9 for part in times[0]}
    parts[TRANSFERS] = min(transfer_s * transfers * seconds, parts[DRIVER])
    parts[DRIVER] -= parts[TRANSFERS]
    calls[TRANSFERS] = transfers
    reached = seconds / took
    rows = [
        Row("whole", reached, LEAST, UNIT, "limit set", ">= 1"),
        Row("whole", reached, AIM, UNIT, "aim set", ">= 1"),
        Row("whole", reached, seconds / empty, UNIT, "empty loop"),
        Row("storage in memory", seconds / without, reached, UNIT, "whole"),
    ]
    parts["the loop itself"] = empty
    total = sum(parts.values())
    # Watched in a run of its own: shares of that run, in terms of the best whole.
    tick_us = took / seconds * 1e6
    spent = [
        Row(name, part / total * tick_us, tick_us, "us a second", "whole")
        for name, part in sorted(parts.items(), key=lambda item: -item[1])
    ]
    return Report(
        "sim",
        f"{seconds} s of one phase at 1 s ticks in one process; no count of drift",
        rows + spent,
        {"seconds": seconds, "drift_counts": 0, "calls_a_second": calls},
        picture=spent,
    )


class _Nothing:
    def call(self, *_: Any) -> None:
        pass


def _empty(seconds: int) -> None:
    """The loop of MeteredHouse.run with nothing in it."""
    nothing = _Nothing()
    for _ in range(seconds):
        nothing.call(1000)
        nothing.call(1000)
        nothing.call()
        nothing.call()


def _watched(house: MeteredHouse, seconds: int) -> Stopwatch:
    """The parts of a run; SPI transfers are in the driver's, being too short to watch."""
    watch = Stopwatch()
    agent = house.agent
    places: list[tuple[Any, str, str]] = [
        (house.clock, "advance", "clock"),
        (house.world, "advance", "world: load and mains"),
        (house.chip, "feed", "world: chip counts and measures"),
        (agent.meter._chip, "read_into", DRIVER),
        (agent, "tick", "meter"),
        (agent, "step", "step: the rest"),
        (agent.time, "age", "step: clock"),
        (agent.intervals, "take_time", "step: time source"),
        (agent.intervals, "close_due", "step: intervals"),
        (agent.control, "decide", "step: supply"),
        (agent.keeper, "work", "step: snapshots"),
    ]
    for owner, name, part in places:
        watch.watch(owner, name, part)
    for name in ("append", "sync", "commit"):
        watch.watch(house.storage, name, "storage (no sync)", waits=True)
    house.run(seconds)
    return watch


def _transfers(house: MeteredHouse) -> tuple[float, float]:
    """(seconds of one transfer, transfers a tick): those of a few ticks, played back."""
    frames: list[bytes] = []
    transfer = house.chip.transfer

    def record(out: bytearray, into: bytearray) -> None:
        frames.append(bytes(out))
        transfer(out, into)

    house.chip.transfer = record  # type: ignore[method-assign]
    house.run(SLOW_FIELDS)
    into = bytearray(4)

    def play() -> None:
        for _ in range(PLAYED):
            for frame in frames:
                transfer(frame, into)

    took = best(5, [lambda: cpu_s(play)])[0]
    return took / PLAYED / len(frames), len(frames) / SLOW_FIELDS
