"""What conftest promises: refused skips, nightly by choice, listed reasons."""

import os
import subprocess
import sys

import pytest

from wattledger.tests.micropython.staging import ROOT

SAMPLE = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="no such chip")
def test_marked():
    pass

def test_inside():
    pytest.skip("no such bus")

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_failure():
    assert False

@pytest.mark.nightly
def test_slow():
    pass

def test_with_data(reference_data):
    assert reference_data.is_dir()
"""


@pytest.fixture
def outcome(tmp_path):
    """Run SAMPLE with our conftest as a plugin; returns the output."""
    (tmp_path / "test_sample.py").write_text(SAMPLE)

    def run(*options, **variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WATTLEDGER_")}
        command = [sys.executable, "-m", "pytest", "-p", "wattledger.tests.conftest", "-rfEs"]
        command += ["-o", "markers=nightly: slow", "-p", "no:cacheprovider", *options]
        done = subprocess.run(
            [*command, "--rootdir", str(tmp_path), str(tmp_path / "test_sample.py")],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT), **variables},
            capture_output=True,
            text=True,
        )
        return done.stdout

    return run


def test_skips_are_listed_and_nightly_is_left_out(outcome, tmp_path):
    out = outcome(WATTLEDGER_DATA=str(tmp_path))
    assert "2 passed, 2 skipped, 1 deselected, 1 xfailed" in out
    assert "no such chip" in out and "no such bus" in out


def test_nightly_runs_when_asked_for(outcome, tmp_path):
    assert "3 passed, 2 skipped, 1 xfailed" in outcome("--nightly", WATTLEDGER_DATA=str(tmp_path))


def test_missing_reference_data_is_a_skip_with_its_reason(outcome, tmp_path):
    out = outcome(WATTLEDGER_DATA=str(tmp_path / "nowhere"))
    assert "1 passed, 3 skipped" in out
    assert "reference data not present" in out


def test_a_skip_is_a_failure_where_everything_is_required(outcome, tmp_path):
    out = outcome(WATTLEDGER_REQUIRE_ALL="1", WATTLEDGER_DATA=str(tmp_path / "nowhere"))
    # A skip before the test's own code (by mark or fixture) counts as an error.
    assert "1 failed, 1 passed, 1 deselected, 1 xfailed, 2 errors" in out
    for reason in ("no such chip", "no such bus", "reference data not present"):
        assert "%s (WATTLEDGER_REQUIRE_ALL=1 allows no skip)" % reason in out


GROUPED = """
import os
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(6))
@pytest.mark.xdist_group("together")
def test_together(number):
    time.sleep(0.02)
    Path(__file__).with_name("worker-" + os.environ["PYTEST_XDIST_WORKER"]).touch()
"""


def test_tests_of_a_group_share_a_worker(tmp_path):
    """Else each worker makes what they share: minutes of the whole run, and nothing says so."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "--dist", "loadgroup"]
        + ["-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # it starts in half the time
        capture_output=True,
        text=True,
    )
    assert "6 passed" in done.stdout, done.stdout
    assert len(list(tmp_path.glob("worker-*"))) == 1
