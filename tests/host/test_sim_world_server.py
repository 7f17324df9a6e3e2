"""The world as a process: its frames, and its memory when it is killed."""

import os
import random
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from wattledger.host_sim.errors import StateError
from wattledger.host_sim.world_store import SLOT_SIZE, WorldStore

ROOT = Path(__file__).resolve().parents[2]
START = 1_799_704_800
HELLO, SPI, ADVANCE, RELAY, CONTACT, TRUTH = range(6)
FORWARD_A = 0x81
STEADY = "t_s,watts\n0,1000\n3600,2000\n7200,2000\n"


class Server:
    """A world server process and the meter's side of its frames."""

    def __init__(self, state, *arguments):
        command = [sys.executable, "-m", "wattledger.host_sim.world_server", "--state", str(state)]
        self.process = subprocess.Popen(
            [*command, "--start", str(START), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            bufsize=0,
        )

    def ask(self, operation, argument=b""):
        self.process.stdin.write(bytes([operation]) + argument.ljust(15, b"\0"))
        reply = b""
        while len(reply) < 16:
            piece = self.process.stdout.read(16 - len(reply))
            assert piece, self.process.stderr.read().decode()
            reply += piece
        return reply

    def spi(self, frame):
        out = bytes.fromhex(frame)
        reply = self.ask(SPI, bytes([len(out)]) + out)
        assert reply[0] == 0
        return reply[1 : 1 + len(out)]

    def read(self, address):
        return int.from_bytes(self.spi(f"{0x8000 | address:04X}0000")[2:], "big")

    def enable_metering(self):
        for frame in ("007F55AA", "00000001", "007F0000"):
            self.spi(frame)

    def advance(self, ms):
        return struct.unpack_from("<Q", self.ask(ADVANCE, struct.pack("<I", ms)), 1)[0]

    def truth(self):
        reply = self.ask(TRUTH)
        return int.from_bytes(reply[1:8], "little"), int.from_bytes(reply[8:15], "little")

    def end(self):
        """Close its stdin; exit code and what it said on stderr."""
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors.decode()

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def start(tmp_path):
    """Starts servers on the state directory `state`; kills what a failed test leaves."""
    started = []

    def begin(*arguments, state="state"):
        started.append(Server(tmp_path / state, *arguments))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture
def steady(tmp_path):
    path = tmp_path / "steady.csv"
    path.write_text(STEADY)
    return "--load", str(path)


def test_hello_tells_version_and_world_time(start):
    server = start()
    reply = server.ask(HELLO, b"\x01")
    assert reply[:2] == b"\0\x01"
    assert struct.unpack_from("<Q", reply, 2)[0] == START * 1000
    assert server.ask(HELLO, b"\x02")[0] == 1
    assert server.end() == (0, "")


def test_spi_carries_one_select(start):
    server = start()
    assert server.spi("80330000") == bytes.fromhex("00000087")
    assert server.spi("8033000000") == b"\xff" * 5  # 40 clocks
    assert server.spi("80330000") == bytes.fromhex("00000087")
    assert server.ask(SPI, b"\x0f")[0] == 1


def test_unknown_requests_are_refused_and_do_no_harm(start):
    server = start()
    assert server.ask(99)[0] == 1
    assert server.ask(RELAY, b"\x02")[0] == 1
    assert server.ask(CONTACT) == b"\0\x01".ljust(16, b"\0")


def test_time_passes_only_on_advance(start, steady):
    server = start(*steady)
    server.enable_metering()
    assert server.advance(0) == START * 1000
    assert server.advance(90_000) == START * 1000 + 90_000
    assert server.truth() == (90_000_000, 0)
    assert server.read(FORWARD_A) == 8_000  # 1000 W x 90 s / 11.25 Ws
    assert server.read(FORWARD_A) == 0


def test_relay_opens_and_closes_the_house(start, steady):
    server = start(*steady)
    server.ask(RELAY, b"\0")
    assert server.ask(CONTACT)[1] == 0
    server.advance(60_000)
    assert server.truth() == (0, 0)
    server.ask(RELAY, b"\x01")
    assert server.ask(CONTACT)[1] == 1
    server.advance(60_000)
    assert server.truth() == (60_000_000, 0)


def test_gains_of_the_board(start, steady):
    server = start(*steady, "--voltage-gain", "0x4000", "--current-gain", "32768")
    server.enable_metering()  # leaves 0x8000 where the board needs 0x4000: everything doubles
    server.advance(90_000)
    assert server.read(FORWARD_A) == 16_000


def test_ended_world_goes_on_where_it_was(start, steady):
    server = start(*steady)
    server.enable_metering()
    server.advance(90_000)
    server.ask(RELAY, b"\0")
    assert server.end() == (0, "")
    server = start(*steady, "--seed", "5")
    reply = server.ask(HELLO, b"\x01")
    assert struct.unpack_from("<Q", reply, 2)[0] == START * 1000 + 90_000
    assert server.ask(CONTACT)[1] == 0
    assert server.truth() == (90_000_000, 0)
    assert server.read(0x00) == 1
    assert server.read(FORWARD_A) == 8_000


def test_killed_world_loses_and_doubles_nothing(start, steady):
    # 720 steps of 10 s: 3600 s at 1000 W and 3600 s at 2000 W are 3 kWh, 960 000 counts.
    choose = random.Random(20_270_112)
    server = start(*steady)
    server.enable_metering()
    steps = collected = kills = 0
    while steps < 720:
        before = collected
        for _ in range(choose.randrange(60, 180)):
            if steps < 720:
                server.advance(10_000)
                steps += 1
            if choose.random() < 0.8:
                collected += server.read(FORWARD_A)
        assert collected >= before
        server.kill()
        kills += 1
        server = start(*steady)
    collected += server.read(FORWARD_A)
    assert kills >= 4
    assert server.truth() == (10_800_000_000, 0)
    assert collected == 960_000
    assert server.read(FORWARD_A) == 0


def test_interrupt_of_the_group_leaves_the_end_to_the_meter(start):
    server = start()
    server.advance(1_000)
    server.process.send_signal(signal.SIGINT)
    assert server.advance(1_000) == START * 1000 + 2_000
    assert server.end() == (0, "")


def test_half_a_request_at_the_end_is_no_fault(start):
    server = start()
    server.advance(1_000)
    server.process.stdin.write(b"\x02\x01")
    assert server.end() == (0, "")


def test_bad_load_is_one_line_and_exit_code_2(start, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("t_s,watts\n0,1\n5,many\n")
    code, errors = start("--load", str(path)).end()
    assert code == 2
    assert errors.startswith(f"{path}:3:3: watts 'many' is not a number; ")
    assert errors.count("\n") == 1


def test_damaged_state_is_one_line_and_exit_code_1(start, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "world.state").write_bytes(b"x" * 2 * SLOT_SIZE)
    code, errors = start().end()
    assert code == 1
    assert "world.state: damaged; move it away" in errors
    assert errors.count("\n") == 1


def test_state_folder_that_cannot_be_is_one_line_and_exit_code_1(start, tmp_path):
    (tmp_path / "state").write_text("a file")
    code, errors = start().end()
    assert code == 1
    assert errors.count("\n") == 1


def test_wrong_usage_is_exit_code_2(start):
    code, errors = start("--voltage-gain", "0").end()
    assert code == 2
    assert "0x8000 is 1.0" in errors
    assert "Traceback" not in errors


def test_a_write_torn_at_any_byte_leaves_the_state_before(tmp_path):
    path = tmp_path / "world.state"
    store = WorldStore(tmp_path)
    assert store.load() is None
    for number in (1, 2, 3):
        store.save({"number": number})
    before = path.read_bytes()
    store.save({"number": 4})
    store.close()
    after = path.read_bytes()
    changed = [at for at, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1]
    for torn in range(changed[0], changed[-1] + 2):
        path.write_bytes(after[:torn] + before[torn:])
        store = WorldStore(tmp_path)
        assert store.load()["number"] == (4 if torn > changed[-1] else 3)
        store.close()


def test_saving_goes_on_after_the_newest_state(tmp_path):
    for number in range(5):
        store = WorldStore(tmp_path)
        assert store.load() == ({"number": number - 1} if number else None)
        store.save({"number": number})
        store.close()


def test_one_directory_has_one_world(tmp_path, monkeypatch):
    monkeypatch.setattr("wattledger.host_sim.world_store.LOCK_WAIT_S", 0.1)
    store = WorldStore(tmp_path)
    with pytest.raises(StateError, match="in use by another world; end it first"):
        WorldStore(tmp_path)
    store.close()
    WorldStore(tmp_path).close()


def test_a_state_too_large_for_its_slot_is_refused(tmp_path):
    store = WorldStore(tmp_path)
    with pytest.raises(StateError, match="outgrown"):
        store.save({"text": "x" * SLOT_SIZE})
    store.close()
