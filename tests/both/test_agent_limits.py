"""The meter's own limits: load and safety open the supply and, alone, close it again."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY
from wattledger.tests.both.fixtures_agent import UNIT, House, ScriptedChip, tariff_of

HEAP = "512K"
CREDIT = {"low": [0, 0], "reconnect_above": UNIT, "max": 100_000 * UNIT, "friendly": []}
PLENTY = tariff_of(credit=CREDIT)
CLOSES_ITSELF = tariff_of(credit=dict(CREDIT, auto_close=True))


def house_of(tariff=PLENTY, **config):
    house = House(credit=20_000, tariff=tariff, **config)
    house.run(1)
    return house


def causes(house):
    """(operation, cause) of each movement."""
    return [(operation, cause) for operation, _, cause, _ in house.moves()]


class TestLoadLimit(unittest.TestCase):
    """2000 W for 30 s; closed again after 300 s."""

    def setUp(self):
        self.house = house_of(load_limit_w=2000)

    def trip(self):
        """An overload of just 30 s."""
        self.house.run(31, 3600)
        self.assertFalse(self.house.relay.contact())

    def test_it_opens_after_thirty_seconds_and_not_before(self):
        self.house.run(30, 3600)
        self.assertTrue(self.house.relay.contact())
        self.house.run(1, 3600)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(causes(self.house), [(DISCONNECTED, rules.BY_LOAD)])
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.house.run(11)
        self.assertEqual(self.house.told(events.OVERLOAD), [3600])

    def test_what_is_at_the_limit_or_short_does_not(self):
        self.house.run(100, 2000)
        for _ in range(5):
            self.house.run(29, 9000)
            self.house.run(1, 1000)
        self.assertTrue(self.house.relay.contact())

    def test_it_closes_again_after_five_minutes(self):
        self.trip()
        self.house.run(299)
        self.assertFalse(self.house.relay.contact())
        self.house.run(1)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(causes(self.house)[-1], (CONNECTED, rules.BY_ITSELF))

    def test_three_times_and_then_it_waits_for_a_person(self):
        for _ in range(3):
            self.trip()
            self.house.run(300)
            self.assertTrue(self.house.relay.contact())
        self.trip()
        self.house.run(2000)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(self.house.agent.supply.state, READY)
        self.house.hold(3000)
        self.assertTrue(self.house.relay.contact())
        self.trip()  # and now three more
        self.house.run(300)
        self.assertTrue(self.house.relay.contact())

    def test_the_tries_are_kept_over_reboots(self):
        for _ in range(3):
            self.trip()
            self.house.run(300)
        self.trip()
        self.house.agent.stop()
        self.house.boot()
        self.house.run(1000)
        self.assertFalse(self.house.relay.contact())

    def test_an_hour_of_calm_forgets_them(self):
        for _ in range(3):
            self.trip()
            self.house.run(300)
        self.house.coast(3600)
        self.trip()
        self.house.run(300)
        self.assertTrue(self.house.relay.contact())

    def test_credit_that_ended_meanwhile_needs_a_person(self):
        self.trip()
        supply = self.house.agent.supply
        supply.hold_open(rules.NO_CREDIT, True)
        self.house.run(2)  # there is plenty, so it is taken out again
        self.house.run(700)
        self.assertEqual(supply.state, READY)
        self.assertFalse(self.house.relay.contact())

    def test_it_can_be_set_and_taken_away(self):
        house = house_of()
        house.run(60, 9000)
        self.assertTrue(house.relay.contact())
        house.agent.control.limits.set_load_limit(1000)
        house.run(31, 1001 * 4)
        self.assertFalse(house.relay.contact())
        house.agent.control.limits.set_load_limit(0)
        house.run(300)
        house.run(60, 9000)
        self.assertTrue(house.relay.contact())

    def test_a_silent_chip_trips_nothing(self):
        self.house.run(10, 3600)
        self.house.chip.dead = True
        self.house.run(60)
        self.assertTrue(self.house.relay.contact())


class ThreePhases(House):
    """A house whose chip measures three phases."""

    def boot(self, *arguments):
        self.chip = ScriptedChip(3)
        super().boot(*arguments)

    def run(self, seconds, *watts):
        for _ in range(seconds):
            self.chip.power_mw = [each * 1000 for each in watts]
            self.once()


class TestUnbalance(unittest.TestCase):
    """A token's limit of 1000 W between the phases."""

    def setUp(self):
        self.house = ThreePhases(credit=20_000, tariff=PLENTY)
        self.house.agent.control.limits.unbalance_limit_w = 1000

    def test_it_opens_after_thirty_seconds_and_closes_as_after_an_overload(self):
        self.house.run(60, 3000, 2000, 2500)
        self.assertTrue(self.house.relay.contact())
        self.house.run(30, 3000, 1999, 2500)
        self.assertTrue(self.house.relay.contact())
        self.house.run(1, 3000, 1999, 2500)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(causes(self.house), [(DISCONNECTED, rules.BY_LOAD)])
        self.house.run(300, 0, 0, 0)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(causes(self.house)[-1], (CONNECTED, rules.BY_ITSELF))
        self.assertEqual(self.house.told(events.PHASE_UNBALANCE), [1001])
        self.assertEqual(self.house.told(events.OVERLOAD), [])

    def test_export_of_one_phase_counts(self):
        self.house.run(31, 600, -401, 0)
        self.assertFalse(self.house.relay.contact())

    def test_without_a_limit_nothing_opens(self):
        self.house.agent.control.limits.unbalance_limit_w = 0
        self.house.run(60, 9000, 0, 0)
        self.assertTrue(self.house.relay.contact())


