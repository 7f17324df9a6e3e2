"""`ledger verify` on whole, torn, cut and damaged journals."""

import shutil

import pytest

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import segment_name, segments
from wattledger.agent.journal.slots import HotState, SlotPair
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_tariffs import data as tariff_data
from wattledger.tests.host.meter_bench import FROM, METER, HandJournal
from wattledger.tools import ledger, listing
from wattledger.tools.places import FileError


@pytest.fixture
def journal(tmp_path):
    """Eight entries: opening 5.00, tariff, 3 intervals, a credit of 2.00, standing 0.12, event."""
    made = HandJournal(tmp_path)
    made.append(records.TARIFF, FROM, 0, payloads.pack_tariff(1, b"d" * 32, "demo"))
    made.interval(FROM, FROM + 900, 100)
    made.interval(FROM + 900, FROM + 1800, 50, 30)
    made.credit(FROM + 2000, 7, 2000000)
    made.interval(FROM + 1800, FROM + 2700, 0)
    made.standing(FROM + 2700, 20270113, 120000)
    made.append(records.EVENT, FROM + 2800, 0, payloads.pack_event(1, 1))
    return made


def only_segment(folder):
    (segment,) = [path for path in folder.iterdir() if path.name.startswith("j")]
    return segment


def spans(data):
    """(first byte, byte after) of each record, by the length field alone."""
    found, at = [], 0
    while at < len(data):
        size = data[at + 2] | data[at + 3] << 8
        found.append((at, at + size))
        at += size
    return found


def merge(folder):
    """All segments as one, which is how the meter keeps a young journal."""
    paths = sorted(path for path in folder.iterdir() if path.name.startswith("j"))
    data = b"".join(path.read_bytes() for path in paths)
    for path in paths[1:]:
        path.unlink()
    paths[0].write_bytes(data)
    return paths[0], data


def test_a_whole_journal_adds_up(journal, tmp_path):
    report = ledger.verify(tmp_path).report()
    # 5.00 + 2.00 - 150 Wh at 0.50 + 30 Wh at 0.50 - 0.12
    balance = 7_000_000_000 - 75_000_000 + 15_000_000 - 120_000_000
    assert report == {
        "ok": True,
        "meter": METER,
        "entries": 8,
        "first": 1,
        "balance_nano": balance,
        "balance_micro": balance // 1000,
        "head": {"sequence": 8, "hash": journal.journal.hash.hex()},
        "chain_ok": True,
        "first_bad": None,
        "problem": None,
        "torn_bytes": 0,
    }


def test_every_flipped_bit_is_found_at_its_entry(journal, tmp_path):
    segment, data = merge(tmp_path)
    for number, (start, end) in enumerate(spans(data), 1):
        for at in range(start, end):
            for bit in (1, 128):
                damaged = bytearray(data)
                damaged[at] ^= bit
                segment.write_bytes(damaged)
                scan = ledger.verify(tmp_path)
                assert (scan.first_bad, scan.entries) == (number, number - 1), (at, bit)
                assert not scan.chain_ok


def test_an_unfinished_last_record_is_told_and_is_no_failure(journal, tmp_path):
    segment, data = merge(tmp_path)
    start, end = spans(data)[-1]
    for cut in range(start + 1, end):
        segment.write_bytes(data[:cut])
        report = ledger.verify(tmp_path).report()
        assert report["ok"] and report["entries"] == 7
        assert report["torn_bytes"] == cut - start
    segment.write_bytes(data[:start] + bytes(40))  # a length that was kept without its content
    assert ledger.verify(tmp_path).report()["torn_bytes"] == 40


def test_a_torn_tail_with_a_segment_that_goes_on_is_whole(journal, tmp_path):
    segment, data = merge(tmp_path)
    start, _ = spans(data)[6]
    segment.write_bytes(data[: start + 20])
    (tmp_path / "j0000000007").write_bytes(data[start:])
    report = ledger.verify(tmp_path).report()
    assert (report["ok"], report["entries"], report["torn_bytes"]) == (True, 8, 20)


def test_records_written_twice_by_a_repeated_flush_count_once(journal, tmp_path):
    segment, data = merge(tmp_path)
    start, _ = spans(data)[6]
    (tmp_path / "j0000000007").write_bytes(data[start:])
    assert ledger.verify(tmp_path).report()["entries"] == 8


def test_a_tail_that_the_snapshot_names_may_not_be_cut(journal, tmp_path):
    state = HotState()
    state.generation = 5
    state.sequence, state.hash = 8, journal.journal.hash
    SlotPair(journal.storage).commit(state)
    assert ledger.verify(tmp_path).report()["ok"]
    segment, data = merge(tmp_path)
    segment.write_bytes(data[: spans(data)[-1][0]])
    scan = ledger.verify(tmp_path)
    assert (scan.first_bad, scan.chain_ok, scan.entries) == (8, False, 7)
    assert scan.problem == "entry 8 is missing: the snapshot names it as written"


def test_a_journal_rewritten_as_a_whole_differs_from_the_snapshot(journal, tmp_path):
    state = HotState()
    state.generation = 5
    state.sequence, state.hash = 8, bytes(8)
    SlotPair(journal.storage).commit(state)
    assert ledger.verify(tmp_path).first_bad == 8


