"""What a meter announces, taken by Home Assistant's own schemas (release 2024.12.5)."""

import json

import pytest

from wattledger.agent.comms.discovery import device
from wattledger.tests.both.fixtures_agent import config_of
from wattledger.tests.host.homeassistant_bench import home_assistant

__all__ = ["home_assistant"]  # a fixture

pytestmark = pytest.mark.xdist_group("homeassistant")


def announced(currency="CNY", **config):
    return device.build(config_of(home_assistant=True, **config), "pi", currency)


def measured_money(message):
    message["cmps"]["balance"]["stat_cla"] = "measurement"


def no_unique_id(message):
    del message["cmps"]["power"]["uniq_id"]


def no_origin(message):
    del message["o"]


def bad_template(message):
    message["cmps"]["power"]["val_tpl"] = "{{value_json."


def bad_unit(message):
    message["cmps"]["import"]["unit_of_meas"] = "W"


def misspelt(message):
    message["cmps"]["power"]["stat_clas"] = "measurement"


BROKEN = (measured_money, no_unique_id, no_origin, bad_template, bad_unit, misspelt)
LONGEST = "a" * 32


def broken(change):
    message = json.loads(announced())
    change(message)
    return json.dumps(message).encode()


@pytest.fixture(scope="module")
def seen(home_assistant):
    """What Home Assistant finds in every message of these tests, looked at in one go."""
    names = ("whole", "bare", "long", *BROKEN)
    long = announced("EUR", meter=LONGEST, tenant=LONGEST, board=LONGEST)
    return dict(
        zip(
            names,
            home_assistant(announced(), announced(None), long, *map(broken, BROKEN)),
            strict=True,
        )
    )


def test_home_assistant_takes_every_entity_of_a_meter(seen):
    found = seen["whole"]
    assert found["faults"] == {}
    assert found["ignored"] == []
    assert sorted(found["components"].values()) == (
        ["binary_sensor"] * 4 + ["button"] + ["sensor"] * 15
    )


def test_home_assistant_takes_a_meter_without_a_tariff(seen):
    assert seen["bare"]["faults"] == {}
    assert len(seen["bare"]["components"]) == 15  # five of 20 are money


def test_home_assistant_takes_the_longest_names(seen):
    assert seen["long"]["faults"] == {}


def test_the_check_finds_what_home_assistant_refuses(seen):
    assert "state class measurement of a monetary" in seen[measured_money]["faults"]["balance"]
    assert "unique_id" in seen[no_unique_id]["faults"][""]
    assert "origin" in seen[no_origin]["faults"][""]
    assert "template" in seen[bad_template]["faults"]["power"]
    assert "unit W" in seen[bad_unit]["faults"]["import"]
    assert seen[misspelt]["ignored"] == ["power.stat_clas"]
