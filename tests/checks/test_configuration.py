"""docs/configuration.md says what agent/config.py does: every key, default and range."""

import json
import re

from wattledger.agent import config
from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]


def rows(cells):
    return {row[0]: row[1:] for row in ROWS if len(row) == cells}


def test_every_number_stands_with_its_default_and_range():
    told = {key: tuple(map(int, row[:3])) for key, row in rows(5).items()}
    assert told == config.NUMBERS


def test_every_choice_and_flag_stands_with_its_default_first():
    told = {key: tuple(re.findall(r"\w+", row[0])) for key, row in rows(3).items()}
    del told["token"], told["quality"], told["display"]
    assert told == {**config.CHOICES, **dict.fromkeys(config.FLAGS, ("false", "true"))}


def test_what_is_required_is_what_stands_as_required():
    assert set(rows(2)) == {"v", *config.TEXTS}


def test_the_example_is_taken():
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1]
    assert vars(config.load(example.encode()))["max_amps"] == json.loads(example)["max_amps"]
