"""An ESP32's application over the air, whole: signed, pushed, fetched by TLS, written to the other
slot, tried, proven or left. The built image in real MicroPython, the mosquitto that provisioning
configured; chip, relay, flash, Wi-Fi and time are played."""

import hashlib
import json
import os

import pytest

from wattledger.agent.journal import payload_read
from wattledger.agent.journal import record as records
from wattledger.host_sim.machine import HARD_RESET, PWRON_RESET, WDT_RESET
from wattledger.tests.both.fixtures_agent import tariff_of
from wattledger.tests.host import air_bench, esp32_linked_bench, flash_bench
from wattledger.tests.host.esp32_linked_bench import METER, HeadEnd, command
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.provision_bench import BASE, Client, Site, context
from wattledger.tests.host.test_esp32_linked import entries
from wattledger.tools import jws, keys, rollout, signing, update

UNIT = 1_000_000_000  # nano-units
INSTALLED, PROVEN, REVERTED, REFUSED, STARTED = 86, 87, 88, 89, 98  # events
WATTS = 2300
SETTINGS = ("--set", "state_s=10", "--set", "profile_s=60")


class World:
    """A tenant, its broker, its copy of the meter's journal, and one that hears every topic."""

    def __init__(self, folder):
        self.site = site = Site(folder)
        self.folder = folder
        # One unit a kWh.
        (folder / "tariff.json").write_bytes(tariff_of(price=[[1_000_000]], export=[0]))
        site.broker()
        site.start()
        self.door = site.head_end()
        own = ("--credit", "50.00", *SETTINGS)
        self.home = esp32_linked_bench.provision(site, folder / "tariff.json", *own)
        # The page's loop lives by the wall's time (test_esp32_application.py).
        network = self.home / "network.json"
        network.write_text(json.dumps({**json.loads(network.read_text()), "page_port": 0}))
        self.head = HeadEnd(site, self.door, folder / "copy")
        self.desk = Client(site.ports[1], "desk", context(self.door), ("#",))
        self._keys = keys.load(site.keys, METER)

    def close(self):
        self.desk.__exit__()
        self.head.close()
        self.site.stop()

    def release(self, sequence, change=None, hardware="esp32", keys_dir=None):
        """The folder of what the utility signs."""
        image = self.folder / f"image{sequence}"
        out = self.folder / f"release{sequence}"
        flash_bench.built(change).write(image)
        line = ["update", "sign", image / "app", "--keys", keys_dir or self.site.keys]
        line += ["--sequence", sequence, "--version", f"0.{sequence}.0", "--hardware", hardware]
        if hardware == "esp32":
            line += ["--core", self.folder / "image7"]
        code, _, said = command(*line, "--out", out)
        assert code == 0, said
        return out

    def meter(self):
        """A board whose application has sequence 7."""
        release = self.release(7)
        return air_bench.Esp32(self.folder / "board", flash_bench.built(), release, self.home)

    def begin(self, meter):
        """It is at work, and was told its tariff: a want names an application beside that."""
        meter.until(lambda told: told.get("linked"))
        line = ["tariff", "want", METER, "--id", "plain", "--n", 1, "--group", "homes"]
        code, _, said = command(*line, "--broker", self.door, "--keys", self.site.keys)
        assert code == 0, said

    def push(self, release):
        """The report of `update push`, or why it did not begin."""
        line = ["update", "push", release, "--meters", METER, "--broker", self.door]
        line += ["--keys", self.site.keys, "--stages", "100", "--timeout", 60, "--yes"]
        _, report, said = command(*line)
        return report or said

    def hello(self, refused=None, proven=None):
        """The first from now on, or the newest, that says so; `proven` None: either."""
        found = {}

        def says():
            token = self.desk.heard(f"{BASE}/{METER}/hello")[-1]
            found.update(jws.verify(token, {"up.1": self._keys.key("up.1")}))
            told = found["application"]
            return told["refused"] == refused and proven in (None, told["proven"])

        assert until(says), found
        return found

    def asked(self):
        """What the meter has asked for: (sequence, file, at)."""
        asked = [json.loads(one) for one in self.desk.heard(f"{BASE}/{METER}/fetch")]
        return [(one["seq"], one["file"], one["at"]) for one in asked]

    def caught_up(self, meter):
        """The utility has what the meter has now."""
        sequence = meter.told[-1]["sequence"]
        assert until(lambda: self.head.proven >= sequence, 10), self.head.said

    def copy(self, meter):
        """The utility's copy of the journal: by the hash of each none is missing, and the balance
        is what the meter told, before the update and after it."""
        copy = entries(self.head.replica)
        assert [one.sequence for one in copy] == list(range(1, len(copy) + 1))
        balance = 0
        for one in copy:
            balance += one.amount
            assert one.balance == balance
        for told in meter.told:
            if 0 < told.get("sequence", 0) <= len(copy):
                assert told["balance"] == copy[told["sequence"] - 1].balance
        return copy


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(rollout, "BURST", 10_000)  # for a meter whose clock flies
    found = World(tmp_path)
    yield found
    found.close()


