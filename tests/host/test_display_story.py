"""A prepaid household's days on a simulated meter, read in a browser in both languages: credit
runs low, emergency credit, the cut, a token on the keys of the screen, the button that is held.
"""

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")

from axe_playwright_python.sync_playwright import Axe

from wattledger.agent.supply import states
from wattledger.tests.both.houses_tokens import NOW_TID, token
from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_meter import LivingMeter, tariff

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

ASSETS = Path(__file__).parents[2] / "hal" / "display" / "assets"
PICTURES = os.environ.get("WATTLEDGER_PICTURES")
WIDTHS = (320, 480, 768, 1280)
HEIGHTS = {320: 568, 480: 800, 768: 1024, 1280: 800}
WAIT_MS = 15000


@pytest.fixture(scope="module")
def browser():
    with bench.launched_browser() as browser:
        yield browser


class Words:
    """What the page says in one language."""

    def __init__(self, language):
        path = ASSETS / "i18n" / f"{language}.json"
        self._table = json.loads(path.read_text(encoding="utf-8"))

    def __call__(self, key, **values):
        return self._table[key].format(**values)


class Reader:
    """A browser at a living meter, that looks for faults in everything it is shown."""

    def __init__(self, browser, meter, language, folder):
        self.language = language
        self.words = Words(language)
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        viewport = {"width": 320, "height": HEIGHTS[320]}
        self._context = browser.new_context(locale=locale, viewport=viewport)
        self.page = self._context.new_page()
        self.problems = []
        self._folder = folder
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(meter.url)
        bench.expect(self.page.locator("#fresh")).to_have_attribute("data-state", "live")

    def reads(self, name, text):
        bench.expect(self.page.locator("#" + name)).to_have_text(text, timeout=WAIT_MS)

    def says(self, name, key, **values):
        self.reads(name, self.words(key, **values))

    def is_state(self, state):
        place = self.page.locator("#supply")
        bench.expect(place).to_have_attribute("data-state", state, timeout=WAIT_MS)

    def look(self, name):
        """No scroll to the side at any width, nothing serious for axe; pictures of it all."""
        faults = []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                faults.append(f"{name}: {wide} px at {width}")
            if PICTURES:
                path = Path(PICTURES) / f"{name}-{self.language}-{width}.png"
                self.page.screenshot(path=path, full_page=width > 480)
        self.page.set_viewport_size({"width": 320, "height": HEIGHTS[320]})
        faults += grave(self.page)
        assert faults == []

    def in_first_screen(self, *names):
        """Each is in sight at 320 x 568 without scrolling."""
        for name in names:
            box = self.page.locator("#" + name).bounding_box()
            assert box and box["y"] + box["height"] <= HEIGHTS[320], (name, box)

    def close(self):
        self._context.close()
        assert self.problems == []


