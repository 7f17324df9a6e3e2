"""A built image at work: its ROMFS mounted in real MicroPython, its application in a slot of a
littlefs of the board's size. The world around it is the simulator under another name, for the
image has modules of its own in ours."""

import contextlib
import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

import pytest

from wattledger.tests.micropython import staging
from wattledger.tools import mpy
from wattledger.tools.flash import image, sources, upload
from wattledger.tools.flash.layout import BLOCK
from wattledger.tools.image import known

BOARD = "esp32_atm90e32"
HEAP = "24M"
TIMEOUT_S = 120
PROGRAM = "flash_program"
PROGRAMS = (PROGRAM, "air_program", "image_program")  # the others import the first
HOUSE = "tests/both/houses_esp32.py"
NET = "wattledger/hal/network/net.py"  # link and Wi-Fi, as they lie in an application


def asked():
    """Names that the programs beside the image ask it for."""
    beside = [*map(source_of, PROGRAMS), staging.ROOT / HOUSE]
    return sorted(set().union(*(known.named(path.read_bytes()) for path in beside)))


def source_of(program):
    """The file of a program that runs beside the image."""
    return Path(__file__).with_name(program + ".py")


@functools.cache
def composed():
    """(core, application) of the board, as sources: half of what a build takes."""
    return sources.composed(sources.board_of(BOARD), kept=asked())


@functools.cache
def built(change=None):
    """The image of the board, made once for all tests; `change` is a function of the source of the
    application's link."""
    core, app = composed()
    if change is not None:
        text = change(app[NET])
        assert text != app[NET]
        app = {**app, NET: text}
    with mock.patch.object(sources, "composed", lambda *_: (core, app)):
        return image.build(BOARD)


def world_tree():
    """The simulated board and all it needs, its package named `world`."""
    names = mpy.portable_files(staging.PORTABLE)
    sources = {
        "world/" + name: (staging.ROOT / name).read_bytes().replace(b"wattledger", b"world")
        for name in names
    }
    sources["world/__init__.py"] = b""
    for module, ours in staging.SIMULATED.items():
        sources[module + ".py"] = b"from world.host_sim.%s import *\n" % ours.encode()
    for program in PROGRAMS:
        sources[program + ".py"] = source_of(program).read_bytes()
    return mpy.build_tree(sources, staging.ROOT / ".cache" / "mpy")


def interpreter():
    """The command of MicroPython; skips the test where there is none."""
    found = staging.find_tool("micropython")
    if found is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    return found


def start(folder, program, call, heap=HEAP):
    """A process in `folder`, whose image.rom is mounted, that does `call` of a program beside the
    image and prints what it returns as JSON; its stdin and stdout are piped."""
    text = (
        "import vfs; file = open(%r, 'rb'); rom = file.read(); file.close(); "
        "vfs.mount(vfs.VfsRom(memoryview(rom)), '/rom'); import json; "
        "import %s as program; print(json.dumps(program.%s))"
        % (str(folder / "image.rom"), program, call)
    )
    return subprocess.Popen(
        [interpreter(), "-X", "heapsize=" + heap, "-c", text],
        cwd=folder,
        env=dict(os.environ, MICROPYPATH="/rom:%s:.frozen" % world_tree()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def running(call, program=PROGRAM):
    """A process that does `call`, a function of a program, there; what it says is piped."""
    made = built()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "image.rom").write_bytes(made.rom)
        slot = upload.application(made, folder, None)
        listed = [(str(source), place) for source, place in slot]
        process = start(folder, program, call % {"slot": listed})
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def run(call, program=PROGRAM):
    """What a function of a program returns there, through JSON."""
    with running(call, program) as process:
        said, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, said[-3000:]
    return json.loads(said.splitlines()[-1])


def blocks_of(count):
    """Bytes of so many blocks."""
    return count * BLOCK
