"""Corrections and debt as the tools read them: verified, explained, and in the statement."""

import json

import pytest

from wattledger.agent.journal import payload as payloads
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_account import METER
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_tariffs import DAY, credit, data, local_2027
from wattledger.tools import cli, entries, entries_adjust

NOON = local_2027(6, 2, 12)
DOCUMENT = {"blocks": [], "price": [[0, 1000000]], "credit": credit(low=[9000000, 5000000])}


def corrected():
    """A debt of 10.00, energy, a top-up with its share, a date's part, and a correction of 0.80
    that takes 0.76 to low 2."""
    books = Books(NOON, balance=2900000000, **DOCUMENT)
    books.account.debt.set(books.account, 4, 10000000, (1000000, 20, 0), NOON, TRUST_SYNCED)
    books.interval(NOON, 100)
    books.interval(NOON + 900, 40, seconds=11 * 3600)  # a gap over the evening's bands
    books.account.credit(7, 5000000, books.now, TRUST_SYNCED)
    books.journal.flush()
    books.interval(NOON + DAY, 0)
    assert books.correct(NOON, NOON + DAY, 3, **dict(DOCUMENT, price=[[0, 9000000]])) == [
        (20270601, -760000000, 40, 40000000)
    ]
    return books


def lay(books, folder):
    """Their state directory."""
    for name, content in books.storage.files.items():
        (folder / name).write_bytes(content)
    (folder / "tariff.active").write_bytes(data(start=NOON, **DOCUMENT))
    (folder / "device.json").write_text(
        json.dumps({"v": 1, "meter": METER, "tenant": "demo", "board": "sim"})
    )
    return folder


@pytest.fixture
def state(tmp_path):
    return lay(corrected(), tmp_path)


def test_the_ledger_verifies_and_explains(state, capsys):
    # 2.90 - 0.10 - 0.04 + 5.00 - 1.00 - 1.00 = 5.76; the correction takes it down to low 2.
    assert cli.run(["ledger", "explain", str(state), "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["chain_ok"] and report["balance_nano"] == 5000000000
    said = [
        line["what"]
        for line in report["lines"]
        if line["kind"] in ("debt", "adjust", "correction")
    ]
    assert said == [
        "debt 4 was set, 10.00 owed",
        "share of purchase 7, 9.00 owed",
        "part of day 20270603, 8.00 owed",
        "demo-cn n 3: records from %d to %d" % (NOON, NOON + DAY),
        "correction demo-cn n 3, 40 Wh kept their charge, cycle of 20270601, "
        "0.04 of it owed as debt",
    ]


def test_the_statement_says_what_was_corrected_and_owed(state, capsys):
    assert cli.run(["statement", str(state)]) == 0
    shown = capsys.readouterr().out
    assert "Debt payment, purchase 7" in shown
    assert "Adjustment, billing cycle from 2027-06-01" in shown
    assert "0.040 kWh kept their charge in a correction" in shown
    assert "0.04 of adjustments were added to the debt" in shown
    assert "The lines add up to the change of the balance exactly" in shown


def test_what_a_correction_gives_back_is_said_to_come_off_the_debt(tmp_path, capsys):
    books = corrected()
    books.interval(NOON + 2 * DAY, 0)
    given = books.correct(NOON, NOON + DAY, 4, **DOCUMENT)
    # The 0.80 comes back: the 0.04 that were owed are not any more, 0.76 go to the balance.
    assert given == [(20270601, 760000000, 40, -40000000)]
    state = str(lay(books, tmp_path))
    assert cli.run(["ledger", "explain", state]) == 0
    assert "cycle of 20270601, 0.04 of it taken from the debt" in capsys.readouterr().out
    assert cli.run(["statement", state, "--from", str(NOON + 2 * DAY - 900)]) == 0
    shown = capsys.readouterr().out
    assert "0.04 of adjustments were taken from the debt" in shown
    assert "added to the debt" not in shown


def books_of(*taken):
    """What Books says of the last of some entries (kind, amount, payload)."""
    books = entries.Books()
    balance = 0
    books.take("opening", 0, 0, payloads.pack_opening(METER, 0, 0, 0))
    for kind, amount, payload in taken:
        balance += amount
        try:
            books.take(kind, amount, balance, payload)
        except entries.LedgerError as error:
            return str(error)
    return None


def owed(reason, nano):
    state = entries_adjust.STATE.pack(1, 0, nano, 0, 0, 0, 0, 0, 0, 0, 0)
    return payloads.pack_debt(reason, 0, state)


def adjust(n, diverted=0, cycle=20270601, reason=payloads.ADJUST_CORRECTION, lack=0):
    return payloads.pack_adjust(reason, n, cycle, 0, diverted, "a", 0, 0, lack)


def test_a_correction_of_prices_is_one_of_its_own():
    prices = adjust(2, reason=payloads.ADJUST_PRICES, lack=-(10**8))
    assert books_of(("adjust", 5, adjust(2)), ("adjust", 5, prices)) is None
    assert books_of(("adjust", 5, prices), ("adjust", 5, prices)) == (
        "posts correction 2 of the cycle of 20270601 a second time"
    )
    assert entries_adjust.describe("adjust", prices) == (
        "correction of prices a n 2, cycle of 20270601, its minimum 0.10 less"
    )
    taken = payloads.pack_correction(2, bytes(32), 900, 1800, 0, "a")
    assert entries_adjust.describe("correction", taken) == (
        "a n 2: dynamic prices from 900 to 1800"
    )


def test_what_does_not_add_up_is_said():
    set_to_9 = ("debt", 0, owed(payloads.DEBT_SET, 9))
    day = payloads.DEBT_DAY
    assert books_of(set_to_9, ("debt", -4, owed(day, 5)), ("debt", -5, owed(day, 0))) is None
    assert books_of(set_to_9, ("debt", -4, owed(day, 6))) == ("leaves 6 owed of 9 after paying 4")
    assert books_of(("debt", -1, owed(payloads.DEBT_SET, 9))) == (
        "moves the balance by -1, which no setting may"
    )
    assert books_of(set_to_9, ("adjust", 0, adjust(2, 3)), ("debt", -4, owed(day, 8))) is None
    assert books_of(("adjust", 5, adjust(2)), ("adjust", 5, adjust(2, cycle=20270701))) is None
    assert books_of(("adjust", 5, adjust(2)), ("adjust", 5, adjust(2))) == (
        "posts correction 2 of the cycle of 20270601 a second time"
    )
    correction = payloads.pack_correction(2, bytes(32), 0, 9, 0, "a")
    assert books_of(("correction", 1, correction)) == (
        "moves the balance by 1, which no correction entry may"
    )
