"""A browser at a page server, for tests: views by hand, and visits in which nothing goes wrong."""

import shutil
import time
from contextlib import contextmanager

from playwright.sync_api import expect, sync_playwright

from wattledger.hal.display.page_server_linux import PageServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NINE = 1799704800 + 3 * 3600  # 2027-01-12 09:00 at +8 h
CONNECTED = {
    "state": "connected",
    "reasons": [],
    "reason": None,
    "since": NINE - 7200,
    "restore_micro": 0,
    "topup_micro": 0,
    "accrued_micro": 0,
    "cut_in_s": None,
    "keep_power_s": 0,
    "time_left_s": None,
    "load_limit_w": 0,
    "hold_ms": 0,
    "wait_s": 0,
    "closes": "person",
    "closes_in_s": None,
}
READY = dict(CONNECTED, state="ready", since=NINE - 300)
OFF = dict(
    READY,
    state="disconnected",
    reasons=["remote", "no credit"],
    reason="no credit",
    restore_micro=5200001,
    topup_micro=5200001,
    wait_s=42,
)
VIEW = {
    "meter": "demo-0001",
    "simulated": True,
    "time": NINE,
    "trust": "synced",
    "utc_offset_s": 28800,
    "currency": "CNY",
    "power_mw": 1243210,
    "power_level": "mid",
    "voltage_mv": 230140,
    "current_ma": 5480,
    "frequency_mhz": 50012,
    "power_factor": 986,
    "quality": "ok",
    "sample_age_ms": 40,
    "import_wh": 1204567,
    "export_wh": 0,
    "balance_micro": 23456789,
    "available_micro": 23411999,
    "credit_wh": 37761,
    "zone": "normal",
    "low_micro": [20000000, 5000000],
    "cost_per_hour_micro": 770790,
    "today_wh": 3420,
    "today_micro": 1893210,
    "rate": {
        "band": "peak",
        "block": 1,
        "blocks": 3,
        "price_micro": 620000,
        "block_left_wh": 1195433,
        "fallback": False,
    },
    "next": {"time": NINE + 8040, "band": "valley", "price_micro": 340050},
    "supply": CONNECTED,
    "emergency": {
        "offered": False,
        "accepted": False,
        "limit_micro": 10000000,
        "state": "none",
        "left_micro": 0,
        "owed_micro": 0,
    },
    "debt": None,
    "friendly": {"now": False, "until": None},
    "link": True,
    "days_left": None,
    "days_level": None,
    "ends_at": None,
    "days_range": None,
    "cycle_cost_micro": None,
    "cycle_cost_range": None,
    "purchases": [
        {
            "time": NINE - 86400,
            "amount_micro": 50000000,
            "n": 12,
            "source": "remote",
            "result": 1,
        }
    ],
    "messages": [],
    "tariff": {"id": "demo", "n": 1},
    "pending": None,
    "recorded_until": NINE,
    "alarms": [],
}
OWED = dict(
    VIEW,
    available_micro=-4200000,
    zone="zero",
    credit_wh=0,
    power_mw=0,
    power_level="none",
    cost_per_hour_micro=0,
    link=False,
    trust="unknown",
    supply=OFF,
)


@contextmanager
def launched_browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@contextmanager
def running_server():
    server = PageServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def visits(browser, server):
    """visit(view, size, **context) opens the page with that view; at the end, no page may have
    written to its console or raised an error."""
    contexts = []
    problems = []

    def visit(view, size=(800, 480), locale="en-GB", **options):
        server.show(view)
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, locale=locale, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.url)
        expect(page.locator("#fresh")).to_have_attribute("data-state", "live")
        return page

    try:
        yield visit
    finally:
        for context in contexts:
            context.close()
    assert problems == []


def show(server, page, view):
    """Show `view` and wait until the page has it (its minute must differ from the one before)."""
    server.show(view)
    clock = time.gmtime(view["time"] + view["utc_offset_s"])
    reads(page, "clock", time.strftime("%H:%M", clock))


def reads(page, name, text):
    """Wait until the element with that id has exactly this text."""
    expect(page.locator("#" + name)).to_have_text(text)
