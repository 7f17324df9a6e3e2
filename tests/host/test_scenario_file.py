"""Scenario files: what is read, and how a fault in one is told."""

import json

import pytest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.zone import Zone
from wattledger.host_sim.load import Household
from wattledger.tests.host.scenario_bench import cli
from wattledger.tools import scenario_documents as documents
from wattledger.tools import scenario_file, sim
from wattledger.tools import scenario_text as texts
from wattledger.tools.places import FileError
from wattledger.tools.scenario import DEMO_TARIFF

HEAD = "name: x\ndays: 2\n"
PRICES = (
    "events:\n  - at: 1h\n    document: {v: 1, prices_of: demo, n: 1, step: 900, prices: [1],"
    " start: '%s'}\n"
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10 min", 600),
        ("36h", 129_600),
        ("1d 06:00", 108_000),
        ("2 days", 172_800),
        ("1d 2h 3 min 4 s", 93_784),
        ("06:30", 23_400),
        ("00:00:05", 5),
    ],
)
def test_a_duration_is_seconds(text, seconds):
    assert texts.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10", "6:0", "25:00", "1d 06:60", "-1h", "1h later"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="write a duration"):
        texts.seconds(text)


def test_a_local_time_is_placed_by_the_tariffs_zone():
    assert (
        texts.unix("2027-01-12 06:00", Zone(28_800)) == 1_799_704_800
    )  # the demo tariff's `from`


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (HEAD + "sed: 3\n", 3, 1, "sed: unknown key; did you mean seed?"),
        (HEAD + "zzzzz: 3\n", 3, 1, "zzzzz: unknown key; choose of: name, story, start"),
        ("days: 2\n", 1, 1, "name: is missing; add it"),
        ("name: x\n", 1, 1, "lacks days; say how long it runs"),
        (HEAD + "tick_s: 11\n", 3, 1, "tick_s: is 11; "),
        (HEAD + "load: {watts: many}\n", 3, 8, "load.watts: is 'many'; "),
        (HEAD + "load: no.csv\n", 3, 1, "no.csv, which is no file"),
        (HEAD + "tariff: no.json\n", 3, 1, "no.json, which is no file"),
        (HEAD + "tariff: {v: 1}\n", 3, 1, "tariff: is no tariff: "),
        (HEAD + "credit: free\n", 3, 1, "credit: "),
        (HEAD + "pv: {kwp: 0}\n", 3, 6, "pv.kwp: "),
        (HEAD + "start: tomorrow\n", 3, 1, "start: is 'tomorrow'; write a local time"),
        (HEAD + "house:\n  appliances: {toaster: true}\n", 4, 3, "has no appliance 'toaster'"),
        (HEAD + "events:\n  - {at: 1h}\n", 4, 5, "events[0]: has nothing to do"),
        (HEAD + "events:\n  - {at: 1h, arm: true, press: 3}\n", 4, 5, "has arm and press"),
        (HEAD + "events:\n  - at: later\n    arm: true\n", 4, 5, "events[0].at: is 'later'"),
        (HEAD + "events:\n  - at: 2d\n    arm: true\n", 4, 5, "is not within the run"),
        (HEAD + "events:\n  - at: 1h\n    cut: {four: 1h}\n", 5, 11, "did you mean for?"),
        (HEAD + "events:\n  - at: 1h\n    cut: {for: long}\n", 5, 11, "write a duration"),
        (HEAD + "events:\n  - {at: 1h, cut: {for: 1h, again: 2}}\n", 4, 14, "again without write"),
        (HEAD + "events:\n  - {at: 1h, cut: {for: 1h, write: -2}}\n", 4, 29, "cut.write: is -2"),
        (HEAD + "events:\n  - at: 1h\n    wield: {for: 1h}\n", 5, 5, "did you mean weld?"),
        (HEAD + "events:\n  - at: 1h\n    clock: {}\n", 5, 5, "one of jump_s and silent"),
        (HEAD + "events:\n  - at: 1h\n    command: rude\n", 5, 5, "events[0].command: is 'rude'"),
        (HEAD + "events:\n  - {at: 1h, keep: 90 min}\n", 4, 14, "is no number of whole hours"),
        (HEAD + "events:\n  - {at: 1h, keep: 721h}\n", 4, 14, "whole hours up to 720"),
        (HEAD + "events:\n  - {at: 1h, debt: {share: 20}}\n", 4, 14, "debt.total: is missing"),
        (HEAD + "events:\n  - at: 1h\n    debt: {total: 5, shore: 9}\n", 5, 22, "mean share?"),
        (HEAD + "events:\n  - at: 1h\n    debt: {total: 5, share: 91}\n", 5, 22, "share: is 91"),
        (HEAD + "events:\n  - at: 1h\n    token: {kwh: 5, by: hand}\n", 5, 21, "keypad"),
        (HEAD + "events:\n  - at: 1h\n    token: {by: mqtt}\n", 5, 5, "one of kwh and amount"),
        (HEAD + "events:\n  - at: 1h\n    token: {amount: 2}\n", 5, 5, "1.99924 and 2.00024"),
        (HEAD + "events:\n  - {at: 1h, document: no.json}\n", 4, 14, "no.json, which is no file"),
        (HEAD + "events:\n  - at: 1h\n    document: {n: 1}\n", 5, 5, "document: lacks "),
        (HEAD + PRICES % "2027-01-12 06:01", 5, 69, "document.start: "),
        (HEAD + PRICES % "2027-02-30 06:00", 5, 5, "there is no such date"),
        (HEAD + "events: [\n", 4, 1, "is not YAML"),
        (HEAD + "days: 3\n", 3, 1, "is not YAML: "),
        ("- 1\n", 1, 1, "is no scenario"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_place(tmp_path, text, line, column, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        scenario_file.load(path)
    told = str(caught.value)
    assert told.startswith(f"{path}:{line}:{column}: ")
    assert words in told
    assert "\n" not in told


def test_the_example_is_a_scenario_with_every_kind_of_event(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(sim.example())
    found = scenario_file.load(path)
    kinds = {event.kind for event in found.events}
    assert kinds == {
        "credit", "arm", "press", "cut", "broker", "brown_out", "clock", "weld", "bit_errors",
        "command", "random", "accept", "keep", "debt", "document", "disturb", "token",
    }  # fmt: skip
    assert found.start_s == 1_799_704_800
    assert found.credit == 5_000_000


def test_local_times_of_a_document_are_unix_seconds(tmp_path):
    path = tmp_path / "times.yaml"
    path.write_text(HEAD + PRICES % "2027-01-12 06:00")
    found = scenario_file.load(path)
    assert json.loads(found.document_of(found.events[0]))["start"] == 1_799_704_800
    # In its own zone: New York is at UTC-5 then, 13 hours behind the demo tariff.
    content = json.loads(DEMO_TARIFF.read_text())
    content.update({"tz": "EST5EDT,M3.2.0,M11.1.0", "from": "2027-01-12 06:00"})
    content["correct"] = {"from": "2027-01-12T06:00", "until": 1_800_000_000}
    written = json.loads(documents.written(content))
    assert written["from"] == written["correct"]["from"] == 1_799_704_800 + 13 * 3600
    assert written["correct"]["until"] == 1_800_000_000


def test_the_sets_of_a_scenario_follow_each_other():
    def made(n, start, friendly):
        content = json.loads(DEMO_TARIFF.read_text())
        content.update({"n": n, "from": start})
        content["credit"]["friendly"] = friendly
        return tariffs.load(json.dumps(content).encode())

    start = 1_799_704_800  # Tuesday, 06:00
    always = [[day, 0, 1440] for day in range(7)]
    sets = documents.TariffSets(made(1, start, []))
    sets.add(made(2, start, always), start + 3601)  # its `from` has passed: at the next boundary
    sets.add(made(2, start, []), start + 7200)  # no higher n: the meter refuses it
    assert sets.friendly_until(start + 4499) is None
    assert sets.friendly_until(start + 4500) is not None
    assert sets.friendly_until(start + 9000) is not None


def test_the_example_keeps_every_promise(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(sim.example())
    outcome = sim.simulate(path)
    assert [name for name, found in outcome.problems.items() if found] == []
    # One at once, two within writes, two drawn, and one drawn within a write and its boot.
    assert outcome.report["power_cuts"] == 7


def test_appliances_are_switched_by_name():
    day_ms = 86_400_000
    start = 1_799_712_000_000 // day_ms * day_ms - 28_800_000

    def kwh(load):
        total = 0
        for minute in range(1440 * 14):
            total += load.power_mw(start + minute * 60_000)
        return total / 60e6

    plain = Household(5)
    without = Household(5, appliances={"morning water heater": False})
    with_car = Household(5, appliances={"electric car": True})
    # 1.5 kW for 25 to 35 minutes on each of 14 days; 3.6 kW for 2 to 4 h on some.
    assert 14 * 0.6 < kwh(plain) - kwh(without) < 14 * 0.9
    assert 2 * 7.2 < kwh(with_car) - kwh(plain) < 14 * 14.4
    assert kwh(Household(5, scale=200)) == 2 * kwh(plain)


def test_the_command_prints_one_json_object_and_the_progress_elsewhere(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text('name: x\ndays: 3\ntick_s: 10\nload: {watts: 1000}\ncredit: "50.00"\n')
    done = cli("sim", str(path), "--days", "1", "--json", "--state", str(tmp_path / "state"))
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["register_wh"] == 24_000
    assert list(report["invariants"]) == [f"I{number}" for number in range(1, 11)]
    assert "sim: day 1 of 1" in done.stderr
    again = cli("sim", str(path), "--state", str(tmp_path / "state"))
    assert again.returncode == 1
    assert "a scenario always begins at its start; give a new folder" in again.stderr
    verified = cli("ledger", "verify", str(tmp_path / "state" / "storage"), "--json")
    assert json.loads(verified.stdout)["balance_nano"] == report["balance_nano"]


def test_the_command_tells_what_it_cannot_run(tmp_path):
    done = cli("sim", "nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("nothing: no such scenario; give a YAML file")
    assert "friday-night" in done.stderr
    assert cli("sim", "--example").stdout == sim.example()
