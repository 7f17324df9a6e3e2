"""The program of a Raspberry Pi as an application: whole, and of nothing but itself."""

import os
import subprocess
import sys

import pytest

from wattledger.firmware import manifest as manifests
from wattledger.firmware.manifest import is_path
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools.cli import run
from wattledger.tools.errors import UpdateError
from wattledger.tools.pack import pack

PROGRAM = """
import importlib, pathlib, sys
import wattledger
root = pathlib.Path(wattledger.__file__).parent
for path in sorted((root / "wattledger").rglob("*.py")):
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    importlib.import_module(name.removesuffix(".__init__"))
homes = {str(root / "wattledger") in str(m.__file__) for n, m in sys.modules.items()
         if n.startswith("wattledger.") and getattr(m, "__file__", None)}
print(sys.argv[1], homes, wattledger.__file__)
"""


def test_what_is_packed_imports_alone_and_every_module_of_it(tmp_path):
    pytest.importorskip("gpiozero")
    packed = pack(tmp_path / "app")
    done = subprocess.run(
        [sys.executable, "-B", "-P", "-c", PROGRAM, "loaded"],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(tmp_path / "app"), GPIOZERO_PIN_FACTORY="mock"),
        capture_output=True,
        text=True,
    )
    where = tmp_path / "app/wattledger.py"
    assert done.stdout.split("\n")[0] == f"loaded {{True}} {where}", done.stderr
    assert "wattledger/firmware/main_pi.py" in packed
    assert "wattledger/hal/display/assets/vendor/license" in packed


def test_it_holds_the_meters_files_and_no_others(tmp_path):
    packed = pack(tmp_path / "app")
    found = [path for path in (tmp_path / "app").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "app").as_posix() for path in found) == packed
    assert all(is_path(path) for path in packed)
    assert len(packed) < manifests.limits("pi")[1]
    rooms = {path.split("/")[1] for path in packed if "/" in path}
    assert rooms == {"agent", "board", "firmware", "hal"}
    assert not [path for path in packed if path.endswith(("_esp32.py", ".pyc", "main_sim.py"))]
    for path in packed:
        if path.startswith("wattledger/agent/"):
            ours = ROOT / path.removeprefix("wattledger/")
            assert (tmp_path / "app" / path).read_bytes() == ours.read_bytes()
    with pytest.raises(UpdateError, match="exists already"):
        pack(tmp_path / "app")


def test_the_command(tmp_path, capsys):
    assert run(["update", "pack", str(tmp_path / "app")]) == 0
    assert "sign it with --hardware pi" in capsys.readouterr().out
