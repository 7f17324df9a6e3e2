"""A meter in real time on a real broker, a bad line between, and a head end that keeps a copy."""

import contextlib
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
from wattledger.tools import broker as broker_tool
from wattledger.tools.keys import MeterKeys
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

HOST = "127.0.0.1"
FAST = (0.05, 0.2)
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
    """A link of that kind: paho, own or micropython."""
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

    def worst_gap_s(self):
        """The longest time between two ticks."""
        pairs = zip(self.ticks, self.ticks[1:], strict=False)
        return max(later - sooner for sooner, later in pairs)

    def close(self):
        self._stop.set()
        self._thread.join()
        end(self.link)


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
        self.meter = Meter(connect(kind, port, **options), rate, house)

    def is_up(self):
        return self.meter.link.is_up()

    def durable(self):
        return self.meter.agent.journal.durable

    def is_caught_up(self):
        """The head end holds all that the meter has."""
        return self.replica.entries == self.durable()

    def missing(self, timeout_s):
        """Entries that do not arrive once nothing new is written."""
        self.meter.busy = False
        until(self.is_caught_up, timeout_s)
        return self.durable() - self.replica.entries

    def proves(self):
        """True when the copy ends with the hash that the meter has there."""
        return self.replica.hash_of(self.replica.entries) == self.meter.agent.journal.durable_hash

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
