"""`tariff check` and `device check`: what a good document says, where a bad one is wrong."""

import json
import re

import pytest

from wattledger.agent import config
from wattledger.agent.billing import tariff as tariffs
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import places, tariff
from wattledger.tools.places import PlaceError

DEMO = ROOT / "tools" / "data" / "demo-tariff.json"


def test_the_demo_tariff_is_good_and_its_facts_are_told():
    found = tariff.check(DEMO)
    assert found["ok"] is True
    assert (found["id"], found["n"], found["currency"]) == ("demo", 1, "CNY")
    assert (found["bytes"], found["bytes_limit"]) == (DEMO.stat().st_size, 4096)
    assert found["bands"] == ["valley", "flat", "peak"]
    assert found["blocks_kwh"] == [180, 280]
    assert found["from_local"] == "2027-01-12T06:00:00+08:00"
    assert found["fallback"] == "flat"


def test_a_person_sees_prices_in_the_currency(capsys):
    tariff.show(tariff.check(DEMO))
    out = capsys.readouterr().out
    assert "982 of 4096 bytes" in out
    assert re.search(r"valley +0\.31 +0\.36 +0\.61 +0\.35", out)


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ('"n": 1,', '"n": 1.5,', "4:8: n: must be a whole number, is 1.5"),
        (
            '"tz": "CST-8"',
            '"tz": "CET-1CEST"',
            "6:9: tz: must say when daylight saving begins and",
        ),
        ("[180, 280]", "[280, 180]", "10:19: blocks[1]: must be above the block before"),
        ("830000],", '"x"],', '15:22: price[1][2]: must be a whole number, is "x"'),
        ("[420, 1]", "[425, 1]", "19:26: days.workday[1][0]: must be a multiple of 15"),
        ('"low": [', '"lwo": [', "27:12: credit.lwo: unknown key; remove it or check its"),
        ('"v": 1,', '"v": 1, "v": 1,', "2:11: v: stands twice, first in line 2; remove one"),
        ('"v": 1,', '"v": 1', "3:3: is not JSON: expecting ',' delimiter; mend it here"),
        ('"weekend": [0, 6],', "", "1:1: document: lacks weekend"),
    ],
)
def test_a_fault_is_told_with_line_and_column(tmp_path, before, after, place):
    file = tmp_path / "t.json"
    text = DEMO.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(PlaceError) as caught:
        tariff.load(file)
    assert str(caught.value).startswith(f"{file}:{place}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": "\t"}])
def test_the_place_is_right_in_any_layout(tmp_path, layout):
    document = json.loads(DEMO.read_bytes())
    document["price"][2][1] = "dear"
    text = json.dumps(document, **layout)
    file = tmp_path / "t.json"
    file.write_text(text)
    with pytest.raises(PlaceError) as caught:
        tariff.load(file)
    line = text.split("\n")[caught.value.line - 1]
    assert line[caught.value.column - 1 :].startswith('"dear"')


PRICES = """{
  "v": 1, "prices_of": "demo",
  "n": 3,
  "start": 1799704800,
  "step": 1800,
  "prices": [120000, -54321,
    0]
}
"""


def test_a_document_of_dynamic_prices_is_checked_alike(tmp_path, capsys):
    file = tmp_path / "p.json"
    file.write_text(PRICES)
    found = tariff.check(file)
    assert (found["kind"], found["id"], found["n"]) == ("prices", "demo", 3)
    assert (found["start"], found["end"], found["slots"]) == (1799704800, 1799710200, 3)
    assert (found["lowest"], found["highest"]) == (-54321, 120000)
    assert found["bytes"] == len(PRICES)
    tariff.show(found)
    out = capsys.readouterr().out
    assert f"demo n 3 prices: good, {len(PRICES)} of 4096 bytes" in out
    assert "2027-01-11T22:00:00Z to 2027-01-11T23:30:00Z" in out


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("0]", "0.5]", "7:5: prices[2]: must be a whole number, is 0.5"),
        ("1800", "1500", "5:11: step: must be 900, 1800 or 3600 seconds, is 1500"),
        ("1799704800", "1799704801", "4:12: start: must be a multiple of 900"),
        ("-54321", "-54321000000", "6:22: prices[1]: -54321000000 is below the local minimum"),
        ('"n": 3,', "", "1:1: document: lacks n"),
        ('"n"', '"m"', "3:8: m: unknown key; remove it"),
    ],
)
def test_a_fault_in_prices_is_told_with_line_and_column(tmp_path, before, after, place):
    file = tmp_path / "p.json"
    file.write_text(PRICES.replace(before, after, 1))
    with pytest.raises(PlaceError) as caught:
        tariff.check(file)
    assert str(caught.value).startswith(f"{file}:{place}")


