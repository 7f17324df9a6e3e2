"""The home's side: what is announced to Home Assistant and when, its sums of money, its button."""

import json
import unittest

from wattledger.agent import events
from wattledger.agent.comms import topics
from wattledger.agent.comms.discovery import costs
from wattledger.agent.journal import record as records
from wattledger.agent.supply import states
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of
from wattledger.tests.both.fixtures_jws import METER

HEAP = "768K"
CONFIG = "homeassistant/device/%s/config" % METER
BIRTH = "homeassistant/status"
BUTTON = topics.topic("demo", METER, "home/reconnect")
MONEY = ("balance", "cost", "earned", "price", "feed")


def home_house(**changes):
    """1 Wh costs 1.000000 and earns as much; 3600 W for a second is one Wh."""
    return House(linked=True, home_assistant=True, **dict({"credit": 100}, **changes))


class UntariffedHouse(House):
    """A meter that was given no tariff yet."""

    def boot(self, tariff=None, cold=True):
        House.boot(self, None, cold)


class Homes(unittest.TestCase):
    def setUp(self):
        self.house = home_house()
        self.house.run(1)
        self.house.talk()

    def announced(self):
        """The discovery messages sent since the last look."""
        found = [(data, retain) for topic, data, retain in self.house.link.out if topic == CONFIG]
        self.house.link.out = []
        return found

    def put(self, topic, data, retained=False):
        self.house.link.inbox.append((topic, data, retained))
        self.house.talk()

    def state(self):
        """The newest state message."""
        self.house.link.out = []
        self.house.once(10_000)
        self.house.talk()
        return json.loads(self.house.link.take("state")[-1][1])


class TestAnnouncing(Homes):
    def test_a_meter_announces_itself_once_a_connection_and_retained(self):
        ((data, retained),) = self.announced()
        self.assertTrue(retained)
        self.assertEqual(json.loads(data)["dev"]["ids"], ["wl_" + METER])
        self.house.run(30)
        self.assertEqual(self.announced(), [])
        self.house.link.number += 1
        self.house.run(1)
        self.house.talk()
        self.assertEqual(self.announced(), [(data, True)])

    def test_a_meter_that_was_not_asked_to_announces_nothing(self):
        house = House(linked=True)
        house.run(30)
        house.talk()
        self.assertEqual([sent[0] for sent in house.link.out if "homeassistant" in sent[0]], [])
        self.assertEqual([topic for topic in house.link.topics if "home" in topic], [])
        self.assertFalse("home" in json.loads(house.link.take("state")[-1][1]))

    def test_it_announces_itself_again_when_home_assistant_has_started(self):
        first = self.announced()
        self.put(BIRTH, b"offline")
        self.assertEqual(self.announced(), [])
        self.put(BIRTH, b"online")
        self.assertEqual(self.announced(), first)

    def test_a_birth_that_lies_on_the_broker_is_old_news(self):
        self.announced()
        self.put(BIRTH, b"online", True)
        self.assertEqual(self.announced(), [])

    def test_a_message_that_found_no_room_is_sent_later(self):
        self.announced()
        self.house.link.room = 0
        self.put(BIRTH, b"online")
        self.assertEqual(self.announced(), [])
        self.house.link.room = 1000
        self.house.talk()
        self.assertEqual(len(self.announced()), 1)

    def test_money_is_announced_once_there_is_a_currency(self):
        self.house = UntariffedHouse(credit=100, linked=True, home_assistant=True)
        self.house.run(1)
        self.house.talk()
        ((data, _),) = self.announced()
        without = json.loads(data)["cmps"]
        self.assertEqual([key for key in MONEY if key in without], [])
        self.house.agent.accept_document(tariff_of(currency="EUR"))
        self.house.coast(1000)
        self.house.talk()
        ((data, _),) = self.announced()
        found = json.loads(data)["cmps"]
        self.assertEqual(len(found), len(without) + len(MONEY))
        self.assertEqual(found["cost"]["unit_of_meas"], "EUR")

    def test_units_are_of_the_tariffs_currency(self):
        found = json.loads(self.announced()[0][0])["cmps"]
        units = [found[key]["unit_of_meas"] for key in MONEY]
        self.assertEqual(units, ["CNY", "CNY", "CNY", "CNY/kWh", "CNY/kWh"])

    def test_a_value_is_unknown_after_three_states_that_did_not_come(self):
        house = home_house(state_s=300)
        house.run(1)
        house.talk()
        ((_, data, _),) = [sent for sent in house.link.out if sent[0] == CONFIG]
        self.assertEqual(json.loads(data)["cmps"]["import"]["exp_aft"], 900)
        house.config.state_s = 600
        house.talk()
        last = [sent for sent in house.link.out if sent[0] == CONFIG][-1]
        self.assertEqual(json.loads(last[1])["cmps"]["import"]["exp_aft"], 1800)

    def test_nothing_announced_can_switch_the_relay(self):
        found = json.loads(self.announced()[0][0])["cmps"]
        self.assertEqual(
            sorted({entity["p"] for entity in found.values()}),
            ["binary_sensor", "button", "sensor"],
        )
        commands = [entity["cmd_t"] for entity in found.values() if "cmd_t" in entity]
        self.assertEqual(commands, [BUTTON])


