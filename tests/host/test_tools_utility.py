"""The head end: a proven copy, kept durably, acknowledged up to what it holds and no further."""

import hashlib
import json
import os
import struct
import subprocess
import sys

import pytest

from wattledger.tests.host.mqtt_bench import KINDS, Book, Peer, Signer, running_broker, until
from wattledger.tools import child, keys
from wattledger.tools.errors import JournalError, ReplicaError
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

METER = "demo-0001"
BASE = "wl/1/demo/m/demo-0001/"


@pytest.fixture
def book():
    """Six entries; 2.00 paid in, two charges: 1.70 left."""
    book = Book(METER)
    book.add(2_000_000_000, 1).add(0).add(-100_000_000, 4, b"interval").add(0)
    return book.add(-200_000_000, 4, b"interval").add(0)


@pytest.fixture
def replica(tmp_path):
    replica = Replica(tmp_path, METER)
    yield replica
    replica.close()


def held(replica):
    return replica.path.read_bytes()


# The copy.


def test_entries_are_kept_as_they_came(replica, book):
    assert replica.add(book.message(1, 4)) == 4
    assert replica.add(book.message(5, 6)) == 2
    assert held(replica) == b"".join(book.blocks)
    assert replica.summary() == {
        "entries": 6,
        "balance_nano": 1_700_000_000,
        "head": {"sequence": 6, "hash": book.hashes[6].hex()},
    }
    assert replica.wrong_sum == 0


def test_copy_goes_on_after_a_restart(replica, book, tmp_path):
    replica.add(book.message(1, 4))
    replica.close()
    again = Replica(tmp_path, METER)
    assert (again.entries, again.balance, again.torn) == (4, 1_900_000_000, 0)
    assert again.add(book.message(5, 6)) == 2
    assert held(again) == b"".join(book.blocks)
    again.close()


def test_what_is_held_already_is_taken_in_silence(replica, book):
    replica.add(book.message(1, 4))
    assert replica.add(book.message(1, 4)) == 0
    assert replica.add(book.message(2, 3)) == 0
    assert replica.add(book.message(3, 6)) == 2
    assert held(replica) == b"".join(book.blocks)


def test_gap_is_refused(replica, book):
    replica.add(book.message(1, 2))
    with pytest.raises(JournalError, match="gap: entry 4 came, 3 is next"):
        replica.add(book.message(4, 6))
    assert held(replica) == b"".join(book.blocks[:2])


def changed(book, **fields):
    return json.dumps({**json.loads(book.message(1, 6)), **fields}).encode()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"m": "demo-0002"}, "another meter"),
        ({"from": 0}, "malformed"),
        ({"from": "1"}, "malformed"),
        ({"from": True}, "malformed"),
        ({"from": 2}, "gap"),
        ({"prev": "00" * 8}, "chain broken: entry 1"),
        ({"prev": "zz"}, "malformed"),
        ({"prev": None}, "malformed"),
        ({"e": []}, "malformed"),
        ({"e": ["pw"] * 9}, "malformed"),
        ({"e": ["pw"]}, "entry 1: no record starts here"),
        ({"e": ["pw=="]}, "malformed"),
        ({"e": [7]}, "malformed"),
        ({"e": "text"}, "malformed"),
    ],
)
def test_wrong_message_is_refused_whole(replica, book, fields, why):
    with pytest.raises(JournalError, match=why):
        replica.add(changed(book, **fields))
    assert (replica.entries, held(replica)) == (0, b"")


@pytest.mark.parametrize("message", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 9000, b"{}"])
def test_noise_is_refused(replica, message):
    with pytest.raises(JournalError, match="malformed journal message"):
        replica.add(message)