def grave(page):
    """The findings of axe-core that are serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        (one["id"], node["target"], node.get("failureSummary"))
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def yuan(micro):
    """Micro-units as the balance is shown: rounded down to cents."""
    cents = micro // 10_000
    text = "¥%s.%02d" % (format(abs(cents) // 100, ","), abs(cents) % 100)
    return "−" + text if cents < 0 else text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_credit_runs_low_ends_and_comes_back(browser, tmp_path, language):
    with LivingMeter(tmp_path / "meter", 10, tariff(), watts=2000) as meter:
        meter.ahead(60)
        reader = Reader(browser, meter, language, tmp_path)
        page = reader.page
        reader.is_state("connected")
        meter.lives = False
        reader.reads("balance-amount", yuan(meter.view()["available_micro"]))
        reader.says("power-level", "power.high")
        reader.says("rate-band", "band.valley")
        reader.says("today-days", "today.learning")
        reader.in_first_screen("balance-amount", "today-days", "rate-price", "rate-next")
        reader.look("on")

        # The first level: said, and quiet once it was seen.
        meter.until(lambda agent: agent.view.state()["zone"] == "low1")
        reader.says("balance-low", "zone.low1")
        page.click("#mute")
        bench.expect(page.locator("#mute")).to_be_hidden()
        reader.says("balance-low", "zone.low1")
        # The second speaks again, and offers emergency credit.
        meter.until(lambda agent: agent.view.state()["zone"] == "low2")
        reader.says("balance-low", "zone.low2")
        bench.expect(page.locator("#mute")).to_be_visible()
        reader.says("emergency-text", "emergency.offer", amount="¥5.00")
        reader.in_first_screen("balance-amount", "emergency-take", "supply-state", "rate-price")
        reader.look("low")
        page.click("#emergency-take")
        page.click("#emergency-take")
        reader.says("emergency-text", "emergency.taken", amount="¥5.00")

        # In use: what is left of it, and what the next top-up pays first.
        meter.until(lambda agent: agent.keeper.available < -(10**9))
        view = meter.view()
        assert view["emergency"]["state"] == "in use"
        owed = -view["available_micro"]
        left = yuan(view["emergency"]["left_micro"])
        reader.says(
            "emergency-text",
            "emergency.left",
            left=left,
            amount="¥5.00",
            owed=yuan(-(-owed // 10_000) * 10_000),
        )
        reader.says("balance-owed", "balance.owed")
        reader.look("emergency")

        # Five minutes before, then the cut: why, and what to do.
        meter.until(
            lambda agent: agent.control.credit.left_s and agent.control.credit.left_s < 310
        )
        bench.expect(page.locator("#notices li.bad")).to_have_count(1)
        meter.until(lambda agent: agent.supply.state == states.DISCONNECTED, step=1)
        meter.ahead(2, step=1)
        reader.is_state("disconnected")
        reader.says("supply-reason", "supply.because", reasons=reader.words("reason.no_credit"))
        needed = meter.view()["supply"]["topup_micro"]
        # To 1.00 above a floor of -5.00, at which the supply went.
        assert needed == -5_000_000 + 1_000_000 - meter.view()["available_micro"] > 0
        reader.says("supply-todo", "supply.topup", amount=yuan(-(-needed // 10_000) * 10_000))
        reader.reads("power-now", "0 W")
        reader.in_first_screen("balance-amount", "supply-reason", "supply-todo", "rate-price")
        reader.in_first_screen("rate-next", "rate-change")
        reader.look("off")

        enter_tokens(reader, meter)
        reader.is_state("ready")
        reader.reads("power-now", "0 W")  # a top-up never closes
        reader.look("ready")
        meter.ahead(60)
        hold = page.locator("#hold")
        hold.scroll_into_view_if_needed()
        hold.hover()
        page.mouse.down()
        reader.is_state("connected")
        page.mouse.up()
        meter.lives = True
        reader.reads("power-now", "2.00 kW")
        reader.close()


def enter_tokens(reader, meter):
    """A token with a wrong digit, then the right one, on the keys of the screen."""
    page = reader.page
    page.click("#token-open")
    right = token(NOW_TID + 1, 400)  # 40.0 kWh at 0.52: 20.80
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    for key in wrong[:6]:
        page.click(f"[data-key='{key}']")
    assert page.input_value("#token-digits") == f"{wrong[:4]} {wrong[4:6]}"
    reader.says("token-count", "token.count", count=6, of=20)
    for key in wrong[6:]:
        page.click(f"[data-key='{key}']")
    page.click("[data-key=enter]")
    reader.says("token-said", "token_said.13")
    before = meter.view()["available_micro"]
    for key in right:
        page.click(f"[data-key='{key}']")
    reader.look("token")
    page.click("[data-key=enter]")
    reader.says("token-said", "token_said.1")
    assert meter.view()["available_micro"] == before + 20_800_000
    reader.reads("balance-amount", yuan(before + 20_800_000))
    rows = page.locator("#purchases li")
    bench.expect(rows).to_have_count(2)
    bench.expect(rows.nth(0)).to_contain_text("¥20.80")
    last = reader.words("purchases.token", last=right[-4:])
    bench.expect(rows.nth(0)).to_contain_text(last)
    bench.expect(rows.nth(0)).to_contain_text(reader.words("source.keypad"))
    bench.expect(rows.nth(1)).to_contain_text(reader.words("token_said.13"))
    assert right[:12] not in page.content()
