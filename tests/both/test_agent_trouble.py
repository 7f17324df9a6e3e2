"""A chip in trouble and a tampered meter, as the journal, the page and the utility see them."""

import unittest

from wattledger.agent import events
from wattledger.agent.comms.commands import OPS
from wattledger.hal.sample import CORRUPT, NO_ANSWER, RESTARTED, UNCONFIRMED
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House, tariff_of
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "1024K"
CREDIT = {"low": [0, 0], "reconnect_above": UNIT, "max": 100_000 * UNIT, "friendly": []}


class TestLadder(unittest.TestCase):
    """Three misses and the chip is set up again; three of those within the hour are a fault."""

    def setUp(self):
        self.house = House(credit=20_000, tariff=tariff_of(credit=CREDIT))
        self.house.run(1)
        self.begun = self.house.chip.begun

    def status(self, status, seconds):
        """Every reading says `status` for so long."""
        read_into = self.house.chip.read_into

        def answer(sample):
            return read_into(sample) | status if status == UNCONFIRMED else status

        self.house.chip.read_into = answer
        self.house.run(seconds)
        self.house.chip.read_into = read_into

    def told(self, code):
        self.house.agent.keeper.now()
        return self.house.told(code)

    def test_three_misses_reset_the_chip_and_two_do_not(self):
        for status in (NO_ANSWER, CORRUPT):
            self.setUp()
            self.status(status, 2)
            self.house.run(1)
            self.assertEqual(self.house.chip.begun, self.begun)
            self.assertEqual(self.told(events.CHIP_SILENT), [])
            self.status(status, 3)
            self.assertEqual(self.house.chip.begun, self.begun + 1)
            self.assertEqual(self.told(events.CHIP_SILENT), [3])

    def test_three_resets_are_a_fault_that_moves_no_relay(self):
        self.status(NO_ANSWER, 8)
        self.assertEqual(self.told(events.CHIP_FAULT), [])
        self.status(NO_ANSWER, 1)
        self.assertEqual(self.told(events.CHIP_FAULT), [0])
        self.assertEqual(self.house.chip.begun, self.begun + 3)
        self.status(NO_ANSWER, 600)
        self.assertEqual(self.told(events.CHIP_SILENT), [3])  # once
        self.assertEqual(self.told(events.CHIP_FAULT), [0])
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.house.relay.operations, 0)
        self.assertEqual(self.house.agent.view.page()["alarms"], ["meter"])

    def test_the_answer_after_it_says_how_long_it_was(self):
        self.status(NO_ANSWER, 9)
        self.house.run(1)
        self.assertEqual(self.told(events.CHIP_ANSWERS), [10])
        self.house.run(10)
        self.assertEqual(self.told(events.CHIP_ANSWERS), [10])

    def test_a_restarted_chip_and_a_late_tick_are_told_with_their_gap(self):
        self.house.run(1)
        self.status(RESTARTED, 1)
        self.assertEqual(self.told(events.CHIP_RESTARTED), [1])
        self.house.run(1)
        self.house.once(30_000)
        self.assertEqual(self.told(events.LATE_TICK), [30])
        self.assertEqual(self.told(events.COUNTS_UNCERTAIN), [])
        self.house.once(45_000)
        self.assertEqual(self.told(events.COUNTS_UNCERTAIN), [45])

    def test_rejected_energy_is_told_in_counts(self):
        self.house.chip.feed(60_000)
        self.house.run(1)
        self.assertEqual(self.told(events.ENERGY_REJECTED), [60_000])

    def test_many_bad_readings_in_an_hour_are_told_as_a_number(self):
        self.house.coast(3600)
        for code, status, most in (
            (events.CHIP_CORRUPT, CORRUPT, 5),
            (events.CHIP_UNCONFIRMED, UNCONFIRMED, 36),
        ):
            for count, wanted in ((most, []), (most + 1, [most + 1])):
                for _ in range(count):
                    self.status(status, 1)
                    self.house.run(1)
                self.house.coast(3600)
                self.assertEqual(self.told(code), wanted)


class TestBypass(unittest.TestCase):
    def test_current_through_a_relay_whose_contact_says_open(self):
        house = House(credit=20_000, tariff=tariff_of(credit=CREDIT))
        house.relay.open()
        house.boot()
        house.chip.power_mw[0] = 900_000
        for _ in range(62):
            house.chip.feed(80)
            house.once()
        house.agent.keeper.now()
        self.assertEqual(house.told(events.BYPASS), [0])
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.meter.register.import_wh, 62 * 80 // 320)  # and is billed

    def test_a_welded_contact_is_told_as_that_and_as_no_bypass(self):
        class Welded(LatchingRelay):
            def contact(self):
                return None

        house = House(credit=20_000, tariff=tariff_of(credit=CREDIT))
        house.relay = Welded(True)
        house.boot()
        house.agent.control.limits.set_load_limit(500)
        house.chip.power_mw[0] = 900_000
        for _ in range(200):
            house.once()
        house.agent.keeper.now()
        self.assertEqual(len(house.told(events.WELDED_CONTACT)), 1)
        self.assertEqual(house.told(events.BYPASS), [])


class TestClear(Linked):
    def ask_clear(self, counter, kid="config.1"):
        more = '"ch":"%s","ctr":%d,' % (self.challenge, counter)
        return self.ask(jws.sign(body("tamper.clear", "{}", more=more), kid))[0]

    def test_a_signed_command_clears_what_is_over(self):
        self.house.run(12, -3600)
        self.assertEqual(self.house.agent.view.page()["conditions"], 1)
        self.assertEqual(self.ask_clear(1)["detail"], "some go on")
        self.assertEqual(self.house.agent.watch.latched, 1)
        self.house.run(12)
        view = self.house.agent.view.page()
        self.assertEqual((view["tamper"], view["conditions"], view["alarms"]), (1, 0, ["tamper"]))
        self.assertEqual(self.ask_clear(2)["result"], "ok")
        self.assertEqual(self.house.agent.view.page()["alarms"], [])
        self.assertEqual(self.written()[-1][1:], (OPS["tamper.clear"][0], "ok"))
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.TAMPER_CLEARED), [1])
        self.house.boot()
        self.assertEqual(self.house.agent.watch.latched, 0)

    def test_another_key_does_not(self):
        self.house.run(12, -3600)
        self.house.run(12)
        self.assertEqual(self.ask_clear(1, "credit.1")["result"], "denied locally")
        self.assertEqual(self.house.agent.watch.latched, 1)

    def test_a_latch_is_said_at_once(self):
        said = self.house.agent.view.said()
        self.house.agent.watch.latched = 1
        self.assertNotEqual(self.house.agent.view.said(), said)


if __name__ == "__main__":
    unittest.main()
