"""docs/tamper-and-quality.md says what the meter does: every condition, time and threshold."""

import re

from wattledger.agent import events
from wattledger.agent.metering import quality_settings as settings
from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs" / "tamper-and-quality.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in PAGE.splitlines()
]


def test_every_condition_stands_with_its_name_and_times():
    told = [row[:5] for row in ROWS if row[0].isdigit() and len(row) == 7]
    assert told == [
        [str(code), events.NAMES[code], name, str(begins), str(ends)]
        for code, (name, begins, ends) in enumerate(settings.TIMES, events.REVERSE)
    ]


def test_every_threshold_stands_with_its_default_and_range():
    told = [(row[0], *map(int, row[1:4])) for row in ROWS if len(row) == 5 and row[1].isdigit()]
    assert told == list(settings.LEVELS)


def test_every_event_of_the_chip_stands_with_its_name():
    told = [re.fullmatch(r"(\d+) (.*)", row[0]) for row in ROWS if len(row) == 3]
    found = {int(match[1]): match[2] for match in told if match}
    assert len(found) == 9
    assert found == {code: events.NAMES[code] for code in found}
