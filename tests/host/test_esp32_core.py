"""The application and the core of an ESP32 belong together: `update sign --core` finds out."""

import os
import shutil
import subprocess
import sys

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import signing, update

BOARD = "esp32_atm90e32"
ROOMS = ("agent", "board", "firmware", "hal", "host_sim", "tools")
FLASH = "import sys; from wattledger.tools.cli import run; sys.exit(run(sys.argv[1:]))"


def built(folder, name, change=None):
    """The image's folder that `wattledger flash` writes from sources with a `change`: (path, old,
    new)."""
    sources = folder / f"sources-{name}"
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, sources / room, ignore=ignored)
    shutil.copy(ROOT / "wattledger.py", sources)
    if change is not None:
        path, old, new = change
        text = (sources / path).read_text()
        assert text.count(old) == 1
        (sources / path).write_text(text.replace(old, new))
    out = folder / name
    words = ["flash", "--board", BOARD, "--dry-run", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", FLASH, *words],
        cwd=sources,
        env=dict(os.environ, PYTHONPATH=str(sources)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.nightly
def test_a_change_of_the_applications_rooms_leaves_the_core_and_one_of_the_core_is_found(tmp_path):
    flashed = built(tmp_path, "flashed")
    app = ("hal/network/uplink.py", '"link", self.link', '"the link", self.link')
    core = ("agent/keeper.py", "LEAST_MS = 1000", "LEAST_MS = 1001")
    new = built(tmp_path, "new", app)
    assert (new / "app/app.rom").read_bytes() != (flashed / "app/app.rom").read_bytes()
    update.check_core(new / "app", flashed)
    signer = signing.create(tmp_path / "keys", update.FIRMWARE_KID)
    assert update.sign(new / "app", tmp_path / "8", signer, 8, "esp32", "0.8").sequence == 8
    with pytest.raises(update.UpdateError, match="was built beside another core than"):
        update.check_core(built(tmp_path, "other", core) / "app", flashed)
