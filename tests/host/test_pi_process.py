"""The meter of a Raspberry Pi as systemd runs it: real packages, emulated buses, a real broker."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.meter import calibration
from wattledger.tests.host.mqtt_bench import HOST, Peer, running_broker, until
from wattledger.tests.host.umockdev_bench import ROOT, emulated, need
from wattledger.tools import keys, ledger, vend

METER = "pi-0001"
GAINS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}  # what the emulated board's sensors need
DEVICE = {"v": 1, "meter": METER, "tenant": "demo", "board": "pi_atm90e32", "max_amps": 60}
QUICK = {"tick_ms": 200, "state_s": 1, "snapshot_s": 1}


class Bench:
    """A provisioned meter: its site, its state, the utility's keys, and the way to run it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.site = self.folder / "site"
        self.state = self.folder / "state"
        self.keys = self.folder / "keys"
        self.site.mkdir()
        self.state.mkdir()
        self.write("device.json", json.dumps({**DEVICE, **QUICK}))
        self.write("device.key", keys.create(self.keys, METER).device_key.hex())
        found = {"v": 1, "chip": "atm90e32", "constants": [GAINS] * 3, "when": 1_800_000_000}
        found.update(against="simulated reference", by="test")
        found["crc"] = calibration.crc_of(found)
        self.write("calibration.json", json.dumps(found))

    def write(self, name, text):
        (self.site / name).write_text(text)
        (self.site / name).chmod(0o600)

    def command(self, *options):
        program = [sys.executable, "-m", "wattledger.tests.host.pi_process"]
        return [*program, str(self.site), "--state", str(self.state), *options]

    def ends(self, *options):
        """(exit code, stderr) of a run that ends by itself."""
        done = subprocess.run(
            self.command(*options), cwd=ROOT, capture_output=True, text=True, timeout=30
        )
        return done.returncode, done.stderr

    @contextlib.contextmanager
    def running(self, *options):
        """A meter that measures; SIGTERM at the end. Yields a Run, filled in when it ended."""
        run = Run()
        address = str(self.folder / "notify")
        Path(address).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address)
            environment = dict(os.environ, NOTIFY_SOCKET=address)
            process = subprocess.Popen(
                self.command(*options),
                cwd=ROOT,
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            # A socket holds some ten messages: one that nobody reads loses the last.
            threading.Thread(target=run.listen, args=(systemd,), daemon=True).start()
            try:
                if not until(lambda: run.notified, 20):
                    process.kill()
                    raise AssertionError(process.communicate()[1])
                yield run
            finally:
                process.send_signal(signal.SIGTERM)
                run.said = process.communicate(timeout=20)[1]
                run.code = process.returncode
                until(lambda: run.notified[-1:] == [b"STOPPING=1"])


class Run:
    """What a run did: its exit code, stderr, what systemd heard."""

    def __init__(self):
        self.code = None
        self.said = ""
        self.notified = []

    def listen(self, systemd):
        with contextlib.suppress(OSError):
            while True:
                self.notified.append(systemd.recv(64))


def with_a_bench(check):
    with tempfile.TemporaryDirectory() as folder:
        return check(Bench(folder))


def newest(peer, leaf):
    """The last message of a topic, from JSON."""
    found = [payload for topic, payload, _ in peer.received if topic.endswith("/" + leaf)]
    return json.loads(found[-1]) if found else None


def kilowatt_on_each_phase(chip):
    chip.set_mains(50_000)
    for phase in range(3):
        chip.set_phase(phase, 230_000, 4_348, 1_000_000)


def measure_take_a_credit_end_and_go_on(chip):
    kilowatt_on_each_phase(chip)
    assert Ds3231(LinuxI2c(1, 0x68)).set(int(time.time()))
    with_a_bench(lambda bench: the_life_of(bench, chip))


def the_life_of(bench, chip):
    code, said = bench.ends("--commission", "5000000")
    assert (code, "the ledger of pi-0001 is open with 5000000 micro-units" in said) == (0, True)
    assert "coils 0" in said
    code, said = bench.ends("--commission", "5000000")
    assert code == 1 and "ledger" in said and "Traceback" not in said, said
    with running_broker("auto") as broker, Peer(broker.port, f"wl/1/demo/m/{METER}/#") as peer:
        with bench.running("--broker", broker.url) as first:
            assert until(lambda: newest(peer, "state"), 20)
            for _ in range(10):  # ten times as fast: 25 s of 3 kW are 20.83 Wh
                chip.feed(2_500)
                time.sleep(0.25)
            assert until(lambda: newest(peer, "state")["import_wh"] >= 20, 10)
            seen = newest(peer, "state")
            assert abs(seen["power_mw"] - 3_000_000) < 3_000
            assert seen["import_wh"] == 20
            assert seen["trust"] in ("restored", "synced")  # the battery clock was believed
            assert vend.credit(METER, "10", broker.url, bench.keys)["result"] == "ok"
        assert first.code == 0, first.said
        assert first.notified[0] == b"READY=1"
        assert b"WATCHDOG=1" in first.notified
        assert first.notified[-1] == b"STOPPING=1"
        assert "coils 0" in first.said and "Traceback" not in first.said
        assert until(lambda: peer.received[-1][:2] == (f"wl/1/demo/m/{METER}/status", b"offline"))
        peer.received.clear()
        port = free_port()
        with bench.running("--broker", broker.url, "--page", f"{HOST}:{port}") as second:
            with urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=10) as answer:
                assert b"<html" in answer.read()
            chip.feed(1_200)  # 1 Wh on top of the 20.83
            assert until(lambda: (newest(peer, "state") or seen)["import_wh"] == 21, 20)
            assert newest(peer, "state")["balance_micro"] == 15_000_000
        assert second.code == 0, second.said
        assert "coils 0" in second.said
    scan = ledger.verify(bench.state)
    assert scan.problem is None
    assert scan.balance == 15_000_000_000