def renamed(text):
    """It names its link otherwise."""
    return text.replace(b"'link'", b"'the new link'")


def broken(text):
    """It cannot be imported."""
    return b"raise RuntimeError('a wrong application')\n" + text


def ending(text):
    """It ends whoever imports it."""
    return b"raise SystemExit\n" + text


def deaf(text):
    """Its link never comes up."""
    says = b'"""True while connected."""'  # is_up of the link, whatever the image calls it
    assert text.count(says) == 1
    return text.replace(says, b"return False")


def events_of(copy):
    """What is told of applications: (event, value)."""
    found = [payload_read.unpack_event(one.payload) for one in copy if one.kind == records.EVENT]
    return [pair for pair in found if pair[0] in (INSTALLED, PROVEN, REVERTED, REFUSED, STARTED)]


def check_life(meter):
    """Of all that was told: no relay moved, no bit of the flash was raised, no task failed, no
    ledger was missed, and it has metered from the first line to the last."""
    before = None
    starts = set()
    for told in meter.told:
        assert (told["operations"], told["raised"]) == (0, 0)
        if "import_wh" not in told:
            continue  # its application ended it before it was a meter
        assert (told["failures"], told["missing"]) == (0, False), meter.story()
        if told["start"] not in starts:
            starts.add(told["start"])
            continue  # what the chip has counted meanwhile is taken with the second tick
        if before is not None:
            check_metered(meter, before, told)
        before = told


def check_metered(meter, before, after):
    """2300 W are 0.64 Wh a second, told in whole ones and a tick later. A reset costs nothing, for
    the chip counts on. A power cut costs its 90 s and what was not kept, of 10 s or 10 Wh; what
    moved since the last line, of 20 s, was not told."""
    hour = 3600
    expected = WATTS * (after["ms"] - before["ms"]) / 1000 / hour
    least, most = expected - 2, expected + 2
    for cause in meter.causes[before["start"] : after["start"]]:
        if cause == PWRON_RESET:
            least -= WATTS * 90 / hour + 10
            most -= WATTS * (90 - 20) / hour
    moved = after["import_wh"] - before["import_wh"]
    assert least <= moved <= most, (before["ms"], after["ms"], moved, expected)


def holds(least):
    """So many bytes of the application have arrived."""
    return lambda told: told["files"]["b"].get("app.rom", 0) >= least


def test_a_pushed_one_is_fetched_over_a_power_cut_tried_proven_and_started_ever_after(
    world, count
):
    with world.meter() as meter:
        release = world.release(8, renamed)
        world.begin(meter)
        line = ("credit", METER, "10", "--broker", world.door, "--keys", world.site.keys)
        assert command(*line)[1]["result"] == "ok"
        meter.cuts.append(holds(60_000))
        assert world.push(release) == {"proven": [METER], "failed": {}, "waiting": []}
        hello = world.hello(proven=True)  # this door may hear it after the rollout's
        meter.cut()
        last = meter.until(lambda told: told["start"] == 4 and told.get("linked"))
        world.caught_up(meter)
    copy = world.copy(meter)
    check_life(meter)
    count(2, "kills of an ESP32's meter that gets an application")
    assert meter.causes == [PWRON_RESET, PWRON_RESET, HARD_RESET, PWRON_RESET]
    digest = hashlib.sha256((release / "manifest").read_bytes()).hexdigest()
    told = {"seq": 8, "digest": digest, "proven": True, "refused": None}
    assert (hello["firmware"], hello["application"]) == ("esp32 b", told)
    assert (last["slot"], last["application"], last["floor"]) == ("b", told, 8)
    size = os.path.getsize(release / "app.rom")
    assert last["files"]["b"] == {
        "app.rom": size,
        "manifest": os.path.getsize(release / "manifest"),
    }
    ups = [line for line in meter.lines() if line.endswith("link: up")]
    assert (ups[0], set(ups[-2:])) == ("link: up", {"the new link: up"})
    assert events_of(copy) == [(INSTALLED, 8), (STARTED, 8), (PROVEN, 8)]
    came = [one.amount for one in copy if one.kind in records.MONEY_IN]
    assert came == [50 * UNIT, 10 * UNIT]
    # After the cut it went on: to begin again would have taken 14 questions more.
    places = [at for _, file, at in world.asked() if file == 1]
    assert sorted(set(places)) == list(range(0, size, 4096))
    assert len(places) - len(set(places)) <= 5


