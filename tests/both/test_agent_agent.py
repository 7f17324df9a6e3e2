"""The agent as a whole: what its two calls do when chip, clock, storage or link fail."""

import json
import unittest

from wattledger.agent import events
from wattledger.agent.agent import BUSY_MS
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import (
    QUALITY_ESTIMATED,
    QUALITY_REJECTED,
    RESTARTED,
    TRUST_RESTORED,
    TRUST_SYNCED,
)
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both import fixtures_spi as spi
from wattledger.tests.both.fixtures_agent import START, UNIT, House

HEAP = "512K"
NO_SPACE = 28


def intervals(house):
    return [readers.unpack_interval(entry.payload) for entry in house.entries(records.INTERVAL)]


class TestChip(unittest.TestCase):
    def test_three_missed_reads_reset_the_chip(self):
        house = House(credit=10)
        house.run(1)
        begun = house.chip.begun
        house.chip.dead = True
        house.run(2)
        self.assertEqual(house.chip.begun, begun)
        house.run(1)
        self.assertEqual(house.chip.begun, begun + 1)
        house.agent.keeper.now()
        self.assertEqual(house.told(events.CHIP_SILENT), [3])

    def test_the_third_reset_within_an_hour_is_a_fault_event(self):
        house = House(credit=10)
        for fault in range(3):
            self.assertEqual(house.told(events.CHIP_FAULT), [])
            house.chip.dead = True
            house.run(3)
            house.chip.dead = False
            house.run(600 if fault < 2 else 15)
        self.assertEqual(house.told(events.CHIP_FAULT), [0])

    def test_three_resets_in_more_than_an_hour_are_none(self):
        house = House(credit=10)
        for _ in range(3):
            house.chip.dead = True
            house.run(3)
            house.chip.dead = False
            for _ in range(181):
                house.once(10_000)
        self.assertEqual(house.told(events.CHIP_FAULT), [])

    def test_a_chip_that_is_gone_does_not_fill_the_journal(self):
        house = House(credit=10)
        house.chip.dead = True
        for _ in range(3600):
            house.once()
        told = len(house.told(events.CHIP_SILENT)) + len(house.told(events.CHIP_FAULT))
        # Four quarters of intervals belong there; one event a minute is already a lot.
        self.assertLessEqual(told, 60)

    def test_a_restart_is_told_with_its_gap_and_the_interval_is_an_estimate(self):
        house = House(credit=10)
        house.run(5)
        house.chip.status = RESTARTED
        house.once(7_000)
        house.coast(888)
        self.assertEqual(house.told(events.CHIP_RESTARTED), [7])
        self.assertEqual(intervals(house)[0].quality, QUALITY_ESTIMATED)

    def test_energy_that_was_lost_while_the_chip_was_silent_leaves_an_estimate(self):
        # Brown-out of the chip and its bus together: the reset of the ladder finds it.
        house = House(credit=10)
        chip = spi.new_chip()
        house.chip = spi.new_driver(chip)
        house.boot()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        for second in range(20):
            if second == 5:
                chip.silent = True
            if second == 7:
                chip.brown_out()
            if second == 8:
                chip.silent = False
            chip.feed(1_000)
            house.once()
        house.coast(880)
        self.assertEqual(house.told(events.LATE_TICK), [])
        self.assertGreaterEqual(intervals(house)[0].quality, QUALITY_ESTIMATED)

    def test_a_rejected_energy_is_told_and_not_billed(self):
        house = House(credit=10)
        house.run(2)
        house.chip.feed(60_000)
        house.once()
        house.coast(897)
        self.assertEqual(house.told(events.ENERGY_REJECTED), [60_000])
        closed = intervals(house)[0]
        self.assertEqual((closed.import_wh, closed.quality), (0, QUALITY_REJECTED))
        self.assertEqual(house.agent.journal.balance, 10 * 10**9)

    def test_a_late_tick_is_told_and_billed(self):
        house = House(credit=50)
        house.run(2)
        house.chip.feed(320 * 30)
        house.once(30_000)
        house.once(868_000)
        self.assertEqual(house.told(events.LATE_TICK), [30, 868])
        self.assertEqual(intervals(house)[0].quality, QUALITY_ESTIMATED)
        self.assertEqual(house.agent.journal.balance, 20 * 10**9)

    def test_a_chip_that_is_absent_at_boot_comes_later(self):
        house = House(credit=10)
        house.chip.dead = True
        house.boot()
        house.run(5)
        house.chip.dead = False
        house.run(5, 3600)
        self.assertEqual(house.agent.meter.register.import_wh, 5)


class TestRegisters(unittest.TestCase):
    def test_they_go_on_over_a_reboot_to_the_last_count(self):
        house = House(credit=100)
        house.chip.feed(1_234)
        house.once()
        house.chip.feed(-777)
        house.once()
        house.agent.stop()
        house.boot()
        register = house.agent.meter.register
        self.assertEqual((register.import_wh, register.import_rest), (3, 274))
        self.assertEqual((register.export_wh, register.export_rest), (2, 137))

    def test_a_power_cut_costs_at_most_ten_seconds_and_a_tick(self):
        house = House(credit=500)
        for seconds in (3, 8, 14, 21, 30, 37):
            house.run(seconds, 360)
            before = house.agent.meter.register.import_wh
            house.boot()
            house.run(1)
            after = house.agent.meter.register.import_wh
            self.assertLessEqual(after, before)
            self.assertLessEqual(before - after, 2)  # 11 s of 0.1 Wh

    def test_ten_wh_are_kept_before_ten_seconds_are_over(self):
        house = House(credit=500)
        house.run(4, 14_400)  # 4 Wh a second
        house.boot()
        self.assertGreaterEqual(house.agent.meter.register.import_wh, 12)


