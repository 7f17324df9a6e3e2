"""Bringing an image onto a board: real mpremote against a raw REPL, the order of what is written,
and what a person is told when it fails. No board, and no ROM loader, has been tried."""

import ast
import binascii
import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import types
import zlib

import pytest

from wattledger.firmware import slots
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.host.raw_repl_bench import Board
from wattledger.tools.errors import FlashError
from wattledger.tools.flash import image, programs, upload
from wattledger.tools.flash.layout import Layout

NAME = "esp32_atm90e32"
KEY = b"ab" * 32


def small(layout="ota"):
    """An image of few bytes; how it is built is another test's."""
    return image.Image(NAME, Layout(layout), {"wattledger/x.mpy": b"x"}, {"y.mpy": bytes(999)})


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "device.json").write_text(json.dumps({"board": NAME}))
    (folder / "device.key").write_bytes(KEY)
    (folder / "client.key.der").write_bytes(b"\x30secret")
    (folder / "label.txt").write_text("for people, not for the meter")
    return folder


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def board(tmp_path):
    folder = tmp_path / "board"
    folder.mkdir()
    found = Board(folder, after=("first reading: 5 mW",))
    yield found
    found.close()


def test_mpremote_brings_application_and_site_onto_a_board(board, site, scratch):
    made = small()
    upload.Plan(made, board.port, scratch, site=site).run(lambda text: None)
    there = {
        path.relative_to(board.folder).as_posix(): path.read_bytes()
        for path in board.folder.rglob("*")
        if path.is_file()
    }
    assert there["app/a/app.rom"] == made.slot["app.rom"]
    assert there["site/device.key"] == KEY and there["site/client.key.der"] == b"\x30secret"
    assert sorted(name for name in there if name.startswith("site/")) == [
        "site/client.key.der",
        "site/device.json",
        "site/device.key",
    ]
    # What a boot goes by: the record names slot a and the manifest that lies there.
    storage = MemoryStorage()
    for name in slots.FILES:
        if name in there:
            storage.commit(name, there[name])
    digest = hashlib.sha256(there["app/a/manifest"]).digest()
    assert slots.choose(storage, lambda slot, known: slot == "a" and known == digest) == "a"
    assert slots.load(storage).tries == slots.PROVEN
    assert board.resets == 1


def test_the_site_comes_last_and_device_json_last_of_all(site, scratch):
    plan = upload.Plan(small("rom"), "P", scratch, scratch / "f.bin", True, site)
    tools = [
        (command[2], [word for word in command if word in STEPS]) for command in plan.commands
    ]
    assert tools == [
        ("esptool", ["erase-flash"]),
        ("esptool", ["write-flash"]),
        ("mpremote", ["romfs", "deploy"]),
        ("mpremote", ["reset"]),
    ]
    assert plan.files[0][1] == "app/a/app.rom"
    assert plan.files[-1][1] == "site/device.json"


class RomPartition:
    """A board as `mpremote romfs deploy` asks it: a partition `romfs`, and what is written."""

    def __init__(self, blocks, enabled=True):
        self.written = bytearray()
        self._answers = {
            "hasattr(vfs,'rom_ioctl')": enabled,
            "dev.ioctl(4,0)": blocks,
            "dev.ioctl(5,0)": 4096,
            "isinstance(dev,int) and dev<0": False,
        }

    def eval(self, code):
        return self._answers.get(code, True)

    def exec(self, code):
        if code.startswith("buf="):
            sent = binascii.a2b_base64(
                ast.literal_eval(code.split("a2b_base64(")[1].split(")")[0])
            )
            self.written += zlib.decompress(sent, -15)


def deployed(made, folder, board):
    """What mpremote itself does with the command line of the core; what it said."""
    mpremote = pytest.importorskip("mpremote.commands")
    command = upload.Plan(made, "P", folder).commands[0]
    state = types.SimpleNamespace(
        transport=board, ensure_raw_repl=lambda: None, did_action=lambda: None
    )
    words = types.SimpleNamespace(path=command[-1], partition=0, mpy=True)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            mpremote._do_romfs_deploy(state, words)
    except (SystemExit, mpremote.CommandError) as error:
        said.write(str(error))
    return said.getvalue()


def test_mpremote_writes_the_core_as_it_was_made(scratch):
    made = small("rom")
    board = RomPartition(blocks=128)
    assert deployed(made, scratch, board).endswith("ROMFS image deployed\n")
    assert len(board.written) == 4096 and board.written.startswith(made.rom)


def test_a_board_without_room_for_the_core_is_told_what_it_needs(scratch, tmp_path):
    said = deployed(small("rom"), scratch, RomPartition(128, enabled=False))
    assert programs.symptom(said) == "no rom"
    (tmp_path / "second").mkdir()
    said = deployed(small("rom"), tmp_path / "second", RomPartition(blocks=0))
    assert programs.symptom(said) == "no rom"


