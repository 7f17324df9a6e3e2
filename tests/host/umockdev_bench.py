"""Runs a check with unmodified spidev and smbus2 on buses that umockdev_parent.py emulates.

    def check(chip): ...                    # runs in a process of its own, on the real packages
    emulated("atm90e32", "spi", check)      # raises AssertionError with what the process said
    emulated("atm90e32", "spi", check, "ds3231:i2c")  # with more chips: chip.other("ds3231")

A chip is added by a row in `CHIPS` of the parent.
"""

import importlib
import importlib.util
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"  # python3-gi is Debian's and only there
PROBE = "import gi; gi.require_version('UMockdev', '1.0')"
TIMEOUT_S = 60


def need(package):
    """Skip the test where the emulation or the package is not installed."""
    if shutil.which("umockdev-wrapper") is None:
        pytest.skip("no umockdev-wrapper: apt install umockdev gir1.2-umockdev-1.0 python3-gi")
    if subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True).returncode:
        pytest.skip("no gi for the system's Python: apt install gir1.2-umockdev-1.0 python3-gi")
    if importlib.util.find_spec(package) is None:
        pytest.skip("no %s: WATTLEDGER_EXTRAS=pi python3 run.py test" % package)


PACKAGES = {"spi": "spidev", "i2c": "smbus2"}


def emulated(chip, bus, check, *more):
    """Run `check(RemoteChip)`, a function of a test module, beside an emulated chip on a bus."""
    places = ["%s:%s" % (chip, bus), *more]
    for place in places:
        need(PACKAGES[place.split(":")[1]])
    file = Path(inspect.getfile(check)).resolve().relative_to(ROOT)
    module = ".".join(("wattledger", *file.with_suffix("").parts))
    parent = ROOT / "tests" / "host" / "umockdev_parent.py"
    child = [sys.executable, "-m", "wattledger.tests.host.umockdev_bench", module, check.__name__]
    command = ["umockdev-wrapper", SYSTEM_PYTHON, str(parent), ",".join(places), *child]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout


class RemoteChip:
    """The world's side of the chip in the parent: its methods, and attributes to set.

    `ask(name)` reads an attribute, `renew()` puts a new chip in its place, `other(name)` is
    another chip of the same world.
    """

    def __init__(self, answers, questions, name=None):
        self.__dict__.update(_answers=answers, _questions=questions, _name=name)

    def other(self, name):
        return RemoteChip(self._answers, self._questions, name)

    def ask(self, name, arguments=None):
        self._questions.write(json.dumps([self._name, name, arguments]).encode() + b"\n")
        found, error = json.loads(self._answers.readline())
        assert error is None, error
        return found

    def __getattr__(self, name):
        return lambda *arguments: self.ask(name, arguments)

    def __setattr__(self, name, value):
        self.ask("set", [name, value])


def main(module, check):
    """In the child: run the check."""
    told, asking = (int(number) for number in os.environ["WORLD_PIPE"].split())
    chip = RemoteChip(os.fdopen(told, "rb"), os.fdopen(asking, "wb", buffering=0))
    getattr(importlib.import_module(module), check)(chip)


if __name__ == "__main__":
    main(*sys.argv[1:])
