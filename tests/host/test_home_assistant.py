"""A meter beside Home Assistant: the rules of 2026.11, real messages, a day of the dashboard."""

import functools
import json

import pytest

from wattledger.agent.comms.discovery import device, home
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tests.both.fixtures_agent import START, UNIT, House, config_of, tariff_of
from wattledger.tests.both.fixtures_jws import METER
from wattledger.tests.host import homeassistant_rules as rules
from wattledger.tests.host.mqtt_bench import HOST, KINDS, Peer, running_broker, until

CONFIG = home.CONFIG_TOPIC % METER


def announced(currency="CNY"):
    return rules.read(device.build(config_of(home_assistant=True), "pi", currency))


@pytest.mark.parametrize("currency", ["CNY", "EUR", None])
def test_a_message_keeps_every_rule_of_2026_11(currency):
    assert list(rules.faults(announced(currency))) == []


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("balance", "state_class", "measurement"),
        ("balance", "state_class", "total_increasing"),
        ("cost", "unit_of_measurement", "yuan"),
        ("import", "state_class", "measurement"),
        ("import", "unit_of_measurement", "W"),
        ("import", "last_reset_value_template", "{{1}}"),
        ("power", "state_class", "total"),
        ("price", "last_reset_value_template", "{{1}}"),
        ("tamper", "device_class", "energy"),
        ("power", "unique_id", "wl_demo-0001_import"),
        ("reconnect", "command_topic", ""),
    ],
)
def test_the_rules_find_what_2026_11_refuses(key, field, value):
    message = announced()
    message["components"][key][field] = value
    assert len(list(rules.faults(message))) == 1


class BrokerHouse(House):
    """A house whose meter speaks to a real broker."""

    def __init__(self, make, port, **config):
        self._make = make
        self._port = port
        super().__init__(linked=True, home_assistant=True, **config)

    def boot(self, tariff=None, cold=True):
        self.link = self._make(HOST, self._port, METER)
        super().boot(tariff, cold)


@pytest.fixture(params=KINDS)
def broker(request):
    with running_broker(request.param) as process:
        yield process


@pytest.mark.parametrize("make", [PahoLink, functools.partial(MqttLink, clock=HostClock())])
def test_a_running_meter_is_found_and_read_over_a_real_broker(broker, make):
    with Peer(broker.port, "homeassistant/#") as assistant:
        house = BrokerHouse(make, broker.port, credit=100)
        try:
            assert until(lambda: house.talk(1) or house.link.is_up())
            # 7 Wh in at 1.000000 each, 2 Wh out at as much: 95 of 100 are left.
            house.run(7, 3600)
            house.run(2, -3600)
            house.run(12, 0)
            found = until(lambda: house.talk(2) or assistant.received)
            assert [topic for topic, _, _ in found] == [CONFIG]
            message = rules.read(found[0][1])
            assert list(rules.faults(message)) == []
            with Peer(broker.port, message["state_topic"], CONFIG) as late:
                # Both lie on the broker for a Home Assistant that comes later.
                assert until(lambda: len(late.received) >= 2)
                assert all(retained for _, _, retained in late.received[:2])
                house.chip.power_mw[0] = 460_000
                house.once(10_000)

                def live():
                    house.talk(2)
                    state = json.loads(late.received[-1][1])
                    return state if state.get("power_mw") == 460_000 else None

                values = rules.values(message, until(live))
        finally:
            house.link.close()
    numbers = {key: float(values[key]) for key in values if _is_number(values[key])}
    assert numbers == {
        "import": 0.007,
        "export": 0.002,
        "power": 460.0,
        "voltage": 230.0,
        "current": 2.0,  # 460 W at 230 V
        "frequency": 50.0,
        "balance": 95.0,
        "cost": 7.0,
        "earned": 2.0,
        "price": 1000.0,  # 1.000000 a Wh
        "feed": 1000.0,
    }
    assert {key: values[key] for key in set(values) - set(numbers)} == {
        "days": None,
        "reason": None,
        "message": None,
        "state": "connected",
        "low": "OFF",
        "supply": "ON",
        "tamper": "OFF",
        "alarm": "OFF",
    }


def _is_number(text):
    try:
        return text is not None and float(text) is not None
    except ValueError:
        return False


