"""The same scenario on both interpreters: the journals are the same to the last byte."""

import pytest

from wattledger.tests.host.scenario_bench import cli, drawn, play
from wattledger.tools import mpy, scenario_file, sim
from wattledger.tools.scenario import FOLDER

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))

pytestmark = pytest.mark.skipif(
    mpy.find_tool("micropython") is None, reason="no micropython on PATH or in a wheel"
)


def head(outcome):
    broken = {name: found for name, found in outcome.problems.items() if found}
    assert broken == {}
    return outcome.report["journal_head"], outcome.evidence.registers, outcome.evidence.truth


def test_a_random_scenario_is_the_same_on_both(tmp_path):
    content = {**drawn(12), "hours": 2, "tick_s": 10}
    content["events"][0]["random"].update(cuts=1, credits=2)
    heads = [head(play(tmp_path / name, name, **content)) for name in ("cpython", "micropython")]
    assert heads[0] == heads[1]


@pytest.mark.nightly
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_is_the_same_on_both(tmp_path, name):
    scenario = scenario_file.load(FOLDER / f"{name}.yaml")
    heads = []
    for interpreter in ("cpython", "micropython"):
        folder = tmp_path / interpreter
        folder.mkdir()
        heads.append(head(sim.run(scenario, folder, interpreter)))
    assert heads[0] == heads[1]


def test_the_command_takes_the_interpreter(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text("name: x\nhours: 1\ntick_s: 10\nload: {watts: 1000}\n")
    heads = []
    for interpreter in ("cpython", "micropython"):
        done = cli("sim", str(path), "--interpreter", interpreter, "--json")
        assert done.returncode == 0, done.stderr
        heads.append(done.stdout.split('"journal_head": ')[1].split("}")[0])
    assert heads[0] == heads[1]
