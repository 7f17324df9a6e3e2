"""Remote assistance on the page: what is asked is shown, and the household's word goes through."""

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import VIEW, reads, show
from wattledger.tests.host.page_client import LABEL, Client, server_with_pin
from wattledger.tests.host.test_display_emergency import asked
from wattledger.tests.host.test_display_server import ask, press, requests

browsers = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")
ASKED = dict(VIEW, assist={"scope": "live", "until": VIEW["time"] + 3600, "state": "asked"})
ON = dict(VIEW, assist={"scope": "display", "until": VIEW["time"] + 3600, "state": "on"})


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


def test_yes_and_no_reach_the_agent(server):
    for word in ("yes", "no"):
        assert press(server, "/assist/" + word)[0] == 200
    assert requests(server) == [("assist", True), ("assist", False)]


def test_nothing_else_says_anything(server):
    assert press(server, "/assist/maybe")[0] == 404
    assert press(server, "/assist/")[0] == 404
    assert ask(server, "/assist/yes")[0] == 405
    assert ask(server, "/assist/yes", "POST")[0] == 403
    assert requests(server) == []


@browsers
def test_a_request_is_shown_with_what_and_until_when_and_is_allowed(visit, server):
    page = visit(ASKED)
    text = page.locator("#assist-text").inner_text()
    assert text.startswith("Your utility asks to read what this meter measures until ")
    page.click("#assist-yes")
    assert asked(server, page, 0.5) == ["assist"]


def test_it_needs_no_javascript():
    server = server_with_pin()
    try:
        server.show(ASKED)
        client = Client(server.port)
        assert client.sign_in(LABEL) == 200
        page = client.get("/plain")[2]
        assert "asks to read what this meter measures" in page
        assert 'href="/form/assist-yes?plain=en"' in page
        assert client.form("/assist/yes")[0] == 200
        assert server.request() == ("assist", True)
        server.show(ON)
        page = client.get("/plain")[2]
        assert "/form/assist-yes" not in page and "may read what this display shows" in page
        assert client.form("/assist/no")[0] == 200
        assert server.request() == ("assist", False)
    finally:
        server.stop()


def test_who_has_no_pin_says_nothing():
    server = server_with_pin()
    try:
        server.show(ASKED)
        client = Client(server.port)
        assert client.form("/assist/yes")[0] == 403
        assert client.post("/assist/yes")[0] == 401
        assert client.get("/form/assist-yes")[0] == 403
        assert server.request() is None
    finally:
        server.stop()


@browsers
def test_one_that_is_on_can_be_ended_and_is_gone_then(visit, server):
    page = visit(ON)
    assert "may read what this display shows" in page.locator("#assist-text").inner_text()
    assert not page.locator("#assist-yes").is_visible()
    reads(page, "assist-no", "End it now")
    page.click("#assist-no")
    assert asked(server, page, 0.5) == ["assist"]
    show(server, page, dict(VIEW, assist=None))
    page.locator("#assist").wait_for(state="hidden")
