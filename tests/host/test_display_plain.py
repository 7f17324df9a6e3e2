"""The page without JavaScript: the same numbers, and forms for a token and for reconnecting."""

import json
import time

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.hal.display import page_server_linux, privacy
from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import OWED, READY, VIEW
from wattledger.tests.host.page_client import LABEL, Client, server_with_pin

browsers = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")
TOKEN = {"typed": "", "busy": False, "result": None, "name": None, "detail": "", "wait_s": 0}
CUT = dict(OWED, emergency={"offered": True, "accepted": False, "limit_micro": 10000000})
LONG = dict(
    VIEW,
    supply=dict(READY, time_left_s=90000),
    days_left=1,
    zone="low2",
    power_mw=-2345678,
    cost_per_hour_micro=-123456,
    trust="restored",
    alarms=["tamper", "relay"],
    quality="stale",
    friendly={"now": True, "until": VIEW["time"] + 7200},
    debt={"owed_micro": 12345678, "per_day_micro": 1000000, "share": 25, "cap_micro": None},
    messages=[{"time": VIEW["time"], "text": "Works on <Tuesday> & after"}],
    rate=dict(VIEW["rate"], band="Early <bird>", blocks=1, block_left_wh=None),
)
SOON = dict(VIEW, supply=dict(VIEW["supply"], cut_in_s=290, remote_in_s=660), days_left=0)
IN_USE = dict(VIEW["emergency"], accepted=True, state="in use", left_micro=7999999, owed_micro=1)
LAST = dict(SOON, days_level="today", ends_at=VIEW["time"] + 7200, emergency=IN_USE)
REMOTE = dict(OWED["supply"], reasons=["remote"], reason="remote", topup_micro=0, restore_micro=0)
OFF = dict(VIEW, supply=REMOTE)
VIEWS = {"last": LAST, "off": OFF, "on": VIEW, "cut": CUT, "ready": LONG, "soon": SOON}
SAME = (
    *("balance-amount", "balance-low", "supply-state", "supply-reason", "supply-time"),
    *("power-now", "power-level", "power-cost", "rate-price", "rate-band", "rate-next"),
    *("today-days", "emergency-text", "supply-todo"),
)


@pytest.fixture(scope="module")
def browser():
    with bench.launched_browser() as browser:
        yield browser


@pytest.fixture
def server():
    with bench.running_server() as server:
        yield server


def open_plain(page, server):
    """The address of the page, in a browser without JavaScript."""
    page.goto(server.url)
    page.wait_for_url("**/plain", wait_until="load")


def visible_lines(page):
    """The lines of the plain numbers as a person sees them."""
    return [line.strip() for line in page.locator(".plain").inner_text().split("\n") if line]


@browsers
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_number_is_that_of_the_page_with_javascript(browser, server, name, locale):
    server.show(VIEWS[name])
    scripted = browser.new_context(locale=locale).new_page()
    scripted.goto(server.url)
    bench.expect(scripted.locator("#fresh")).to_have_attribute("data-state", "live")
    plain = browser.new_context(locale=locale, java_script_enabled=False).new_page()
    open_plain(plain, server)
    lines = visible_lines(plain)
    for element in SAME:
        if scripted.locator("#" + element).is_visible():
            text = scripted.locator("#" + element).inner_text().strip()
            # The hint behind "about 1 day left" is a range, which the plain page leaves out.
            assert not text or text in lines, (element, text, lines)
    for text in scripted.locator("#notices li").all_inner_texts():
        assert text in lines
    assert plain.locator("main:not(.plain)").is_hidden()
    assert not plain.locator("#hold").is_visible()
    for context in browser.contexts:
        context.close()


@browsers
def test_names_and_messages_cannot_write_html(browser, server):
    server.show(LONG)
    text = Client(server.port).get("/plain")[2]
    assert "Early &lt;bird&gt;" in text and "Works on &lt;Tuesday&gt; &amp; after" in text
    assert "<bird>" not in text and "<Tuesday>" not in text


def test_the_language_is_the_browsers_or_the_one_asked_for(server):
    client = Client(server.port)
    for wanted, title in (
        ({}, "Balance"),
        ({"Accept_Language": "zh-TW,zh;q=0.9,en;q=0.8"}, "剩余金额"),
        ({"Accept_Language": "fr-FR, zh-CN;q=0.5"}, "剩余金额"),
        ({"Accept_Language": "fr"}, "Balance"),
    ):
        assert "<h2>%s</h2>" % title in client.get("/plain", **wanted)[2]
    assert "<h2>剩余金额</h2>" in client.get("/plain?lang=zh", Accept_Language="en")[2]
    assert "<h2>Balance</h2>" in client.get("/plain?lang=xx")[2]


def test_a_meter_that_knows_nothing_yet_has_a_page(server):
    text = Client(server.port).get("/plain")[2]
    assert text.count('<p class="big">–</p>') == 4