def test_each_changed_bit_of_an_entry_is_found(replica, book):
    whole = bytearray(book.blocks[0])
    for bit in range(len(whole) * 8):
        whole[bit // 8] ^= 1 << bit % 8
        other = Book(METER)
        other.hashes, other.blocks = book.hashes, [bytes(whole)]
        with pytest.raises(JournalError):
            replica.add(other.message(1, 1))
        whole[bit // 8] ^= 1 << bit % 8
    assert replica.entries == 0


def test_entries_out_of_order_are_refused(replica, book):
    entries = json.loads(book.message(1, 6))["e"]
    with pytest.raises(JournalError, match="entry 2 stands in the place of entry 1"):
        replica.add(changed(book, e=[entries[1], entries[0]]))
    with pytest.raises(JournalError, match="entry 3 stands in the place of entry 2"):
        replica.add(changed(book, e=[entries[0], entries[2]]))


def test_history_told_differently_is_refused(replica, book):
    replica.add(book.message(1, 6))
    other = Book(METER).add(2_000_000_000, 1).add(0).add(-1, 4)
    with pytest.raises(JournalError, match="entry 3 is not the one the meter sent before"):
        replica.add(other.message(3, 3))
    with pytest.raises(JournalError, match="chain broken: entry 4"):
        replica.add(other.add(0).message(4, 4))


def test_balance_that_is_no_sum_is_noted(replica):
    book = Book(METER).add(5, 1).add(-2, 4, balance=4).add(0)
    replica.add(book.message(1, 3))
    assert (replica.entries, replica.wrong_sum) == (3, 2)


@pytest.mark.parametrize("torn", [1, 3, 4, 41, -1])
def test_unfinished_write_is_cut_off(replica, book, tmp_path, torn):
    replica.add(book.message(1, 2))
    replica.close()
    rest = book.blocks[2][:torn]
    replica.path.write_bytes(b"".join(book.blocks[:2]) + rest)
    again = Replica(tmp_path, METER)
    assert (again.entries, again.torn) == (2, len(rest))
    assert again.add(book.message(3, 6)) == 4
    assert held(again) == b"".join(book.blocks)
    again.close()


def test_damaged_copy_is_told_and_left_alone(replica, book, tmp_path):
    replica.add(book.message(1, 6))
    replica.close()
    data = bytearray(held(replica))
    data[len(book.blocks[0]) + 20] ^= 1
    replica.path.write_bytes(data)
    with pytest.raises(ReplicaError, match=r"byte 42: entry 2: record fails its CRC; restore"):
        Replica(tmp_path, METER)
    assert held(replica) == data


def test_copy_has_one_owner(replica, tmp_path):
    with pytest.raises(ReplicaError, match="in use by another utility"):
        Replica(tmp_path, METER)


def test_failed_write_is_not_held(replica, book, monkeypatch):
    def fails(_):
        raise OSError(28, "No space left on device")

    replica.add(book.message(1, 2))
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(ReplicaError, match="No space left on device"):
        replica.add(book.message(3, 6))
    monkeypatch.undo()
    assert (replica.entries, held(replica)) == (2, b"".join(book.blocks[:2]))
    assert replica.add(book.message(3, 6)) == 4


# The head end, its link replaced by lists.


class Wire:
    """A link that is always up; `full` refuses sends."""

    def __init__(self):
        self.topics, self.waiting, self.sent = [], [], []
        self.full = False
        self.connects = 1

    def subscribe(self, topic):
        self.topics.append(topic)

    def receive(self):
        return self.waiting.pop(0) if self.waiting else None

    def send(self, topic, data, retain):
        if self.full:
            return 0
        self.sent.append((topic, data, retain))
        return len(self.sent)

    def session(self):
        return self.connects


class Bench:
    """A utility with a wire, a meter's keys and a journal."""

    def __init__(self, folder):
        meter_keys = keys.create(folder / "keys", METER)
        self.signer = Signer(METER, meter_keys.device_key)
        self.wire = Wire()
        self.lines = []
        self.replica = Replica(folder / "state", METER)
        self.utility = Utility(meter_keys, self.replica, self.wire, self.lines.append)

    def hear(self, leaf, data, retained=False):
        """Deliver one message; the sequences acknowledged in answer."""
        before = len(self.wire.sent)
        self.wire.waiting.append((BASE + leaf, data, retained))
        self.utility.step()
        acks = []
        for topic, token, retain in self.wire.sent[before:]:
            assert (topic, retain) == (BASE + "cmd", False)
            command = self.signer.open("config.1", token)
            assert set(command) == {"m", "op", "a"}
            assert (command["m"], command["op"]) == (METER, "journal.ack")
            acks.append((command["a"]["sequence"], command["a"]["hash"]))
        return acks

    def head(self, leaf, head, kid="up.1", retained=False):
        return self.hear(leaf, self.signer.sign(kid, {"m": METER, "head": head}), retained)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.replica.close()


def acked(book, *sequences):
    return [(sequence, book.hashes[sequence].hex()) for sequence in sequences]


def test_each_good_message_is_acknowledged(bench, book):
    assert bench.wire.topics == [BASE + leaf for leaf in ("journal", "hello", "ack", "status")]
    assert bench.hear("journal", book.message(1, 4)) == acked(book, 4)
    assert bench.hear("journal", book.message(5, 6)) == acked(book, 6)
    assert bench.hear("journal", book.message(1, 4)) == acked(book, 6)
    assert bench.lines == []
    summary = bench.replica.path.with_suffix(".summary.json")
    assert json.loads(summary.read_text()) == {
        "entries": 6,
        "balance_nano": 1_700_000_000,
        "head": {"sequence": 6, "hash": book.hashes[6].hex()},
    }


def test_gap_is_answered_with_what_is_held_and_logged_once(bench, book):
    # Nothing is held yet: the acknowledgement of entry 0 asks for all there is.
    nothing = (0, hashlib.sha256(b"demo-0001").hexdigest()[:16])
    assert bench.hear("journal", book.message(3, 4)) == [nothing]
    assert bench.lines == []  # it only came late
    bench.hear("journal", book.message(1, 2))
    assert bench.hear("journal", book.message(5, 5)) == acked(book, 2)
    assert bench.hear("journal", book.message(5, 5)) == acked(book, 2)
    assert bench.hear("journal", book.message(3, 6)) == acked(book, 6)
    assert bench.lines == ["demo-0001: gap: entry 5 came, 3 is next"]


def asked(bench):
    """(challenge, first, last) of the read.journal commands sent."""
    found = [bench.signer.open("config.1", token) for _, token, _ in bench.wire.sent]
    return [
        (payload["ch"], payload["a"]["from"], payload["a"]["to"])
        for payload in found
        if payload["op"] == "read.journal"
    ]


def say(bench, leaf, **fields):
    """A signed message of the meter's, whatever is sent in answer."""
    token = bench.signer.sign("up.1", {"m": METER, **fields})
    bench.wire.waiting.append((BASE + leaf, token, False))
    bench.utility.step()


def meet(bench, message):
    bench.wire.waiting.append((BASE + "journal", message, False))
    bench.utility.step()


def test_a_lost_copy_is_asked_for_when_the_meter_begins_after_it_again(bench, book):
    say(bench, "hello", head=book.head(6), challenge="aa" * 8)
    meet(bench, book.message(4, 4))
    meet(bench, book.message(5, 6))
    assert asked(bench) == []  # they may follow what is on its way
    meet(bench, book.message(4, 6))
    assert asked(bench) == [("aa" * 8, 1, 3)]
    meet(bench, book.message(4, 6))
    assert len(asked(bench)) == 1  # once, until something comes
    meet(bench, book.message(1, 3))
    meet(bench, book.message(4, 6))
    assert bench.replica.entries == 6
    assert bench.lines == []


def test_a_new_challenge_lets_it_ask_again(bench, book):
    for challenge in ("aa" * 8, "bb" * 8):
        say(bench, "hello", head=book.head(6), challenge=challenge)
        for _ in range(3):
            meet(bench, book.message(4, 4))
    assert asked(bench) == [("aa" * 8, 1, 3), ("bb" * 8, 1, 3)]


def test_a_meter_that_keeps_them_no_longer_is_reported(bench, book):
    say(bench, "hello", head=book.head(6), challenge="aa" * 8)
    meet(bench, book.message(4, 4))
    meet(bench, book.message(4, 4))
    of = hashlib.sha256(bench.wire.sent[-2][1]).hexdigest()[:16]
    gone = {"result": "range", "detail": "the meter keeps these no longer"}
    say(bench, "ack", of="00" * 8, head=book.head(6), **gone)
    assert bench.lines == []
    say(bench, "ack", of=of, head=book.head(6), **gone)
    (line,) = bench.lines
    assert line.endswith("does not send the missing entries: the meter keeps these no longer")


def test_acknowledgement_waits_for_a_full_link(bench, book):
    bench.wire.full = True
    assert bench.hear("journal", book.message(1, 4)) == []
    bench.wire.full = False
    assert bench.hear("status", b"online") == acked(book, 4)


def test_acknowledgement_is_repeated_in_a_new_session_and_on_hello(bench, book):
    bench.hear("journal", book.message(1, 4))
    assert bench.hear("status", b"online") == []
    bench.wire.connects = 2
    assert bench.hear("status", b"online") == acked(book, 4)
    assert bench.head("hello", book.head(4)) == acked(book, 4)
    assert bench.head("ack", book.head(4)) == []


def test_failed_disk_is_logged_and_not_acknowledged(bench, book, monkeypatch):
    def fails(_):
        raise OSError(28, "No space left on device")

    bench.hear("journal", book.message(1, 4))
    monkeypatch.setattr(os, "fsync", fails)
    assert bench.hear("journal", book.message(5, 6)) == []
    monkeypatch.undo()
    assert "No space left on device" in bench.lines[0]
    assert bench.hear("journal", book.message(5, 6)) == acked(book, 6)


def test_signed_head_proves_the_entries_before_it(bench, book):
    bench.head("ack", book.head(6))  # ahead of its entries
    bench.hear("journal", book.message(1, 4))
    assert bench.utility.proven == 0
    bench.head("hello", book.head(3), retained=True)
    assert bench.utility.proven == 3
    bench.hear("journal", book.message(5, 6))
    assert bench.utility.proven == 6
    assert bench.lines == []


@pytest.mark.parametrize("early", [True, False])
def test_signed_head_that_does_not_fit_is_reported(bench, book, early):
    false = {"sequence": 4, "hash": "00" * 8}
    if early:
        bench.head("ack", false)
        bench.hear("journal", book.message(1, 6))
    else:
        bench.hear("journal", book.message(1, 6))
        bench.head("ack", false)
    (line,) = bench.lines
    assert line.startswith("demo-0001: signed head of entry 4 is 0000000000000000, the copy has")
    assert book.hashes[4].hex() in line
    assert bench.utility.proven == 0


def test_meter_that_lost_entries_is_reported(bench, book):
    bench.hear("journal", book.message(1, 6))
    bench.head("hello", book.head(4), retained=True)  # what it said before the entries came
    assert bench.lines == []
    bench.head("hello", book.head(4))
    assert "ends at entry 4, 6 are held" in bench.lines[0]


def test_head_without_the_meters_signature_is_refused(bench, book):
    bench.hear("journal", book.message(1, 6))
    false = {"sequence": 4, "hash": "00" * 8}
    bench.head("ack", false, kid="credit.1")
    assert "protected header is not one of up.1" in bench.lines[-1]
    stranger = Signer(METER, bytes(32))
    bench.hear("hello", stranger.sign("up.1", {"m": METER, "head": false}))
    assert "hello refused: bad signature" in bench.lines[-1]
    for payload in ({"m": "demo-0002", "head": false}, {"m": METER}, {"m": METER, "head": {}}):
        bench.hear("ack", bench.signer.sign("up.1", payload))
        assert bench.lines[-1].endswith("ack refused: no journal head of this meter in it")
    bench.hear("ack", b"noise")
    assert bench.utility.proven == 0


def test_flood_of_signed_heads_is_bounded(bench):
    for sequence in range(1, 200):
        bench.head("ack", {"sequence": sequence, "hash": struct.pack(">Q", sequence).hex()})
    assert len(bench.utility._heads) == 64


def test_status_changes_are_logged(bench):
    for status in (b"online", b"online", b"offline", b"nonsense", b"online"):
        bench.hear("status", status)
    assert bench.lines == [f"{METER} is online", f"{METER} is offline", f"{METER} is online"]


# The process, on a real broker.


class Process:
    def __init__(self, broker, folder):
        command = [sys.executable, "-m", "wattledger.tools.utility", "--broker", broker.url]
        command += ["--keys", str(folder / "keys"), "--state", str(folder / "state")]
        self.child = subprocess.Popen(
            [*command, "--meter", METER, "--until-eof"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child.environment(),
        )

    def end(self):
        """Close its stdin; (exit code, stderr)."""
        errors = self.child.communicate(timeout=10)[1]
        return self.child.returncode, errors


@pytest.mark.parametrize("kind", KINDS)
def test_killed_utility_goes_on_from_its_copy(kind, tmp_path, book):
    keys.create(tmp_path / "keys", METER)
    signer = Signer(METER, keys.load(tmp_path / "keys", METER).device_key)

    def last_ack(peer):
        acks = [signer.open("config.1", data)["a"] for _, data, _ in peer.received]
        return acks[-1]["sequence"] if acks else 0

    with running_broker(kind) as broker, Peer(broker.port, BASE + "cmd") as peer:
        first = Process(broker, tmp_path)
        # Nothing queues for a client that is not there yet: say it until it is heard.
        assert until(
            lambda: [peer.publish(BASE + "journal", book.message(1, 4)), last_ack(peer)][1] == 4
        )
        first.child.kill()
        first.end()
        peer.publish(BASE + "journal", book.message(5, 5))  # lost
        second = Process(broker, tmp_path)
        peer.received.clear()
        assert until(lambda: last_ack(peer) == 4)  # says what it holds as soon as it is back
        peer.publish(BASE + "journal", book.message(6, 6))
        peer.publish(BASE + "journal", book.message(5, 6))
        assert until(lambda: last_ack(peer) == 6)
        code, errors = second.end()
    assert code == 0
    assert errors == "utility: demo-0001: gap: entry 6 came, 5 is next\n"
    assert (tmp_path / "state" / "demo-0001.journal").read_bytes() == b"".join(book.blocks)
    summary = json.loads((tmp_path / "state" / "demo-0001.summary.json").read_text())
    assert (summary["entries"], summary["balance_nano"]) == (6, 1_700_000_000)


def test_sigterm_ends_the_utility(tmp_path):
    keys.create(tmp_path / "keys", METER)
    with running_broker("iotcore") as broker:
        process = Process(broker, tmp_path)
        assert until(lambda: (tmp_path / "state" / "demo-0001.summary.json").exists())
        process.child.terminate()
        assert process.child.wait(5) == 0
        process.end()


def test_missing_keys_are_told_in_one_line(tmp_path):
    with running_broker("iotcore") as broker:
        code, errors = Process(broker, tmp_path).end()
    assert code == 1
    assert errors.startswith("utility: ")
    assert "demo-0001.json: no such file" in errors
    assert errors.count("\n") == 1
