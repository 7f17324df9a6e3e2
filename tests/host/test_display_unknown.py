"""The page in a real browser when the meter does not know something: a dash, never rubbish."""

import re

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import OFF, READY, VIEW, reads

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")


@pytest.fixture(scope="module")
def browser():
    with bench.launched_browser() as browser:
        yield browser


@pytest.fixture
def server():
    with bench.running_server() as server:
        yield server


@pytest.fixture
def visit(browser, server):
    with bench.visits(browser, server) as visit:
        yield visit


def blank(value):
    """The same shape with every value None."""
    if isinstance(value, dict):
        return {key: blank(item) for key, item in value.items()}
    return [blank(item) for item in value] if isinstance(value, list) else None


RUBBISH = re.compile(r"NaN|undefined|null|Invalid|Infinity|1970")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_what_is_not_known_is_a_dash(visit, server, locale):
    page = visit(VIEW, locale=locale)
    holes = [
        {},
        dict.fromkeys(VIEW),
        blank(VIEW),
        blank(dict(VIEW, supply=READY, messages=[1], alarms=["x"])),
    ]
    for view in holes:
        server.show(VIEW)
        reads(page, "meter", "demo-0001")
        server.show(view)
        reads(page, "meter", "–")
        for name in ("balance-amount", "supply-state", "power-now", "rate-price", "today-cost"):
            reads(page, name, "–")
        assert not RUBBISH.search(page.locator("body").evaluate("body => body.outerHTML"))


def test_a_supply_with_a_hole_has_no_rubbish(visit, server):
    page = visit(VIEW)
    for state in ("ready", "disconnected", "a new one"):
        for missing in ("since", "reasons", "reason", "restore_micro", "wait_s"):
            name = state + missing
            server.show(dict(VIEW, meter=name, supply=dict(OFF, state=state, **{missing: None})))
            reads(page, "meter", name)
            assert not RUBBISH.search(page.locator("main").inner_text())
