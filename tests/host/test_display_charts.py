"""Charts, tariff, messages and solar on a meter that has measured for months: what the page shows
is the statement's and the profile's, to the last digit.
"""

import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core")

from wattledger.tests.both.fixtures_agent import START
from wattledger.tests.host import display_bench as bench
from wattledger.tests.host import statement_bench
from wattledger.tests.host.display_meter import LivingMeter, tariff
from wattledger.tests.host.meter_bench import FROM
from wattledger.tests.host.test_display_story import PICTURES, Reader
from wattledger.tools import statement, statement_json

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

DAYS = 66
DAY = 86400
expect = bench.expect


@pytest.fixture(scope="module")
def browser():
    with bench.launched_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """(a meter with 66 days in its journal, its folder); nothing moves while it is read."""
    folder = tmp_path_factory.mktemp("months")
    statement_bench.Month(folder, DAYS, seed=5)
    with LivingMeter(folder, None, start=FROM + DAYS * DAY) as meter:
        meter.lives = False
        meter.ahead(20 * 60, watts=900)
        meter.do(lambda agent: agent.keeper.now())
        yield meter, folder


def stated(folder, **period):
    return statement_json.report(statement.collect(folder, **{**NO_PERIOD, **period}))


NO_PERIOD = {"start": None, "until": None, "month": None}


def cents(nano):
    """Nano-units as a cost is shown: rounded to the nearest cent."""
    amount = (Decimal(nano) / 10**9).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return ("−" if amount < 0 else "") + "¥" + format(abs(amount), ",.2f")


