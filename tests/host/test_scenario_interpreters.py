"""The same scenario on both interpreters: the journals are the same to the last byte."""

import pytest

from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.host.scenario_bench import cli, drawn, play
from wattledger.tools import mpy, scenario_file, sim
from wattledger.tools.scenario import FOLDER

# Days in which the first of what a scenario is about happens; the rest of it runs at night.
ENOUGH = {"broker-outage": 2}
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))

pytestmark = pytest.mark.skipif(
    mpy.find_tool("micropython") is None, reason="no micropython on PATH or in a wheel"
)


def head(outcome):
    broken = {name: found for name, found in outcome.problems.items() if found}
    assert broken == {}
    return outcome.report["journal_head"], outcome.evidence.registers, outcome.evidence.truth


def heads(folder, scenario):
    """What a scenario ends with, on each interpreter."""
    found = []
    for interpreter in ("cpython", "micropython"):
        own = folder / interpreter
        own.mkdir()
        found.append(head(sim.run(scenario, own, interpreter)))
    return found


def test_a_random_scenario_is_the_same_on_both(tmp_path):
    content = {**drawn(12), "hours": 2, "tick_s": 10}
    content["events"][0]["random"].update(cuts=1, credits=2, write_cuts=2)
    ends = [head(play(tmp_path / name, name, **content)) for name in ("cpython", "micropython")]
    assert ends[0] == ends[1]


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2000, 2020))
def test_many_random_scenarios_are_the_same_on_both(tmp_path, seed):
    content = drawn(seed)
    ends = [head(play(tmp_path / name, name, **content)) for name in ("cpython", "micropython")]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_begin_of_a_shipped_scenario_is_the_same_on_both(tmp_path, name):
    path = FOLDER / f"{name}.yaml"
    scenario = scenario_file.load(path).model_copy(update={"tick_s": 10})
    days = ENOUGH.get(name, 1)
    if scenario.days > days:
        scenario = scenario_file.shorten(scenario, days, path)
    ends = heads(tmp_path, scenario)
    assert ends[0] == ends[1]


@pytest.mark.nightly
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_is_the_same_on_both(tmp_path, name):
    ends = heads(tmp_path, scenario_file.load(FOLDER / f"{name}.yaml"))
    assert ends[0] == ends[1]


def test_the_command_takes_the_interpreter(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text("name: x\nhours: 1\ntick_s: 10\nload: {watts: 1000}\n")
    ends = []
    for interpreter in ("cpython", "micropython"):
        done = cli("sim", str(path), "--interpreter", interpreter, "--json")
        assert done.returncode == 0, done.stderr
        ends.append(done.stdout.split('"journal_head": ')[1].split("}")[0])
    assert ends[0] == ends[1]


@pytest.mark.parametrize("interpreter", ["cpython", "micropython"])
def test_i4_breaks_on_both_when_the_contact_does_not_open(tmp_path, interpreter, monkeypatch):
    """The relay moves and its contact stays: what the meter says of its credit gives it away."""
    monkeypatch.setattr(LatchingRelay, "conducts", lambda self: True)
    outcome = play(
        tmp_path,
        interpreter,
        hours=1,
        tick_s=10,
        credit="0.10",
        start="2027-01-19 08:00",
        load={"watts": 2000},
    )
    assert outcome.report["relay_ops"] == 1
    assert any("the supply is on" in line for line in outcome.problems["I4"])
