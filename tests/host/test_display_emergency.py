"""Emergency credit and warnings on the page, in a real browser."""

import time

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import CONNECTED, NINE, OFF, READY, VIEW, reads, show

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

OFFER = {"offered": True, "accepted": False, "limit_micro": 10000000}
LOW = dict(VIEW, available_micro=3120000, zone="low2", emergency=OFFER)


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


def asked(server, page, seconds=1.0):
    """What the agent is asked for during `seconds`."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        page.wait_for_timeout(50)
        while request := server.request():
            found.append(request[0])
    return found


def test_the_offer_is_taken_with_a_second_tap(visit, server):
    page = visit(LOW)
    reads(page, "emergency-take", "Take emergency credit")
    page.click("#emergency-take")
    reads(page, "emergency-take", "Tap again to take ¥10.00")
    assert asked(server, page, 0.5) == []
    page.click("#emergency-take")
    assert asked(server, page) == ["accept"]


def test_one_tap_is_forgotten(visit, server):
    page = visit(LOW)
    page.click("#emergency-take")
    reads(page, "emergency-take", "Tap again to take ¥10.00")
    page.wait_for_timeout(8200)
    reads(page, "emergency-take", "Take emergency credit")
    assert asked(server, page, 0.2) == []


def test_an_offer_that_ends_takes_its_question_back(visit, server):
    page = visit(LOW)
    page.click("#emergency-take")
    show(server, page, dict(VIEW, time=NINE + 60))
    assert page.locator("#emergency").is_hidden()
    show(server, page, dict(LOW, time=NINE + 120))
    reads(page, "emergency-take", "Take emergency credit")


def test_taken_it_says_so_and_offers_no_button(visit):
    view = dict(
        VIEW, available_micro=-2000000, zone="emergency", emergency=dict(OFFER, offered=False)
    )
    view["emergency"]["accepted"] = True
    page = visit(view)
    reads(
        page,
        "emergency-text",
        "Emergency credit of ¥10.00 is in use; your next top-up pays it back",
    )
    assert page.locator("#emergency-take").is_hidden()
    reads(page, "balance-low", "You are using emergency credit – top up soon")


def test_in_use_it_says_what_is_left_and_what_is_paid_back(visit, server):
    credit = dict(OFFER, offered=False, accepted=True, state="in use")
    credit.update(left_micro=7999999, owed_micro=2000001)
    page = visit(dict(VIEW, available_micro=-2000001, zone="emergency", emergency=credit))
    reads(
        page,
        "emergency-text",
        "Emergency credit in use, ¥7.99 of ¥10.00 left – top up soon; ¥2.01 is paid back first",
    )
    assert page.locator("#low").is_hidden()
    server.show(dict(VIEW, emergency=dict(credit, state="used", left_micro=0)))
    reads(page, "emergency-text", "The emergency credit of ¥10.00 is used up")


def notices(page):
    return page.locator("#notices li").all_text_contents()


def test_the_coming_cut_keep_power_and_debt_are_told(visit):
    supply = dict(CONNECTED, cut_in_s=329, keep_power_s=7200)
    page = visit(
        dict(
            LOW,
            supply=supply,
            debt={"owed_micro": 42500001, "per_day_micro": 500000, "share": 30, "cap_micro": 0},
        )
    )
    assert notices(page) == [
        "The supply goes off in about 5 min at present use – top up now",
        "The supply stays on without credit for another 2 h",
        "Debt ¥42.51, paid off by ¥0.50 a day and 30 % of each top-up",
    ]


def test_a_cut_that_is_far_is_not_told(visit):
    assert notices(visit(dict(LOW, supply=dict(CONNECTED, cut_in_s=1500)))) == []


def test_what_the_protected_period_used_is_told_with_the_reason(visit):
    supply = dict(OFF, reasons=["no credit"], accrued_micro=1700000)
    page = visit(dict(VIEW, supply=supply))
    reads(page, "supply-reason", "Because: credit used up")
    reads(page, "supply-todo", "Top up at least ¥5.21 to get the supply back")
    reads(page, "supply-accrued", "¥1.70 of it was used in the protected period")


def test_a_closing_without_a_person_is_told(visit):
    page = visit(dict(VIEW, supply=dict(READY, closes="meter", closes_in_s=240)))
    reads(page, "hold-hint", "Comes back by itself in about 4 min; hold to switch on sooner")


def test_every_word_has_room_on_the_smallest_panel(visit):
    for size in ((320, 240), (390, 844), (800, 480)):
        page = visit(dict(LOW, supply=OFF), size=size)
        box = page.locator("#emergency-take").bounding_box()
        assert box["height"] >= 44
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
