"""`tariff show`: the week in words and colours, and as a picture."""

import io
import json

import pytest
from rich.console import Console

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli, tariff_colours, tariff_picture, tariff_show
from wattledger.tools.tariff_week import Column, Week, clock

DEMO = ROOT / "tools" / "data" / "demo-tariff.json"
DOCUMENT = json.loads(DEMO.read_bytes())
SEASONS = dict(
    DOCUMENT,
    weekend=[0, 6],
    days={"w": [[0, 0], [480, 2], [1320, 0]], "e": [[0, 0]], "h": [[0, 1]], "m": [[0, 2]]},
    seasons=[["1101", "w", "e"], ["0301", "w", "w", {"blocks": [100, 200]}], ["0101", "w", "e"]],
    holidays=[
        9862,
        1,
        [3, "m"],
        40,
    ],  # 1 and 2 January 2027, a working day on the 5th, 14 February
    holiday_day="h",
    demand={"minutes": 30, "price": 12000000},
    minimum=3000000,
    net=True,
)


def week_of(tmp_path, document):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    return Week(path)


@pytest.fixture
def seasons(tmp_path):
    return week_of(tmp_path, SEASONS)


def test_seasons_that_charge_alike_are_one(seasons):
    assert [season.dates() for season in seasons.seasons] == [
        "01-01 to 02-28/29, 11-01 to 12-31",
        "03-01 to 10-31",
    ]
    assert [season.blocks for season in seasons.seasons] == [DOCUMENT["blocks"], [100, 200]]


def test_days_of_a_week_and_special_days(seasons):
    winter, summer = seasons.seasons
    assert [column.name for column in winter.grouped()] == [
        "Mon-Fri", "Sat-Sun", "holiday", "make-up m",
    ]  # fmt: skip
    assert [column.name for column in summer.grouped()] == ["Mon-Sun", "holiday", "make-up m"]
    assert [str(special) for special in seasons.specials] == [
        "2027-01-01 to 2027-01-02", "2027-01-05", "2027-02-14",
    ]  # fmt: skip
    assert [special.holiday for special in seasons.specials] == [True, False, True]


def test_holidays_without_a_table_are_weekends(tmp_path):
    document = {key: value for key, value in SEASONS.items() if key != "holiday_day"}
    winter = week_of(tmp_path, document).seasons[0]
    assert winter.days[7] == Column("holiday", [[0, 0]])


def test_a_sunday_and_a_monday_weekend_stay_apart(tmp_path):
    week = week_of(tmp_path, dict(SEASONS, weekend=[0, 1], holidays=[]))
    names = [column.name for column in week.seasons[0].grouped()]
    assert names == ["Mon", "Tue-Sat", "Sun"]


def test_spans_reach_from_midnight_to_midnight():
    column = Column("Mon", [[0, 0], [480, 2], [1320, 0]])
    assert column.spans() == [(0, 480, 0), (480, 1320, 2), (1320, 1440, 0)]
    assert [column.band_at(minute) for minute in (0, 479, 480, 1320)] == [0, 0, 2, 0]
    assert (clock(0), clock(495), clock(1440)) == ("00:00", "08:15", "24:00")


def shown(week, **console):
    console = Console(highlight=False, width=150, file=io.StringIO(), **console)
    tariff_show.show(week, console)
    return console.file.getvalue()


def test_the_words_say_all_without_colours(seasons):
    lines = [line.rstrip() for line in shown(seasons).split("\n")]
    assert "01-01 to 02-28/29, 11-01 to 12-31, blocks to 180, 280 kWh" in lines
    assert "03-01 to 10-31, blocks to 100, 200 kWh" in lines
    assert "00:00-08:00   valley    valley    flat      peak" in lines
    assert "08:00-22:00   peak      valley    flat      peak" in lines
    assert "holidays    2027-01-01 to 2027-01-02, 2027-02-14" in lines
    assert "demand      12.00 CNY a kW of the cycle's highest 30 minutes" in lines
    assert " valley      0.31     0.36     0.61          0.35" in lines
    assert "\x1b" not in "".join(lines)


def test_each_band_has_a_colour_by_its_price(seasons):
    text = shown(seasons, force_terminal=True, color_system="truecolor")
    valley, peak = "48;2;33;102;172", "48;2;178;24;43"  # the two ends of the scale
    assert f"{valley}m valley" in text and f"{peak}m peak" in text


def test_letters_can_be_read_on_their_colour():
    for count in range(1, 9):
        colours = tariff_colours.of_bands(list(range(count)))
        assert len(set(colours.values())) == count
    assert tariff_colours.letters_on(tariff_colours.SCALE[0]) == tariff_colours.LIGHT
    assert tariff_colours.letters_on(tariff_colours.SCALE[3]) == tariff_colours.DARK


def test_a_picture_is_drawn(seasons, tmp_path, capsys):
    path = tmp_path / "week.png"
    assert cli.run(["tariff", "show", str(tmp_path / "t.json"), "--png", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10000
    assert "demo n 1" in capsys.readouterr().out


def test_without_matplotlib_the_error_names_what_to_install(
    seasons, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tariff_picture.importlib.util, "find_spec", lambda name: None)
    path = tmp_path / "week.png"
    assert cli.run(["tariff", "show", str(tmp_path / "t.json"), "--png", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.err == "--png needs matplotlib: pip install 'wattledger[bench]'\n"
    assert captured.out == "" and not path.exists()


def test_json_has_the_same_model(seasons, tmp_path, capsys):
    assert cli.run(["tariff", "show", str(tmp_path / "t.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["seasons"][1]["dates"] == [["03-01", "10-31"]]
    assert found["seasons"][1]["days"]["Sun"] == [[0, 0], [480, 2], [1320, 0]]
    assert found["special_days"][1] == {
        "from": "2027-01-05", "to": "2027-01-05", "table": "m", "holiday": False,
    }  # fmt: skip


def test_show_refuses_what_check_refuses(tmp_path, capsys):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(dict(DOCUMENT, fallback=9)))
    assert cli.run(["tariff", "show", str(path)]) == 1
    assert f"{path}:1:" in capsys.readouterr().err
