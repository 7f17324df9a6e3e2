"""The TinyDB book: filled from the journal, again when missing, damaged or of another journal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.book import RECORDS_A_CALL, BookFeed
from wattledger.agent.journal.journal import Journal
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage import book_tinydb
from wattledger.hal.storage.book_tinydb import TinyBook
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli

METER = "demo-0001"
START = 1_800_000_000
DIGEST = bytes(range(32))


class Shelf:
    """A journal in a folder, written a record at a time."""

    def __init__(self, folder: Path, meter: str = METER) -> None:
        self.folder = folder
        self.storage = PosixStorage(folder)
        self.journal = Journal(self.storage, meter)
        self.meter = meter
        self.journal.open(lambda entry: None)
        if not self.journal.sequence:
            self.write(records.OPENING, 5 * 10**9, payloads.pack_opening(meter, 0, 0, 0))

    def write(self, kind: int, amount: int, payload: bytes) -> None:
        at = START + self.journal.sequence
        self.journal.append(kind, at, TRUST_SYNCED, amount, payload)
        self.journal.flush()

    def purchase(self, n: int) -> None:
        self.write(records.CREDIT, n * 10**9, payloads.pack_credit(n, n, 1))

    def event(self, code: int, value: int) -> None:
        self.write(records.EVENT, 0, payloads.pack_event(code, value))

    def feed(self) -> TinyBook:
        book = TinyBook(self.folder / book_tinydb.NAME)
        BookFeed(book, self.storage, self.journal, self.meter).finish()
        return book


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.purchase(1)
    made.event(events.LOW_CREDIT_1, 19_000_000)
    made.write(records.TARIFF, 0, payloads.pack_tariff(7, DIGEST, "demo"))
    made.purchase(2)
    return made


def test_each_kind_in_its_table(shelf: Shelf) -> None:
    book = shelf.feed()
    assert book.find("purchases") == [
        {
            "sequence": 2,
            "time": START + 1,
            "trust": TRUST_SYNCED,
            "kind": "credit",
            "n": 1,
            "amount_micro": 1_000_000,
            "balance_micro": 6_000_000,
        },
        {
            "sequence": 5,
            "time": START + 4,
            "trust": TRUST_SYNCED,
            "kind": "credit",
            "n": 2,
            "amount_micro": 2_000_000,
            "balance_micro": 8_000_000,
        },
    ]
    assert [(row["code"], row["value"]) for row in book.find("events")] == [
        (events.LOW_CREDIT_1, 19_000_000)
    ]
    assert [(row["id"], row["n"], row["sha256"]) for row in book.find("tariffs")] == [
        ("demo", 7, DIGEST.hex())
    ]
    assert book.find("messages") == []
    assert book.head() == (5, shelf.journal.durable_hash.hex())


def test_a_condition_keeps_what_was_measured(shelf: Shelf) -> None:
    shelf.write(records.EVENT, 0, payloads.pack_condition(events.SAG, 1, 170_000, 5, 6))
    (row,) = shelf.feed().find("events")[1:]
    assert (row["code"], row["value"]) == (events.SAG, 1)
    assert row["snapshot"] == [170_000, 5, 6]


def test_a_period_is_half_open(shelf: Shelf) -> None:
    book = shelf.feed()
    assert [row["n"] for row in book.find("purchases", START + 1, START + 4)] == [1]
    assert [row["n"] for row in book.find("purchases", START + 2)] == [2]


def test_it_goes_on_where_it_was(shelf: Shelf) -> None:
    shelf.feed()
    shelf.purchase(3)
    assert [row["n"] for row in shelf.feed().find("purchases")] == [1, 2, 3]


@pytest.mark.parametrize(
    "damage", ["", "{", "[1]", '{"purchases": 4}', '{"cursor": {"1": {"sequence": "x"}}}', "\x00"]
)
def test_a_damaged_file_is_filled_anew(shelf: Shelf, damage: str) -> None:
    whole = shelf.feed().find("purchases")
    (shelf.folder / book_tinydb.NAME).write_text(damage)
    assert shelf.feed().find("purchases") == whole


def test_a_cut_in_the_middle_of_the_file_is_filled_anew(shelf: Shelf) -> None:
    whole = shelf.feed().find("purchases")
    path = shelf.folder / book_tinydb.NAME
    data = path.read_bytes()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        assert shelf.feed().find("purchases") == whole


def test_a_book_of_another_journal_is_filled_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.feed()
    other = tmp_path / "other"
    other.mkdir()
    second = Shelf(other)
    for n in range(11, 17):
        second.purchase(n)
    (other / book_tinydb.NAME).write_bytes((shelf.folder / book_tinydb.NAME).read_bytes())
    assert [row["n"] for row in second.feed().find("purchases")] == list(range(11, 17))


def test_a_book_ahead_of_the_journal_is_filled_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.feed()
    other = tmp_path / "short"
    other.mkdir()
    second = Shelf(other)
    second.purchase(9)
    (other / book_tinydb.NAME).write_bytes((shelf.folder / book_tinydb.NAME).read_bytes())
    assert [row["n"] for row in second.feed().find("purchases")] == [9]


def test_the_oldest_documents_go(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_tinydb, "MOST", 3)
    for value in range(10):
        shelf.event(events.LATE_TICK, value)
    assert [row["value"] for row in shelf.feed().find("events")] == [7, 8, 9]


def test_a_slice_is_bounded_and_all_arrives(shelf: Shelf) -> None:
    for value in range(50):
        shelf.event(events.LATE_TICK, value)
    book = TinyBook(shelf.folder / book_tinydb.NAME)
    feed = BookFeed(book, shelf.storage, shelf.journal, METER)
    before = 0
    for _ in range(20):
        feed.work()
        assert book.head()[0] - before <= RECORDS_A_CALL
        before = book.head()[0]
    assert before == shelf.journal.durable
    assert len(book.find("events")) == 51


def test_records_that_are_lost_are_passed_over(shelf: Shelf) -> None:
    shelf.feed()
    lost = Shelf(shelf.folder)
    lost.journal.resume(40, b"\1" * 8, 0)  # the snapshot names records that are gone
    lost.event(events.LATE_TICK, 5)
    book = lost.feed()
    assert book.head()[0] == 41
    assert [row["n"] for row in book.find("purchases")] == [1, 2]


def test_a_segment_beyond_the_journal_has_no_part_in_it(shelf: Shelf) -> None:
    # Of 5 entries the first is unreadable, and a later segment holds what cannot be read.
    first = shelf.folder / "j0000000001"
    first.write_bytes(b"\0" + first.read_bytes()[1:])
    (shelf.folder / "j0000000009").write_bytes(b"\xff")
    book = shelf.feed()
    assert book.head()[0] == shelf.journal.durable == 5
    assert book.find("purchases") == []


def test_the_file_is_written_once_a_minute(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1000.0]
    monkeypatch.setattr(book_tinydb.time, "monotonic", lambda: at[0])
    book = TinyBook(shelf.folder / book_tinydb.NAME)
    feed = BookFeed(book, shelf.storage, shelf.journal, METER)
    path = shelf.folder / book_tinydb.NAME
    feed.work()
    first = path.read_bytes()
    shelf.purchase(3)
    at[0] += 59
    feed.work()
    assert path.read_bytes() == first
    at[0] += 1
    feed.work()
    assert len(json.loads(path.read_text())["purchases"]) == 3


def test_a_full_disk_is_a_state(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(book_tinydb.os, "fsync", full)
    book = TinyBook(shelf.folder / book_tinydb.NAME)
    BookFeed(book, shelf.storage, shelf.journal, METER).work()
    assert len(book.find("purchases")) == 2  # answered from memory
    assert TinyBook(shelf.folder / book_tinydb.NAME).head() == (0, None)


def test_the_command_answers_without_a_book(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["book", str(shelf.folder), "purchases", "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["n"] for row in said["documents"]] == [1, 2]
    assert not (shelf.folder / book_tinydb.NAME).exists()
    assert cli.run(["book", str(shelf.folder), "events"]) == 0
    assert "low credit, first level" in capsys.readouterr().out
    assert cli.run(["book", str(shelf.folder), "weather"]) == 1
    assert "purchases, messages, events, tariffs" in capsys.readouterr().err


def test_the_command_ends_and_tells_of_a_journal_that_cannot_be_believed(shelf: Shelf) -> None:
    shelf.feed()
    first = shelf.folder / "j0000000001"
    damaged = bytearray(first.read_bytes())
    damaged[10] ^= 1
    first.write_bytes(damaged)
    (shelf.folder / "j0000000009").write_bytes(b"\xff")
    words = [sys.executable, "-m", "wattledger.tools.cli", "book", str(shelf.folder), "purchases"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert done.returncode == 1
    assert done.stdout.startswith("purchases, 2\n")  # what the book itself holds
    assert f"{shelf.folder}: entry 1 is damaged" in done.stderr
