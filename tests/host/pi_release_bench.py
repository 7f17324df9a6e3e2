"""A meter on a Raspberry Pi whose releases are started as the unit of systemd starts them.

    with Pi(folder) as pi, pi.supervised(broker.url) as unit: ...

Real processes throughout: `launch_linux`, the meter out of its release folder, a broker, the
utility that acknowledges. Chip, pins and clock are in software (pi_release_meter.py).
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from wattledger.firmware import release_linux, slots
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.host.mqtt_bench import Peer, until
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import keys, push, signing, update
from wattledger.tools.pack import pack

METER = "pi-0001"
DEVICE = {"v": 1, "meter": METER, "tenant": "demo", "board": "pi_atm90e32", "max_amps": 60}
WANT = {"id": "plain", "n": 1, "group": "homes"}
SPEED = 200
PROGRAM = [sys.executable, "-P", str(ROOT / "tests" / "host" / "pi_release_meter.py")]


class Pi:
    """Site, state, releases and the utility's keys, below `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.site, self.state = self.folder / "site", self.folder / "state"
        self.root, self.keys = self.folder / "releases", self.folder / "keys"
        self.world = self.folder / "world.json"
        for made in (self.site, self.state, self.root):
            made.mkdir()
        self._began = time.time() - 1
        device_key = keys.create(self.keys, METER).device_key
        self._secret("device.key", device_key.hex())
        self._secret("device.json", json.dumps({**DEVICE, "state_s": 60}))
        self.tariff = signing.create(self.keys, signing.TARIFF_KID)
        self.signer = signing.create(self.keys, update.FIRMWARE_KID)
        points = {kid: point.hex() for kid, point in signing.public_keys(self.keys).items()}
        (self.site / "public_keys.json").write_text(json.dumps(points))
        push.want_of(METER, WANT, self.tariff, self.keys)
        self.storage = PosixStorage(self.state)
        self.load(0)

    def _secret(self, name, text):
        (self.site / name).write_text(text)
        (self.site / name).chmod(0o600)

    def load(self, milliwatts, **more):
        """What each phase draws from now on."""
        found = {"start": self._began, "speed": SPEED, "milliwatts": milliwatts, **more}
        new = self.world.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.rename(self.world)

    def source(self, changes=()):
        """A folder of the whole program, changed: {path: function of its text}."""
        out = self.folder / f"source{len(list(self.folder.glob('source*')))}"
        pack(out)
        for path, change in dict(changes).items():
            file = out / "wattledger" / path
            file.write_text(change(file.read_text()))
        return out

    def release(self, sequence, changes=(), hw_class="pi", signer=None):
        """The folder of a signed release."""
        out = self.folder / f"release{sequence}{hw_class}"
        source = self.source(changes)
        return update.sign(source, out, signer or self.signer, sequence, hw_class, "0.1")

    def command(self, *words):
        """(exit code, output) of release_linux."""
        program = [sys.executable, "-m", "wattledger.firmware.release_linux", *map(str, words)]
        done = subprocess.run(
            program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.returncode, done.stdout

    def install(self, sequence, changes=()):
        """By hand, as the documentation says."""
        release = self.release(sequence, changes)
        words = [self.root, "--state", self.state, "--site", self.site, release.folder]
        code, said = self.command("install", *words)
        assert code == 0, said

    def prove(self, sequence):
        """By hand as well, and its trial is over."""
        self.install(sequence)
        release_linux.start(self.root, self.storage, print)
        slots.good(self.storage)

    def commission(self, micro):
        done = subprocess.run(
            [*PROGRAM, str(self.site), "--state", str(self.state), "--commission", str(micro)],
            env=self._environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def _environment(self, **more):
        return dict(os.environ, PYTHONPATH=str(ROOT), WATTLEDGER_WORLD=str(self.world), **more)

    def meter(self, address, *options):
        """What ExecStart of the unit starts, and its environment."""
        words = [sys.executable, "-m", "wattledger.firmware.launch_linux"]
        words += ["--state", str(self.state), str(self.root), *PROGRAM]
        words += [str(self.site), "--state", str(self.state), "--releases", str(self.root)]
        return [*words, *options], self._environment(NOTIFY_SOCKET=address)

    @contextlib.contextmanager
    def utility(self, broker):
        """The head end that acknowledges what the meter sends."""
        words = [sys.executable, "-m", "wattledger.tools.utility", "--broker", broker.url]
        words += ["--keys", str(self.keys), "--meter", METER, "--state", str(self.folder / "copy")]
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()

    @property
    def linked(self):
        return release_linux.linked(self.root)


class Unit:
    """Starts the meter again whenever it ends, as the unit does: Type=notify, WatchdogSec,
    Restart=always. `runs` has a Run for each start."""

    def __init__(self, pi, *options, watchdog_s=8, start_s=20):
        self._pi, self._options = pi, options
        self._watchdog_s, self._start_s = watchdog_s, start_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self.runs = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _supervise(self):
        while not self._stopped.is_set():
            run = Run(self._pi, self._options)
            self.runs.append(run)
            run.watch(self._stopped, self._watchdog_s, self._start_s)

    def said(self):
        return "\n-- start\n".join(run.said for run in self.runs)


class Run:
    """One start: `code`, `said` (stderr), `notified`."""

    def __init__(self, pi, options):
        address = str(pi.folder / "notify")
        Path(address).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(0.05)
        self._log = open(pi.folder / "meter.log", "w+")
        words, environment = pi.meter(address, *options)
        self.process = subprocess.Popen(words, env=environment, stderr=self._log)
        self.is_ready = False
        self.bitten = False
        self.code = None

    @property
    def said(self):
        return Path(self._log.name).read_text() if self.code is None else self._said

    def watch(self, stopped, watchdog_s, start_s):
        """Until it ends, is ended by `stopped`, or says nothing for too long."""
        fed = time.monotonic()
        while self.process.poll() is None:
            if stopped.is_set():
                self.process.send_signal(signal.SIGTERM)
                break
            try:
                message = self._socket.recv(64)
                self.is_ready = self.is_ready or message == b"READY=1"
                if message in (b"READY=1", b"WATCHDOG=1"):
                    fed = time.monotonic()
            except TimeoutError:
                pass
            if time.monotonic() - fed > (watchdog_s if self.is_ready else start_s):
                self.bitten = True
                self.process.send_signal(signal.SIGABRT)
                break
        self.process.wait(20)
        self._log.seek(0)
        self._said = self._log.read()
        self.code = self.process.returncode
        self._log.close()
        self._socket.close()


def newest(peer, leaf):
    """The last message of a topic, from JSON."""
    found = [payload for topic, payload, _ in peer.received if topic.endswith("/" + leaf)]
    return json.loads(found[-1]) if found else None


__all__ = ["METER", "Peer", "Pi", "Unit", "newest", "until"]
