"""The stage: boots, cuts and ends of a meter, its folder, and how fast its seconds pass."""

import json
import time

import pytest

from wattledger.agent.errors import AgentError, TariffError
from wattledger.agent.journal import record as records
from wattledger.hal.bus.bridge import CLOCK_BUDGET, HAS_TARIFF, SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, tariff_of
from wattledger.tests.both.houses_contracts import StorageContract
from wattledger.tests.host.stage_bench import PRICE, UNIT, House
from wattledger.tools import mpy
from wattledger.tools.errors import ToolError
from wattledger.tools.folder_image import FolderImage
from wattledger.tools.stage import Stage, StageError

BOTH = pytest.mark.parametrize("interpreter", ["cpython", "micropython"])


@pytest.fixture(autouse=True)
def _needs_micropython(request):
    parameters = getattr(request.node, "callspec", None)
    named = parameters.params.get("interpreter") if parameters else None
    if named == "micropython" and mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")


@BOTH
def test_a_meter_boots_runs_and_ends(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    house.stage.boot()
    assert house.world.time_ms - START * 1000 < 1000  # a boot takes no turn
    house.at(60)
    assert 60_000 <= house.world.time_ms - START * 1000 < 61_000
    assert house.sent("status") == [b"online"]
    house.stage.stop()
    assert house.sent("status") == [b"online", b"offline"]
    assert house.stage.failures == 0 and house.stage.complaints == []
    kinds = [entry.kind for entry in house.entries()]
    assert kinds[0] == records.OPENING and records.EVENT in kinds


@BOTH
def test_the_agent_is_at_hand_where_it_can_be(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    assert house.stage.agent is None
    house.stage.boot()
    assert (house.stage.agent is not None) == (interpreter == "cpython")
    house.stage.cut()
    assert house.stage.agent is None


@BOTH
def test_without_a_meter_the_world_passes_to_the_very_instant(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    house.stage.run_until(START * 1000 + 12_345)
    assert house.world.time_ms == START * 1000 + 12_345
    house.stage.run_until(START * 1000)  # the past is over
    assert house.world.time_ms == START * 1000 + 12_345
    house.stage.stop()
    house.stage.cut()


@BOTH
def test_each_boot_has_a_challenge_of_its_own(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    for minute in range(3):
        house.stage.boot()
        house.at(60 * minute + 30)
        house.stage.cut()
    told = {json.loads(jws.unsign(data))["challenge"] for data in house.sent("hello")}
    assert len(told) == 3
    boots = [json.loads(jws.unsign(data))["boots"] for data in house.sent("hello")]
    assert boots == [1, 2, 3]


@BOTH
def test_a_cut_leaves_what_was_stored_and_nothing_else(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    house.stage.boot()
    house.at(35)
    stored = house.files()
    house.stage.cut()
    assert house.files() == stored
    # A snapshot comes every 10 s, so an event of now would not be there yet.
    assert [entry.kind for entry in house.entries()].count(records.EVENT) >= 1
    house.stage.boot()
    house.at(60)
    house.stage.stop()
    assert house.stage.failures == 0


@pytest.mark.parametrize("permille", [0, 400, 1000])
def test_a_cut_within_a_write_leaves_the_same_files_on_both(tmp_path, permille):
    if mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    left = {}
    for interpreter in ("cpython", "micropython"):
        found = []
        house = House(tmp_path / interpreter, interpreter)
        assert house.stage.boot()
        house.at(30)
        for number in range(1, 7):
            house.command(jws.credit(number, UNIT))  # its entry is appended and synced at once
            house.stage.cut_at_write(number, permille)
            assert not house.stage.run_until(house.world.time_ms + 60_000)
            house.stage.cut_at_write(number, permille)
            found.append((house.stage.boot(), house.files()))
            house.stage.cut_at_write(0)
            house.stage.cut()
            assert house.stage.boot()
        house.stage.stop()
        assert house.stage.complaints == []
        assert not all(booted for booted, _ in found)
        left[interpreter] = found, house.files(), house.entries()[-1].balance
    assert left["cpython"] == left["micropython"]


@BOTH
def test_it_tells_of_its_supply_when_it_is_asked(tmp_path, interpreter):
    house = House(tmp_path, interpreter, credit=2 * UNIT)
    house.stage.boot()
    house.at(60)
    assert house.stage.told is None
    house.stage.run_until(START * 1000 + 120_000, ask=True)
    left, unix, state = house.stage.told
    truth = house.world.import_mws // 3_600_000 * PRICE
    assert 2 * UNIT * 1000 - truth - PRICE <= left <= 2 * UNIT * 1000 - truth
    assert (unix, state) == (START + 120, HAS_TARIFF | SYNCED | CLOCK_BUDGET)
    house.stage.stop()


@BOTH
def test_memory_is_measured_from_an_hour_on(tmp_path, interpreter):
    house = House(tmp_path, interpreter, tick_ms=10_000, heap=True)
    house.stage.boot()
    house.at(3590)
    house.stage.stop()
    assert house.stage.growth is None
    house.stage.boot()
    house.at(3590 + 7200)
    house.stage.stop()
    assert abs(house.stage.growth) <= 2048


@BOTH
def test_a_boot_of_a_running_meter_is_refused(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    house.stage.boot()
    with pytest.raises(StageError):
        house.stage.boot()
    house.stage.stop()


@BOTH
def test_a_new_tariff_comes_with_a_boot(tmp_path, interpreter):
    house = House(tmp_path, interpreter)
    house.stage.boot()
    house.at(10)
    house.stage.stop()
    house.stage.boot(tariff_of(n=2, price=[[700_000]], export=[PRICE]))
    house.at(1000)
    house.stage.stop()
    assert [entry.kind for entry in house.entries()].count(records.TARIFF) == 2


def test_a_tariff_that_is_refused_says_why(tmp_path):
    house = House(tmp_path)
    with pytest.raises(TariffError):
        house.stage.boot(b"{}")


def test_micropython_that_ends_by_itself_is_told_with_its_last_words(tmp_path):
    if mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    house = House(tmp_path, "micropython")
    with pytest.raises(StageError) as caught:
        house.stage.boot(b"{}")
    assert "TariffError" in str(caught.value) and "meter.log" in str(caught.value)
    assert isinstance(caught.value, ToolError)
    house.stage.cut()


def test_a_meter_is_commissioned_once(tmp_path):
    house = House(tmp_path)
    with pytest.raises(AgentError):
        house.stage.commission(UNIT)


def test_an_open_relay_is_commissioned_as_it_is(tmp_path):
    house = House(tmp_path / "a")
    house.relay.open()
    stage = Stage(
        house.world,
        house.network,
        house.times,
        json.loads((tmp_path / "a" / "device.json").read_text()),
        tariff_of(),
        tmp_path / "b",
    )
    stage.commission(10 * UNIT, used_wh=1500)
    stage.boot()
    stage.run_until(START * 1000 + 5000)
    assert house.relay.operations == 1
    assert stage.agent.account.used_wh == 1500
    stage.stop()


def test_an_unknown_interpreter_is_refused(tmp_path):
    with pytest.raises(StageError):
        House(tmp_path, "jython")


def test_failures_inside_the_meter_are_told(tmp_path):
    house = House(tmp_path)
    house.stage.boot()

    def fail():
        raise ValueError("a bad day")

    house.stage.agent.tick = fail
    house.at(10)
    house.stage.stop()
    assert house.stage.failures == 4  # the 1st, 2nd, 4th and 8th of ten are told
    assert "a bad day" in house.stage.complaints[0]


class TestFolderImage(StorageContract):
    """The contract, with what save() leaves on the disk looked at through another storage."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path
        self.made = 0

    def make(self):
        self.made += 1
        folder = self.folder / str(self.made)
        folder.mkdir()
        return FolderImage(folder)

    def assertEqual(self, first, second):  # noqa: N802 - the contract's unittest name
        assert first == second

    def assertGreater(self, first, second):  # noqa: N802 - the contract's unittest name
        assert first > second

    def test_save_brings_the_folder_up_to_date(self):
        image = self.make()
        folder = self.folder / "1"
        image.commit("slot.a", b"first, and longer")
        image.append("j1", b"12")
        image.sync("j1")
        image.append("j1", b"lost")
        image.commit("gone", b"x")
        image.save()
        image.commit("slot.a", b"second")
        image.remove("gone")
        image.remove("never")
        image.save()
        image.save()
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert found == {"slot.a": b"second", "j1": b"12"}
        again = FolderImage(folder)
        assert again.names() == PosixStorage(folder).names() == ["j1", "slot.a"]
        assert self.content(again, "slot.a") == b"second"


def test_a_simulated_day_costs_a_few_seconds(tmp_path):
    """20 000 meter-seconds a CPU second are aimed at; a loaded machine must still make 10 000."""
    house = House(tmp_path)
    house.stage.boot()
    house.at(600)
    best = 0
    for turn in range(3):
        before = time.process_time()
        house.at(600 + 3600 * (turn + 1))
        best = max(best, 3600 / (time.process_time() - before))
    house.stage.stop()
    assert best > 10_000
