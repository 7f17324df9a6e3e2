"""The page in a real browser: what a person reads, in both languages."""

import json
from pathlib import Path

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.display_bench import NINE, OFF, OWED, VIEW, reads

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


def test_the_page_shows_the_view_in_english(visit):
    page = visit(VIEW, timezone_id="America/New_York")  # the meter's zone counts, not this one
    reads(page, "meter", "demo-0001")
    reads(page, "simulated", "Simulated")
    reads(page, "clock", "09:00")
    reads(page, "balance-amount", "¥23.41")
    reads(page, "balance-energy", "≈ 37.7 kWh at the price now")
    reads(page, "balance-lasts", "About 1 d 6 h at present use")
    reads(page, "supply-state", "ON")
    reads(page, "supply-since", "since 07:00")
    reads(page, "power-now", "1.24 kW")
    reads(page, "power-level", "Medium")
    reads(page, "power-cost", "¥0.77 an hour")
    reads(page, "power-detail", "230.1 V · 5.48 A · 50.01 Hz")
    reads(page, "rate-price", "¥0.62/kWh")
    reads(page, "rate-band", "Peak")
    reads(page, "rate-block", "Block 1 of 3 · 1,195.4 kWh left")
    reads(page, "rate-next", "Next: Valley ¥0.34005/kWh")
    reads(page, "rate-change", "in 2 h 14 min, at 11:14")
    reads(page, "today-cost", "¥1.89")
    reads(page, "today-energy", "3.42 kWh used")
    reads(page, "today-days", "Days left: still learning")
    reads(page, "import", "1,204.567 kWh")
    reads(page, "posted", "¥23.45")
    reads(page, "factor", "0.99")
    reads(page, "tariff", "demo, version 1")
    reads(page, "utility", "connected")
    bought = page.locator("#purchases li > *").all_text_contents()
    assert bought == ["11 Jan, 09:00", "¥50.00", "sent by the utility · #12", "Accepted"]
    assert page.locator("#reconnect").is_hidden()
    assert page.locator("#notices").is_hidden()
    assert page.locator("#balance-owed").is_hidden()


def test_the_page_shows_the_view_in_chinese(visit):
    page = visit(OWED, locale="zh-CN")
    reads(page, "simulated", "模拟")
    reads(page, "balance-amount", "−¥4.20")
    reads(page, "balance-owed", "透支")
    assert page.locator("#low").is_hidden()  # the supply's card says why, and what to do
    reads(page, "supply-state", "已断电")
    reads(page, "supply-reason", "原因：余额用尽、供电公司远程断电")
    reads(page, "supply-todo", "至少购电 ¥5.21 方可恢复供电")
    reads(page, "utility", "未连接")
    reads(page, "power-level", "无负荷")
    reads(page, "rate-band", "峰")
    reads(page, "rate-change", "2 小时 14 分后，11:14 起")
    assert page.locator("#notices li").all_text_contents() == [
        "时钟未设置：时间可能不准",
        "与供电公司的连接中断：远程购电会稍后到账",
    ]
    assert page.locator("html").get_attribute("lang") == "zh-Hans"


FORESEEN = dict(
    VIEW,
    days_left=12,
    days_range=(9, 15),
    days_level="good",
    ends_at=NINE + 12 * 86400,
    cycle_cost_micro=43096000,
    cycle_cost_range=(38400000, 49500000),
)


def test_the_days_left_and_the_cost_of_the_cycle_are_told(visit):
    page = visit(FORESEEN)
    reads(page, "today-days", "About 12 days left (9 to 15)")
    reads(page, "today-cycle", "About ¥43.10 more until the cycle ends (¥38 to ¥50)")
    page.click("#language")
    reads(page, "today-days", "余额约可用 12 天（9 至 15）")
    reads(page, "today-cycle", "本计费周期内约还需 ¥43.10（¥38 至 ¥50）")


def test_an_outlook_reads_well_at_its_ends(visit, server):
    page = visit(dict(VIEW, days_left=1, days_range=(0, 1), days_level="soon"))
    reads(page, "today-days", "About 1 day left (0 to 1)")
    reads(page, "today-cycle", "")
    for days, days_range, text in (
        (0, (0, 2), "Credit may end today (0 to 2)"),
        (99, (99, 99), "About 99+ days left"),
        (30, (24, 99), "About 30 days left (24 to 99+)"),
    ):
        server.show(dict(VIEW, days_left=days, days_range=days_range))
        reads(page, "today-days", text)
    server.show(dict(FORESEEN, available_micro=-1))  # the balance says that nothing is left
    reads(page, "today-days", "")
    assert page.locator("#days").is_hidden()
    # Below a day it is told when, and that the load of the moment says otherwise is not.
    server.show(dict(FORESEEN, days_left=0, days_level="today", ends_at=NINE + 18000))
    reads(page, "today-days", "Lasts until about 14:00")
    reads(page, "balance-lasts", "")
    assert page.locator("#days .late").is_visible() and page.locator("#days .good").is_hidden()
    for cost, cost_range, text in (
        (1240000, (990000, 1500000), "About ¥1.24 more until the cycle ends (¥0.99 to ¥1.50)"),
        (
            -12500000,
            (-19600000, 300000),
            "Earns about ¥12.50 until the cycle ends (−¥0.30 to ¥20)",
        ),
    ):
        server.show(dict(FORESEEN, cycle_cost_micro=cost, cycle_cost_range=cost_range))
        reads(page, "today-cycle", text)


