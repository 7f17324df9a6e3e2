"""run.py on a small project of its own, whose build backend needs no package index."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wattledger.tests.micropython.staging import ROOT

pytestmark = pytest.mark.xdist_group("run_py")

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "wattledger"
version = "0"
dependencies = [%s]
"""

# Builds a wheel whose command prints how it was called.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "wattledger-0-py3-none-any.whl"
    info = "wattledger-0.dist-info/"
    extras = "".join("Provides-Extra: %s\\n" % extra for extra in ("sim", "tools", "test"))
    files = {
        "wattledger_command.py": "import json, os, sys\\n"
        "def main(): print(json.dumps([os.getcwd(), sys.argv[1:]]))\\n",
        "pytest.py": "import wattledger_command; wattledger_command.main()\\n",
        info + "METADATA": "Metadata-Version: 2.1\\nName: wattledger\\nVersion: 0\\n" + extras
        + "".join("Requires-Dist: %s\\n" % name for name in DEPENDENCIES),
        info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "entry_points.txt": "[console_scripts]\\nwattledger=wattledger_command:main\\n",
    }
    files[info + "RECORD"] = "".join("%s,,\\n" % file for file in [*files, info + "RECORD"])
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return name
"""


def environment(**more):
    """Ours without pip's settings, and with an index that refuses every connection."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    # Port 9 (discard) of this machine: nothing listens there.
    refusing = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull}
    return {**kept, **refusing, **more}


def make_project(folder, *dependencies):
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "run.py", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT % ", ".join(map(repr, dependencies)))
    (folder / "backend.py").write_text("DEPENDENCIES = %r\n%s" % (dependencies, BACKEND))
    return folder


def start(project, *arguments, cwd=None, **more):
    return subprocess.Popen(
        [sys.executable, str(project / "run.py"), *arguments],
        cwd=cwd or project.parent,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    """(exit code, stdout, stderr)."""
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return process.returncode, out, err


def run(project, *arguments, **more):
    return finish(start(project, *arguments, **more))


def called(out):
    cwd, arguments = json.loads(out)
    return Path(cwd), arguments


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that is set up for `demo`, by two first runs at once; the tests go on from it."""
    folder = make_project(tmp_path_factory.mktemp("first") / "project")
    both = [start(folder, "demo", "--for", "1"), start(folder, "demo", "--for", "2")]
    ends = [finish(process) for process in both]
    assert [code for code, _, _ in ends] == [0, 0]
    return folder, ends


def test_two_first_runs_set_up_once_and_both_go_on(project):
    folder, ends = project
    heard = "".join(err for _, _, err in ends)
    assert heard.count("run.py: setting up .venv") == 1
    assert heard.count("waiting for it") == 1
    # Each became the command with its own arguments, in the caller's folder, on a clean stdout.
    assert [called(out) for _, out, _ in ends] == [
        (folder.parent, ["demo", "--for", "1"]),
        (folder.parent, ["demo", "--for", "2"]),
    ]


def test_a_later_run_is_quick_silent_and_needs_no_network(project):
    folder, _ = project
    began = time.monotonic()
    code, out, err = run(folder, "demo", "--json")
    assert (code, err) == (0, "")
    assert called(out)[1] == ["demo", "--json"]
    assert time.monotonic() - began < 2


def test_the_tests_run_in_the_repository_with_two_workers(project):
    folder, _ = project
    code, out, err = run(folder, "test", "--nightly", "-k", "x")
    assert code == 0
    assert called(out) == (folder, ["-n", "2", "--dist", "loadgroup", "--nightly", "-k", "x"])
    assert "setting up" in err  # the extra [test] was missing
    assert run(folder, "demo")[2] == ""  # and holds what demo needs


def test_a_changed_project_file_installs_again(project):
    folder, _ = project
    with open(folder / "pyproject.toml", "a") as file:
        file.write("# changed\n")
    assert "setting up" in run(folder, "demo")[2]
    assert run(folder, "demo")[2] == ""


def test_an_environment_that_is_not_ours_is_kept_aside(project):
    folder, _ = project
    venv = folder / ".venv"
    (venv / "made-by-run.py").unlink()
    (venv / "installed.json").unlink()
    code, _, err = run(folder, "demo")
    assert code == 0
    assert "moved to .venv.old1" in err
    assert (folder / ".venv.old1" / "pyvenv.cfg").exists()


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_a_set_up_killed_half_way_is_made_again(tmp_path):
    folder = make_project(tmp_path / "project")
    process = start(folder, "demo")
    half = folder / ".venv" / "pyvenv.cfg"
    deadline = time.monotonic() + 60
    while not half.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (folder / ".venv" / "left-over").touch()
    code, out, _ = run(folder, "demo")
    assert code == 0
    assert called(out)[1] == ["demo"]
    assert not (folder / ".venv" / "left-over").exists()


def test_it_works_without_ensurepip(tmp_path):
    import ensurepip

    bundled = Path(ensurepip.__file__).parent / "_bundled"
    if not list(bundled.glob("pip-*.whl")):
        pytest.skip("this Python bundles no pip wheel to serve as the index")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "ensurepip.py").write_text("raise ImportError('as on a Debian without it')\n")
    folder = make_project(tmp_path / "project")
    options = {"PYTHONPATH": str(hidden), "PIP_FIND_LINKS": str(bundled), "PIP_NO_INDEX": "1"}
    code, out, err = run(folder, "demo", **options)
    assert code == 0, err
    assert called(out)[1] == ["demo"]


def test_an_unreachable_index_is_said_in_one_line(project):
    folder, _ = project
    make_project(folder, "not-there>=1")
    code, out, err = run(folder, "demo")
    assert (code, out) == (1, "")
    message = err.splitlines()[-1]
    assert message.startswith("run.py: the package index could not be reached.")
    assert "PIP_INDEX_URL" in message


def test_what_pip_says_is_passed_on_in_two_lines(project):
    folder, _ = project
    make_project(folder, "another>=1")  # a changed project file asks for a set-up
    (folder / "backend.py").write_text("raise RuntimeError('the backend is broken')\n")
    code, out, err = run(folder, "demo")
    assert (code, out) == (1, "")
    said, where = err.splitlines()[-2:]
    assert said.startswith("run.py: pip could not install what is needed:")
    assert said.endswith("RuntimeError: the backend is broken")
    assert where.endswith(str(folder / ".venv.log"))
    assert "Traceback" in (folder / ".venv.log").read_text()
