"""Emergency credit: offered when little is left, taken by a person, repaid by the next top-up."""

import unittest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY
from wattledger.tests.both.fixtures_agent import UNIT, House, tariff_of

HEAP = "512K"
NANO = 1_000_000_000


def tariff(emergency=10, reconnect_above=UNIT, **changes):
    """Low levels 5 and 2 units, 1 unit a Wh, so many units of emergency credit."""
    credit = {
        "low": [5 * UNIT, 2 * UNIT],
        "reconnect_above": reconnect_above,
        "max": 1000 * UNIT,
        "friendly": [],
        "emergency": emergency * UNIT,
    }
    return tariff_of(credit=credit, **changes)


def accept(house):
    """A person takes what is offered; True when the journal has it."""
    before = len(house.entries(records.EMERGENCY))
    house.page.requests.append(("accept",))
    house.run(1)
    return len(house.entries(records.EMERGENCY)) == before + 1


def offered(house):
    house.pass_ms(300)
    house.agent.step()
    return house.page.view["emergency"]["offered"]


class TestOffer(unittest.TestCase):
    def test_it_is_offered_from_the_second_level_and_not_above(self):
        house = House(credit=4, tariff=tariff())
        house.run(1, 3600)
        self.assertFalse(offered(house))
        self.assertFalse(accept(house))
        house.run(1, 3600)
        self.assertEqual(house.agent.control.credit.available, 2 * NANO)
        self.assertTrue(offered(house))

    def test_a_tariff_without_it_shows_none(self):
        house = House(credit=1, tariff=tariff(emergency=0))
        house.run(1)
        self.assertIsNone(house.page.view["emergency"])
        self.assertFalse(accept(house))

    def test_it_is_not_for_a_meter_in_credit_mode(self):
        house = House(credit=1, tariff=tariff(), payment_mode="credit")
        house.run(1)
        self.assertFalse(offered(house))
        self.assertFalse(accept(house))

    def test_it_is_taken_once(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        self.assertTrue(accept(house))
        self.assertFalse(offered(house))
        self.assertFalse(accept(house))


class TestFloor(unittest.TestCase):
    def test_the_supply_stays_on_down_to_it_and_no_further(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        self.assertTrue(accept(house))
        house.run(11, 3600)
        self.assertEqual(house.agent.control.credit.available, -9 * NANO)
        self.assertTrue(house.relay.contact())
        self.assertEqual(
            house.agent.account.watch.zone(house.agent.account.tariff, -1), "emergency"
        )
        house.warn()
        house.run(1, 3600)
        self.assertEqual(house.agent.control.credit.available, -10 * NANO)
        self.assertFalse(house.relay.contact())
        # 1.00 above the floor of 10.00 arms it.
        self.assertEqual(house.page.view["supply"]["restore_micro"], UNIT)

    def test_taken_while_cut_it_arms_and_a_person_closes(self):
        house = House(credit=2, tariff=tariff())
        house.run(3, 3600)
        self.assertFalse(house.relay.contact())
        self.assertTrue(accept(house))
        house.run(1)
        self.assertEqual(house.agent.supply.state, READY)
        self.assertFalse(house.relay.contact())
        house.run(60)
        house.hold(3000)
        self.assertTrue(house.relay.contact())
        self.assertEqual(house.agent.supply.state, CONNECTED)

    def test_less_than_reconnect_above_does_not_arm(self):
        house = House(credit=2, tariff=tariff(emergency=3, reconnect_above=5 * UNIT))
        house.run(2, 3600)
        self.assertTrue(accept(house))
        house.run(1)
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        self.assertEqual(house.page.view["supply"]["restore_micro"], 2 * UNIT)


class TestRepaying(unittest.TestCase):
    def used(self):
        """3.00 of 10.00 used."""
        house = House(credit=2, tariff=tariff())
        house.run(1)
        accept(house)
        house.run(5, 3600)
        return house

    def test_it_is_part_of_the_one_balance(self):
        house = self.used()
        house.pay(5, 1)
        self.assertEqual(house.agent.journal.balance, 7 * NANO)
        self.assertEqual(house.agent.control.credit.available, -3 * NANO)
        house.run(1)
        self.assertEqual(house.agent.control.credit.available, 2 * NANO)
        self.assertEqual(house.agent.control.credit.floor(), 0)

    def test_repaid_it_may_be_taken_again(self):
        house = self.used()
        house.pay(5, 1)
        house.run(1)
        self.assertTrue(offered(house))  # 2.00 left is the second level
        self.assertTrue(accept(house))

    def test_half_repaid_it_goes_on_and_is_not_offered_again(self):
        house = self.used()
        house.pay(3, 1)
        house.run(1)
        self.assertEqual(house.agent.control.credit.available, 0)
        self.assertFalse(offered(house))
        self.assertEqual(house.agent.control.credit.floor(), -10 * NANO)

    def test_export_above_zero_does_not_take_it_away(self):
        house = self.used()
        house.run(4, -3600)
        self.assertEqual(house.agent.control.credit.available, NANO)
        house.run(4, 3600)
        house.warn()
        house.run(2)
        self.assertTrue(house.relay.contact())

    def test_a_top_up_before_it_was_needed_keeps_it_until_credit_is_no_longer_low(self):
        house = House(credit=1, tariff=tariff())
        house.run(1)
        accept(house)
        house.pay(1, 1)
        house.run(1)
        self.assertEqual(house.agent.control.credit.floor(), -10 * NANO)
        house.pay(1, 2)
        house.run(1)
        self.assertEqual(house.agent.control.credit.floor(), 0)


class TestOverReboots(unittest.TestCase):
    def test_what_was_taken_stays_taken(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        accept(house)
        house.run(5, 3600)
        house.agent.stop()
        house.boot()
        house.run(2)
        self.assertTrue(house.relay.contact())
        self.assertEqual(house.agent.control.credit.floor(), -10 * NANO)
        house.pay(5, 1)
        self.assertEqual(house.agent.control.credit.floor(), 0)

    def slots(self, house):
        found = {}
        buffer = bytearray(200)
        for name in ("slot.a", "slot.b"):
            size = house.storage.read_from(name, 0, buffer)
            found[name] = bytes(buffer[:size])
        return found

    def test_it_counts_when_only_its_entry_was_stored(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        slots = self.slots(house)
        self.assertTrue(accept(house))
        for name in slots:
            house.storage.commit(name, slots[name])
        house.boot()
        house.run(1)
        self.assertEqual(house.agent.control.credit.floor(), -10 * NANO)

    def test_it_counts_when_a_boot_was_cut_between_its_checkpoint_and_its_slot(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        slots = self.slots(house)
        self.assertTrue(accept(house))
        house.boot()  # its checkpoint opens a segment: what the slot lacks lies in the one before
        for name in slots:
            house.storage.commit(name, slots[name])
        house.boot()
        house.run(1)
        self.assertEqual(house.agent.control.credit.floor(), -10 * NANO)

    def test_both_slots_lost_take_neither_it_nor_the_alarms(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        accept(house)
        house.run(4, 3600)
        house.agent.stop()
        house.boot()
        for name in ("slot.a", "slot.b"):
            house.storage.remove(name)
        house.boot()
        watch = house.agent.account.watch
        self.assertEqual((watch.accepted, watch.used, watch.alarms), (True, True, 7))
        for name in ("slot.a", "slot.b"):
            house.storage.remove(name)
        house.pay(5, 1)  # 2 - 4 + 5: repaid, and above low 2
        for name in ("slot.a", "slot.b"):
            house.storage.remove(name)
        house.boot()
        watch = house.agent.account.watch
        self.assertEqual((watch.accepted, watch.used, watch.alarms), (False, False, 1))

    def test_the_entry_says_how_much_and_what_was_left(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        accept(house)
        (entry,) = house.entries(records.EMERGENCY)
        self.assertEqual(entry.amount, 0)
        self.assertEqual(readers.unpack_emergency(entry.payload), (10 * UNIT, 2 * NANO))

    def test_storage_that_fails_takes_nothing(self):
        house = House(credit=2, tariff=tariff())
        house.run(1)
        house.agent.keeper.failed = 28
        house.page.requests.append(("accept",))
        house.agent.step()
        self.assertFalse(house.agent.account.watch.accepted)


class TestKeepPower(unittest.TestCase):
    def test_it_holds_a_cut_back_and_ends_with_its_powered_time(self):
        house = House(credit=1)
        house.agent.control.credit.keep(100)
        house.run(99, 3600)
        self.assertTrue(house.relay.contact())
        house.warn()
        house.run(2)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.told(44), [100, 0])

    def test_it_arms_what_credit_has_cut(self):
        house = House(credit=1)
        house.run(2, 3600)
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        house.agent.control.credit.keep(3600)
        house.run(1)
        self.assertEqual(house.agent.supply.state, READY)
        self.assertFalse(house.relay.contact())

    def test_it_is_powered_time_and_kept_over_reboots(self):
        house = House(credit=1)
        house.agent.control.credit.keep(1000)
        house.run(20)
        house.agent.stop()
        house.pass_ms(7 * 86_400_000)
        house.boot()
        house.run(1)
        self.assertEqual(house.agent.control.credit.keep_power_s, 979)

    def test_it_does_not_arm_against_another_reason(self):
        house = House(credit=1)
        house.run(2, 3600)
        house.agent.supply.hold_open(rules.REMOTE, True)
        house.agent.control.credit.keep(3600)
        house.run(1)
        self.assertEqual(house.page.view["supply"]["reasons"], ["remote"])
        self.assertEqual(house.agent.supply.state, DISCONNECTED)


if __name__ == "__main__":
    unittest.main()
