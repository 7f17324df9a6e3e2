"""Home Assistant's own MQTT schemas, for tests: release 2024.12.5 on a Python 3.12 of its own.

Made once beside the packages of the tests and kept. The release stays the wheel it came in: its
20 000 files need not be unpacked to import a few hundred of them.
"""

import fcntl
import glob
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RELEASE = "2024.12.5"  # the last that runs on Python 3.12
WHEEL = f"homeassistant-{RELEASE}-py3-none-any.whl"
NEEDS = Path(__file__).with_name("homeassistant_needs.txt")
CHECK = Path(__file__).with_name("homeassistant_check.py")
FOLDER = Path(sys.prefix) / f"homeassistant-{RELEASE}"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q")
TIMEOUT_S = 300
QUIET = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
# Where a Python of its own may lie that PATH does not lead to.
PLACES = (
    "~/.pyenv/versions/3.12*/bin",
    "~/.local/share/uv/python/cpython-3.12*/bin",
    "/opt/hostedtoolcache/Python/3.12*/*/bin",
)


def find_python():
    """A Python 3.12 that runs, or None. A shim on PATH may be there and run nothing."""
    places = [shutil.which("python3.12")]
    for pattern in PLACES:
        places += sorted(glob.glob(os.path.expanduser(pattern) + "/python3.12"))
    for place in places:
        if place is None:
            continue
        said = subprocess.run([place, "-c", "import sys; print(sys.version_info[:2])"], **QUIET)
        if said.stdout.strip() == "(3, 12)":
            return place
    return None


def _run(*command):
    done = subprocess.run(command, **QUIET, timeout=TIMEOUT_S)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[-2000:]}"


def _make(python):
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    _run(python, "-m", "venv", "--without-pip", str(FOLDER / "venv"))
    inside = FOLDER / "venv" / "bin" / "python"
    exactly = ("--no-deps", "--only-binary", ":all:")
    _run(*PIP, "--python", str(inside), "install", *exactly, "-r", str(NEEDS))
    asked = ("--python-version", "3.12", "-d", str(FOLDER), f"homeassistant=={RELEASE}")
    _run(*PIP, "download", *exactly, *asked)
    (FOLDER / "made").write_text(NEEDS.read_text(), encoding="utf-8")


def _is_made():
    try:
        return (FOLDER / "made").read_text() == NEEDS.read_text()
    except OSError:
        return False


@pytest.fixture(scope="session")
def home_assistant():
    """A function that shows discovery messages to Home Assistant: a dict of findings for each."""
    python = find_python()
    if python is None:
        pytest.skip("no Python 3.12, which Home Assistant 2024.12.5 needs")
    with open(f"{FOLDER}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be at it
        if not _is_made():
            _make(python)

    def check(*messages):
        done = subprocess.run(
            [FOLDER / "venv" / "bin" / "python", "-W", "ignore", CHECK, FOLDER / WHEEL],
            input=json.dumps([bytes(message).decode() for message in messages]),
            env={**os.environ, "PYTHONPATH": ""},
            timeout=TIMEOUT_S,
            **QUIET,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return check
