"""Releases of a Raspberry Pi as processes: fetched by MQTT, switched, judged, and the way back."""

import json
import os
import signal
import threading
import types

import pytest

from wattledger.firmware import main_pi, slots
from wattledger.firmware.release_linux import FileMirror
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until
from wattledger.tests.host.pi_release_bench import METER, Pi, Unit, newest
from wattledger.tools import entries, jws, ledger, rollout, signing, update, vend

pytest.importorskip("gpiozero")

TOPICS = f"wl/1/demo/m/{METER}/#"


@pytest.fixture
def pi(tmp_path):
    return Pi(tmp_path)


@pytest.fixture
def broker():
    with running_broker("mosquitto") as process:
        yield process


@pytest.fixture(autouse=True)
def swift(monkeypatch):
    """A depot for a meter whose clock is as fast as these are."""
    monkeypatch.setattr(rollout, "BURST", 10_000)


def push(pi, broker, release, timeout_s=60):
    """What a rollout says of a release."""
    plan = rollout.Rollout(release, [METER], pi.tariff, pi.keys, lambda line: None)
    return plan.run(broker.url, (100,), timeout_s)


def proven(unit, number):
    """Wait until the release of the `number`th start has proven itself."""

    def is_so():
        return len(unit.runs) > number and "has proven itself" in unit.runs[number].said

    assert until(is_so, 30), unit.said()


def money(pi):
    """(balance in nano-units, [what each entry is]) of a meter that does not run."""
    found = []
    scan = ledger.verify(pi.state, found.append)
    assert scan.problem is None
    return scan.balance, [entries.describe(entry.kind, entry.payload) for entry in found]


def hello(peer):
    """The payload of the newest hello; its signature is for others to test."""
    found = [data for topic, data, _ in peer.received if topic.endswith("/hello")]
    return json.loads(jws.decode(found[-1].split(b".")[1]))


def called(name):
    """A change of a release: how it names itself in its hello."""
    return {"firmware/main_pi.py": lambda text: text.replace('= "pi"', f'= "{name}"', 1)}


def test_a_pushed_release_is_fetched_switched_started_and_proven(pi, broker):
    pi.commission(5_000_000)
    pi.install(1, called("pi-one"))
    with Peer(broker.port, TOPICS) as peer, pi.utility(broker):
        with Unit(pi, "--broker", broker.url) as unit:
            proven(unit, 0)
            pi.load(1_000_000)
            assert until(lambda: (newest(peer, "state") or {}).get("import_wh", 0) > 50, 20)
            pi.load(0)
            assert until(lambda: newest(peer, "state")["power_mw"] == 0, 10)
            assert vend.credit(METER, "10", broker.url, pi.keys)["result"] == "ok"
            before = newest(peer, "state")
            assert (pi.linked, hello(peer)["firmware"]) == ("a", "pi-one")
            release = pi.release(2, called("pi-two"))
            assert push(pi, broker, release)["proven"] == [METER]
            assert until(lambda: hello(peer)["firmware"] == "pi-two", 10)
            after = newest(peer, "state")
        first, second = unit.runs
    assert (first.code, second.code) == (0, 0), unit.said()
    assert "coils 0" in first.said and "coils 0" in second.said
    assert (pi.linked, os.readlink(pi.root / "current")) == ("b", "releases/b")
    assert after["import_wh"] == before["import_wh"] > 50
    assert after["balance_micro"] == 15_000_000
    balance, listed = money(pi)
    assert balance == 15_000_000_000
    for what in ("application installed: 2", "application on trial: 2", "application proven: 2"):
        assert listed.count(what) == 1
    assert FileMirror(pi.root).read() == slots.load(pi.storage).floor == 2
    assert not list(pi.root.rglob("__pycache__"))
    # What runs is what was signed, byte for byte.
    for file in release.manifest.files:
        assert (pi.root / "releases/b" / file.path).read_bytes() == (
            release.folder / file.path
        ).read_bytes()


@pytest.mark.nightly
def test_the_installed_code_takes_a_first_release_over_the_air_and_after_a_wrong_one(pi, broker):
    pi.commission(5_000_000)
    with Peer(broker.port, TOPICS) as peer, pi.utility(broker):
        with Unit(pi, "--broker", broker.url) as unit:
            assert until(lambda: newest(peer, "state"), 20), unit.said()
            found = push(pi, broker, pi.release(1, {"firmware/main_pi.py": raises}))
            # By the hello of the installed code, for the release never said one.
            assert found["failed"] == {METER: "refuses it: was given up"}
            assert len(unit.runs) == 1 + 3 + 1 and pi.linked is None
            assert push(pi, broker, pi.release(2))["proven"] == [METER]
            assert pi.linked == "a"
    balance, listed = money(pi)
    assert balance == 5_000_000_000
    assert listed.count("application reverted: 1") == 1


@pytest.mark.nightly
def test_a_meter_that_is_killed_while_it_fetches_goes_on_where_it_was(pi, broker, count):
    pi.commission(5_000_000)
    pi.install(1)
    with pi.utility(broker), Unit(pi, "--broker", broker.url) as unit:
        proven(unit, 0)
        release = pi.release(2)
        found = []
        pushing = threading.Thread(target=lambda: found.append(push(pi, broker, release)))
        pushing.start()
        slot = pi.root / "releases/b"
        for files in (20, 100, 200, 300):
            assert until(lambda n=files: len(list(slot.rglob("*.py"))) > n, 20), unit.said()
            unit.runs[-1].process.kill()
        pushing.join(90)
    assert found and found[0]["proven"] == [METER], unit.said()
    killed = [run.code for run in unit.runs].count(-signal.SIGKILL)
    count(killed, "kills of a Pi's meter that fetches a release")
    assert killed == 4 and len(unit.runs) == 6
    assert money(pi)[0] == 5_000_000_000
    assert "coils 0" in unit.runs[-1].said