def test_a_correction_says_what_it_corrects(tmp_path, capsys):
    file = tmp_path / "c.json"
    text = DEMO.read_text("utf-8")
    correct = '"v": 1, "correct": {"from": 1799704800, "until": 1799708400},'
    file.write_text(text.replace('"v": 1,', correct, 1), "utf-8")
    found = tariff.check(file)
    assert found["kind"] == "correction"
    assert found["correct"] == ["2027-01-12T06:00:00+08:00", "2027-01-12T07:00:00+08:00"]
    tariff.show(found)
    assert "corrects  2027-01-12T06:00:00+08:00 to" in capsys.readouterr().out
    file.write_text(text.replace('"v": 1,', correct.replace("8400", "4800"), 1), "utf-8")
    with pytest.raises(PlaceError, match=r"2:\d+: correct\.until: must be after correct\.from"):
        tariff.check(file)


def test_everything_a_tariff_may_charge_is_told(tmp_path, capsys):
    document = json.loads(DEMO.read_bytes())
    first = document["seasons"][0][1]
    document["seasons"].append(
        ["0601", first, first, {"blocks": [260, 360], "blocks_reset": True}]
    )
    document.update(net=True, minimum=5000000, holidays=[9862, 1, [5, first]])
    document["demand"] = {"minutes": 15, "price": 38000000}
    file = tmp_path / "t.json"
    file.write_text(json.dumps(document))
    tariff.show(tariff.check(file))
    out = capsys.readouterr().out
    for line in (
        "season    from 0601, edges at 260, 360 kWh, counted anew",
        "demand    38.00 CNY per kW in 15 min",
        "minimum   5.00 CNY a cycle",
        "net       export is taken off import",
        "holidays  3",
    ):
        assert line in out


def test_a_document_over_4096_bytes_is_refused_with_its_size(tmp_path):
    file = tmp_path / "t.json"
    file.write_bytes(DEMO.read_bytes().ljust(4097))
    with pytest.raises(PlaceError, match=r"1:1: document: is 4097 bytes; at most 4096 fit"):
        tariff.load(file)


JUNK = [None, True, -1, 0, 10**12, 10**30, 0.5, "", "0230", "0\u00b201", "x" * 40, [], [1], {},
        {"a": 1}, [[]]]  # fmt: skip


def replace(value, path, junk):
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replace(copy[path[0]], path[1:], junk)
    return copy


def test_any_wrong_value_is_refused_at_its_place_or_taken(tmp_path):
    document = json.loads(DEMO.read_bytes())
    paths = places.scan(DEMO.read_text("utf-8"))[1]
    file = tmp_path / "junk.json"
    for path in paths:
        for junk in JUNK:
            file.write_text(json.dumps(replace(document, path, junk), indent=1))
            try:
                assert isinstance(tariff.load(file), tariffs.Tariff)
            except PlaceError as error:
                assert error.line > 1 or "document" in str(error), (path, junk)


DEVICE = """{
  "v": 1, "meter": "demo-0001",
  "tenant": "demo",
  "board": "sim",
  "profile_s": 900
}
"""


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ('"v": 1', '"v": 2', "2:8: v: must be 1, is 2"),
        ("demo-0001", "Demo 1", '2:20: meter: must be 1 to 32 of a-z, 0-9, - _ and ., is "De'),
        ("900", "420", "5:16: profile_s: must divide 900 in whole minutes, is 420"),
        ("900", "9000", "5:16: profile_s: must be a whole number from 60 to 900, is 9000"),
        ('"board": "sim",', "", "1:1: board: must be 1 to 32 of a-z"),
        ("900", "900,", "6:1: is not JSON: "),
        ("profile_s", "profile", "5:14: profile: unknown key; remove it or check its spelling"),
    ],
)
def test_a_faulty_device_json_is_told_alike(tmp_path, before, after, place):
    file = tmp_path / "device.json"
    file.write_text(DEVICE)
    assert places.load(file, config.load).meter == "demo-0001"
    file.write_text(DEVICE.replace(before, after, 1))
    with pytest.raises(PlaceError) as caught:
        places.load(file, config.load)
    if after == "900,":  # where the comma or the brace is blamed depends on Python's version
        assert caught.value.line in (5, 6)
    else:
        assert str(caught.value).startswith(f"{file}:{place}")