def test_the_language_is_switched_and_remembered(visit):
    page = visit(OWED)
    reads(page, "supply-state", "OFF")
    reads(page, "balance-owed", "owed")
    page.click("#language")
    reads(page, "supply-state", "已断电")
    reads(page, "language", "EN")
    page.reload()
    reads(page, "supply-state", "已断电")
    page.click("#language")
    reads(page, "supply-state", "OFF")


def test_the_text_size_is_switched_and_remembered(visit):
    page = visit(VIEW)
    height = "() => document.getElementById('balance-amount').getBoundingClientRect().height"
    before = page.evaluate(height)
    page.click("#text-size")
    larger = page.evaluate(height)
    assert larger > before * 1.1
    page.reload()
    reads(page, "supply-state", "ON")
    assert page.evaluate(height) == larger


def test_money_is_exact(visit, server):
    page = visit(VIEW)
    for micro, text in [
        (0, "¥0.00"),
        (9999, "¥0.00"),  # a balance rounds down
        (-1, "−¥0.01"),
        (1005000, "¥1.00"),
        (999999999, "¥999.99"),
        (1000000000, "¥1,000.00"),
        (9007199254740991, "¥9,007,199,254.74"),
        (9007199254740993, "–"),  # beyond what a browser can hold exactly
    ]:
        server.show(dict(VIEW, available_micro=micro))
        reads(page, "balance-amount", text)


def test_low_credit_is_told_at_two_levels(visit, server):
    page = visit(dict(VIEW, zone="low1"))
    reads(page, "balance-low", "Credit is low – top up soon")
    server.show(dict(VIEW, zone="low2"))
    reads(page, "balance-low", "Almost no credit – top up now")


def test_what_was_seen_is_quiet_until_the_next_level_and_speaks_again_after_a_top_up(
    visit, server
):
    page = visit(dict(VIEW, zone="low1"))
    low, mute = page.locator("#low"), page.locator("#mute")
    bench.expect(low).to_have_attribute("data-calls", "true")
    mute.click()
    bench.expect(low).to_have_attribute("data-calls", "false")
    bench.expect(mute).to_be_hidden()
    reads(page, "balance-low", "Credit is low – top up soon")  # quiet, and still said
    page.reload()
    bench.expect(low).to_have_attribute("data-calls", "false")
    server.show(dict(VIEW, zone="low2"))
    bench.expect(low).to_have_attribute("data-calls", "true")
    mute.click()
    server.show(dict(VIEW, zone="normal"))
    bench.expect(low).to_be_hidden()
    server.show(dict(VIEW, zone="low1"))
    bench.expect(low).to_have_attribute("data-calls", "true")


def test_a_persons_own_mark_warns_earlier_and_never_later(visit, server):
    page = visit(VIEW)
    assert page.locator("#low").is_hidden()
    page.fill("#mark", "25")
    page.press("#mark", "Enter")
    reads(page, "balance-low", "Credit is below your own mark of ¥25.00")
    page.reload()
    reads(page, "balance-low", "Credit is below your own mark of ¥25.00")
    server.show(dict(VIEW, available_micro=25000001))
    bench.expect(page.locator("#low")).to_be_hidden()
    page.fill("#mark", "1")
    page.press("#mark", "Enter")
    server.show(dict(VIEW, zone="low1"))
    reads(page, "balance-low", "Credit is low – top up soon")


def test_more_contrast_is_switched_and_remembered(visit):
    page = visit(VIEW)
    ink = "() => getComputedStyle(document.body).color"
    assert page.evaluate(ink) == "rgb(16, 32, 27)"
    page.click("#contrast")
    assert page.evaluate(ink) == "rgb(0, 0, 0)"
    page.reload()
    reads(page, "supply-state", "ON")
    assert page.evaluate(ink) == "rgb(0, 0, 0)"
    bench.expect(page.locator("#contrast")).to_have_attribute("aria-pressed", "true")


def test_why_the_power_is_off_and_what_to_do_for_every_reason(visit, server):
    page = visit(VIEW)
    for reason, words in (
        ("remote", "Call your utility: only it can release the supply"),
        ("load limit", "Switch large appliances off; the supply can then come back"),
        ("safety", "Wait: the supply can come back when the mains are safe again"),
        ("time is up", "Enter a token to get the supply back"),
    ):
        off = dict(OFF, reasons=[reason], reason=reason, restore_micro=0, topup_micro=0)
        server.show(dict(VIEW, supply=off))
        reads(page, "supply-todo", words)
        assert page.locator("#hold").is_hidden()
        reads(page, "hold-hint", "Then a button appears here: hold it for 3 s")


