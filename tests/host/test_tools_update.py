"""Applications from the utility's side: signed, served, rolled out to real meters by a broker."""

import json
import struct
import threading
import time

import pytest

from wattledger.firmware import slots
from wattledger.firmware.slot_files import SlotFiles
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.both.houses_trial import Device
from wattledger.tests.both.houses_updates import NEW_FILES
from wattledger.tests.host.mqtt_bench import running_broker
from wattledger.tools import jws, keys, push, rollout, signing, update
from wattledger.tools.cli import run
from wattledger.tools.errors import BrokerError, KeysError, UpdateError

WANT = {"id": "plain", "n": 1, "group": "homes"}


@pytest.fixture
def folder(tmp_path):
    """A keys directory."""
    made = tmp_path / "keys"
    made.mkdir()
    secret = {"meter": METER, "note": "test key", "device_key": DEVICE_KEY.hex()}
    (made / f"{METER}.json").write_text(json.dumps(secret))
    for kid in (signing.TARIFF_KID, update.FIRMWARE_KID):
        signing.create(made, kid)
    return made


def source_of(folder, files):
    source = folder.parent / "source"
    for path, data in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    return source


def release_of(folder, sequence=8, files=NEW_FILES, hw_class="esp32", kid=update.FIRMWARE_KID):
    signer = signing.load(folder, kid)
    out = folder.parent / f"release{sequence}"
    return update.sign(source_of(folder, files), out, signer, sequence, hw_class, "0.8")


class TestSigning:
    def test_what_is_signed_is_read_back(self, folder):
        made = release_of(folder)
        found = update.load(made.folder, signing.public_keys(folder))
        assert (found.sequence, found.manifest.hw_class) == (8, "esp32")
        assert [file.path for file in found.manifest.files] == sorted(NEW_FILES)
        css = NEW_FILES["display/assets/page.css.gz"]
        assert [found.part(1, 0), found.part(1, 4096)] == [css[:4096], css[4096:]]
        assert found.part(0, 0) == (made.folder / "manifest").read_bytes()
        assert [found.part(5, 0), found.part(1, 9999), found.part(3, 0)] == [None, None, b""]

    def test_a_changed_file_and_a_strange_key_are_told(self, folder):
        made = release_of(folder)
        (made.folder / "network/link.mpy").write_bytes(b"a new linK")
        with pytest.raises(UpdateError, match=r"link.mpy: is not as it was signed"):
            update.load(made.folder)
        (made.folder / "network/link.mpy").unlink()
        with pytest.raises(UpdateError, match="link.mpy: is in one of folder and manifest only"):
            update.load(made.folder)
        made = release_of(folder, 9, kid=signing.TARIFF_KID)
        with pytest.raises(UpdateError, match="no header of a firmware key"):
            update.load(made.folder, signing.public_keys(folder))

    def test_a_release_is_made_once_and_of_plain_names(self, folder):
        release_of(folder)
        with pytest.raises(UpdateError, match="exists already"):
            release_of(folder)
        (folder.parent / "source/Page.mpy").write_bytes(b"")
        with pytest.raises(UpdateError, match=r"Page.mpy: a path is of a-z"):
            release_of(folder, 9)
        (folder.parent / "source/Page.mpy").unlink()
        (folder.parent / "source/link").symlink_to("/etc/passwd")
        with pytest.raises(UpdateError, match="is no plain file"):
            release_of(folder, 9)

    def test_the_command(self, folder, capsys):
        source = source_of(folder, NEW_FILES)
        words = ["update", "sign", str(source), "--keys", str(folder), "--sequence", "8"]
        words += ["--version", "0.8", "--out", str(folder.parent / "r"), "--json"]
        assert run(words) == 0
        # 5120 + 400 + 0 + 10 bytes
        assert json.loads(capsys.readouterr().out) == {
            "ok": True,
            "sequence": 8,
            "files": 4,
            "bytes": 5530,
        }


