"""What is installed is what lies in the tree, importable under the one import name."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wattledger.tests.micropython import staging

ROOT = staging.ROOT
ROOMS = ("agent", "board", "firmware", "hal", "host_sim", "tools")
ASSETS = (".html", ".css", ".js", ".json", ".svg", ".gz", ".yaml", ".service")


def installed_files():
    """Paths relative to the root of all that an installation must hold."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            shipped = path.suffix in (".py", *ASSETS) or path.name == "LICENSE"
            if shipped and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy, because a build writes into the tree it builds from."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "wattledger.py", "README.md", "LICENSE", "NOTICE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tree)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "-w", str(out), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def imports_from(folder, cwd):
    """Where `wattledger` rooms come from for a fresh interpreter that sees only `folder`."""
    program = (
        "import json, wattledger.hal.sample, wattledger.agent.journal, wattledger.board.sim\n"
        "import wattledger.hal, sys\n"
        "print(json.dumps([m.__file__ for n, m in sorted(sys.modules.items())"
        " if n.startswith('wattledger')]))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["PYTHONPATH"] = str(folder)
    done = subprocess.run(
        # -S -P: neither this environment's packages nor the current folder.
        [sys.executable, "-S", "-c", program],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [Path(name) for name in json.loads(done.stdout)]


def test_every_folder_with_code_is_a_package_that_gets_installed():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    listed = {line.strip(' ",') for line in lines if line.startswith('    "wattledger.')}
    files = [Path(name) for name in installed_files() if name.endswith(".py")]
    present = {".".join(("wattledger", *path.parent.parts)) for path in files}
    assert listed == present, "mend tool.setuptools.packages in pyproject.toml"
    bare = {p.parent.as_posix() for p in files if not (ROOT / p.parent / "__init__.py").exists()}
    assert not bare, "these folders lack an __init__.py"


def test_the_wheel_holds_every_file_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {"wattledger.py"} | {"wattledger/" + name for name in installed_files()}


def test_an_installed_wheel_imports_from_another_folder(wheel, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Other packages of these names, as Adafruit's board.py on a Pi, must not be taken for ours.
    for name in ("board", "hal", "agent"):
        (site / (name + ".py")).write_text("raise ImportError('not ours')\n")
    assert all(site in path.parents for path in imports_from(site, tmp_path))


def test_the_tree_imports_as_it_lies(tmp_path):
    assert all(ROOT in path.parents for path in imports_from(ROOT, tmp_path))


@pytest.mark.parametrize("inside", [True, False])
def test_micropython_imports_the_tree_as_it_lies(inside, tmp_path):
    interpreter = staging.find_tool("micropython")
    if interpreter is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    program = "import wattledger.hal.sample as s; print(s.SAMPLE_LENGTH, s.__file__)"
    done = subprocess.run(
        [interpreter, "-c", program],
        cwd=ROOT if inside else tmp_path,
        env=dict(os.environ, MICROPYPATH="" if inside else str(ROOT)),
        capture_output=True,
        text=True,
    )
    expected = "./hal/sample.py" if inside else str(ROOT / "hal" / "sample.py")
    assert done.stdout.split() == ["25", expected], done.stderr
