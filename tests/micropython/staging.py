"""Stages the portable rooms and their tests for MicroPython as .mpy, and runs a test file.

How a tree is built and kept is in tools/mpy.py; this one holds the tests and the runner as well.
"""

import os
import re
import subprocess
from pathlib import Path

from wattledger.tools import mpy
from wattledger.tools.mpy import REFUSED, ROOT, compiler, find_tool

__all__ = ["REFUSED", "ROOT", "compiler", "find_tool"]

UNITTEST = Path(__file__).with_name("unittest.py")

# What must run on MicroPython: folders below the root, or single files.
PORTABLE = (
    *mpy.FIRMWARE,
    "host_sim/__init__.py",
    "host_sim/chip",
    "host_sim/relay.py",
    "host_sim/clock.py",
    "host_sim/entropy.py",
    "host_sim/flash.py",
    "host_sim/bus_faults.py",
    "host_sim/machine.py",
    "host_sim/errors.py",
    "host_sim/esp32.py",
    "host_sim/wlan.py",
    "host_sim/ticks.py",
    "host_sim/noise.py",
    "tests/both",
)

# On the path before the built-in one, so that the ESP32's files find simulated chips.
SIMULATED = {"machine": "machine", "esp32": "esp32", "network": "wlan"}

# Heap of the 64-bit build, where an object takes twice the bytes it takes on a device.
HEAP = "256K"
# Compiling on the spot costs heap that a device with .mpy files never spends.
HEAP_WITHOUT_COMPILER = "1024K"
TIMEOUT_S = 120
DEFINED_HEAP = re.compile(r'^HEAP = "(\d+[KM])"$', re.MULTILINE)
SUMMARY = re.compile(r"^Ran (\d+): (\d+) failed, (\d+) skipped$", re.MULTILINE)


class Run:
    """What became of one test file: `ran`, `failed`, `skips` (lines), `output`, `problem`."""

    def __init__(self, output, returncode):
        self.output = output
        self.skips = re.findall(r"^SKIP (.*)$", output, re.MULTILINE)
        found = SUMMARY.search(output)
        self.ran, self.failed = (int(found[1]), int(found[2])) if found else (0, 0)
        self.problem = None
        if found is None:
            self.problem = "MicroPython ended with code %d before the tests did" % returncode
        elif self.failed or returncode:
            self.problem = "%d failed of %d" % (self.failed, self.ran)
        elif not self.ran and not self.skips:
            self.problem = "the file holds no test"


def staged_tree(root=ROOT, instead=None):
    """The folder to put on MICROPYPATH, built if need be. `instead` has other sources by path."""
    names = mpy.portable_files(PORTABLE, root)
    sources = {"wattledger/" + name: (root / name).read_bytes() for name in names}
    sources["unittest.py"] = UNITTEST.read_bytes()
    for module, ours in SIMULATED.items():
        sources[module + ".py"] = b"from wattledger.host_sim.%s import *\n" % ours.encode()
    sources.update(instead or {})
    return mpy.build_tree(sources, root / ".cache" / "mpy")


def heap_of(source):
    """Heap limit of a test file: its own `HEAP = "160K"` in the first lines, or the default."""
    found = DEFINED_HEAP.search("\n".join(source.splitlines()[:40]))
    return found[1] if found else HEAP


def run_file(interpreter, tree, module, heap, folder):
    """Run the tests of `module` from a staged tree, in `folder`, under a heap limit."""
    environment = dict(os.environ, MICROPYPATH="%s:.frozen" % tree)
    command = [interpreter, "-X", "heapsize=" + heap]
    command += ["-c", "import unittest; unittest.main(%r)" % module]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return Run(output + "\nended after %d s" % TIMEOUT_S, -1)
    return Run(done.stdout, done.returncode)
