"""`wattledger ledger explain`: each line, its running balance, and the totals by band."""

import datetime
import json

import pytest

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules, states
from wattledger.tests.host import statement_bench as bench
from wattledger.tests.host.meter_bench import FROM, METER, HandJournal
from wattledger.tools import cli, ledger


@pytest.fixture
def hand(tmp_path):
    """Eight entries in UTC: two parts of an interval, a credit, standing, an event, a cut."""
    made = HandJournal(tmp_path)
    made.append(records.TARIFF, FROM, 0, payloads.pack_tariff(1, b"d" * 32, "demo"))
    made.interval(FROM, FROM + 900, 100, 30)
    made.credit(FROM + 1000, 7, 2000000)
    made.standing(FROM + 1200, 20270113, 120000)
    made.append(records.EVENT, FROM + 1300, 0, payloads.pack_event(events.CREDIT_EXHAUSTED, -5))
    made.append(
        records.RELAY,
        FROM + 1300,
        0,
        payloads.pack_relay(states.DISCONNECTED, rules.NO_CREDIT, rules.BY_CREDIT, 9),
    )
    made.interval(FROM + 900, FROM + 1800, 8)
    return tmp_path


def explained(capsys, folder, *arguments):
    code = cli.run(["ledger", "explain", str(folder), "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_each_line_says_what_moved_and_what_was_left(hand, capsys):
    code, found = explained(capsys, hand)
    assert code == 0
    # 5.00, then 100 Wh at 0.50, 30 Wh back at 0.50, 2.00, 0.12, 8 Wh at 0.50.
    assert [
        (line["sequence"], line["kind"], line["amount_nano"], line["balance_nano"])
        for line in found["lines"]
    ] == [
        (1, "opening", 5_000_000_000, 5_000_000_000),
        (2, "tariff", 0, 5_000_000_000),
        (3, "interval", -50_000_000, 4_950_000_000),
        (3, "interval", 15_000_000, 4_965_000_000),
        (4, "credit", 2_000_000_000, 6_965_000_000),
        (5, "standing", -120_000_000, 6_845_000_000),
        (6, "event", 0, 6_845_000_000),
        (7, "relay", 0, 6_845_000_000),
        (8, "interval", -4_000_000, 6_841_000_000),
    ]
    assert found["lines"][2] == {
        "sequence": 3, "kind": "interval", "start": "2027-01-11T22:00:00Z",
        "end": "2027-01-11T22:15:00Z", "estimated": False, "n": 1, "band": 0, "band_name": None,
        "block": 0, "export": False, "dynamic": False, "fallback": False, "net": False,
        "unpriced": False, "wh": 100,
        "price": 500000, "amount_nano": -50_000_000, "balance_nano": 4_950_000_000,
    }  # fmt: skip
    assert found["lines"][7]["what"] == "disconnected, by credit (no credit)"
    assert [(line["export"], line["wh"], line["amount_nano"]) for line in found["bands"]] == [
        (False, 108, -54_000_000),
        (True, 30, 15_000_000),
    ]
    assert found["change_nano"] == found["explained_nano"] == 6_841_000_000


def test_it_begins_with_what_verify_reports(hand, capsys):
    _, found = explained(capsys, hand)
    report = ledger.verify(hand).report()
    assert report["entries"] == 8 and report["meter"] == METER
    assert {key: found[key] for key in report} == report


def test_between_two_times_the_lines_are_the_fall_of_the_balance(hand, capsys):
    _, found = explained(capsys, hand, "--from", str(FROM + 1100), "--to", str(FROM + 1800))
    assert found["opening_nano"] == 6_965_000_000
    assert found["closing_nano"] == 6_841_000_000
    assert found["change_nano"] == sum(line["amount_nano"] for line in found["lines"])
    # The whole journal's figures stay those of the whole journal.
    assert found["entries"] == 8 and found["balance_nano"] == 6_841_000_000


def test_a_person_reads_the_same(hand, capsys):
    assert cli.run(["ledger", "explain", str(hand)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    row = next(line for line in lines if "block 1" in line)
    assert row.split() == [
        "3", "2027-01-11T22:00:00Z", "22:15:00Z", "band", "0,", "block", "1", "1", "100", "0.50",
        "-0.05", "4.95",
    ]  # fmt: skip
    assert "the balance rose by 6.841: from 0.00 to 6.841" in captured.out
    assert "its bands show by number" in captured.err and "times are UTC" in captured.err


def test_a_month_of_lines_is_the_plain_engines_to_the_nano_unit(tmp_path, capsys):
    made = bench.Month(tmp_path)
    code, found = explained(capsys, tmp_path)
    assert code == 0
    expected = {}
    for date, what, wh, nano in made.plain.moved:
        if wh:
            sums = expected.setdefault((date, *what), [0, 0])
            sums[0] += wh
            sums[1] += nano
    shown = {}
    balance = 0
    for line in found["lines"]:
        balance += line["amount_nano"]
        assert line["balance_nano"] == balance
        if line["kind"] == "interval":
            start = datetime.datetime.fromisoformat(line["start"])
            key = (start.date().isoformat(), line["band"], line["block"], not line["fallback"])
            sums = shown.setdefault(key, [0, 0])
            sums[0] += line["wh"]
            sums[1] += line["amount_nano"]
            assert line["band_name"] == ("valley", "flat", "peak")[line["band"]]
    assert shown == expected
    assert balance == made.journal.balance == found["balance_nano"]


def test_a_broken_chain_is_told_and_fails(hand, capsys):
    path = sorted(hand.glob("j*"))[-1]
    data = bytearray(path.read_bytes())
    data[-70] ^= 4
    path.write_bytes(data)
    code, found = explained(capsys, hand)
    assert code == 1 and not found["chain_ok"]
    assert found["change_nano"] == found["explained_nano"]


def test_a_time_that_is_none_is_wrong_usage(hand, capsys):
    assert cli.run(["ledger", "explain", str(hand), "--from", "12"]) == 2
    assert "unix seconds" in capsys.readouterr().err