def raises(text):
    return text + "\nraise RuntimeError('a wrong release')\n"


def hangs(text):
    return text.replace("self.meter.tick()", "while True: pass")


def measures_nothing(text):
    body = "def read_into(self, sample):\n"
    assert body in text
    return text.replace(body, body + "        return 1\n", 1)


@pytest.mark.parametrize(
    ("change", "starts"),
    [
        pytest.param({"firmware/main_pi.py": raises}, 3, id="raises at import"),
        pytest.param({"agent/agent.py": hangs}, 3, id="hangs", marks=pytest.mark.nightly),
        pytest.param(
            {"hal/meter/atm90e32.py": measures_nothing},
            1,
            id="measures nothing",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_release_that_fails_gives_way_to_the_one_before(pi, change, starts):
    pi.commission(5_000_000)
    pi.prove(1)
    before = money(pi)[0]
    pi.install(2, change)
    with Unit(pi, watchdog_s=1) as unit:
        assert until(lambda: len(unit.runs) > starts and unit.runs[starts].is_ready, 40)
        assert until(lambda: "application 1 runs" in unit.runs[starts].said, 10), unit.said()
    failed = unit.runs[:starts]
    assert all("the release in slot b starts" in run.said for run in failed)
    assert "the release in slot a starts" in unit.runs[starts].said
    assert [run.bitten for run in failed] == [change.get("agent/agent.py") is hangs] * starts
    assert pi.linked == "a"
    balance, listed = money(pi)
    assert balance == before == 5_000_000_000
    assert listed.count("application reverted: 2") == 1
    assert slots.load(pi.storage).failed == 2


def small(pi, sequence, hw_class="pi", signer=None):
    """A signed release of one file."""
    source = pi.folder / f"small{sequence}"
    source.mkdir()
    (source / "wattledger.py").write_text("raise SystemExit\n")
    out = pi.folder / f"signed{sequence}"
    return update.sign(source, out, signer or pi.signer, sequence, hw_class, "0.1")


def test_what_was_not_signed_for_this_meter_is_refused_and_named_in_its_hello(pi, broker):
    pi.commission(5_000_000)
    pi.prove(3)
    other = signing.create(pi.folder / "others", update.FIRMWARE_KID)
    strange = small(pi, 4, signer=other)
    esp32 = small(pi, 5, "esp32")
    older = small(pi, 2)
    older.sequence = 6  # a broker that answers with what was signed once
    changed = small(pi, 7)
    (changed.folder / "wattledger.py").write_text("raise SystemExi_\n")
    with Peer(broker.port, TOPICS) as peer, pi.utility(broker):
        with Unit(pi, "--broker", broker.url) as unit:
            assert until(lambda: newest(peer, "state"), 20), unit.said()
            for release, why in (
                (strange, "manifest: wrong signature"),
                (esp32, "is for esp32, this is pi"),
                (older, "sequence 2 is below 4"),
                (changed, "wattledger.py is not as it was signed"),
            ):
                assert push(pi, broker, release)["failed"] == {METER: f"refuses it: {why}"}
                application = hello(peer)["application"]
                refused = f"{release.sequence}: {why}"
                assert (application["refused"], application["seq"]) == (refused, 3)
                assert until(lambda: f"application refused: {refused}" in unit.runs[0].said)  # noqa: B023
        assert len(unit.runs) == 1, unit.said()
    balance, listed = money(pi)
    assert balance == 5_000_000_000
    # 1 not signed, 6 other hardware, 5 old sequence, 9 a file is not as signed
    refusals = [line for line in listed if line.startswith("application refused")]
    assert refusals == [f"application refused: {reason}" for reason in (1, 6, 5, 9)]
    assert (pi.linked, slots.load(pi.storage).floor) == ("a", 3)


def started(pi):
    """What the meter said in a start that came to measure."""
    with Unit(pi) as unit:
        assert until(lambda: unit.runs and unit.runs[0].is_ready, 20), unit.said()
    return unit.said()


@pytest.mark.nightly
def test_neither_a_damaged_slot_nor_a_lost_store_keeps_a_meter_from_measuring(pi):
    pi.commission(5_000_000)
    pi.install(5)
    with Unit(pi) as unit:
        proven(unit, 0)
    with open(pi.root / "releases/a/wattledger/agent/units.py", "a") as file:
        file.write("# changed\n")
    assert "release in slot a is not as it was signed; it is not started" in started(pi)
    assert money(pi)[1].count("application damaged, slot: 0") == 1
    for name in slots.FILES:
        (pi.state / name).unlink()
    assert "no release: the installed code starts" in started(pi)
    # The floor beside the releases lets no older one in.
    release = pi.release(4)
    words = [pi.root, "--state", pi.state, "--site", pi.site, release.folder]
    assert pi.command("install", *words) == (1, "release: sequence 4 is below 6\n")


def test_an_update_that_has_more_to_do_does_not_wait_for_the_next_tick():
    meter = object.__new__(main_pi.PiMeter)
    meter._runtime = types.SimpleNamespace(turn=lambda: 500)
    meter._certificate = None
    for updates, wait_s in ((None, 0.5), (False, 0.5), (True, 0)):
        meter._updates = updates if updates is None else types.SimpleNamespace(more=updates)
        assert meter.turn() == wait_s
