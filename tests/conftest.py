"""What all tests share: MicroPython items, reference data, skips that may be made failures."""

import os
import tempfile
import warnings
from pathlib import Path

import pytest

from wattledger.tests.micropython import staging

REQUIRE_ALL = os.environ.get("WATTLEDGER_REQUIRE_ALL") == "1"


def pytest_addoption(parser):
    parser.addoption("--nightly", action="store_true", help="run the tests marked nightly too")


def pytest_collection_modifyitems(config, items):
    """Leave the nightly tests out unless asked for: a choice, not a skip."""
    if config.getoption("--nightly"):
        return
    nightly = [item for item in items if item.get_closest_marker("nightly")]
    if nightly:
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]


@pytest.fixture(scope="session")
def reference_data():
    """Folder of real-world data: WATTLEDGER_DATA, else ../shared/data beside the repository."""
    named = os.environ.get("WATTLEDGER_DATA")
    folder = Path(named) if named else staging.ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("reference data not present")
    return folder.resolve()


# --- what was done by the thousand is told at the end ---

COUNTED = "counted: "


@pytest.fixture
def count(record_property):
    """count(n, "power cuts"): the sum over all tests is printed after them."""
    return lambda number, what: record_property(COUNTED + what, number)


def pytest_terminal_summary(terminalreporter):
    sums = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, number in report.user_properties if report.when == "call" else ():
            if name.startswith(COUNTED):
                what = name[len(COUNTED) :]
                sums[what] = sums.get(what, 0) + number
    for what in sorted(sums):
        terminalreporter.write_line("%d %s" % (sums[what], what))


# --- a skip is a failure where everything must run ---


def _refuse_skip(report):
    """Turn a skipped report into a failed one; an expected failure (xfail) is none."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = "%s (WATTLEDGER_REQUIRE_ALL=1 allows no skip)" % reason
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _refuse_skip((yield))


# --- tests/both: every file once more, as one item, on MicroPython ---


def pytest_collect_file(file_path, parent):
    both = staging.ROOT / "tests" / "both"
    if (
        file_path.suffix == ".py"
        and file_path.name.startswith("test_")
        and both in file_path.parents
    ):
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


class MicroPythonFile(pytest.File):
    def collect(self):
        yield MicroPythonItem.from_parent(self, name="micropython")


class MicroPythonError(Exception):
    """The test file failed on MicroPython; the message is its output."""


class MicroPythonItem(pytest.Item):
    """One portable test file on MicroPython, under a heap limit."""

    def runtest(self):
        interpreter = staging.find_tool("micropython")
        if interpreter is None:
            pytest.skip("no micropython: no wheel for this platform and none on PATH")
        tree = staging.staged_tree()
        if staging.compiler() is None:
            heap = staging.HEAP_WITHOUT_COMPILER
        else:
            heap = staging.heap_of(self.path.read_text(encoding="utf-8"))
        module = ".".join(self.path.relative_to(staging.ROOT).with_suffix("").parts)
        with tempfile.TemporaryDirectory() as folder:
            run = staging.run_file(interpreter, tree, "wattledger." + module, heap, folder)
        if run.problem:
            raise MicroPythonError("%s (heap %s)\n%s" % (run.problem, heap, run.output))
        self._report_skips(run)

    def _report_skips(self, run):
        """All methods skipped: a skip. Some: listed as a warning, or refused."""
        if not run.skips:
            return
        reasons = "on MicroPython: " + "; ".join(run.skips)
        if len(run.skips) >= run.ran or REQUIRE_ALL:
            pytest.skip(reasons)
        warnings.warn(pytest.PytestWarning("skipped " + reasons), stacklevel=1)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, "%s on MicroPython" % self.path.name