class TestSafety(unittest.TestCase):
    """276 V is 120 % of 230 V."""

    def setUp(self):
        self.house = house_of()

    def test_over_voltage_for_three_seconds_opens(self):
        self.house.chip.voltage_mv = 276_000
        self.house.run(10)
        self.assertTrue(self.house.relay.contact())
        self.house.chip.voltage_mv = 276_001
        self.house.run(3)
        self.assertTrue(self.house.relay.contact())
        self.house.run(1)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(causes(self.house), [(DISCONNECTED, rules.BY_SAFETY)])
        self.house.run(11)
        self.assertEqual(self.house.told(events.OVER_VOLTAGE), [276_001])

    def test_a_swell_of_two_seconds_does_not(self):
        for _ in range(5):
            self.house.chip.voltage_mv = 300_000
            self.house.run(2)
            self.house.chip.voltage_mv = 230_000
            self.house.run(1)
        self.assertTrue(self.house.relay.contact())

    def trip(self):
        self.house.chip.voltage_mv = 300_000
        self.house.run(5)
        self.assertFalse(self.house.relay.contact())
        self.house.chip.voltage_mv = 230_000

    def test_it_is_ready_after_three_stable_minutes(self):
        self.trip()
        self.house.run(170)
        self.house.chip.voltage_mv = 277_000  # stable begins again
        self.house.run(1)
        self.house.chip.voltage_mv = 230_000
        self.house.run(180)
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.house.run(1)
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_it_closes_by_itself_within_ten_minutes_of_being_ready(self):
        self.trip()
        self.house.run(182)
        view = self.house.agent.view.page()["supply"]
        self.assertEqual(view["closes"], "meter")
        self.assertTrue(0 <= view["closes_in_s"] <= 600)
        self.house.run(view["closes_in_s"] + 1)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(causes(self.house)[-1], (CONNECTED, rules.BY_ITSELF))

    def test_a_person_need_not_wait_for_that(self):
        self.trip()
        self.house.run(182)
        self.house.hold(3000)
        self.assertEqual(causes(self.house)[-1], (CONNECTED, rules.BY_PERSON))

    def test_over_temperature_opens_where_the_chip_has_a_thermometer(self):
        self.house.chip.temperature_dc = 850
        self.house.run(10)
        self.assertTrue(self.house.relay.contact())
        self.house.chip.temperature_dc = 851
        self.house.run(4)
        self.assertFalse(self.house.relay.contact())
        self.house.run(11)
        self.assertEqual(self.house.told(events.OVER_TEMPERATURE), [851])

    def test_it_opens_whatever_holds_a_credit_cut_back(self):
        self.house.agent.control.credit.keep(10_000)
        self.trip()

    def test_a_sag_and_under_voltage_are_events_and_no_more(self):
        self.house.chip.voltage_mv = 183_999  # 80 % is 184 V
        self.house.run(70)
        self.house.chip.voltage_mv = 230_000
        self.house.run(80)
        self.assertEqual(self.house.told(events.SAG), [1, 9])  # phase A began, phase A ended
        self.assertEqual(self.house.told(events.LOW_VOLTAGE), [1, 9])
        self.assertTrue(self.house.relay.contact())