def test_friendly_period_says_until_when(visit):
    page = visit(dict(VIEW, friendly={"now": True, "until": NINE + 3600}))
    reads(page, "notices", "Safe until 10:00: the supply stays on even without credit")


def test_a_home_without_power_is_not_told_that_the_supply_stays_on(visit):
    off = dict(OFF, keep_power_s=7200)
    page = visit(dict(VIEW, supply=off, friendly={"now": True, "until": NINE + 3600}))
    assert page.locator("#notices").is_hidden()


def test_a_token_that_was_refused_says_why_and_how_long_to_wait(visit):
    token = {"typed": "", "busy": False, "result": 13, "name": "CRCError", "detail": ""}
    page = visit(dict(VIEW, token=dict(token, wait_s=20)))
    reads(page, "token-said", "Wrong digits, or a token for another meter – wait 20 s")
    page.click("#language")
    reads(page, "token-said", "数字有误，或不是本电表的代码，请等待 20 秒")
    card, others = "#token-card", ("#purchases-card", "#tariff-card")
    top = {name: page.locator(name).bounding_box()["y"] for name in (card, *others)}
    assert top[card] < top[others[0]] == top[others[1]]  # no hole beside a half card


def test_words_of_the_meter_are_text_not_markup(visit):
    page = visit(dict(VIEW, alarms=["<img src=x onerror=alert(1)>"], meter="<b>m</b>"))
    reads(page, "notices", "<img src=x onerror=alert(1)>")
    reads(page, "meter", "<b>m</b>")


def test_what_needs_the_pin_is_not_offered_without_it(visit):
    hidden = ("purchases", "messages", "recorded_until", "token", "debt")
    view = {key: value for key, value in VIEW.items() if key not in hidden}
    page = visit(dict(view, withheld=sorted(hidden)))
    reads(page, "balance-amount", "¥23.41")
    for name in ("purchases-card", "messages", "token-card", "chart-span", "chart-what"):
        assert page.locator("#" + name).is_hidden(), name
    assert page.locator("#chart-card").is_visible()


def test_a_month_is_summed_compared_and_foreseen(visit, server):
    local = NINE + 28800 - 9 * 3600  # 2027-01-12, 00:00 of the local clock
    day = 86400
    rows = [
        [local - 31 * day, 9000, 0, -4500000000, 0, -120000000, 0],  # 12 December
        [local - 30 * day, 7000, 0, -3500000000, 0, -120000000, 0],  # 13 December: too late
        [local - day, 5000, 1000, -2500000000, 350000000, -120000000, 0],
        [local, 3000, 0, "-1500000000", 0, -120000000, -60000000],
    ]
    first = local - 11 * day
    told = {"span": "month", "unit": "day", "until": NINE, "rows": rows, "split": first}
    told.update({"from": first - 31 * day, "forecast": [310499, -172345000000]})
    server.answer("month", json.dumps(told))
    page = visit(VIEW)
    server.answer("month", json.dumps(told))  # now that an interval is known
    page.click("[data-span=month]")
    # 2.50 - 0.35 + 0.12 and 1.50 + 0.12 + 0.06
    reads(page, "chart-sum", "This month, up to 09:00: 8.00 kWh · ¥3.95 · 1.00 kWh fed in")
    reads(page, "chart-than", "Last month up to this day: 9.00 kWh · ¥4.62")
    reads(page, "chart-forecast", "This month will come to about 310 kWh and ¥172.35")
    assert page.locator("#chart .bar").count() == 2
    assert page.locator("#chart .before").count() == 2
    assert page.locator("#chart .export").count() == 1
    page.click("[data-what=money]")
    bench.expect(page.locator("#chart .export")).to_have_count(0)
    server.answer("month", "")


def test_every_tariff_that_is_shipped_is_laid_out(visit, server):
    page = visit(VIEW)
    page.locator("#tariff-details").evaluate("details => { details.open = true }")
    folder = Path(__file__).parents[2] / "tools" / "tariffs"
    shipped = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    documents = [document for document in shipped if "bands" in document]
    assert len(documents) >= 6
    for n, document in enumerate(documents, 2):
        view = dict(VIEW, tariff={"id": document["id"], "n": n}, currency=document["currency"])
        server.show(view)
        server.answer("tariff", json.dumps({"active": document, "next": documents[0]}))
        reads(page, "tariff", "%s, version %d" % (document["id"], n))
        rows = page.locator("#tariff-table table").first.locator("tbody tr")
        bench.expect(page.locator("#tariff-table table")).to_have_count(2)
        bench.expect(rows).to_have_count(len(document["price"]))
        cells = rows.first.locator("td").all_text_contents()
        assert len(cells) == len(document["bands"])
        first = document["price"][0][0] / 10**6
        assert float(cells[0].replace(" now", "").lstrip("¥£€−$")) == abs(first), document["id"]
        assert page.locator("#tariff-table .times").count() >= 1
