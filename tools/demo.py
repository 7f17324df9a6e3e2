"""`wattledger demo`: a simulated house, its meter, a broker and a small utility in one command.

World, broker and utility are children that end when their stdin closes, so whatever ends the demo
leaves nothing behind. The meter itself runs here.
"""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wattledger.agent.agent import Agent
from wattledger.agent.comms import topics
from wattledger.board import sim as board
from wattledger.firmware import main_sim, simulated
from wattledger.firmware.stop_linux import Stop
from wattledger.hal.bus.bridge import Bridge, BridgeRelay
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.entropy_linux import OsEntropy
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.storage.book_tinydb import NAME as BOOK
from wattledger.hal.storage.book_tinydb import TinyBook
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.load_csv import LoadCsv
from wattledger.tools import broker, mqtt
from wattledger.tools.demo_state import DemoState
from wattledger.tools.errors import ToolError
from wattledger.tools.summary import Summary

FIRMWARE = "sim"
CHILD_S = 5


class DemoError(ToolError):
    """The demo cannot start or go on."""


def run(
    *,
    seconds: float | None,
    speed: float,
    load: Path | None,
    tariff: Path | None,
    credit: str,
    state: Path | None,
    headless: bool,
    as_json: bool,
    seed: int,
) -> int:
    """Run the demo; the exit code. Errors of the tools and of the load say what is wrong."""
    if load is not None:
        LoadCsv(load, 0)  # an unusable file is told before anything starts
    folder = state or Path(tempfile.mkdtemp(prefix="wattledger-demo-"))
    try:
        with DemoState(folder, board, tariff, credit) as held, ExitStack() as stack:
            demo = Demo(held, speed, load, headless, seed, stack)
            if state is None:
                _say("the state is temporary; --state DIR keeps it for the next run")
            demo.announce(sys.stderr if as_json else sys.stdout)
            demo.live(seconds)
            if as_json:
                print(json.dumps(demo.report()), flush=True)
    finally:
        if state is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _spawn(
    stack: ExitStack, module: str, *arguments: str, talk: bool
) -> "subprocess.Popen[bytes]":
    """A child that ends when its stdin closes; its stdout is ours to read when it is to `talk`."""
    child = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if talk else subprocess.DEVNULL,
        bufsize=0,
    )
    stack.callback(_end, child)
    return child


def _end(child: "subprocess.Popen[bytes]") -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(CHILD_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class Demo:
    """A running demo: its children, the meter and the display."""

    def __init__(
        self,
        state: DemoState,
        speed: float,
        load: Path | None,
        headless: bool,
        seed: int,
        stack: ExitStack,
    ) -> None:
        self._state = state
        self._speed = speed
        self._stop = Stop()
        self._catch_signals(stack)
        self._broker = stack.enter_context(broker.start())
        self._bridge = Bridge(*self._start_world(load, seed, stack))
        _spawn(
            stack,
            "wattledger.tools.utility",
            *("--broker", self._broker.url, "--keys", str(state.keys_folder)),
            *("--meter", state.config.meter, "--state", str(state.utility_folder), "--until-eof"),
            talk=False,
        )
        try:
            world_ms = self._bridge.start()
        except EOFError:
            raise DemoError("the simulated world did not start; see the line above") from None
        self._clock = VirtualClock(world_ms)
        self._page = self._start_page(stack) if not headless else None
        self._agent = self._build_agent(stack)
        self._agent.start(state.document)
        self._pacer = main_sim.Pacer(self._agent, self._clock, self._advance, speed, _say)
        self._cpu = 0.0

    def _catch_signals(self, stack: ExitStack) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.signal(number, lambda *_: self._stop.set())
            stack.callback(signal.signal, number, before)

    def _start_world(self, load: Path | None, seed: int, stack: ExitStack) -> tuple[Any, Any]:
        arguments = ["--state", str(self._state.world_folder), "--start", str(self._state.start)]
        for name, value in board.CALIBRATION[0].items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        arguments += ["--seed", str(seed)]
        if load is not None:
            arguments += ["--load", str(load)]
        child = _spawn(stack, "wattledger.host_sim.world_server", *arguments, talk=True)
        return child.stdout, child.stdin

    def _start_page(self, stack: ExitStack) -> Any:
        from wattledger.hal.display.page_server_linux import PageServer

        page = PageServer()
        page.start()
        stack.callback(page.stop)
        return page

    def _build_agent(self, stack: ExitStack) -> Agent:
        config = self._state.config
        config.tick_ms = main_sim.tick_ms(self._speed)
        address = mqtt.parse_url(self._broker.url)
        link = PahoLink(
            address.host,
            address.port,
            config.meter,
            will_topic=topics.topic(config.tenant, config.meter, topics.STATUS),
            will_payload=topics.OFFLINE,
            backoff_s=(0.2, 5),
        )
        stack.callback(link.close)
        durable = self._speed <= main_sim.FAST
        if not durable:
            _say(
                f"speed {self._speed:g}: a tick is {config.tick_ms / 1000:g} s of world time and "
                "commits are not synced to disk"
            )
        return simulated.build(
            config,
            self._bridge,
            BridgeRelay(self._bridge),
            self._clock,
            self._advance,
            PosixStorage(self._state.meter_folder, durable),
            OsEntropy(),
            link_clock=HostClock(),
            link=link,
            page=self._page,
            device_key=self._state.keys.device_key,
            gate_key=self._state.gate_key,
            token_key=self._state.token_key,
            public_keys=self._state.public_keys,
            firmware=FIRMWARE,
            book=TinyBook(self._state.meter_folder / BOOK),
        )

    def _advance(self, ms: int) -> None:
        """World and meter clock pass together."""
        self._bridge.advance(ms)
        self._clock.advance(ms)

    def announce(self, out: Any) -> None:
        """The four lines a person goes on from."""
        meter = self._state.config.meter
        topup = [_command(), "credit", meter, "10.00", "--broker", self._broker.url]
        topup += ["--keys", str(self._state.keys_folder)]
        print(f"display {self._page.url if self._page else 'none (headless)'}", file=out)
        print(f"broker {self._broker.url}", file=out)
        print(f"meter {meter}", file=out)
        print(f"topup {shlex.join(topup)}", file=out, flush=True)

    def live(self, seconds: float | None) -> None:
        """Run until the time is over or a signal asks to end; leaves everything durable."""
        before = time.process_time()
        try:
            self._pacer.run(seconds, self._stop.is_set)
            self._agent.stop()
        except (EOFError, BrokenPipeError):
            raise DemoError("the simulated world has ended; start the demo again") from None
        self._cpu = time.process_time() - before

    def report(self) -> dict[str, Any]:
        """The object of `--json`."""
        config = self._state.config
        register = self._agent.meter.register
        summary = Summary(PosixStorage(self._state.meter_folder), config.meter, config.profile_s)
        summary.invariants["I6"] = self._pacer.failures == 0
        report = summary.report(
            self._bridge.truth()[0],
            register.import_wh + register.import_rest / Atm90e32.energy_denominator,
        )
        report["meter_seconds_per_cpu_second"] = round(
            self._pacer.world_ms / 1000 / self._cpu if self._cpu else 0
        )
        return report


def _command() -> str:
    """How this person runs `wattledger`: the script beside this interpreter, when it is there."""
    script = Path(sys.executable).with_name("wattledger")
    return str(script) if script.exists() else "wattledger"