@pytest.mark.nightly
def test_it_proves_itself_in_the_end_wherever_the_power_goes(world, count):
    with world.meter() as meter:
        release = world.release(8, renamed)
        world.begin(meter)
        on_trial = [lambda told: told.get("lacks") == "chip" and told.get("linked")] * 2
        whole = holds(os.path.getsize(release / "app.rom"))
        meter.cuts = [holds(1), holds(40_000), holds(100_000), whole, *on_trial]
        cuts = len(meter.cuts)
        assert world.push(release)["proven"] == [METER]
        world.caught_up(meter)
    copy = world.copy(meter)
    check_life(meter)
    assert not meter.cuts
    count(cuts, "kills of an ESP32's meter that gets an application")
    assert meter.causes == [PWRON_RESET] * 5 + [HARD_RESET] + [PWRON_RESET] * 2
    assert meter.told[-1]["slot"] == "b"
    assert events_of(copy) == [(INSTALLED, 8)] + [(STARTED, 8)] * 3 + [(PROVEN, 8)]


@pytest.mark.parametrize(
    ("change", "starts", "cause"),
    [
        pytest.param(broken, 3, HARD_RESET, id="cannot be imported"),
        pytest.param(ending, 3, WDT_RESET, id="ends what imports it", marks=pytest.mark.nightly),
        pytest.param(deaf, 1, HARD_RESET, id="has no link", marks=pytest.mark.nightly),
    ],
)
def test_one_that_fails_its_trial_is_left_told_and_not_fetched_again(world, change, starts, cause):
    with world.meter() as meter:
        release = world.release(8, change)
        world.begin(meter)
        refused = {"proven": [], "failed": {METER: "refuses it: was given up"}, "waiting": []}
        assert world.push(release) == refused
        questions = len(world.asked())
        assert world.push(release) == refused
        now = meter.told[-1]["ms"]
        last = meter.until(lambda told: told["ms"] > now + 120_000)
        assert len(world.asked()) == questions
        hello = world.hello("8: was given up")
        world.caught_up(meter)
    copy = world.copy(meter)
    check_life(meter)
    assert meter.causes == [PWRON_RESET, HARD_RESET] + [cause] * starts
    assert [told["slot"] for told in meter.told if "cause" in told] == ["a"] + ["b"] * starts
    assert (hello["firmware"], hello["application"]["seq"]) == ("esp32 a", 7)
    assert (last["slot"], last["floor"]) == ("a", 7)
    trial = [(STARTED, 8)] if starts == 1 else []
    assert events_of(copy) == [(INSTALLED, 8), *trial, (REVERTED, 8)]


def test_what_was_not_signed_for_this_meter_is_refused_in_words_and_not_written(world, tmp_path):
    def offer(release, sequence):
        """What a rollout says of one that nobody has looked at."""
        found = update.load(release)
        found.sequence = sequence  # as a broker that answers with what was signed once
        signer = signing.load(world.site.keys, signing.TARIFF_KID)
        plan = rollout.Rollout(found, [METER], signer, world.site.keys, lambda line: None)
        return plan.run(str(world.door), (100,), 30)["failed"]

    signing.create(tmp_path / "others", update.FIRMWARE_KID)
    with world.meter() as meter:
        older = world.release(6)
        strange = world.release(8, keys_dir=tmp_path / "others")
        other = world.release(9, hardware="pi")
        world.begin(meter)
        assert "manifest: wrong signature" in world.push(strange)  # the tool does not send it
        assert world.push(older)["failed"] == {METER: "runs a later one, sequence 7"}
        for release, sequence, why in (
            (strange, 8, "manifest: wrong signature"),
            (other, 9, "is for pi, this is esp32"),
            (older, 10, "sequence 6 is below 8"),
        ):
            assert offer(release, sequence) == {METER: f"refuses it: {why}"}
            assert world.hello(f"{sequence}: {why}")["application"]["seq"] == 7
        now = meter.told[-1]["ms"]
        last = meter.until(lambda told: told["ms"] > now + 60_000)
        world.caught_up(meter)
    copy = world.copy(meter)
    check_life(meter)
    assert meter.causes == [PWRON_RESET]
    # Of each the manifest alone was asked for.
    assert {file for _, file, _ in world.asked()} == {0}
    assert all(set(told["files"]["b"]) <= {"manifest", "manifest.10"} for told in meter.told)
    assert last["application"]["refused"] == "10: sequence 6 is below 8"
    # 1 not signed, 6 other hardware, 5 old sequence
    assert events_of(copy)[:3] == [(REFUSED, 1), (REFUSED, 6), (REFUSED, 5)]
