"""Tariff documents for tests. Portable."""

import json

from wattledger.agent.billing import tariff as tariffs

# 2027-01-01 00:00 in UTC+8, the `from` of the example in the design document.
YEAR_2027_CST = 1798732800
DAY = 86400


def local_2027(month, day, hour=0, minute=0):
    """Unix seconds of a local time of 2027 (no leap year) at UTC+8."""
    before = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[month - 1]
    return YEAR_2027_CST + (before + day - 1) * DAY + hour * 3600 + minute * 60


def document(**changes):
    """A small good document (a dict): two bands, two blocks; `changes` replace keys, None drops.

    valley 00-08 and 22-24, peak between; month cycle from day 1; 100 kWh in the first block.
    """
    made = {
        "v": 1,
        "id": "demo-cn",
        "n": 1,
        "currency": "CNY",
        "tz": "CST-8",
        "from": YEAR_2027_CST,
        "cycle": "month",
        "cycle_start": 1,
        "blocks": [100],
        "bands": ["valley", "peak"],
        "fallback": 1,
        "price": [[333333, 777777], [555555, 999999]],
        "days": {"all": [[0, 0], [480, 1], [1320, 0]]},
        "seasons": [["0101", "all", "all"]],
        "weekend": [],
        "export": [123457],
        "credit": {
            "low": [20000000, 5000000],
            "reconnect_above": 1000000,
            "max": 1000000000,
            "friendly": [],
        },
    }
    for key in changes:
        name = "from" if key == "start" else key
        if changes[key] is None:
            made.pop(name, None)
        else:
            made[name] = changes[key]
    return made


def credit(**changes):
    """The `credit` object of document() with changes; None drops a key."""
    made = document()["credit"]
    for key in changes:
        if changes[key] is None:
            made.pop(key, None)
        else:
            made[key] = changes[key]
    return made


def data(**changes):
    """document() as bytes."""
    return json.dumps(document(**changes)).encode()


def tariff(**changes):
    """document() as a checked Tariff."""
    return tariffs.load(data(**changes))


# The document of the design, section 3, as it is printed there.
DESIGN_EXAMPLE = b"""{"v":1,"id":"demo-cn","n":7,"currency":"CNY","tz":"CST-8","from":1798732800,
 "cycle":"year","cycle_start":"0101","blocks":[2400,4800],
 "bands":["valley","flat","peak"],"fallback":1,
 "price":[[340000,520000,620000],[390000,570000,670000],[640000,820000,920000]],
 "days":{"w":[[0,0],[480,1],[660,2],[1020,1],[1200,2],[1320,1]]},
 "seasons":[["0101","w","w"]],"weekend":[0,6],"holidays":[9862,1,1],"holiday_day":"w",
 "export":[350000],"net":false,"standing_day":0,"demand":null,"minimum":0,"kwh_credit":520000,
 "credit":{"low":[20000000,5000000],"emergency":10000000,"reconnect_above":1000000,"max":1000000000,
  "friendly":[[5,1080,1440],[6,0,1440],[0,0,1440],[1,0,600]],"friendly_holidays":true,
  "auto_close":false}}"""


def prices_document(start, prices, **changes):
    """A good document of dynamic prices for document() (a dict), half-hourly."""
    made = {"v": 1, "prices_of": "demo-cn", "n": 1, "start": start, "step": 1800, "prices": prices}
    made.update(changes)
    return made


def prices_data(start, prices, **changes):
    """prices_document() as bytes."""
    return json.dumps(prices_document(start, prices, **changes)).encode()