class TestAutoClose(unittest.TestCase):
    def cut(self, tariff):
        house = House(credit=1, tariff=tariff)
        house.run(2, 3600)
        self.assertFalse(house.relay.contact())
        house.pay(100, 1)
        return house

    def test_a_top_up_closes_within_ten_minutes_where_the_tariff_says_so(self):
        house = self.cut(CLOSES_ITSELF)
        house.run(59)
        self.assertFalse(house.relay.contact())  # a minute off at least
        house.run(602)
        self.assertTrue(house.relay.contact())
        self.assertEqual(causes(house)[-1], (CONNECTED, rules.BY_ITSELF))

    def test_and_never_where_it_does_not(self):
        house = self.cut(PLENTY)
        house.coast(4000)
        self.assertFalse(house.relay.contact())

    def test_the_delay_is_drawn(self):
        delays = set()
        for number in range(4):
            house = House(credit=1, tariff=CLOSES_ITSELF)
            for _ in range(number):
                house.entropy.fill(bytearray(7))
            house.run(2, 3600)
            house.pay(100, 1)
            house.run(1)
            delays.add(house.agent.control.closes_in_s())
        self.assertTrue(len(delays) > 1)
        self.assertTrue(max(delays) <= 600)

    def test_a_supply_that_was_never_on_waits_for_a_person(self):
        house = House(credit=10, tariff=CLOSES_ITSELF, closed=False)
        house.coast(2000)
        self.assertEqual(house.agent.supply.state, READY)
        self.assertFalse(house.relay.contact())

    def test_storage_that_fails_forbids_it(self):
        house = self.cut(CLOSES_ITSELF)
        house.run(1)
        house.storage.commit = house.storage.sync = fails
        house.run(800)
        self.assertFalse(house.relay.contact())


def fails(*arguments):
    raise OSError(5)


class TestHoldRelay(unittest.TestCase):
    """A contactor that falls open without power: `relay_kind: hold`."""

    def restarted(self, kind="hold"):
        house = house_of(relay_kind=kind)
        house.agent.stop()
        house.relay.open()
        house.pass_ms(60_000)
        house.boot()
        return house

    def test_it_is_put_back_after_ten_seconds_of_good_measurement(self):
        house = self.restarted()
        house.run(10)
        self.assertFalse(house.relay.contact())
        house.run(1)
        self.assertTrue(house.relay.contact())
        self.assertEqual(causes(house), [(CONNECTED, rules.BY_RESTORING)])
        self.assertEqual(house.agent.supply.closings, [])  # it is no closing

    def test_a_chip_that_fails_in_between_begins_them_again(self):
        house = self.restarted()
        house.run(8)
        house.chip.dead = True
        house.run(1)
        house.chip.dead = False
        house.run(10)
        self.assertFalse(house.relay.contact())
        house.run(1)
        self.assertTrue(house.relay.contact())

    def test_it_stays_open_without_credit(self):
        house = house_of(relay_kind="hold")
        house.use(45)
        house.agent.stop()
        house.relay.open()
        house.boot()
        house.agent.supply.hold_open(rules.REMOTE, True)
        house.run(30)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, DISCONNECTED)

    def test_one_that_was_open_stays_open(self):
        house = House(credit=1, relay_kind="hold")
        house.run(2, 3600)
        house.agent.stop()
        house.boot()
        house.run(60)
        self.assertFalse(house.relay.contact())

    def test_a_latching_relay_is_not_moved_at_boot(self):
        house = self.restarted("latching")
        house.run(60)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, READY)
        self.assertEqual(house.told(events.CONTACT_DIFFERS), [0])


if __name__ == "__main__":
    unittest.main()