STEPS = ("erase-flash", "write-flash", "romfs", "deploy", "reset")


def test_esptool_knows_the_command_lines_it_is_given(tmp_path):
    pytest.importorskip("esptool")
    erase, write = programs.write_firmware(str(tmp_path / "none"), tmp_path / "f.bin", True)
    assert write[-2:] == ["0x1000", str(tmp_path / "f.bin")]
    (tmp_path / "f.bin").write_bytes(b"\xe9" + bytes(64))
    for command in (erase, write):
        done = subprocess.run(command, capture_output=True, text=True)
        said = done.stdout + done.stderr
        # It took every option and came as far as the port, which is not there.
        assert done.returncode and "none" in said and "Usage" not in said, said
        assert programs.symptom(said) == "no port", said


def test_a_port_that_is_not_there_gives_the_checks(scratch, tmp_path):
    plan = upload.Plan(small(), str(tmp_path / "none"), scratch)
    with pytest.raises(
        FlashError, match=r"none: no such file\ncheck: there is no board .* charge"
    ):
        plan.run(lambda text: None)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("could not open port: [Errno 16] Device or resource busy", "busy"),
        ("Could not exclusively lock port /dev/ttyUSB0", "busy"),
        ("failed to access /dev/ttyUSB0 (it may be in use by another program)", "busy"),
        ("[Errno 13] Permission denied: '/dev/ttyUSB0'", "permission"),
        ("mpremote: could not enter raw repl", "no prompt"),
        ("Failed to connect to ESP32: No serial data received.", "no answer"),
        ("This chip is ESP32-S3 not ESP32. Wrong --chip argument?", "wrong chip"),
        ("something new", "other"),
    ],
)
def test_what_a_program_says_leads_to_what_to_check(said, found):
    assert programs.symptom(said) == found
    text = programs.told(["python", "-m", "esptool"], said)
    assert text == f"esptool: {said}\ncheck: {programs.CHECKS[found]}"


def test_a_site_of_another_board_or_of_none_is_refused(site):
    with pytest.raises(FlashError, match="is for esp32_atm90e32, the image for esp32_bl0942"):
        upload.site_files(site, "esp32_bl0942")
    (site / "device.key").unlink()
    with pytest.raises(FlashError, match="has no device.key"):
        upload.site_files(site, NAME)


def test_a_release_of_another_image_is_refused(tmp_path, scratch):
    release = tmp_path / "release"
    release.mkdir()
    (release / "manifest").write_bytes(b"a.eyJzZXEiOjd9.c")  # {"seq":7}
    made = small()
    (release / "app.rom").write_bytes(made.slot["app.rom"])
    files = dict(upload.application(made, scratch, release))
    storage = MemoryStorage()
    for source, place in files.items():
        if place in slots.FILES:
            storage.commit(place, source.read_bytes())
    assert (slots.load(storage).sequence, slots.load(storage).slot) == (7, "a")
    (release / "app.rom").write_bytes(b"other")
    (tmp_path / "second").mkdir()
    with pytest.raises(FlashError, match="belong together"):
        upload.application(made, tmp_path / "second", release)


def test_the_first_reading_is_waited_for_and_a_refusal_ends_it(board):
    for line, end in (
        (b"boot\r\nfirst reading: 7 mW\r\n", None),
        (b"safe\r\nno ledger: x\r\n", 1),
    ):
        timer = threading.Timer(0.3, board.say, (line,))
        timer.start()
        if end is None:
            assert upload.first_line(board.port, 5) == "first reading: 7 mW"
        else:
            with pytest.raises(FlashError, match="the meter says: no ledger: x"):
                upload.first_line(board.port, 5)
        timer.join()
    with pytest.raises(FlashError, match="said nothing valid in 0.3 s"):
        upload.first_line(board.port, 0.3)


def test_a_dry_run_needs_no_board_and_tells_files_and_sizes(tmp_path):
    out = tmp_path / "image"
    line = [sys.executable, "-m", "wattledger.tools.cli", "flash", "--board", NAME, "--dry-run"]
    done = subprocess.run(
        [*line, "--out", str(out), "--json"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        cwd=str(image.device.ROOT),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["dry_run"] is True and told["first_line"] is None
    assert min(told["free"].values()) >= 0
    sizes = {entry["path"]: entry["bytes"] for entry in told["files"]}
    assert sizes == {
        path.relative_to(out).as_posix(): path.stat().st_size
        for path in out.rglob("*")
        if path.is_file()
    }
    assert {"manifest.py", "image.rom", "package.json", "app/app.rom"} <= set(sizes)
