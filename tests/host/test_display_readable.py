"""For every eye and every screen: dark and light, large print, high contrast, silence and a clock
that is not set; no state has a serious finding of axe-core or a scroll to the side.
"""

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import CONNECTED, NINE, OWED, READY, VIEW, reads
from wattledger.tests.host.test_display_story import WIDTHS, grave

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

TOKEN = {"typed": "", "busy": False, "result": 13, "detail": "", "wait_s": 40, "digits": 20}
OFFER = dict(VIEW["emergency"], offered=True, state="available", left_micro=10000000)
EVERYTHING = dict(
    VIEW,
    zone="low2",
    available_micro=2000000,
    days_left=1,
    days_level="today",
    ends_at=NINE + 36000,
    emergency=OFFER,
    token=TOKEN,
    supply=dict(CONNECTED, cut_in_s=300, keep_power_s=7200, remote_in_s=600),
    debt={"owed_micro": 42500001, "per_day_micro": 500000, "share": 30, "cap_micro": 0},
    pending={"id": "demo", "n": 2, "from": NINE + 86400},
    messages=[{"time": NINE, "text": "M" * 160}],
    alarms=["ledger", "storage", "meter", "relay", "tamper"],
    quality="stale",
    link=False,
    trust="unknown",
)
STATES = {
    "on": VIEW,
    "everything": EVERYTHING,
    "off": dict(OWED, token=TOKEN),
    "ready": dict(VIEW, supply=READY),
    "untariffed": dict(VIEW, zone="untariffed", rate=None, next=None, tariff=None, currency=None),
}


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


def fits(page, width):
    page.set_viewport_size({"width": width, "height": 700})
    return page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_state_has_a_serious_finding_or_a_scroll_to_the_side(visit, server, scheme):
    locale = {"light": "en-GB", "dark": "zh-CN"}[scheme]
    page = visit(VIEW, size=(320, 568), color_scheme=scheme, locale=locale)
    for number, (name, view) in enumerate(STATES.items(), 1):
        bench.show(server, page, dict(view, time=NINE + 60 * number))
        assert [width for width in WIDTHS if not fits(page, width)] == [], name
        assert grave(page) == [], name


def test_the_price_stays_on_the_first_screen_below_no_notice_but_an_alarm(visit, server):
    page = visit(dict(VIEW, trust="unknown", link=False, debt=EVERYTHING["debt"]), size=(320, 568))
    for name in ("balance-amount", "today-days", "supply-state", "rate-price", "rate-change"):
        box = page.locator("#" + name).bounding_box()
        assert box["y"] + box["height"] <= 568, name
    bench.show(server, page, dict(VIEW, time=NINE + 60, alarms=["relay"]))
    first = [page.locator("#" + name).bounding_box()["y"] for name in ("notices", "rate")]
    assert first == sorted(first)


def test_large_print_and_high_contrast_fit_a_telephone(visit):
    page = visit(EVERYTHING, size=(320, 568), color_scheme="dark")
    page.click("#text-size")
    page.click("#text-size")
    page.click("#contrast")
    assert [width for width in WIDTHS if not fits(page, width)] == []
    page.set_viewport_size({"width": 320, "height": 568})
    assert grave(page) == []


def test_colour_is_never_alone(visit, server):
    page = visit(VIEW)
    words = []
    for level in ("low", "mid", "high"):
        server.show(dict(VIEW, power_level=level))
        bench.expect(page.locator("#gauge")).to_have_attribute("data-level", level)
        words.append(page.locator("#power-level").text_content())
    assert len(set(words)) == 3
    shapes = []
    for level, shape in (("good", "circle"), ("soon", "path.soon"), ("today", "path.late")):
        server.show(dict(VIEW, days_left=2, days_level=level, ends_at=NINE + 7200))
        bench.expect(page.locator("#days")).to_have_attribute("data-level", level)
        drawn = page.locator("#days .level > *").evaluate_all(
            "all => all.filter(one => getComputedStyle(one).display !== 'none').length"
        )
        assert drawn == 1 and page.locator("#days " + shape).is_visible()
        shapes.append(shape)
    assert len(set(shapes)) == 3


def test_everything_a_person_does_is_done_by_keyboard(visit, server):
    page = visit(dict(EVERYTHING, supply=READY), size=(480, 800))
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    wanted = {"text-size", "contrast", "language", "mute", "emergency-take", "hold", "unread"}
    wanted |= {"token-digits", "token-open", "mark", "SUMMARY"}
    assert wanted <= reached
    page.focus("#token-open")
    page.keyboard.press("Enter")
    page.focus("[data-key='7']")
    page.keyboard.press("Enter")
    assert page.input_value("#token-digits") == "7"


def test_nothing_moves_for_who_asked_for_no_motion(visit):
    page = visit(dict(VIEW, zone="low1"), reduced_motion="reduce")
    style = "e => getComputedStyle(e, '::before').animationName"
    assert page.locator("#balance-low").evaluate(style) == "none"
    moving = visit(dict(VIEW, zone="low1"))
    assert moving.locator("#balance-low").evaluate(style) == "calls"


def test_an_offline_page_says_so_at_every_width(browser, server):
    server.show(dict(VIEW, trust="unknown"))
    context = browser.new_context(locale="zh-CN", viewport={"width": 320, "height": 568})
    page = context.new_page()
    page.clock.install()
    page.goto(server.url)
    reads(page, "fresh-text", "实时")
    reads(page, "clock", "09:00")
    assert page.locator("#clock").evaluate("e => getComputedStyle(e, '::after').content") == '" ?"'
    server.stop()
    page.clock.fast_forward(100_000)
    bench.expect(page.locator("#offline")).to_be_visible()
    assert [width for width in WIDTHS if not fits(page, width)] == []
    assert grave(page) == []
    context.close()


def test_dates_follow_the_browser_and_money_does_not(visit):
    for locale, words in (
        ("en-GB", "11 Jan, 09:00"),
        ("en-US", "Jan 11, 09:00"),
        ("zh-CN", "1月11日 09:00"),
    ):
        page = visit(VIEW, locale=locale)
        assert page.locator("#purchases li > span").first.text_content() == words
        assert page.locator("#purchases b").text_content() == "¥50.00"