def test_a_removed_segment_is_missed(journal, tmp_path):
    _, data = merge(tmp_path)
    only_segment(tmp_path).unlink()
    for first in (1, 4, 6):
        last = {1: 3, 4: 5, 6: 8}[first]
        part = data[spans(data)[first - 1][0] : spans(data)[last - 1][1]]
        (tmp_path / f"j{first:010d}").write_bytes(part)
    assert ledger.verify(tmp_path).report()["ok"]
    (tmp_path / "j0000000004").rename(tmp_path / "away")
    scan = ledger.verify(tmp_path)
    assert (scan.first_bad, scan.entries) == (4, 3)
    (tmp_path / "away").rename(tmp_path / "j0000000004")
    (tmp_path / "j0000000001").unlink()
    scan = ledger.verify(tmp_path)
    assert (scan.first_bad, scan.entries, scan.meter) == (1, 0, None)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda j: j.credit(FROM + 3000, 7, 1000000),
            "posts purchase 7 a second time",
        ),
        (
            lambda j: j.standing(FROM + 3000, 20270113, 120000),
            "posts standing charge of 20270113 a second time",
        ),
        (
            lambda j: j.append(
                records.INTERVAL,
                FROM + 3600,
                0,
                readers.Interval(130, 30, 900, 0, 1, []).pack(),
            ),
            "has registers 130 and 30 Wh, below (150, 30) before it",
        ),
        (
            lambda j: j.append(records.EVENT, FROM + 3000, -5, payloads.pack_event(1, 1)),
            "moves the balance by -5, which no event entry may",
        ),
        (
            lambda j: j.append(
                records.INTERVAL,
                FROM + 3600,
                -1,
                readers.Interval(150, 30, 900, 0, 1, []).pack(),
            ),
            "moves -1; its parts sum up to 0",
        ),
        (
            lambda j: j.append(
                records.INTERVAL,
                FROM + 3600,
                0,
                readers.Interval(153, 30, 900, 0, 1, []).pack(),
            ),
            "rates 0 Wh; its registers moved by 3 Wh",
        ),
        (
            lambda j: j.append(records.OPENING, FROM, 9, payloads.pack_opening(METER, 0, 0, 0)),
            "opens the ledger again",
        ),
        (
            lambda j: j.append(records.CREDIT, FROM, 9, b"short"),
            "has a payload that no credit entry has",
        ),
    ],
)
def test_sums_that_do_not_hold_are_found_in_a_whole_chain(journal, tmp_path, spoil, problem):
    spoil(journal)
    scan = ledger.verify(tmp_path)
    assert scan.problem == f"entry 9 {problem}"
    assert (scan.first_bad, scan.entries, scan.chain_ok) == (9, 9, True)


def test_a_wrong_balance_is_found(journal, tmp_path):
    journal.journal.balance += 1
    journal.append(records.EVENT, FROM + 3000, 0, payloads.pack_event(1, 1))
    journal.append(records.EVENT, FROM + 3000, 0, payloads.pack_event(1, 2))
    scan = ledger.verify(tmp_path)
    assert scan.first_bad == 9
    assert scan.problem == ("entry 9 has the balance 6820000001; the amounts sum up to 6820000000")


def test_the_folder_the_demo_keeps_is_found_and_nothing_is_written(journal, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(tmp_path, state / "meter", ignore=shutil.ignore_patterns("state"))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(state)}
    assert ledger.verify(state).report()["entries"] == 8
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files(state)} == before


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_without_a_journal_is_told(tmp_path):
    for check in (ledger.verify, ledger.require_whole):
        with pytest.raises(FileError, match="holds no journal; give the state directory"):
            check(tmp_path)
    with pytest.raises(FileError, match="no such folder; give the state directory"):
        ledger.verify(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="is not a folder; give the state directory"):
        ledger.verify(tmp_path / "file")


def test_a_person_sees_the_newest_entries(journal, tmp_path, capsys):
    listing.show_entries(tmp_path, 3)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "demo-0001, 3 of 8 entries"
    assert lines[-2].split()[:6] == [
        "7", "2027-01-11T22:45:00Z", "synced", "standing", "-0.12", "6.82",
    ]  # fmt: skip
    assert lines[-1].endswith("started: 1")


def test_a_journal_whose_oldest_segments_went_begins_at_its_checkpoint(tmp_path):
    house = House(FROM, credit=900000000, watts=1000, tick_ms=10000, segment_kb=4, journal_kb=24)
    house.boot(tariff_data())
    house.run(6 * 8640)
    house.agent.stop()
    for name, data in house.storage.files.items():
        (tmp_path / name).write_bytes(data)
    firsts = segments(house.storage)
    assert firsts[0] > 1
    scan = ledger.verify(tmp_path)
    assert scan.problem is None
    report = scan.report()
    assert report["meter"] == "demo-0001"
    assert report["first"] == firsts[0]
    assert report["entries"] == house.agent.journal.sequence - firsts[0] + 1
    assert report["balance_nano"] == house.agent.journal.balance
    assert report["head"]["hash"] == house.agent.journal.hash.hex()
    path = tmp_path / segment_name(firsts[1])
    path.unlink()
    assert ledger.verify(tmp_path).first_bad == firsts[1]
