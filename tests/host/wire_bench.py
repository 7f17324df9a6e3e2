"""A meter in real time on a real broker, a bad line between, and a head end that keeps a copy."""

import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from wattledger.firmware.runtime import Runtime
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.host_sim.chaos.proxy import ChaosProxy
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.host.link_bench import MicroPythonLink, TurnedLink
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.micropython import staging
from wattledger.tools import broker as broker_tool
from wattledger.tools.keys import MeterKeys
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

HOST = "127.0.0.1"
FAST = (0.05, 0.2)
DEVICE = "device"  # the whole meter on MicroPython, with our client
HEAP = "768K"
PROGRAM = "from wattledger.tests.both.fixtures_meter_program import main; main()"
DRILL = 12  # the event that stands for anything: its value counts
CONFIG = "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"


class Broker:
    """A mosquitto that can be killed, and started again on its port."""

    def __init__(self, folder):
        places = ":".join(broker_tool.MOSQUITTO_PLACES)
        self._program = shutil.which("mosquitto") or shutil.which("mosquitto", path=places)
        if self._program is None:
            pytest.skip("no mosquitto on this machine")
        self.port = broker_tool.free_port()
        self._config = Path(folder) / ("%d.conf" % self.port)
        self._config.write_text(CONFIG % self.port)
        self._process = None
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def answers(self):
        return broker_tool.answers(self.port)

    def kill(self):
        """SIGKILL: nothing is said to anybody, nothing is kept."""
        self._process.kill()
        self._process.wait()


def connect(kind, port, name="meter", **options):
    """A link of that kind: paho, own or micropython (the client there, the agent here)."""
    options.setdefault("backoff_s", FAST)
    if kind == "paho":
        return PahoLink(HOST, port, name, **options)
    if kind == "micropython":
        return OneAtATime(MicroPythonLink(HOST, port, name, **options))
    return TurnedLink(MqttLink(HOST, port, name, clock=HostClock(), **options))


class OneAtATime:
    """A link that is asked by the meter's thread and by the test's."""

    def __init__(self, link):
        self._link = link
        self._lock = threading.Lock()

    def __getattr__(self, name):
        if name in ("fault", "dropped_full", "dropped_long", "dropped_bad"):
            with self._lock:
                return getattr(self._link, name)

        def call(*arguments):
            with self._lock:
                return getattr(self._link, name)(*arguments)

        return call


def end(link):
    with contextlib.suppress(OSError, ValueError):
        if isinstance(link, PahoLink):
            link.close(0.2)
        else:
            link.end()


class Meter:
    """A whole agent under its event loop in a thread; `ticks` are the monotonic times of them.

    While `busy`, it writes `rate` events a second into its journal, each at once durable.
    """

    def __init__(self, link, rate=20, house=House):
        self.link = link
        self.house = house(credit=10)
        self.house.link = link
        self.house.boot()
        self.agent = self.house.agent
        self.ticks = []
        self.written = 0
        self.busy = False
        self.problems = []
        self._rate = rate
        self._due = 0  # monotonic seconds of the next event
        self._tick = self.agent.tick
        self.agent.tick = self._note
        self._runtime = Runtime(self.agent, self.house.clock, None, self.problems.append)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def _note(self):
        self.ticks.append(time.monotonic())
        self._tick()

    def _live(self):
        last = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            passed = int((now - last) * 1000)
            last += passed / 1000
            self.house.pass_ms(passed)
            self._write(now)
            wait = self._runtime.turn()
            self._stop.wait(min(wait, 20 if self.busy else 100) / 1000)

    def _write(self, now):
        if not self.busy:
            self._due = now
        elif now >= self._due:
            self._due += 1 / self._rate
            self.written += 1
            self.agent.report(DRILL, self.written)
            self.agent.keeper.now()

    def is_up(self):
        return self.link.is_up()

    def sessions(self):
        """How many the link has had."""
        return self.link.session()

    def head(self):
        """(sequence, hash) of the last durable entry."""
        return self.agent.journal.durable, self.agent.journal.durable_hash

    def worst_gap_s(self):
        """The longest time between two ticks."""
        pairs = zip(self.ticks, self.ticks[1:], strict=False)
        return max(later - sooner for sooner, later in pairs)

    def close(self):
        self._stop.set()
        self._thread.join()
        end(self.link)


class Device:
    """A whole meter in a MicroPython process, as Meter is one here."""

    def __init__(self, port):
        interpreter = staging.find_tool("micropython")
        if interpreter is None:
            pytest.skip("no micropython: no wheel for this platform and none on PATH")
        self._process = subprocess.Popen(
            [interpreter, "-X", "heapsize=" + HEAP, "-c", PROGRAM],
            env=dict(os.environ, MICROPYPATH="%s:.frozen" % staging.staged_tree()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process.stdin.write("%d\n" % port)
        self._busy = False

    def tell(self, word="tell"):
        """What it says of itself, a dict."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    @property
    def busy(self):
        return self._busy

    @busy.setter
    def busy(self, busy):
        self._busy = busy
        self.tell("busy" if busy else "rest")

    def is_up(self):
        return self.tell()["up"]

    def sessions(self):
        return self.tell()["sessions"]

    def head(self):
        found = self.tell()
        return found["durable"], bytes.fromhex(found["hash"])

    def worst_gap_s(self):
        return self.tell()["worst_ms"] / 1000

    @property
    def written(self):
        return self.tell()["written"]

    @property
    def problems(self):
        return self.tell()["problems"]

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Trial:
    """A meter with a link of `kind`, its broker, the line between (`proxy`), and a head end."""

    def __init__(self, kind, folder, lined=True, aware=False, rate=20, house=House, **options):
        self.kind = kind
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.broker = Broker(folder)
        assert until(self.broker.answers)
        self.proxy = ChaosProxy(self.broker.port, aware=aware) if lined else None
        port = self.proxy.port if lined else self.broker.port
        self.lines = []
        self.replica = Replica(folder, METER)
        self._head_link = PahoLink(HOST, self.broker.port, "head", backoff_s=FAST)
        self.utility = Utility(
            MeterKeys(METER, DEVICE_KEY), self.replica, self._head_link, self.lines.append
        )
        self._stop = threading.Event()
        self._serving = threading.Thread(target=self.utility.serve, args=(self._stop,))
        self._serving.start()
        if kind == DEVICE:
            self.meter = Device(port)
        else:
            self.meter = Meter(connect(kind, port, **options), rate, house)

    def is_up(self):
        return self.meter.is_up()

    def is_caught_up(self):
        """The head end holds all that the meter has."""
        return self.replica.entries == self.meter.head()[0]

    def missing(self, timeout_s):
        """Entries that do not arrive once nothing new is written."""
        self.meter.busy = False
        until(self.is_caught_up, timeout_s)
        return self.meter.head()[0] - self.replica.entries

    def proves(self):
        """True when the copy ends with the hash that the meter has there."""
        return self.replica.hash_of(self.replica.entries) == self.meter.head()[1]

    def close(self):
        self.meter.close()
        self._stop.set()
        self._serving.join()
        self._head_link.close(0.2)
        self.replica.close()
        if self.proxy:
            self.proxy.close()
        self.broker.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