class TestCore:
    """`--core`: what is signed was built beside the core that the meters have."""

    def sign(self, folder, core, *more):
        """(exit code, whether there is a release) of an application built beside core 1."""
        image = folder.parent / "image"
        (image / "app").mkdir(parents=True, exist_ok=True)
        (image / "app/app.rom").write_bytes(b"an application")
        out = folder.parent / "r"
        words = ["update", "sign", image / "app", "--keys", folder, "--sequence", 8]
        words += ["--version", "0.8", "--out", out, "--core", core, *more]
        return run([str(word) for word in words]), out.exists()

    def image_of(self, place, rom):
        place.mkdir()
        (place / "image.rom").write_bytes(rom)
        return place

    @pytest.mark.parametrize("named", ["", "image.rom"])
    def test_the_same_core_by_its_folder_or_its_file(self, folder, named):
        self.image_of(folder.parent / "image", b"core 1")
        flashed = self.image_of(folder.parent / "flashed", b"core 1")
        assert self.sign(folder, flashed / named) == (0, True)

    def test_another_core_is_refused_with_the_remedy(self, folder, capsys):
        self.image_of(folder.parent / "image", b"core 1")
        flashed = self.image_of(folder.parent / "flashed", b"core 2")
        assert self.sign(folder, flashed) == (1, False)
        said = " ".join(capsys.readouterr().err.split())
        assert "app: was built beside another core than" in said
        assert "build it again from the sources of that core" in said

    def test_what_cannot_be_compared_is_not_signed(self, folder, capsys):
        flashed = self.image_of(folder.parent / "flashed", b"core 1")
        assert self.sign(folder, flashed) == (1, False)
        assert "has no image.rom beside it to compare" in " ".join(capsys.readouterr().err.split())
        (folder.parent / "image/image.rom").write_bytes(b"core 1")
        assert self.sign(folder, folder.parent / "nowhere") == (1, False)
        assert "nowhere: cannot be read" in " ".join(capsys.readouterr().err.split())
        assert self.sign(folder, flashed, "--hardware", "pi")[1] is False
        assert "--core is for esp32" in " ".join(capsys.readouterr().err.split())


class TestDepot:
    def ask(self, depot, meter=METER, **changes):
        return depot.answer(meter, json.dumps({"seq": 8, "file": 2, "at": 0, **changes}).encode())

    def test_a_question_is_answered_with_its_head(self, folder):
        depot = rollout.Depot([release_of(folder)], "demo", lambda: 0)
        expected = struct.pack(">IHI", 8, 2, 0) + NEW_FILES["display/page.mpy"]
        assert self.ask(depot) == expected
        assert depot.served == 1

    def test_what_is_no_question_has_no_answer(self, folder):
        depot = rollout.Depot([release_of(folder)], "demo", lambda: 0)
        for changes in ({"seq": 9}, {"file": 5}, {"at": -1}, {"at": 401}, {"at": True}):
            assert self.ask(depot, **changes) is None
        for data in (b"", b"[]", b"{}", b"\xff", b"[" * 100, b'{"seq":8}' + b" " * 128):
            assert depot.answer(METER, data) is None
        assert depot.served == 0

    def test_a_meter_that_asks_too_often_is_answered_now_and_then(self, folder):
        now = [0.0]
        depot = rollout.Depot([release_of(folder)], "demo", lambda: now[0])
        assert sum(self.ask(depot) is not None for _ in range(100)) == 8
        assert self.ask(depot, "other") is not None
        for _ in range(100):
            now[0] += 0.1  # five a second
            self.ask(depot)
        assert 8 + 1 + 49 <= depot.served <= 8 + 1 + 50

    def test_two_folders_of_one_sequence_are_not_served(self, folder):
        found = release_of(folder)
        with pytest.raises(UpdateError, match="same sequence"):
            rollout.Depot([found, found], "demo", lambda: 0)


class TestStages:
    def test_one_ten_and_all(self):
        meters = [f"m{number}" for number in range(250)]
        assert [len(stage) for stage in rollout.stages(meters)] == [3, 22, 225]
        assert sum(rollout.stages(meters), []) == meters

    def test_small_fleets_have_at_least_one_in_each(self):
        assert rollout.stages(["a"]) == [["a"]]
        assert rollout.stages(["a", "b"]) == [["a"], ["b"]]
        assert rollout.stages(["a", "b", "c", "d"], (50,)) == [["a", "b"], ["c", "d"]]