def share_a_bus_with_the_clock(chip):
    chip.set_phase(0, 230_000, 5_000, 1_150_000)
    chip.set_mains(50_000)
    assert Ds3231(LinuxI2c(1, 0x68)).set(int(time.time()))
    with_a_bench(lambda bench: the_i2c_of(bench, chip))


def the_i2c_of(bench, chip):
    bench.write("device.json", json.dumps({**DEVICE, **QUICK, "board": "pi_ade7953"}))
    (bench.site / "calibration.json").unlink()
    assert bench.ends("--commission", "0")[0] == 0

    def power():
        chip.feed(20)
        seen = newest(peer, "state") or {"power_mw": None}
        return seen["power_mw"] or 0

    with running_broker("auto") as broker, Peer(broker.port, f"wl/1/demo/m/{METER}/#") as peer:
        with bench.running("--broker", broker.url) as run:
            assert until(lambda: abs(power() - 1_150_000) < 2_000, 20)
            assert newest(peer, "state")["trust"] in ("restored", "synced")
    assert (run.code, "coils 0" in run.said) == (0, True), run.said


def free_port():
    with socket.socket() as picked:
        picked.bind((HOST, 0))
        return picked.getsockname()[1]


def start_without_chip_and_clock(chip):
    chip.silent = True
    chip.other("ds3231").silent = True
    with_a_bench(lambda bench: the_silence_of(bench, chip))


def the_silence_of(bench, chip):
    assert bench.ends("--commission", "0")[0] == 0
    with bench.running() as run:
        time.sleep(2)
    assert run.code == 0, run.said
    assert "no battery clock" in run.said and "no chip answers at 0x68" in run.said
    assert "meter pi-0001 measures" in run.said and "Traceback" not in run.said
    assert (bench.site / "device.key").read_text() not in run.said
    (bench.site / "calibration.json").unlink()
    with bench.running():
        time.sleep(1)
    shown = subprocess.run(
        [sys.executable, "-m", "wattledger.tools.cli", "ledger", "list", str(bench.state)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert "chip silent" in shown.stdout, shown.stdout
    assert shown.stdout.count("calibration changed: 0") == 1, shown.stdout


def say_what_is_wrong(chip):
    with_a_bench(refused)


def refused(bench):
    with bench.running() as run:
        pass
    assert "no ledger in" in run.said and "open it with --commission" in run.said
    assert bench.ends("--commission", "0")[0] == 0
    with bench.running() as run:
        pass
    assert "no ledger" not in run.said
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        for options, words in (
            (("--broker", "mqtt://192.0.2.1"), "broker 192.0.2.1 is another machine: use mqtts"),
            (("--broker", "broker"), "broker address 'broker': write it as mqtts://"),
            (("--page", "8080x"), "--page '8080x': write it as"),
            (("--page", ":65536"), "--page ':65536': write it as"),
            (("--page", ":²"), "--page ':²': write it as"),
            (("--page", "a..b:8080"), "a..b port 8080: this machine has no such address"),
            (("--page", "nowhere.invalid:8080"), "this machine has no such address"),
            (("--page", f"{HOST}:{port}"), f"cannot listen on {HOST} port {port}: another"),
            (("--state", str(bench.folder / "none")), "none: no such folder"),
        ):
            code, said = bench.ends(*options)
            assert code == 1 and words in said and "Traceback" not in said, said
    site = bench.site
    bench.site = bench.folder / "elsewhere"
    code, said = bench.ends()
    assert code == 1 and "elsewhere/device.json: no such file" in said, said
    bench.site = site
    for board in ("sim", "esp32_bl0942", "pi_none"):
        bench.write("device.json", json.dumps({**DEVICE, "board": board}))
        code, said = bench.ends()
        assert code == 1 and f"{board!r} is no board of a Raspberry Pi" in said, said
    bench.write("device.json", json.dumps({**DEVICE, "board": "pi_ade7953"}))
    code, said = bench.ends()
    assert code == 1 and "is for atm90e32, the board has ade7953; calibrate this" in said, said


@pytest.mark.parametrize(
    "check",
    [measure_take_a_credit_end_and_go_on, start_without_chip_and_clock, say_what_is_wrong],
)
def test_on_emulated_buses(check):
    need("gpiozero")
    emulated("atm90e32", "spi", check, "ds3231:i2c")


def test_chip_and_clock_on_one_emulated_bus():
    need("gpiozero")
    emulated("ade7953", "i2c", share_a_bus_with_the_clock, "ds3231:i2c")
