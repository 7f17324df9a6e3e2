"""From `wattledger provision` to a meter that is credited by TLS, rotates its keys, is retired.

Real packages, emulated buses, the mosquitto that provisioning configured.
"""

import contextlib
import io
import json
import tempfile
import time
from pathlib import Path

from wattledger.firmware import release_linux
from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.meter import calibration
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.provision_bench import BASE, BOARD, Client, Site, context
from wattledger.tests.host.test_pi_process import GAINS, Bench, kilowatt_on_each_phase
from wattledger.tests.host.umockdev_bench import emulated, need
from wattledger.tools import cli, jws, keys

METER = "pi-0001"


class Provisioned(Bench):
    """A meter's folder as provisioning fills it, and a state folder."""

    def __init__(self, site):
        self.folder = site.folder
        self.site = site.folder / METER
        self.state = site.folder / "state"
        self.keys = site.keys
        self.state.mkdir()
        self.releases = site.folder / "releases"
        self.releases.mkdir()
        found = {"v": 1, "chip": "atm90e32", "constants": [GAINS] * 3, "when": 1_800_000_000}
        found.update(against="simulated reference", by="test")
        found["crc"] = calibration.crc_of(found)
        self.write("calibration.json", json.dumps(found))


def command(*words):
    """(exit code, the object of --json, stderr) of a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([str(word) for word in (*words, "--json")])
    return code, json.loads(out.getvalue() or "null"), err.getvalue()


def live(chip):
    kilowatt_on_each_phase(chip)
    assert Ds3231(LinuxI2c(1, 0x68)).set(int(time.time()))
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            the_life_of(site)
        finally:
            site.stop()


def the_life_of(site):
    places = ("--ca", site.tenant.ca, "--keys", site.keys)
    quick = [
        word for key in ("tick_ms=200", "state_s=1", "snapshot_s=1") for word in ("--set", key)
    ]
    who = ("provision", "--board", BOARD, "--meter", METER, "--out", site.folder / METER)
    code, made, said = command(*who, *places, "--gate", site.gate, *quick)
    assert (code, made["tenant"]) == (0, "acme"), said
    head = site.head_end()
    site.broker()
    site.start()
    bench = Provisioned(site)
    assert bench.ends("--commission", "5000000")[0] == 0
    address = f"mqtts://localhost:{site.ports[0]}"
    with Client(site.ports[1], "desk", context(head), ("#",)) as desk:

        def newest(leaf):
            return (desk.heard(f"{BASE}/{METER}/{leaf}") or [None])[-1]

        def balance():
            return json.loads(newest("state") or b'{"balance_micro":0}')["balance_micro"]

        def hello(generation):
            kid = f"up.{generation}"
            found = keys.load(site.keys, METER)
            with contextlib.suppress(jws.JwsError):
                return jws.verify(newest("hello") or b"", {kid: found.key(kid)})
            return None

        credit = ("credit", METER, "10", "--broker", head, "--keys", site.keys)
        with bench.running("--broker", address) as run:
            assert until(lambda: hello(1), 20), site.said()
            assert hello(1)["board"] == BOARD
            code, answer, said = command(*credit)
            assert (code, answer["result"], answer["n"]) == (0, "ok", 1), said
            assert until(lambda: balance() == 15_000_000, 10)
            old = keys.load(site.keys, METER)
            rotate = ("key", "rotate", METER, "--broker", head, "--keys", site.keys)
            code, answer, said = command(*rotate, "--hours", "0")
            assert (code, answer["result"], answer["generation"]) == (0, "ok", 2), (answer, said)
            assert until(lambda: hello(2), 10)
            payload = {"m": METER, "op": "credit.add", "a": {"n": 9, "amount": 1_000_000}}
            desk.publish(f"{BASE}/{METER}/cmd", jws.sign(payload, old.key("credit.1"), "credit.1"))
            code, answer, said = command(*credit)
            assert (code, answer["result"], answer["n"]) == (0, "ok", 2), said
            assert until(lambda: balance() == 25_000_000, 10)
        assert run.code == 0, run.said
        assert "Traceback" not in run.said
        desk.received.clear()
        with bench.running("--broker", address):
            assert until(lambda: hello(2), 20)
            code, answer, said = command(*credit)
            assert (code, answer["n"]) == (0, 3), said
            assert until(lambda: balance() == 35_000_000, 10)
    retire(site, bench, places)


def retire(site, bench, places):
    release_linux.switch(bench.releases, "a")
    (bench.releases / "releases/a").mkdir(parents=True)
    release_linux.FileMirror(bench.releases).write(7)
    retired = ("--decommission", "--releases", str(bench.releases))
    code, said = bench.ends(*retired)
    assert code == 0 and "balance 35000000000 nano-units" in said, said
    assert [path.name for path in bench.releases.rglob("*")] == ["releases", "floor"]
    left = sorted(path.name for path in bench.state.iterdir())
    assert left == ["final", "final.log", "slot.a", "slot.b"]
    assert not (bench.site / "device.key").exists() and not (bench.site / "client.key").exists()
    code, said = bench.ends(*retired)
    assert code == 0 and "balance 35000000000 nano-units" in said, said
    code, said = bench.ends()
    assert code == 1 and "final: this meter is decommissioned" in said, said
    again = site.folder / "again"
    words = ("--out", again, "--again", "--board", BOARD, "--meter", METER)
    assert command("provision", *words, *places, "--gate", site.gate)[0] == 0
    for options in ((), ("--commission", "0")):
        bench.site = again
        code, said = bench.ends(*options)
        assert code == 1 and "final: this meter is decommissioned" in said, said
    broker = ("--broker-dir", site.folder / "broker")
    with Client(site.ports[0], METER, context(again)) as client:
        assert client.is_in()
    code, made, said = command(
        "provision", "decommission", METER, *places, "--gate", site.gate, *broker
    )
    assert code == 0, said
    site.reload()
    assert until(lambda: not lets_in(site, again), 5)
    assert command("provision", "decommission", METER, *places, "--gate", site.gate)[0] == 1
    assert f"{site.keys}/retired/{METER}.json" in made["paths"]
    assert f"{site.gate}/retired/{METER}.json" in made["paths"]


def lets_in(site, folder):
    with Client(site.ports[0], METER, context(folder)) as client:
        time.sleep(0.1)
        return client.is_in()


def test_a_provisioned_meter_lives_by_tls_and_is_retired():
    need("gpiozero")
    emulated("atm90e32", "spi", live, "ds3231:i2c")