def kwh(wh, digits=3):
    """Wh as energy is shown: rounded down."""
    step = 10 ** (3 - digits)
    return format(Decimal(wh // step * step) / 1000, f",.{digits}f") + " kWh"


def table(page):
    """{seconds of the local clock: (Wh, nano of cost, nano of standing, texts)} of the numbers."""
    found = {}
    page.locator("#chart-numbers").evaluate("details => { details.open = true }")
    for row in page.locator("#chart-table tbody tr").all():
        cells = row.locator("td").all()
        numbers = [
            int(one.get_attribute("data-wh") or one.get_attribute("data-nano")) for one in cells
        ]
        local = int(row.get_attribute("data-local"))
        found[local] = (*numbers, [one.text_content() for one in cells])
    return found


def cost_of(day):
    """What a day of a statement cost, in nano, and its standing charge."""
    posted = {kind: line["amount_nano"] for kind, line in day["posted"].items()}
    standing = posted.get("standing", 0)
    other = sum(posted.get(kind, 0) for kind in ("demand", "minimum", "adjust"))
    return -(day["import_nano"] + day["export_nano"] + standing + other), -standing


def open_span(reader, span):
    reader.page.click(f"[data-span={span}]")
    expect(reader.page.locator("#chart-numbers")).to_be_visible(timeout=15000)
    reader.says("chart-title", "span." + span)


def local_midnight(date):
    moment = datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_day_and_its_sum_is_the_statements(browser, months, tmp_path, language):
    meter, folder = months
    reader = Reader(browser, meter, language, tmp_path)
    open_span(reader, "month")
    days = stated(folder)["days"]
    shown = table(reader.page)
    this_month, last_month = days[-1]["date"][:7], days[-32]["date"][:7]
    wanted = [day for day in days if day["date"][:7] in (this_month, last_month)]
    assert len(shown) == len(wanted) > 31
    for day in wanted:
        cost, standing = cost_of(day)
        texts = [kwh(day["import_wh"]), cents(cost), cents(standing)]
        local = local_midnight(day["date"])
        assert shown[local] == (day["import_wh"], cost, standing, texts), day["date"]
    mine = [day for day in wanted if day["date"][:7] == this_month]
    total = f"{kwh(sum(day['import_wh'] for day in mine), 2)} · " + cents(
        sum(cost_of(day)[0] for day in mine)
    )
    month = {"period": reader.words("span.month"), "time": "06:15", "sum": total}
    reader.says("chart-sum", "chart.sum_to", **month)
    reader.look("month")
    open_span(reader, "week")
    assert len(table(reader.page)) == 14
    reader.close()


def test_every_month_hour_and_long_day_is_the_journals(browser, months, tmp_path):
    meter, folder = months
    reader = Reader(browser, meter, "en", tmp_path)
    page = reader.page
    open_span(reader, "year")
    days = stated(folder)["days"]
    sums = {}
    for day in days:
        sums.setdefault(day["date"][:7], []).append(day)
    shown = table(page)
    assert [row[:2] for row in sorted(shown.values(), key=lambda row: row[0])] == sorted(
        (sum(day["import_wh"] for day in group), sum(cost_of(day)[0] for day in group))
        for group in sums.values()
    )
    reader.look("year")

    open_span(reader, "day")
    today = [day for day in days if day["date"] == days[-1]["date"]]
    first = local_midnight(days[-1]["date"])
    hours = [row for local, row in table(page).items() if local >= first]
    assert sum(row[0] for row in hours) == today[0]["import_wh"]
    assert sum(row[1] for row in hours) == cost_of(today[0])[0]
    # In money: the same bars are switched, and the choice is remembered.
    page.click("[data-what=money]")
    expect(page.locator("[data-what=money]")).to_have_attribute("aria-pressed", "true")
    assert page.locator("#chart .bar").count() == len(hours)
    assert "¥" in page.locator("#chart .label").first.text_content()
    reader.look("day")

    # A computer keeps years of days, drawn by a library that is fetched now.
    page.click("[data-span=long]")
    expect(page.locator("#long canvas")).to_be_visible(timeout=15000)
    assert len(table(page)) == len(days)
    reader.look("long")
    reader.close()


def test_the_tariff_and_what_the_next_one_changes(browser, tmp_path):
    folder = tmp_path / "meter"
    with LivingMeter(folder, 50, tariff()) as meter:
        meter.ahead(60)
        start = meter.view()["time"]
        later = tariff(
            n=2,
            price=[[340000, 650000], [400000, 720000]],
            standing_day=150000,
            **{"from": start // 900 * 900 + 10 * DAY},
        )
        meter.do(lambda agent: agent.accept_document(later))
        meter.lives = False
        reader = Reader(browser, meter, "en", tmp_path)
        page = reader.page
        reader.says("tariff", "tariff.version", id="home", n=1)
        when = page.locator("#tariff-next").text_content()
        assert when.startswith("Version 2 follows on 22 Jan 2027")
        page.click("#tariff-details summary")
        changes = page.locator(".changes li")
        expect(changes).to_have_count(2)
        assert changes.all_text_contents() == [
            "Peak, 0 kWh to 100 kWh: ¥0.62 → ¥0.65",
            "Standing charge: ¥0.12 a day → ¥0.15 a day",
        ]
        cells = page.locator("#tariff-table table").first.locator("td")
        assert cells.all_text_contents() == ["¥0.34 now", "¥0.62", "¥0.40", "¥0.72"]
        assert "00:00–08:00 Valley" in page.locator("#tariff-table .times").first.text_content()
        assert "New prices from 22 Jan" in page.locator("#notices").text_content()
        reader.look("tariff")
        reader.close()


def test_a_message_must_be_opened_and_is_counted_until_it_is(browser, tmp_path):
    with LivingMeter(tmp_path / "meter", 50, tariff()) as meter:
        meter.ahead(60)
        text = "Planned outage on Friday, 02:00 to 04:00."
        time = meter.view()["time"]

        def hand(agent):
            agent.message = {"time": time, "text": text, "until": time + 3600}

        meter.do(hand)
        reader = Reader(browser, meter, "en", tmp_path)
        page = reader.page
        reader.says("unread", "messages.unread", count=1)
        assert page.get_by_text(text).is_hidden()
        reader.look("message")
        page.click("#message-list summary")
        expect(page.get_by_text(text)).to_be_visible()
        assert "Until" in page.locator("#message-list details").text_content()
        expect(page.locator("#unread")).to_be_hidden()
        page.reload()
        expect(page.locator("#message-list summary")).to_be_visible()
        expect(page.locator("#unread")).to_be_hidden()
        meter.ahead(3600)
        expect(page.locator("#messages")).to_be_hidden()
        reader.close()


def test_solar_export_earns_and_is_summed_up(browser, tmp_path):
    folder = tmp_path / "meter"
    with LivingMeter(folder, 50, tariff(), watts=-3000) as meter:
        meter.ahead(3600 + 60)
        meter.lives = False
        reader = Reader(browser, meter, "en", tmp_path)
        # 3 kW at 0.35 a kWh.
        reader.reads("solar-now", "3.00 kW · earns ¥1.05 an hour")
        reader.says("solar-price", "solar.price", price="¥0.35/kWh")
        report = stated(folder)
        today = {"energy": kwh(report["export_wh"], 2), "money": cents(report["export_nano"])}
        assert report["export_wh"] > 2900
        reader.says("solar-today", "solar.day", **today)
        reader.says("solar-month", "solar.month", **today)
        reader.says("power-level", "power.export")
        open_span(reader, "day")
        assert reader.page.locator("#chart .export").count() == 1
        reader.look("solar")
        reader.close()


LOADS = (120, 90, 90, 300, 500, 200, 250, 180, 400, 1100, 900, 300)  # watts, two hours each


@pytest.mark.nightly
def test_after_three_days_the_end_of_credit_and_of_the_month_are_foreseen(browser, tmp_path):
    folder = Path(PICTURES) if PICTURES else tmp_path
    with LivingMeter(tmp_path / "meter", 40, tariff(), start=START - 6 * 3600) as meter:
        for hour in range(24 * 3 + 20):
            watts = LOADS[hour % 24 // 2] * (80 + hour * 37 % 41) // 100
            meter.ahead(3600, watts=watts, step=20)
            if hour == 30:
                meter.do(lambda agent: agent.account.credit(1, 30 * 10**6, agent.time.unix(), 2))
        meter.do(lambda agent: agent.keeper.now())
        view = meter.view()
        assert view["days_level"] == "good" and view["ends_at"] > view["time"] + 3 * DAY
        for language, width, name in (
            ("en", 1000, "page"),
            ("en", 320, "page-320"),
            ("zh", 1000, "page-zh"),
        ):
            reader = Reader(browser, meter, language, tmp_path)
            open_span(reader, "day")
            open_span(reader, "month")
            expect(reader.page.locator("#chart-forecast")).to_be_visible()
            open_span(reader, "day")
            reader.page.locator("#chart-numbers").evaluate("details => { details.open = false }")
            reader.page.set_viewport_size({"width": width, "height": 568 if width < 400 else 900})
            reader.page.evaluate("scrollTo(0, 0)")
            reader.page.wait_for_timeout(300)
            reader.page.screenshot(path=folder / (name + ".png"))
            reader.close()
