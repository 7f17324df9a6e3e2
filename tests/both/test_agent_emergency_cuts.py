"""A top-up and a power cut before the next slot: emergency credit and alarms as without the cut.

1 Wh costs 1 unit; low levels 5 and 2 units, 10 units of emergency credit.
"""

import unittest

from wattledger.agent.comms.actions import Actions
from wattledger.agent.events import LOW_CREDIT_1
from wattledger.agent.journal import record as records
from wattledger.tests.both.fixtures_agent import UNIT, House
from wattledger.tests.both.houses_storage import PowerCut, TearingStorage
from wattledger.tests.both.test_agent_emergency import accept, tariff

HEAP = "640K"
NANO = 1_000_000_000


class Cut(unittest.TestCase):
    def house(self, credit=2, share=0, storage=None, taken=True):
        """Emergency credit taken at 2.00 (or not at all), and what is used later is in a slot."""
        house = House(credit=credit, tariff=tariff(), storage=storage)
        if share:
            arguments = {"id": 1, "total": 100 * UNIT, "share": share}
            self.assertEqual(Actions(house.agent).debt_set(arguments)[0], "ok")
        house.run(1)
        if taken:
            self.assertTrue(accept(house))
        return house

    def use(self, house, seconds):
        house.run(seconds, 3600)
        house.agent.keeper.now()

    def pay(self, house, units, n=1):
        """Taken as a command is: its record is durable, the slot is not written yet."""
        generation = house.agent.ledger.state.generation
        result = Actions(house.agent).credit_add({"n": n, "amount": units * UNIT})
        self.assertEqual(result[0], "ok")
        self.assertEqual(house.agent.ledger.state.generation, generation)

    def state(self, house):
        """(accepted, used, alarms) and what is available, in units."""
        watch = house.agent.account.watch
        register = house.agent.meter.register
        available = house.agent.account.available(register.import_wh, register.export_wh)
        return watch.accepted, watch.used, watch.alarms, available // NANO


class TestEmergencyCredit(Cut):
    def test_a_top_up_that_repays_it_in_part_leaves_it_and_the_supply_on(self):
        house = self.house()
        self.use(house, 5)  # 2 - 5 = -3; nothing of it is posted yet
        self.assertEqual(house.agent.journal.balance, 2 * NANO)
        self.pay(house, 3)
        self.assertEqual(self.state(house), (True, True, 7, 0))
        house.boot()
        self.assertEqual(self.state(house), (True, True, 7, 0))
        house.run(5, 3600)
        self.assertEqual(self.state(house)[3], -5)
        self.assertTrue(house.relay.contact())

    def test_one_that_repays_it_all_ends_it(self):
        house = self.house()
        self.use(house, 5)
        self.pay(house, 4)
        self.assertEqual(self.state(house), (False, False, 3, 1))
        house.boot()
        self.assertEqual(self.state(house), (False, False, 3, 1))

    def test_the_share_of_a_debt_comes_first(self):
        # -3 + 6 - 75 % of 6 = -1.50; at 66 bytes the share is lost, and the boot posts it.
        for tear in (None, 66, 162):
            house = self.house(share=75, storage=TearingStorage())
            self.use(house, 5)
            house.storage.tear = tear
            if tear is None:
                self.pay(house, 6)
                self.assertEqual(house.storage.asked, 66 + 96)  # the credit and the debt
            else:
                with self.assertRaises(PowerCut):
                    self.pay(house, 6)
            house.boot()
            self.assertEqual(self.state(house), (True, True, 7, -2), tear)
            self.assertEqual(len(house.entries(records.CREDIT)), 1, tear)
            house.run(2)
            self.assertTrue(house.relay.contact())

    def test_the_share_comes_first_where_all_energy_is_posted_too(self):
        house = self.house(share=80)
        self.use(house, 5)
        house.agent.stop()
        house.boot()  # closes the interval: the balance is -3
        self.assertEqual(house.agent.journal.balance, -3 * NANO)
        house.agent.keeper.now()
        self.pay(house, 5)  # -3 + 5 - 4 = -2
        house.boot()
        self.assertEqual(self.state(house), (True, True, 7, -2))


class TestAlarms(Cut):
    def test_a_level_that_the_top_up_did_not_pass_stays_silent(self):
        house = self.house(credit=10, taken=False)
        self.use(house, 6)
        self.assertEqual(self.state(house), (False, False, 1, 4))
        self.pay(house, 1)  # 5.00 is not above low 1
        self.assertEqual(self.state(house), (False, False, 1, 5))
        house.boot()
        house.run(10)
        self.assertEqual(self.state(house), (False, False, 1, 5))
        self.assertEqual(len(house.told(LOW_CREDIT_1)), 1)


if __name__ == "__main__":
    unittest.main()