class TestWatch:
    def hello(self, folder, watch, application, retained=False, **changes):
        body = {"m": METER, "application": application, **changes}
        token = jws.sign(body, keys.load(folder, METER).key("up.1"), "up.1")
        watch.hear(f"wl/1/demo/m/{METER}/hello", token, retained)

    def watch(self, folder):
        return rollout.Watch(release_of(folder), [METER], folder)

    def test_only_a_proven_one_counts(self, folder):
        watch = self.watch(folder)
        self.hello(folder, watch, {"seq": 8, "proven": False, "refused": None})
        assert (watch.proven, watch.failed) == (set(), {})
        self.hello(folder, watch, {"seq": 8, "proven": True, "refused": None})
        assert watch.proven == {METER}

    def test_one_that_went_back_is_told(self, folder):
        watch = self.watch(folder)
        self.hello(folder, watch, {"seq": 7, "proven": True, "refused": None})
        assert watch.failed == {}
        self.hello(folder, watch, {"seq": 8, "proven": False, "refused": None})
        self.hello(folder, watch, {"seq": 7, "proven": True, "refused": None})
        assert watch.failed == {METER: "has gone back to 7"}

    def test_a_refusal_of_now_is_told_and_an_old_one_is_not(self, folder):
        watch = self.watch(folder)
        self.hello(folder, watch, {"seq": 7, "proven": True, "refused": "8: old"}, True)
        assert watch.failed == {}
        for before in ("6: is for pi", "80: is for pi", "is for pi", None):
            self.hello(folder, watch, {"seq": 7, "proven": True, "refused": before})
            assert watch.failed == {}
        self.hello(folder, watch, {"seq": 7, "proven": True, "refused": "8: is for pi"})
        assert watch.failed == {METER: "refuses it: is for pi"}

    def test_a_meter_that_runs_a_later_one_will_not_take_it(self, folder):
        watch = self.watch(folder)
        for application in ({"seq": 9, "proven": False}, {"seq": "9", "proven": True}):
            self.hello(folder, watch, application)
        self.hello(folder, watch, {"seq": 9, "proven": True}, True)
        assert watch.failed == {}  # on trial; none of ours; of before the want
        self.hello(folder, watch, {"seq": 9, "proven": True, "refused": None})
        assert watch.failed == {METER: "runs a later one, sequence 9"}

    def test_nobody_else_says_anything(self, folder):
        watch = self.watch(folder)
        body = {"m": METER, "application": {"seq": 8, "proven": True}}
        for token in (b"x", jws.sign(body, b"k" * 32, "up.1")):
            watch.hear(f"wl/1/demo/m/{METER}/hello", token, False)
        self.hello(folder, watch, {"seq": 8, "proven": True}, m="other")
        self.hello(folder, watch, None)
        assert (watch.proven, watch.failed) == (set(), {})


class Live:
    """A Device on a broker, its clocks a few hundred times as fast as the wall."""

    def __init__(self, broker, folder):
        points = signing.public_keys(folder)

        class OfUtility(Device):
            public_keys = points

        self.device = device = OfUtility(credit=900)
        device.answers = False
        self.link = device.link = PahoLink("127.0.0.1", broker.port, METER, backoff_s=(0.1, 1))
        device.boot()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def _live(self):
        while not self._stop.wait(0.001):
            self.device.once(500)
            # Stands for the signed journal.ack of a utility's replica.
            agent = self.device.agent
            if agent.journal.durable > agent.sender.acknowledged:
                agent.sender.acknowledge(agent.journal.durable)

    def __enter__(self):
        self._thread.start()
        return self.device

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.link.close()