class TestTime(unittest.TestCase):
    def test_an_unset_clock_takes_the_last_time_the_store_knows(self):
        house = House(credit=10)
        house.run(30)
        house.agent.stop()
        house.go_offline()
        house.boot()
        self.assertEqual(house.agent.time.trust(), TRUST_RESTORED)
        self.assertEqual(house.agent.time.unix(), START + 30)

    def test_a_source_that_comes_back_sets_it_and_the_step_is_written(self):
        house = House(credit=10)
        house.run(30)
        house.agent.stop()
        house.go_offline()
        house.pass_ms(3_600_000)
        house.boot()
        house.run(5)
        house.clock.online = True
        house.run(12)
        self.assertEqual(house.agent.time.trust(), TRUST_SYNCED)
        steps = [readers.unpack_clock(entry.payload) for entry in house.entries(records.CLOCK)]
        self.assertEqual(steps[-1][1] - steps[-1][0], 3600)

    def test_powered_time_does_not_count_the_dark(self):
        house = House(credit=10, warned=False)
        house.run(30)
        house.agent.stop()
        powered = house.agent.time.powered_s
        house.pass_ms(86_400_000)
        house.boot()
        self.assertEqual(house.agent.time.powered_s, powered)
        house.run(3)
        self.assertEqual(house.agent.time.powered_s, powered + 3)


class TestStorage(unittest.TestCase):
    def test_a_failure_is_told_once_and_everything_waits(self):
        house = House(credit=100)
        house.run(2, 3600)
        house.storage.fail = NO_SPACE
        house.run(40, 3600)
        house.storage.fail = None
        house.run(12)
        self.assertEqual(house.told(events.STORAGE_FAILED), [NO_SPACE])
        house.boot()
        self.assertEqual(house.agent.meter.register.import_wh, 42)

    def test_a_meter_without_a_ledger_measures_and_says_so(self):
        house = House(credit=None, linked=True)
        house.run(5, 3600)
        self.assertEqual(house.agent.meter.register.import_wh, 5)
        self.assertEqual(house.entries(), [])
        house.link.put(jws.credit(1, 10 * UNIT))
        house.talk()
        answer = json.loads(jws.unsign(house.link.take("ack")[-1][1]))
        self.assertEqual(answer["result"], "denied locally")
        self.assertIn("missing", answer["detail"])

    def test_registers_are_kept_without_a_ledger_too(self):
        house = House(credit=None)
        house.run(15, 3600)
        house.agent.stop()
        house.boot()
        self.assertEqual(house.agent.meter.register.import_wh, 15)


class TestLink(unittest.TestCase):
    def test_it_subscribes_to_its_own_commands(self):
        house = House(credit=10, linked=True)
        self.assertEqual(house.link.topics, ["wl/1/demo/m/demo-0001/cmd"])

    def test_a_link_that_is_down_raises_nothing_and_metering_goes_on(self):
        house = House(credit=100, linked=True)
        house.link.up = False
        house.run(60, 3600)
        self.assertEqual(house.agent.meter.register.import_wh, 60)
        self.assertEqual(house.link.out, [])
        self.assertFalse(house.page.view["link"])
        house.link.up = True
        house.run(2)
        self.assertTrue(house.page.view["link"])
        self.assertTrue(house.link.out)

    def test_a_step_that_said_something_wants_the_next_soon(self):
        house = House(credit=10, linked=True)
        self.assertEqual(house.agent.step(), BUSY_MS)
        house.talk()
        self.assertEqual(house.agent.step(), 1000)

    def test_one_message_a_step(self):
        house = House(credit=10, linked=True)
        for _ in range(10):
            before = len(house.link.out)
            house.agent.step()
            self.assertLessEqual(len(house.link.out) - before, 1)

    def test_what_is_acknowledged_everything_falls_silent(self):
        house = House(credit=10, linked=True)
        house.run(15)
        house.talk()
        for _ in range(5):
            entry = house.entries()[-1]
            text = "".join(["%02x" % byte for byte in entry.hash])
            house.link.put(jws.journal_ack(entry.sequence, text))
            house.run(12)
        house.link.take()
        house.run(60)
        self.assertEqual([leaf for leaf, _, _ in house.link.take() if leaf != "state"], [])


class TestPage(unittest.TestCase):
    def test_it_is_shown_four_times_a_second_at_most(self):
        house = House(credit=10)
        shown = house.page.shown
        for _ in range(100):
            house.pass_ms(10)
            house.agent.step()
        self.assertLessEqual(house.page.shown - shown, 5)
        self.assertGreaterEqual(house.page.shown - shown, 4)

    def test_a_meter_without_page_and_link_works(self):
        house = House(credit=10)
        house.page = None
        house.boot()
        house.run(3, 3600)
        self.assertEqual(house.agent.meter.register.import_wh, 3)


if __name__ == "__main__":
    unittest.main()
