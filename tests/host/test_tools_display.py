"""`wattledger display`: a view in the terminal, and the test card."""

import json

import pytest

from wattledger.tests.both import fixtures_views as views
from wattledger.tools import cli, panel_show
from wattledger.tools.errors import ToolError


@pytest.fixture
def view(tmp_path):
    path = tmp_path / "view.json"
    path.write_text(json.dumps(views.view(zone="low1")))
    return path


def test_every_page_is_shown_and_what_comes_unasked_first(view, capsys):
    assert cli.run(["display", "show", "--view", str(view)]) == 0
    lines = capsys.readouterr().out.split("\n")
    names = [line for line in lines if line and line[0] not in "┌│└"]
    assert names == [
        *("alert", "home", "price", "block", "power", "today", "chart", "top_ups", "token"),
        *("meter", "state"),
    ]


def test_one_page_as_the_text_display(view, capsys):
    arguments = ["display", "show", "--view", str(view), "--page", "home", "--lcd"]
    assert cli.run(arguments) == 0
    assert capsys.readouterr().out.split("\n")[1:6] == [
        "+--------------------+",
        "|Balance        00:05|",
        "|¥86.42              |",
        "|12 days left      ON|",
        "|                    |",
    ]


def test_a_drawing(view, tmp_path):
    svg = tmp_path / "out.svg"
    arguments = ["display", "show", "--view", str(view), "--language", "zh", "--svg", str(svg)]
    assert cli.run(arguments) == 0
    assert svg.read_text().count('class="lit"') == 11


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--page", "nothing"], "there is no page 'nothing' now; there are alert, home"),
        (["--language", "de"], "--language is one of en, zh"),
        (["--language", "zh", "--lcd"], "has no hanzi"),
        (["--url", "http://127.0.0.1:1"], "give one of --view FILE and --url"),
    ],
)
def test_what_cannot_be_shown_is_said(view, capsys, arguments, words):
    assert cli.run(["display", "show", "--view", str(view), *arguments]) in (1, 2)
    assert words in capsys.readouterr().err


def test_a_file_that_is_no_view_and_a_page_that_is_not_there(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[]")
    with pytest.raises(ToolError, match="is no view of a meter"):
        panel_show.read_view(path, None)
    path.write_text("{")
    with pytest.raises(ToolError, match="is not JSON"):
        panel_show.read_view(path, None)
    with pytest.raises(ToolError, match="start a page with `wattledger demo`"):
        panel_show.read_view(None, "http://127.0.0.1:1")


def test_the_card_of_each_chip(capsys):
    for chip in panel_show.CHIPS:
        assert cli.run(["display", "card", "--chip", chip]) == 0
    lines = capsys.readouterr().out.split("\n")[-5:-1]
    # Twenty columns whose first and last are the row's number.
    assert [(line[0], line[-1], len(line)) for line in lines] == [(n, n, 20) for n in "1234"]
    assert cli.run(["display", "card", "--chip", "st7735"]) == 2


def test_device_check_prints_the_display(tmp_path, capsys):
    path = tmp_path / "device.json"
    path.write_text('{"v":1,"meter":"m","tenant":"t","board":"sim","display":{"chip":"sh1106"}}')
    assert cli.run(["device", "check", str(path)]) == 0
    assert "display.chip                 sh1106" in capsys.readouterr().out
    assert cli.run(["device", "check", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["display"]["address"] == 60
