"""docs/security.md holds: each of the 25 requirements is shown by tests that exist, or missing."""

import os
import re
from pathlib import Path

from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROW = re.compile(r"^\| ([0-9]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(test_[a-z0-9_]+)`")
BEGIN = "-----BEGIN "
OTHERS = ("__pycache__", "node_modules", "build", "dist")


def known_tests():
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.update(re.findall(r"^ *def (test_\w+)", path.read_text("utf-8"), re.MULTILINE))
    return found


def test_all_25_requirements_are_there_in_order():
    assert [int(number) for number, _, _ in ROW.findall(PAGE)] == list(range(1, 26))


def test_every_test_that_is_named_exists():
    there = known_tests()
    named = TEST.findall(PAGE)
    assert len(named) > 40
    assert [name for name in named if name not in there] == []


def test_each_requirement_is_shown_or_said_to_be_missing():
    for number, requirement, shown in ROW.findall(PAGE):
        assert TEST.search(shown) or "not yet" in shown, f"{number}: {requirement}"


def files_of_the_tree():
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in OTHERS and name[0] != "."]
        yield from (Path(folder) / name for name in files)


def test_no_private_key_lies_in_the_tree():
    looked_at = 0
    for path in files_of_the_tree():
        looked_at += 1
        assert path.suffix not in (".key", ".pem", ".crl", ".der", ".pin"), path
        text = path.read_text("utf-8", errors="ignore")
        assert not re.search(BEGIN + r"[A-Z ]*PRIVATE KEY-+\s+[\w+/]{40}", text), path
        assert not re.search(r'"(device_key|gate_key)": *"[0-9a-f]{64}"', text), path
    assert looked_at > 500


def test_the_policy_says_where_to_report_and_how_soon_there_is_an_answer():
    policy = (ROOT / "SECURITY.md").read_text("utf-8")
    assert re.search(r"Report a vulnerability privately", policy)
    assert re.search(r"answer within [0-9]+ days", policy)
