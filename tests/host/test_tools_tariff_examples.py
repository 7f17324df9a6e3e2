"""The documents that are shipped as examples are good, and say what their page says."""

import json

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import tariff

FOLDER = ROOT / "tools" / "tariffs"
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.json"))
PRICES = [name for name in EXAMPLES if name.endswith("-prices.json")]
PAGE = (ROOT / "docs" / "tariffs-examples.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - set(PRICES)))
def test_each_tariff_passes_the_check(name):
    found = tariff.check(FOLDER / name)
    assert (found["ok"], found["kind"]) == (True, "tariff") and name == found["id"] + ".json"


def test_each_document_is_on_the_page():
    assert EXAMPLES and not [name for name in EXAMPLES if f"`{name}`" not in PAGE]


@pytest.mark.parametrize(
    ("name", "blocks", "start", "prices"),
    [
        ("beijing", [2880, 4800], "0101", [0.4883, 0.5383, 0.7883]),
        ("guizhou", [3000, 4700], "1201", [0.4556, 0.5056, 0.7556]),
    ],
)
def test_chinese_prices_are_those_transcribed(name, blocks, start, prices, reference_data):
    source = json.loads((reference_data / "cn-tariff" / "cn_residential.json").read_bytes())[name]
    assert (source["annual_tiers_kWh"], source["tiers_CNY_per_kWh"]) == (blocks, prices)
    assert source["source"] in PAGE
    found = tariff.check(FOLDER / f"cn-{name}.json")
    assert (found["cycle"], found["cycle_start"], found["blocks_kwh"]) == ("year", start, blocks)
    assert found["price"] == [[round(price * 10**6)] for price in prices]


def test_the_half_hourly_prices_belong_to_their_tariff_and_some_are_negative():
    found = tariff.check(FOLDER / "gb-half-hourly-prices.json")
    assert (found["kind"], found["id"]) == ("prices", "gb-half-hourly")
    prices = json.loads((FOLDER / "gb-half-hourly-prices.json").read_bytes())
    contract = json.loads((FOLDER / "gb-half-hourly.json").read_bytes())
    assert prices["prices_of"] == contract["id"] and prices["start"] == contract["from"]
    assert prices["step"] == 1800 and len(prices["prices"]) == 96
    assert min(prices["prices"]) < 0 < max(prices["prices"])
