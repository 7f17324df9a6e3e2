"""Refunds and adjustments by hand as the tools read them: verified, explained, told."""

import json

import pytest

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.tests.host.meter_bench import FROM, METER, HandJournal
from wattledger.tools import cli

M = 1_000_000


@pytest.fixture
def hand(tmp_path):
    """5.00 to begin with, 10.00 paid, 2.50 refunded, 1.25 given with 0.25 of a charge owed."""
    book = HandJournal(tmp_path)
    book.credit(FROM + 60, 1, 10 * M)
    refund(book, 2)
    adjust(book, 1, 1_250_000_000, 0, "late reading")
    adjust(book, 2, -750_000_000, 250_000_000, "seal \u8868")
    config = {"v": 1, "meter": METER, "tenant": "demo", "board": "sim"}
    (tmp_path / "device.json").write_text(json.dumps(config))
    return book


def refund(book, n):
    book.append(records.REFUND, FROM + 120, -2_500_000_000, payloads.pack_credit(n, n, 3))


def adjust(book, n, amount, diverted, reason):
    payload = payloads.pack_adjust(payloads.ADJUST_ORDERED, n, 0, 0, diverted, reason)
    book.append(records.ADJUST, FROM + 180, amount, payload)


def explained(folder, capsys):
    code = cli.run(["ledger", "explain", str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_they_read_as_what_they_are(hand, tmp_path, capsys):
    code, report = explained(tmp_path, capsys)
    # 5.00 + 10.00 - 2.50 + 1.25 - 0.75
    assert (code, report["balance_nano"]) == (0, 13_000_000_000)
    said = [line["what"] for line in report["lines"] if line["kind"] in ("refund", "adjust")]
    assert said == [
        "refund 2",
        "ordered by the utility, n 1: late reading",
        "ordered by the utility, n 2: seal 表, 0.25 of it owed as debt",
    ]


def test_the_statement_has_them(hand, tmp_path, capsys):
    line = ["statement", str(tmp_path), "--from", str(FROM), "--to", str(FROM + 900)]
    assert cli.run(line) == 0
    out = capsys.readouterr().out
    assert "Refund" in out and "-2.50" in out
    assert "Adjustment" in out and "1.25" in out


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (lambda book: refund(book, 1), "posts purchase 1 a second time"),
        (lambda book: adjust(book, 2, M, 0, "seal \u8868"), "a second time"),
    ],
)
def test_one_that_stands_twice_is_found(hand, tmp_path, capsys, again, said):
    again(hand)
    assert cli.run(["ledger", "verify", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err