class TestRollout:
    @pytest.fixture
    def broker(self):
        with running_broker("iotcore") as process:
            yield process

    def roll(self, broker, folder, release, timeout_s=30):
        signer = signing.load(folder, signing.TARIFF_KID)
        lines = []
        plan = rollout.Rollout(release, [METER], signer, folder, lines.append)
        return plan.run(broker.url, rollout.STAGES, timeout_s), lines

    def test_a_meter_takes_what_was_signed(self, broker, folder):
        push.want_of(METER, WANT, signing.load(folder, signing.TARIFF_KID), folder)
        with Live(broker, folder) as device:
            found, lines = self.roll(broker, folder, release_of(folder), 60)
            assert found == {"proven": [METER], "failed": {}, "waiting": []}
            assert lines == ["stage 1: 1 of 1 meters"]
            assert device.running == "b"
            assert slots.load(device.storage).floor == 8
            files = SlotFiles(device.files.path("b"))
            assert sorted(files.names(".")) == sorted([*NEW_FILES, "manifest"])

    def test_a_refusal_ends_the_rollout(self, broker, folder):
        push.want_of(METER, WANT, signing.load(folder, signing.TARIFF_KID), folder)
        with Live(broker, folder) as device:
            before = time.monotonic()
            found, _ = self.roll(broker, folder, release_of(folder, hw_class="pi"))
            assert time.monotonic() - before < 25  # of 30: it does not wait for the others
            assert found["failed"] == {METER: "refuses it: is for pi, this is esp32"}
            assert device.running == "a"

    def test_a_meter_that_says_nothing_ends_it_too(self, broker, folder):
        push.want_of(METER, WANT, signing.load(folder, signing.TARIFF_KID), folder)
        found, _ = self.roll(broker, folder, release_of(folder), 1)
        assert found == {"proven": [], "failed": {}, "waiting": [METER]}

    def test_a_meter_without_a_tariff_is_told_nothing(self, folder):
        with pytest.raises(push.PushError, match="was never told its tariff"):
            push.want_of(METER, {"fw": 8}, signing.load(folder, signing.TARIFF_KID), folder)
        assert push.last_version(folder, METER) == 0

    def test_a_want_keeps_what_it_does_not_change(self, folder):
        signer = signing.load(folder, signing.TARIFF_KID)
        push.want_of(METER, {**WANT, "fw": 8}, signer, folder)
        version, token = push.want_of(METER, {**WANT, "n": 5}, signer, folder)
        payload = json.loads(jws.decode(token.split(b".")[1]))
        assert payload == {"m": METER, "v": 2, "fw": 8, "id": "plain", "n": 5, "group": "homes"}
        (folder / f"{METER}.wanted").write_text("{")
        with pytest.raises(KeysError, match="cannot be read"):
            push.want_of(METER, WANT, signer, folder)
        assert version == 2

    def test_serve_ends_after_its_time_and_without_a_broker_at_once(self, broker, folder):
        assert rollout.serve([release_of(folder)], broker.url, folder, 0.3) == 0
        with pytest.raises(BrokerError, match="check the address"):
            rollout.connected("mqtt://127.0.0.1:9", "x", 0.3)


class TestCommands:
    def test_push_says_who_has_not_answered(self, folder, capsys):
        push.want_of(METER, WANT, signing.load(folder, signing.TARIFF_KID), folder)
        made = release_of(folder)
        with running_broker("iotcore") as broker:
            words = ["update", "push", str(made.folder), "--broker", broker.url]
            words += ["--keys", str(folder), "--meters", METER, "--yes", "--timeout", "0.5"]
            assert run([*words, "--json"]) == 1
        report = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert report == {"proven": [], "failed": {}, "waiting": [METER]}

    def test_wrong_stages_are_wrong_usage(self, folder, capsys):
        made = release_of(folder)
        words = ["update", "push", str(made.folder), "--broker", "mqtt://127.0.0.1:9"]
        words += ["--keys", str(folder), "--yes"]
        for more in (["--meters", METER, "--stages", "x"], ["--meters", ""]):
            assert run([*words, *more]) == 2
        assert run([*words, "--meters", METER, "--stages", "0"]) == 2
        assert "stages from 1 to 100" in capsys.readouterr().err

    def test_serve_serves_nothing_that_is_not_signed(self, folder, capsys):
        made = release_of(folder)
        (made.folder / "network/link.mpy").write_bytes(b"other")
        words = ["update", "serve", str(made.folder), "--broker", "mqtt://127.0.0.1:9"]
        assert run([*words, "--keys", str(folder)]) == 1
        assert "is not as it was signed" in capsys.readouterr().err
