"""docs/credit.md shows the rules as agent/supply/rules.py has them, row by row."""

from pathlib import Path

from wattledger.agent.config import NUMBERS
from wattledger.agent.supply import rules

TEXT = (Path(__file__).parents[2] / "docs" / "credit.md").read_text(encoding="utf-8")


def table(title, columns):
    """The first `columns` cells of each row of the table under a heading."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [row[:columns] for row in cells]


def yes(flag):
    return "yes" if flag else "no"


def test_what_opens():
    assert table("What opens", 4) == [
        [name, str(bit), rules.CAUSES[cause], yes(person)]
        for bit, name, cause, person in rules.OPENS
    ]


def test_what_holds_a_cut_back():
    assert table("What holds a cut back", 3) == [
        [name, yes(arms), yes(time)] for name, arms, time in rules.HOLDS_BACK
    ]


def test_who_closes():
    assert table("Who closes", 2) == [[who, rules.CAUSES[cause]] for who, cause in rules.CLOSES]


def test_every_default_shown_is_the_configuration_s():
    for key, shown in (
        ("over_percent", "`over_percent` (120)"),
        ("nominal_volts", "`nominal_volts` (230)"),
        ("max_celsius", "`max_celsius` (85)"),
        ("safety_s", "`safety_s` (3 s)"),
        ("load_limit_w", "`load_limit_w` (0"),
        ("load_limit_s", "`load_limit_s` (30 s)"),
        ("load_reclose_s", "`load_reclose_s` (300 s)"),
        ("load_tries", "`load_tries` (3)"),
        ("under_percent", "`under_percent`, 80"),
    ):
        assert shown in TEXT
        assert shown.split("`")[2].strip(" (,s)") == str(NUMBERS[key][0])


def test_the_diagram_names_what_holds_back():
    diagram = TEXT.split("```mermaid")[1].split("```")[0]
    for row in (rules.KEEP_POWER, rules.FRIENDLY, rules.CLOCK_NOT_SET, rules.NOT_WARNED):
        assert rules.HOLDS_BACK[row][0] in diagram
    for state in ("DISCONNECTED", "READY", "CONNECTED"):
        assert state in diagram
