"""Bills of real tariffs and prices: the device's equal the exact engine's to the nano-unit."""

import json
from datetime import datetime, timezone

from wattledger.tests.host.exact_device import assert_equal
from wattledger.tests.host.exact_engine import Row
from wattledger.tests.host.exact_profiles import agile_documents, year_of_load
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import urdb

TARIFFS = ROOT / "tools" / "tariffs"
DAY = 86400


def unix(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def shipped(name, **changes):
    return {**json.loads((TARIFFS / f"{name}.json").read_bytes()), **changes}


def test_octopus_agile_2020_with_its_negative_half_hours(reference_data):
    start = unix("2020-01-01")
    document = shipped("gb-half-hourly", **{"from": start})
    prices = agile_documents(reference_data, document["id"])
    assert sum(len(one["prices"]) for one in prices) == 366 * 48
    assert sum(price < 0 for one in prices for price in one["prices"]) == 219
    rows = year_of_load(reference_data, start, 366 * 96)
    found = assert_equal([document], prices, rows)
    assert found["unpriced_wh"] == 0 and len(found["lines"]) > 3000
    assert any(line["amount_nano"] < 0 for line in found["lines"])
    assert found["standing_nano"] == 366 * 478500 * 1000
    assert {line["cycle"] for line in found["lines"]} == {
        f"2020-{month:02d}-01" for month in range(1, 13)
    }


def test_a_half_hour_without_a_price_takes_the_band_of_the_contract(reference_data):
    start = unix("2020-03-28")  # the night on which summer time begins is in it
    document = shipped("gb-half-hourly", **{"from": start})
    prices = agile_documents(reference_data, document["id"])[::2]
    found = assert_equal([document], prices, year_of_load(reference_data, start, 4 * 96))
    assert found["unpriced_wh"] > 0


def test_urdb_rates(reference_data):
    options = urdb.Options("EST5EDT,M3.2.0,M11.1.0")
    folder = reference_data / "urdb"
    start = unix("2027-01-01T05:00:00")
    rows = year_of_load(reference_data, start, 365 * 96)
    heavy = [row._replace(import_wh=80 * row.import_wh) for row in rows]
    tiered = urdb.read(folder / "multi_tier_urdb_response.json", options)[0].document
    found = assert_equal([tiered], [], heavy)
    summer = {line["block"] for line in found["lines"] if line["cycle"] == "2027-07-01"}
    assert summer == {0, 1} and found["standing_nano"] == 365 * 3298000 * 1000
    full = urdb.read(folder / "urdb_response_full.json", options)[0].document
    found = assert_equal([full], [], rows)
    assert found["demand_nano"] > 0 and found["export_nano"] > 0
    assert len({line["band"] for line in found["lines"]}) == 7


def test_chinese_blocks_over_a_year_and_its_turn(reference_data):
    start = unix("2026-12-31T16:00:00")
    rows = year_of_load(reference_data, start, 400 * 96)
    rows = [row._replace(import_wh=2 * row.import_wh) for row in rows]
    for name, cycles in (
        ("cn-beijing", {"2027-01-01", "2028-01-01"}),
        ("cn-guizhou", {"2026-12-01", "2027-12-01"}),
    ):
        found = assert_equal([shipped(name)], [], rows)
        assert {line["cycle"] for line in found["lines"]} == cycles
        assert {line["block"] for line in found["lines"]} == {0, 1, 2}


def test_each_shipped_tariff_over_a_spring_of_load_and_sun(reference_data):
    for path in sorted(TARIFFS.glob("*.json")):
        if path.name.endswith("-prices.json"):
            continue
        document = json.loads(path.read_bytes())
        rows = year_of_load(reference_data, document["from"], 100 * 96)
        prices = TARIFFS / f"{path.stem}-prices.json"
        dynamic = [json.loads(prices.read_bytes())] if prices.exists() else []
        found = assert_equal([document], dynamic, rows)
        assert (found["export_nano"] > 0) == bool(document.get("export"))


def test_the_whole_worked_example_by_the_bill_of_the_device():
    """Times of 2027-01-31 in China; the amounts are those published with the example."""
    base = {
        "v": 1, "id": "demo-cn", "n": 1, "currency": "CNY", "tz": "CST-8", "from": 1798732800,
        "cycle": "month", "cycle_start": 1, "blocks": [100], "bands": ["valley", "peak"],
        "fallback": 0, "price": [[333333, 777777], [555555, 999999]],
        "days": {"w": [[0, 0], [480, 1], [1320, 0]]}, "seasons": [["0101", "w", "w"]],
        "weekend": [], "export": [123457], "credit": {"low": [2, 1], "reconnect_above": 1,
        "max": 1000000, "friendly": []},
    }  # fmt: skip
    at = unix("2027-01-30T16:00:00")  # local midnight
    following = dict(
        base,
        n=2,
        price=[[300001, 700003], [500009, 900007]],
        standing_day=260003,
        **{"from": at + 20 * 3600},
    )
    dynamic = {"v": 1, "prices_of": "demo-cn", "n": 1, "start": at + 9 * 3600, "step": 1800,
               "prices": [-54321]}  # fmt: skip
    given = [
        (7.5, 101, 0), (7.75, 257, 0), (8, 199, 0), (8.25, 734, 0), (9, 777, 0), (12, 3, 1501),
        (19.75, 411, 0), (20, 389, 0), (23.75, 1003, 0), (24, 523, 0),
    ]  # fmt: skip
    rows = []
    for hour, import_wh, export_wh in given:
        start = at + int(hour * 3600)
        if rows and rows[-1].end < start:
            rows.append(Row(rows[-1].end, start, 0, 0, "unknown"))
        rows.append(Row(start, start + 900, import_wh, export_wh))
    found = assert_equal([base, following], [dynamic], rows, 99100)
    assert found["total_nano"] == 50000000000 - 47613113558
    assert found["energy_nano"] - found["export_nano"] == 2126883442
    assert found["standing_nano"] == 260003000
