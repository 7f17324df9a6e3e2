"""Histories of the page equal the statement's days and the profile's rows, to the nano unit."""

import datetime
import json

import pytest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.display.history import History
from wattledger.agent.journal import record as records
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.host import statement_bench as bench
from wattledger.tests.host.meter_bench import FROM, METER
from wattledger.tools import profile, statement, statement_json

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("display_history")

ZONE = tariffs.load(bench.DEMO).zone
DAYS = 75
DAY = 86400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("months")
    bench.Month(made, DAYS, seed=3)
    return made


def history(folder, span, now, forecast=None):
    made = History(PosixStorage(folder), records.first_hash(METER), ZONE, span, now)
    for _ in range(100_000):
        if made.work():
            return json.loads(made.text(forecast)), made
    raise AssertionError("it reads for ever")


def dated(local):
    """The local date of seconds of the local clock."""
    return datetime.datetime.fromtimestamp(local, datetime.timezone.utc).date().isoformat()


def days_of(folder):
    """{local date: (import Wh, export Wh, nano: import, export, standing, other)} as stated."""
    found = {}
    for day in statement_json.report(statement.collect(folder, None, None, None))["days"]:
        posted = {kind: line["amount_nano"] for kind, line in day["posted"].items()}
        other = sum(posted.get(kind, 0) for kind in ("demand", "minimum", "adjust"))
        found[day["date"]] = [
            *(day[key] for key in ("import_wh", "export_wh", "import_nano", "export_nano")),
            posted.get("standing", 0),
            other,
        ]
    return found


@pytest.mark.parametrize("span", ["week", "month", "long"])
def test_every_day_is_the_statements(folder, span):
    stated = days_of(folder)
    now = FROM + DAYS * DAY - 3600
    told, _ = history(folder, span, now)
    assert told["unit"] == "day"
    shown = {dated(row[0]): row[1:] for row in told["rows"]}
    first = dated(told["from"])
    wanted = {date: row for date, row in stated.items() if date >= first and any(row)}
    assert shown == wanted
    # 14 days; the last month whole and this one up to today; all there is.
    today = datetime.date.fromisoformat(dated(now + 8 * 3600))
    count = {"week": 14, "month": today.day + (today.replace(day=1) - datetime.timedelta(1)).day}
    assert len(shown) == count.get(span, len(stated))


def test_every_month_is_the_sum_of_the_statements_days(folder):
    stated = days_of(folder)
    told, _ = history(folder, "year", FROM + DAYS * DAY - 3600)
    months = {}
    for date, row in stated.items():
        sums = months.setdefault(date[:7], [0] * 6)
        months[date[:7]] = [one + other for one, other in zip(sums, row, strict=True)]
    assert {dated(row[0])[:7]: row[1:] for row in told["rows"]} == months
    assert len(months) == 3


def test_every_hour_is_the_profiles(folder):
    now = FROM + 30 * DAY + 15 * 3600
    told, _ = history(folder, "day", now)
    hours = {}
    for row in profile.of_journal(folder).rows:
        local = row.start + 8 * 3600
        if told["from"] <= local:
            hour = local // 3600 * 3600
            hours[hour] = hours.get(hour, 0) + row.import_wh
    shown = {row[0]: row[1] for row in told["rows"] if row[1]}
    assert shown == {hour: wh for hour, wh in hours.items() if wh}
    assert told["split"] - told["from"] == DAY
    standing = [row[5] for row in told["rows"] if row[5]]
    assert len(standing) == len({dated(row[0]) for row in told["rows"]})


def test_the_present_month_is_known_for_a_forecast(folder):
    stated = days_of(folder)
    now = FROM + 50 * DAY
    _, made = history(folder, "month", now)
    month = dated(now + 8 * 3600)[:7]
    mine = [row for date, row in stated.items() if date[:7] >= month]
    assert made.month == [sum(row[0] for row in mine), sum(sum(row[2:]) for row in mine)]


def test_the_text_is_small_enough_for_a_microcontroller(folder):
    now = FROM + DAYS * DAY - 3600
    for span, most in (("day", 4500), ("week", 1500), ("month", 6500)):
        made = History(PosixStorage(folder), records.first_hash(METER), ZONE, span, now)
        while not made.work():
            pass
        assert len(made.text(None)) < most