def test_what_a_meter_does_not_know_is_unknown_and_not_zero():
    house = House(linked=True, home_assistant=True, credit=100)
    house.chip.dead = True
    house.run(8)
    state = house.agent.talk.home.state()
    values = rules.values(announced(), state)
    assert values["power"] is values["days"] is values["voltage"] is None
    assert values["alarm"] == "ON"
    state["rate"] = state["available_micro"] = None
    values = rules.values(announced(), state)
    assert values["price"] is values["balance"] is None


def test_low_balance_and_a_cut_are_told():
    house = House(linked=True, home_assistant=True, credit=10)
    house.run(6, 3600)  # 4 of 10 are left, and 5 is the first level
    house.run(12)
    values = rules.values(announced(), house.agent.talk.home.state())
    assert (values["low"], values["supply"]) == ("ON", "ON")
    house.run(6, 3600)
    values = rules.values(announced(), house.agent.talk.home.state())
    assert (values["supply"], values["state"]) == ("OFF", "disconnected")
    assert values["reason"] == "no credit"


# --- a day of the energy dashboard ---

DAY_TARIFF = tariff_of(
    bands=["night", "day"],
    price=[[300_000, 900_001]],
    days={"w": [[0, 0], [420, 1], [1320, 0]]},
    export=[123_457, 223_457],
    standing_day=450_000,
    low=(5, 2),
)
STEP_S = 30
RUN_STEPS = 10  # of five minutes


def watts_at(step):
    """A day with a kettle, a heater and a roof: up to 2.6 kW in, up to 1.8 kW out."""
    hour = step * STEP_S // 3600
    return 60 + (2000 if step % 40 < 3 else 0) + (540 if hour < 4 else 0) - 1800 * (6 <= hour < 10)


def test_a_day_in_the_dashboard_is_the_journals_kwh_and_money():
    house = House(linked=True, home_assistant=True, credit=1000, tariff=DAY_TARIFF)
    message = announced()
    seen = {
        key: rules.Statistics(increasing=key in ("import", "export"))
        for key in ("import", "export", "cost", "earned")
    }
    house.run(1)

    def take():
        state = house.agent.talk.home.state()
        values = rules.values(message, state)
        reset = rules.render(message["components"]["cost"]["last_reset_value_template"], state)
        for key, statistics in seen.items():
            statistics.take(values[key], reset if key in device.RESET else None)

    take()
    before = house.agent.journal.durable
    for step in range(86400 // STEP_S + 40):
        house.chip.feed(watts_at(step) * STEP_S * 320 // 3600)
        house.once(STEP_S * 1000)
        if step == 1000:
            house.boot()
        take()
        if step % RUN_STEPS == RUN_STEPS - 1:
            for statistics in seen.values():
                statistics.compile()
        house.link.out = []
    house.coast(900)  # the last interval closes: nothing is left that only accrues
    house.agent.keeper.now()
    take()
    for statistics in seen.values():
        statistics.compile()

    kwh, money = {"in": 0, "out": 0}, {"in": 0, "out": 0}
    for entry in house.entries():
        if entry.sequence <= before:
            continue
        if entry.kind == records.INTERVAL:
            interval = readers.unpack_interval(entry.payload)
            kwh = {"in": interval.import_wh / 1000, "out": interval.export_wh / 1000}
            for part in interval.parts:
                money["out" if part.band & payloads.EXPORT else "in"] += part.amount()
        else:
            money["in"] += entry.amount
    assert START % 86400 == 22 * 3600  # so that the day has one local midnight, 16:00 UTC
    assert len(house.entries(records.STANDING)) == 1
    assert kwh["in"] > 5 and kwh["out"] > 5
    assert seen["import"].sum == pytest.approx(kwh["in"], abs=1e-9)
    assert seen["export"].sum == pytest.approx(kwh["out"], abs=1e-9)
    assert seen["cost"].sum == pytest.approx(-money["in"] / 1e9, abs=1e-6)
    assert seen["earned"].sum == pytest.approx(money["out"] / 1e9, abs=1e-6)
    assert all(statistics.cycles == 0 for statistics in seen.values())
    assert UNIT == 1_000_000
