"""A meter takes a new application by itself, proves it, and goes back when it does not do."""

import json
import unittest

from wattledger.firmware import slots
from wattledger.firmware import trial as trials
from wattledger.tests.both.fixtures_jws import unsign
from wattledger.tests.both.houses_trial import Device
from wattledger.tests.both.houses_updates import NEW_FILES, OLD_FILES, Release

HEAP = "2M"
DAMAGED, INSTALLED, PROVEN, REVERTED, REFUSED, STARTED = 83, 86, 87, 88, 89, 98  # events
DAY = 86_400


def offered(**more):
    """A Device that has run for a while and was told to have 8."""
    device = Device(credit=900, **more)
    device.live(90)
    device.want(1, 8)
    return device


def installed(**more):
    """A Device in its first start of 8."""
    device = offered(**more)
    for _ in range(1200):
        device.live(1)
        if device.restarts:
            return device
    raise AssertionError(device.updates.why_not)


class TestUpdates(unittest.TestCase):
    def test_a_meter_goes_to_what_is_wanted(self):
        device = installed()
        self.assertEqual((device.running, device.restarts), ("b", 1))
        device.live(90)
        selection = slots.load(device.storage)
        self.assertEqual((selection.tries, selection.floor), (slots.PROVEN, 8))
        self.assertEqual(device.mirror.sequence, 8)
        device.agent.keeper.now()
        self.assertEqual(
            [device.told(code) for code in (INSTALLED, STARTED, PROVEN, REVERTED, REFUSED)],
            [[8], [8], [8], [], []],
        )
        self.assertEqual(device.relay.operations, 0)

    def test_the_proof_is_in_the_journal_before_a_hello_tells_it(self):
        device = installed()
        while not device.agent.application["proven"]:
            device.live(1)
        self.assertEqual(device.told(PROVEN), [8])  # of what is durable

    def test_hello_tells_which_application_runs(self):
        device = Device()
        device.answers = False
        device.link.take()
        device.link.number += 1
        device.run(3)
        hello = json.loads(unsign(device.link.take("hello")[-1][1]))
        digest = "".join(["%02x" % byte for byte in Release(7, OLD_FILES).digest()])
        self.assertEqual(
            hello["application"],
            {"seq": 7, "digest": digest, "proven": True, "refused": None},
        )

    def test_hello_tells_why_one_was_refused(self):
        device = Device(credit=900)
        device.release = Release(8, NEW_FILES, hw_class="pi")
        device.live(60)
        device.want(1, 8)
        device.live(100)
        self.assertEqual(device.agent.application["refused"], "8: is for pi, this is esp32")
        device.agent.keeper.now()
        self.assertEqual(device.told(REFUSED), [6])

    def test_what_was_refused_before_is_not_said_of_the_next(self):
        device = Device(credit=900)
        device.release = Release(8, NEW_FILES, hw_class="pi")
        device.live(60)
        device.want(1, 8)
        device.live(100)
        device.answers = False
        device.want(2, 9)
        device.live(30)
        self.assertEqual(device.agent.application["refused"], None)

    def test_one_that_never_proved_itself_is_told_by_a_core_alone(self):
        device = installed()
        device.files.wipe_one("a", "display/page.mpy")
        for _ in range(3):
            device.boot()
        self.assertEqual(device.running, None)
        self.assertEqual(
            device.agent.application,
            {"seq": 0, "digest": None, "proven": False, "refused": "8: was given up"},
        )

    def test_there_is_more_to_do_at_once_but_not_while_a_part_is_awaited(self):
        device = Device(credit=900)
        device.answers = False
        device.live(60)
        device.want(1, 8)
        device.live(60)
        self.assertFalse(device.updates.more)
        device.answers = True
        seen = []
        while not (seen and seen[-1]):
            device.live(1)
            seen.append(device.updates.more)
        self.assertTrue(False in seen)
        device.want(2, 7)  # no longer wanted, in the middle of it
        device.live(1)
        self.assertFalse(device.updates.more)

    def test_nothing_is_fetched_that_no_signed_want_names(self):
        device = Device(credit=900)
        device.live(120)
        self.assertEqual(device.files.names("b"), [])
        self.assertFalse(device.updates._updater)  # and nothing of it is loaded

    def test_the_way_back_is_kept_for_a_day(self):
        device = installed()
        device.live(90)
        device.want(2, 9)
        device.release = Release(9, OLD_FILES)
        proven = slots.load(device.storage).since
        device.chip.power_mw[0] = 0
        while device.agent.time.powered_s < proven + DAY - 60:
            device.once(20_000)
        self.assertEqual(slots.load(device.storage).before, "a")
        self.assertEqual(device.restarts, 1)
        for _ in range(300):
            if device.restarts == 1:
                device.once(20_000)
        device.live(90)
        self.assertEqual(slots.load(device.storage).sequence, 9)
        self.assertEqual(device.running, "a")

    def test_a_slot_that_was_damaged_is_told(self):
        device = Device()
        device.files.wipe_one("a", "display/page.mpy")
        device.boot()
        self.assertEqual((device.running, device.agent.application), (None, None))
        device.agent.keeper.now()
        self.assertEqual(device.told(DAMAGED), [0])

    def test_a_lost_store_keeps_its_floor(self):
        device = installed()
        device.live(90)
        for name in slots.FILES:
            device.storage.remove(name)
        device.boot()
        self.assertEqual((device.running, slots.load(device.storage).floor), (None, 0))
        device.live(30)
        self.assertEqual(device.updates._updater, None)  # 8 is wanted, and is not above 8
        device.want(2, 9)
        device.release = Release(9, OLD_FILES)
        device.live(200)
        self.assertEqual(device.updates._updater.ready.sequence, 9)