@browsers
def test_a_cut_supply_is_closed_without_javascript(browser, monkeypatch):
    now = [100]
    monkeypatch.setattr(page_server_linux, "whole_seconds", lambda: now[0])
    server = server_with_pin(shown=privacy.HOME)
    page = browser.new_context(locale="en-GB", java_script_enabled=False).new_page()
    try:
        server.show(dict(VIEW, supply=READY, token=TOKEN))
        open_plain(page, server)
        assert "READY" in visible_lines(page)
        page.click('a[href^="/form/reconnect"]')
        assert "Sign in with the PIN first" in page.inner_text("main")
        page.fill("input[name=pin]", "00000000")
        page.click("button")
        assert "That is not the PIN" in page.inner_text("main")
        page.fill("input[name=pin]", LABEL)
        page.click("button")
        assert page.url == server.url + "plain?plain=en"
        assert "The PIN on the label is still in force: change it" in visible_lines(page)

        page.click('a[href^="/form/reconnect"]')
        assert "First make sure nothing dangerous is switched on" in page.inner_text("main")
        now[0] += 2
        page.click("button")
        assert "Wait three seconds before you confirm" in page.inner_text("main")
        assert server.request() is None
        now[0] += 3
        page.click("button")
        assert "Sent to the meter" in page.inner_text("main")
        began = time.monotonic()
        seen = []
        while seen[-1:] != ["release"]:
            request = server.request()
            if request:
                seen.append(request[0])
                last = time.monotonic()
            assert time.monotonic() - began < 10
            time.sleep(0.05)
        assert seen[:-1] == ["press"] * (len(seen) - 1)
        assert last - began > 3  # the hold that the meter counts for itself

        open_plain(page, server)
        page.click('a[href^="/form/token"]')
        page.fill("input[name=token]", "1234 5678 9012 3456 7890")
        page.click("button")
        assert server.request() == ("token", "12345678901234567890")
        server.show(dict(VIEW, token=dict(TOKEN, result=10)))
        open_plain(page, server)
        assert "This token was used before" in visible_lines(page)
    finally:
        page.context.close()
        server.stop()


@pytest.fixture
def forms():
    server = server_with_pin(shown=privacy.HOME)
    client = Client(server.port)
    yield server, client
    server.stop()


def test_forms_of_who_has_not_signed_in_ask_nothing(forms):
    server, client = forms
    for path, fields in (("/token", {"token": "1234"}), ("/accept", {}), ("/press", {"at": "1"})):
        status, _, text = client.form(path, **fields)
        assert status == 403 and "Sign in with the PIN first" in text
    assert server.request() is None


def test_a_form_from_another_site_is_refused(forms):
    server, client = forms
    client.sign_in()
    for origin in ("http://evil.example", "null"):
        status, _, words = client.ask(
            "POST",
            "/token",
            "token=1234",
            Origin=origin,
            Content_Type="application/x-www-form-urlencoded",
        )
        assert status == 403 and "another page" in words
    assert server.request() is None


@pytest.mark.parametrize("at", ["", "x", "-5", "99999999999999", "0", "１"])
def test_a_hold_that_was_not_read_first_closes_nothing(forms, at):
    server, client = forms
    client.sign_in()
    status, _, text = client.form("/press", at=at)
    assert status == 400 and "Wait three seconds before you confirm" in text
    assert server.request() is None


def test_forms_change_the_pin_and_sign_out(forms):
    _, client = forms
    client.sign_in()
    assert client.form("/pin", old=LABEL, new="12")[0] == 400
    status, _, text = client.form("/pin", old=LABEL, new="90210900")
    assert status == 200 and "The PIN is changed" in text
    status, headers, _ = client.form("/session", pin="90210900")
    assert (status, headers["Location"]) == (303, "/")
    assert json.loads(client.get("/session")[2])["signed_in"] is True
    status, headers, _ = client.form("/session/end")
    assert (status, headers["Location"]) == (303, "/")
    assert json.loads(client.get("/session")[2])["signed_in"] is False


def test_a_lock_out_is_told_on_the_form(forms):
    _, client = forms
    for _ in range(3):
        status, _, text = client.form("/session", pin="00000000")
    assert status == 429 and "Too many wrong entries: wait 10 s" in text


def test_emergency_credit_by_a_form(forms):
    server, client = forms
    client.sign_in()
    assert "Take the emergency credit" in client.get("/form/emergency")[2]
    assert client.form("/accept")[0] == 200
    assert server.request() == ("accept",)


@pytest.mark.parametrize("name", ["session", "pin", "leave", "token", "emergency", "reconnect"])
def test_every_form_loads_nothing_but_our_own_styles(forms, name):
    _, client = forms
    client.sign_in()
    status, headers, text = client.get("/form/" + name)
    assert status == 200 and "<form" in text
    assert "script" not in text and "style=" not in text
    assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_there_is_no_other_form(forms):
    assert forms[1].get("/form/other")[0] == 404
