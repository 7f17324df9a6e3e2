"""The page in a real browser over time: chart, silence, speech, and every size of panel."""

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.hal.display.app import build_app
from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import NINE, OWED, READY, VIEW, reads, show

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

SIZES = [(320, 240), (480, 320), (800, 480), (390, 844)]


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


def test_the_chart_grows_and_describes_itself(visit, server):
    page = visit(VIEW)
    assert page.locator("#chart path").count() == 0
    show(server, page, dict(VIEW, time=NINE + 60, power_mw=640000))
    page.wait_for_timeout(1100)
    show(server, page, dict(VIEW, time=NINE + 120, power_mw=150000))
    chart = page.locator("#chart")
    assert chart.get_attribute("role") == "img"
    assert chart.get_attribute("aria-label") == (
        "Chart of power over the last 2 min: now 150 W, highest 1.24 kW, lowest 150 W"
    )
    reads(page, "chart-title", "Power, last 2 min")
    assert page.locator("#chart .line").get_attribute("d").count("L") == 2


def test_one_live_region_tells_the_balance_and_what_becomes_of_the_supply(visit, server):
    page = visit(VIEW)
    names = page.locator("[aria-live]").evaluate_all("all => all.map(one => one.id)")
    assert names == ["say"]
    reads(page, "say", "Balance ¥23.41")
    show(server, page, dict(VIEW, time=NINE + 60, available_micro=23000000))
    reads(page, "say", "Balance ¥23.41")  # once a minute at most
    show(server, page, dict(OWED, time=NINE + 120))
    words = "Supply OFF. Because: credit used up, switched off by the utility You owe ¥4.20"
    reads(page, "say", words)


def test_silence_is_told_after_15_s_and_forgotten_when_the_meter_is_back(browser, server):
    server.show(VIEW)
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.clock.install()
    page.goto(server.url)
    reads(page, "fresh-text", "Live")
    server.stop()
    page.clock.fast_forward(8000)
    reads(page, "fresh-text", "Updated 8 s ago")
    assert page.locator("#offline").is_hidden()
    page.clock.fast_forward(8000)
    bench.expect(page.locator("#offline")).to_be_visible()
    assert "no news from the meter for 16 s" in page.locator("#offline").text_content()
    server.start()
    bench.expect(page.locator("#offline")).to_be_hidden(timeout=20_000)
    reads(page, "fresh-text", "Live")
    context.close()


def test_a_display_without_a_place_in_the_stream_looks_now_and_then(browser, server):
    server._app = build_app(server, ["127.0.0.1"], viewers_max=0)
    server.show(VIEW)
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(server.url)
    reads(page, "balance-amount", "¥23.41")
    context.close()


@pytest.mark.parametrize("locale, scheme", [("en-GB", "light"), ("zh-CN", "dark")])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "%dx%d" % size)
def test_balance_and_supply_fit_every_size(visit, server, size, scheme, locale):
    page = visit(VIEW, size=size, locale=locale, color_scheme=scheme)
    views = [
        VIEW,
        dict(VIEW, zone="low2", supply=READY),
        OWED,
        dict(OWED, available_micro=-123456789, alarms=["x" * 60]),
    ]
    for n, view in enumerate(views):
        show(server, page, dict(view, time=NINE + 60 * (n + 1)))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wanted = ["simulated", "balance-amount", "supply-state", "supply-reason"]
        if view["supply"] is READY:
            wanted.append("hold")
        for name in wanted:
            box = page.locator("#" + name).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= size[0], name
            assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], name