class TestTrial(unittest.TestCase):
    def test_without_the_utilitys_word_it_goes_back_after_ten_minutes(self):
        device = installed()
        device.answers = False
        device.live(599)
        self.assertEqual((device.running, device.updates.trial.lacking), ("b", "link"))
        device.live(3)
        self.assertEqual((device.running, device.restarts), ("a", 2))
        self.assertEqual(slots.load(device.storage).floor, 7)
        device.agent.keeper.now()
        self.assertEqual((device.told(REVERTED), device.told(PROVEN)), ([8], []))
        self.assertEqual(device.agent.application["refused"], "8: was given up")
        self.assertEqual(device.agent.application["seq"], 7)
        device.answers = True
        device.live(200)
        self.assertEqual((device.running, device.restarts), ("a", 2))  # it is not tried again

    def test_where_the_network_was_down_before_the_meter_judges_alone(self):
        device = offered()
        for _ in range(300):
            device.live(1)
            if device.updates._updater is not None and device.updates._updater.ready:
                break
        device.answers = False
        device.link.up = False
        device.live(700)
        self.assertEqual(device.running, "b")
        self.assertEqual(slots.load(device.storage).tries, slots.PROVEN)

    def test_a_chip_that_does_not_answer_fails_it(self):
        device = installed()
        device.chip.dead = True
        device.live(300)
        self.assertEqual(device.updates.trial.lacking, "chip")
        device.live(310)
        self.assertEqual(device.running, "a")

    def test_a_minute_of_good_readings_is_needed_in_a_row(self):
        device = installed()
        device.live(50)
        device.chip.dead = True
        device.live(1)
        device.chip.dead = False
        device.live(55)
        self.assertEqual(device.updates.trial.lacking, "chip")
        device.live(15)
        self.assertEqual(device.updates.trial, None)

    def test_a_store_that_takes_nothing_fails_it(self):
        device = installed()
        device.storage.fail = 30
        device.live(610)
        self.assertEqual(device.updates.trial.lacking, "journal")
        # The way back cannot be written down either, so it waits for the store.
        device.storage.fail = None
        device.live(3)
        self.assertNotEqual(slots.load(device.storage).tries, 3)

    def test_a_contact_that_is_not_where_it_was_told_fails_it(self):
        device = installed()
        device.relay._closed = False
        device.live(70)
        self.assertEqual(device.updates.trial.lacking, "relay")

    def test_too_little_heap_fails_it(self):
        device = installed()
        device.updates.trial._heap = lambda: trials.LEAST_HEAP - 1
        device.live(70)
        self.assertEqual(device.updates.trial.lacking, "heap")

    def test_three_starts_that_end_early_are_told_once(self):
        device = installed()
        for _ in range(3):
            device.live(20)
            device.boot()
        self.assertEqual(device.running, "a")
        for _ in range(2):
            device.boot()
        device.agent.keeper.now()
        self.assertEqual((device.told(REVERTED), device.told(STARTED)), ([8], [8, 8, 8]))


if __name__ == "__main__":
    unittest.main()