class TestCosts(Homes):
    def home(self):
        return self.state()["home"]

    def test_cost_is_what_the_import_cost_and_earned_what_the_export_brought(self):
        self.house.run(7, 3600)  # 7 Wh at 1.000000
        self.house.run(3, -3600)
        home = self.home()
        self.assertEqual((home["cost_micro"], home["earned_micro"]), (7 * UNIT, 3 * UNIT))

    def test_they_go_on_over_the_end_of_an_interval_and_a_purchase(self):
        self.house.run(7, 3600)
        self.house.coast(900)
        self.house.pay(50, 1)
        self.house.run(5, 3600)
        home = self.home()
        self.assertEqual((home["cost_micro"], home["earned_micro"]), (12 * UNIT, 0))

    def test_the_standing_charge_is_a_cost(self):
        # Local midnight is 16:00 UTC, 18 hours after START.
        self.house = home_house(tariff=tariff_of(standing_day=3 * UNIT))
        self.house.run(2, 3600)
        for _ in range(108):
            self.house.coast(600)
            self.house.link.out = []
        self.house.run(10)
        self.assertEqual(len(self.house.entries(records.STANDING)), 1)
        self.assertEqual(self.home()["cost_micro"], 5 * UNIT)

    def test_a_boot_forgets_nothing_and_counts_nothing_twice(self):
        since = self.home()["since"]
        self.house.run(7, 3600)
        self.house.coast(900)
        self.house.run(4, 3600)
        self.house.run(10)
        for _ in range(2):
            self.house.boot()
            self.house.run(1)
            home = self.home()
            self.assertEqual((home["cost_micro"], home["since"]), (11 * UNIT, since))

    def test_the_first_state_after_a_boot_has_the_whole_sum(self):
        self.house.run(7, 3600)
        self.house.coast(900)
        self.house.boot()
        self.house.link.out = []
        self.house.link.number += 1
        self.house.run(1)
        self.house.talk()
        first = json.loads(self.house.link.take("state")[0][1])["home"]
        self.assertEqual(first["cost_micro"], 7 * UNIT)

    def test_lost_sums_begin_anew_and_say_so(self):
        before = self.home()
        self.house.run(7, 3600)
        self.house.coast(900)
        self.house.agent.storage.remove(costs.STORE)
        self.house.boot()
        self.house.run(1)
        home = self.home()
        self.assertEqual(home["cost_micro"], 0)
        self.assertNotEqual(home["since"], before["since"])

    def test_counting_begins_at_a_time_in_iso_8601(self):
        # START is 2027-01-12 06:00 in UTC+8; the first step is a second later.
        self.assertEqual(START + 1, 1_799_704_801)
        self.assertEqual(self.home()["since"], "2027-01-11T22:00:01+00:00")

    def test_a_cost_never_goes_back_while_an_interval_is_not_durable_yet(self):
        self.house.run(7, 3600)
        agent = self.house.agent
        self.home()
        register = agent.meter.register
        agent.account.close(START + 900, register.import_wh, register.export_wh)
        agent.account.begin(START + 900, register.import_wh, register.export_wh, 2)
        self.assertTrue(agent.journal.durable < agent.journal.sequence)
        self.assertEqual(agent.talk.home.costs.read()[0], 7 * UNIT * 1000)


class TestReconnect(Homes):
    def setUp(self):
        Homes.setUp(self)
        self.house.run(110, 3600)  # the credit of 100 is used up
        self.assertEqual(self.house.agent.supply.state, states.DISCONNECTED)

    def asked(self):
        self.house.agent.keeper.now()
        return self.house.told(events.RECONNECT_ASKED)

    def test_a_wish_is_written_down_with_why_it_is_off_and_shown(self):
        self.assertEqual(self.state()["home"]["asked_at"], None)
        self.put(BUTTON, b"PRESS")
        self.assertEqual(self.asked(), [2])  # no credit
        self.assertEqual(self.state()["home"]["asked_at"], self.house.agent.time.unix() - 10)

    def test_a_wish_moves_no_relay_even_when_the_supply_is_armed(self):
        self.house.pay(50, 1)
        self.house.run(120)
        self.assertEqual(self.house.agent.supply.state, states.READY)
        before = len(self.house.moves())
        self.put(BUTTON, b"PRESS")
        self.house.run(120)
        self.assertEqual(self.house.agent.supply.state, states.READY)
        self.assertEqual((len(self.house.moves()), self.house.relay.contact()), (before, False))
        self.assertEqual(self.asked(), [0])

    def test_wishes_are_written_down_once_in_ten_minutes(self):
        for _ in range(5):
            self.put(BUTTON, b"PRESS")
        self.house.coast(580)
        self.put(BUTTON, b"PRESS")
        self.assertEqual(len(self.asked()), 1)
        self.house.coast(40)
        self.put(BUTTON, b"PRESS")
        self.assertEqual(len(self.asked()), 2)

    def test_a_wish_that_lies_on_the_broker_is_nobodys(self):
        self.put(BUTTON, b"PRESS", True)
        self.assertEqual(self.asked(), [])

    def test_a_wish_is_over_when_a_person_has_closed(self):
        self.put(BUTTON, b"PRESS")
        self.house.pay(50, 1)
        self.house.run(120)
        self.house.hold(3500)
        self.house.run(5)
        self.assertEqual(self.house.agent.supply.state, states.CONNECTED)
        self.assertEqual(self.state()["home"]["asked_at"], None)
        self.house.coast(700)
        self.put(BUTTON, b"PRESS")
        self.assertEqual(len(self.asked()), 1)

    def test_a_command_is_never_taken_from_the_homes_topics(self):
        self.put(BUTTON, b"\xff" * 2000)
        self.assertEqual(self.house.agent.desk.refused, 0)


if __name__ == "__main__":
    unittest.main()
