"""The reconnect button in a real browser: mouse, finger and keyboard, held and let go."""

import time

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import NINE, OFF, READY, VIEW, reads, show

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


def held(server, page, seconds):
    """Everything the agent is asked for during `seconds`."""
    asked = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.wait_for_timeout(50)
        while request := server.request():
            asked.append(request[0])
    return asked


def test_holding_with_the_mouse_presses_and_then_releases(visit, server):
    page = visit(dict(VIEW, supply=READY))
    box = page.locator("#hold").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    asked = held(server, page, 1.5)
    assert set(asked) == {"press"}
    assert 3 <= len(asked) <= 5  # at 0, 400, 800 and 1200 ms
    reads(page, "hold-label", "Keep holding…")
    page.mouse.move(5, 5)  # a hand that slips off the button still holds
    assert "release" not in held(server, page, 0.3)
    page.mouse.up()
    asked = held(server, page, 0.9)
    assert asked.count("release") == 1 and asked[-1] == "release"


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_holding_a_key_presses_and_then_releases(visit, server, key):
    page = visit(dict(VIEW, supply=READY))
    page.focus("#hold")
    page.keyboard.down(key)
    page.keyboard.down(key)  # as a keyboard repeats
    asked = held(server, page, 0.9)
    assert set(asked) == {"press"} and 2 <= len(asked) <= 4
    page.keyboard.up(key)
    asked = held(server, page, 0.9)
    assert asked.count("release") == 1 and asked[-1] == "release"


def test_holding_with_a_finger_presses_and_then_releases(visit, server):
    page = visit(dict(VIEW, supply=READY), size=(390, 844), has_touch=True)
    box = page.locator("#hold").bounding_box()
    finger = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 30, "y": box["y"] + 15}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    asked = held(server, page, 0.9)
    assert set(asked) == {"press"} and len(asked) >= 2
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    asked = held(server, page, 0.9)
    assert asked.count("release") == 1 and asked[-1] == "release"


def test_the_hold_ends_when_the_supply_is_back(visit, server):
    page = visit(dict(VIEW, supply=READY))
    page.hover("#hold")
    page.mouse.down()
    held(server, page, 0.5)
    show(server, page, dict(VIEW, time=NINE + 60))
    asked = held(server, page, 0.9)
    assert asked[-1] == "release"
    assert page.locator("#reconnect").is_hidden()
    page.mouse.up()
    assert held(server, page, 0.5) == []


def test_the_button_shows_the_progress_the_meter_counts(visit):
    page = visit(dict(VIEW, supply=dict(READY, hold_ms=1500)))
    bar = page.locator("#hold-progress")
    assert bar.get_attribute("aria-valuenow") == "1500"
    page.wait_for_timeout(400)
    width = "e => e.getBoundingClientRect().width / e.parentElement.clientWidth"
    assert 0.49 < bar.evaluate(width) < 0.51


def test_the_button_works_only_when_ready_and_says_how_long_to_wait(visit, server):
    page = visit(dict(VIEW, supply=OFF))
    assert page.locator("#hold").is_disabled()
    page.locator("#hold").dispatch_event("pointerdown", {"button": 0, "pointerId": 1})
    assert held(server, page, 0.3) == []
    show(server, page, dict(VIEW, time=NINE + 60, supply=dict(READY, wait_s=42)))
    assert page.locator("#hold").is_enabled()
    reads(page, "hold-hint", "The relay needs a rest: closes in 42 s at the earliest")
