"""Tokens on the page: the field, what became of one, and the time that tokens paid for."""

import re

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import CONNECTED, OFF, VIEW, reads

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

TOKEN = {
    "typed": "",
    "busy": False,
    "result": None,
    "name": None,
    "detail": "",
    "wait_s": 0,
    "digits": 20,
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


def test_digits_go_to_the_meter_without_blanks_and_once(visit, server):
    page = visit(dict(VIEW, token=TOKEN))
    page.fill("#token-digits", "1234 5678 9012 3456-7890")
    page.press("#token-digits", "Enter")
    bench.expect(page.locator("#token-digits")).to_have_value("")
    assert server.request() == ("token", "12345678901234567890")
    assert server.request() is None


def test_digits_stand_in_fours_and_are_counted(visit, server):
    page = visit(dict(VIEW, token=TOKEN))
    page.focus("#token-digits")
    page.keyboard.type("1234567")
    assert page.input_value("#token-digits") == "1234 567"
    reads(page, "token-count", "7 of 20")
    page.keyboard.press("Home")
    page.keyboard.type("9")  # in the middle, where the caret stays
    assert page.input_value("#token-digits") == "9123 4567"
    assert page.evaluate("document.activeElement.selectionStart") == 1
    server.show(dict(VIEW, token=dict(TOKEN, digits=None)))
    reads(page, "token-count", "8")


def test_the_keys_of_the_screen_type_erase_and_enter(visit, server):
    page = visit(dict(VIEW, token=TOKEN))
    assert page.locator("#token-keys").is_hidden()
    page.click("#token-open")
    for key in ("1", "2", "3", "4", "5", "erase", "0"):
        page.click("[data-key='%s']" % key)
    assert page.input_value("#token-digits") == "1234 0"
    page.click("[data-key=enter]")
    bench.expect(page.locator("#token-digits")).to_have_value("")
    assert server.request() == ("token", "12340")


def test_a_finger_finds_the_keys_open(visit):
    page = visit(dict(VIEW, token=TOKEN), size=(390, 844), has_touch=True, is_mobile=True)
    assert page.locator("#token-keys").is_visible()
    assert page.locator("#token-digits").get_attribute("inputmode") == "none"
    for key in page.locator("#token-keys button").all():
        assert key.bounding_box()["height"] >= 44


def test_digits_that_nobody_goes_on_with_are_cleared_after_20_s(browser, server):
    server.show(dict(VIEW, token=TOKEN))
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.clock.install()
    page.goto(server.url)
    page.fill("#token-digits", "1234")
    page.clock.fast_forward(15_000)
    assert page.input_value("#token-digits") == "1234"
    page.focus("#token-digits")
    page.keyboard.press("End")
    page.keyboard.type("5")  # and a key begins the time anew
    page.clock.fast_forward(15_000)
    assert page.input_value("#token-digits") == "1234 5"
    page.clock.fast_forward(6_000)
    assert page.input_value("#token-digits") == ""
    reads(page, "token-said", "Cleared: no key for 20 s")
    context.close()


def test_a_lock_out_counts_down_between_two_views(browser, server):
    server.show(dict(VIEW, token=dict(TOKEN, result=15, wait_s=40)))
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.clock.install()
    page.goto(server.url)
    reads(page, "token-said", "Too many wrong tokens – wait 40 s")
    page.clock.run_for(5000)
    bench.expect(page.locator("#token-said")).to_have_text(re.compile("wait 3[45] s"))
    context.close()


def test_what_became_of_it_in_both_languages(visit, server):
    page = visit(dict(VIEW, token=TOKEN))
    said = page.locator("#token-said")
    for changes, words, good in (
        ({"busy": True}, "One moment…", ""),
        ({"result": 1}, "Accepted", "true"),
        ({"result": 10}, "This token was used before", "false"),
        ({"result": 15, "wait_s": 20}, "Too many wrong tokens – wait 20 s", "false"),
    ):
        server.show(dict(VIEW, token=dict(TOKEN, **changes)))
        reads(page, "token-said", words)
        assert said.get_attribute("data-good") == good
    page.click("#language")
    reads(page, "token-said", "错误次数过多，请等待 20 秒")


def test_a_meter_without_tokens_has_no_field(visit):
    page = visit(dict(VIEW, token=None))
    assert page.locator("#token-card").is_hidden()
    assert page.locator("#supply-time").is_hidden()


def test_paid_time_is_shown_and_its_end_is_no_matter_of_credit(visit, server):
    page = visit(dict(VIEW, supply=dict(CONNECTED, time_left_s=90_000)))
    reads(page, "supply-time", "Time left: 1 d 1 h")
    server.show(dict(VIEW, supply=dict(CONNECTED, time_left_s=290, cut_in_s=300)))
    reads(page, "supply-time", "Time left: 4 min")
    reads(
        page,
        "notices",
        "The supply goes off in about 5 min, when the paid time is up – enter a token now",
    )
    server.show(dict(VIEW, supply=dict(CONNECTED, time_left_s=9000, cut_in_s=300)))
    reads(page, "notices", "The supply goes off in about 5 min at present use – top up now")
    cut = dict(OFF, reasons=["time is up"], reason="time is up", restore_micro=0, time_left_s=0)
    server.show(dict(VIEW, supply=cut))
    reads(page, "supply-reason", "Because: paid time is up")
    reads(page, "supply-time", "No time left: enter a token")
    page.click("#language")
    reads(page, "supply-time", "时间已用完，请输入代码")
