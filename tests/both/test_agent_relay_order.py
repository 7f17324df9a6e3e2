"""The relay and the journal: the cause is durable first, and boots move nothing."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY
from wattledger.hal.errors import StorageError
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.fixtures_agent import House, tariff_of

HEAP = "384K"
NO_SPACE = 28
RELAY_KIND = 16


class WatchedRelay(LatchingRelay):
    """Notes what storage says of a movement at the instant of it."""

    def __init__(self, house, closed):
        super().__init__(closed)
        self._house = house
        self.found = []

    def _move(self, closed):
        moves = self._house.moves()
        self.found.append((closed, moves[-1][0] if moves else None))
        super()._move(closed)


def cut_house(**house):
    """A house that was cut for credit and topped up to 20.00; a minute has passed."""
    house = House(credit=1, **house)
    house.run(3, 3600)
    house.pay(20, 1)
    house.run(70)
    return house


def hold_until_storage_fails(house):
    """Hold the button; storage fails in the very step that would close."""
    house.agent.keeper.now()
    for _ in range(30):
        house.page.requests.append(("press",))
        house.agent.step()
        house.pass_ms(100)
    house.storage.fail = NO_SPACE
    house.page.requests.append(("press",))
    house.agent.step()
    house.page.requests.append(("release",))
    house.agent.step()


def watched(house):
    """The same house with a relay that looks at storage; a reboot on the way."""
    house.relay = WatchedRelay(house, house.relay.contact())
    house.boot()
    return house


class TestOrder(unittest.TestCase):
    def test_the_entry_is_durable_before_the_relay_opens(self):
        house = watched(House(credit=3))
        house.run(1)
        house.clock.online = True
        house.run(4, 3600)
        self.assertEqual(house.relay.found, [(False, DISCONNECTED)])

    def test_the_entry_is_durable_before_the_relay_closes(self):
        house = watched(cut_house())
        house.run(65)
        house.hold(3000)
        self.assertEqual(house.relay.found, [(True, CONNECTED)])

    def test_failing_storage_never_keeps_it_from_opening(self):
        house = House(credit=3)
        house.run(1)
        house.storage.fail = NO_SPACE
        house.run(3, 3600)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.moves(), [])
        house.storage.fail = None
        house.run(12)
        self.assertEqual([move[:3] for move in house.moves()], [(0, rules.NO_CREDIT, 1)])
        self.assertEqual(house.told(events.STORAGE_FAILED), [NO_SPACE])

    def test_storage_that_fails_already_forbids_closing(self):
        house = cut_house()
        house.storage.fail = NO_SPACE
        house.run(12)
        house.hold(3500)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, READY)

    def test_storage_that_fails_at_the_closing_forbids_it(self):
        house = cut_house()
        hold_until_storage_fails(house)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, READY)

    def test_a_closing_that_did_not_happen_is_not_what_the_journal_ends_with(self):
        house = cut_house()
        hold_until_storage_fails(house)
        house.storage.fail = None
        house.run(12)
        self.assertFalse(house.relay.contact())
        self.assertNotEqual(house.moves()[-1][0], CONNECTED)

    def test_a_closing_that_did_not_happen_leaves_since_when_as_it_was(self):
        house = cut_house()
        opened = house.entries(RELAY_KIND)[-1].time
        hold_until_storage_fails(house)
        house.storage.fail = None
        house.run(12)
        self.assertEqual(house.page.view["supply"]["since"], opened)
        # docs/journal.md: an operation is 0 (open) or 2 (close).
        self.assertEqual([move[0] for move in house.moves() if move[0] not in (0, 2)], [])
        house.boot()
        house.run(1)
        self.assertEqual(house.page.view["supply"]["state"], "ready")

    def test_a_relay_that_fails_is_told_to_open_again(self):
        house = House(credit=2)
        broken = house.relay.open
        commands = []

        def fails_once():
            commands.append(1)
            if len(commands) == 1:
                raise OSError(5)
            broken()

        house.relay.open = fails_once
        failed = 0
        for _ in range(12):
            house.chip.feed(320)
            try:
                house.once()
            except OSError:
                failed += 1
        self.assertLessEqual(failed, 1)
        self.assertFalse(house.relay.contact())

    def test_a_closing_that_did_not_happen_is_not_counted(self):
        house = cut_house()
        for _ in range(6):
            hold_until_storage_fails(house)
            house.storage.fail = None
            house.run(2)
        self.assertEqual(house.agent.supply.wait_s(house.agent.time.powered_s), 0)
        house.hold(3000)
        self.assertTrue(house.relay.contact())

    def test_a_closing_works_again_when_storage_does(self):
        house = cut_house()
        hold_until_storage_fails(house)
        house.storage.fail = None
        house.run(2)
        house.hold(3000)
        self.assertTrue(house.relay.contact())
        self.assertEqual(house.moves()[-1][0], CONNECTED)

    def test_a_sync_that_fails_forbids_closing_as_well(self):
        house = cut_house()
        sync = house.storage.sync

        def failing(name):
            raise StorageError(5, name)

        house.storage.sync = failing
        house.hold(3000)
        self.assertFalse(house.relay.contact())
        house.storage.sync = sync


class TestBoot(unittest.TestCase):
    def test_it_moves_nothing_whatever_state_and_contact(self):
        for closed in (True, False):
            for make in (lambda: House(credit=5), cut_house):
                house = make()
                house.agent.stop()
                house.relay = LatchingRelay(closed)
                house.boot()
                self.assertEqual(house.relay.operations, 0)

    def test_a_contact_that_agrees_is_no_event(self):
        house = House(credit=5)
        house.agent.stop()
        house.boot()
        self.assertEqual(house.agent.supply.state, CONNECTED)
        house.run(2)
        house.agent.keeper.now()
        self.assertEqual(house.told(events.CONTACT_DIFFERS), [])

    def test_a_contact_found_open_is_ready_for_a_person(self):
        house = House(credit=5)
        house.relay = LatchingRelay(False)
        house.boot()
        house.run(2)
        self.assertEqual(house.agent.supply.state, READY)
        house.agent.keeper.now()
        self.assertEqual(house.told(events.CONTACT_DIFFERS), [0])
        house.run(60)
        self.assertFalse(house.relay.contact())
        house.hold(3000)
        self.assertTrue(house.relay.contact())

    def test_an_opening_that_power_cut_short_is_done_again_with_a_cause(self):
        house = House(credit=1)
        house.run(3, 3600)
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        house.relay = LatchingRelay(True)  # the coil never got its pulse
        house.boot()
        self.assertEqual(house.agent.supply.state, CONNECTED)
        house.run(3)
        self.assertFalse(house.relay.contact())
        self.assertEqual([move[:3] for move in house.moves()], [(0, rules.NO_CREDIT, 1)] * 2)
        self.assertEqual(house.told(events.CONTACT_DIFFERS), [1])

    def test_a_relay_closed_by_hand_without_reason_stays_closed(self):
        house = cut_house()
        house.agent.stop()
        house.relay = LatchingRelay(True)
        house.boot()
        house.run(5)
        self.assertEqual(house.agent.supply.state, CONNECTED)
        self.assertEqual(house.relay.operations, 0)

    def test_a_contact_that_cannot_be_read_leaves_the_durable_state(self):
        for house, state in ((House(credit=5), CONNECTED), (cut_house(), READY)):
            house.agent.stop()
            house.relay = LatchingRelay(False)
            house.relay.contact = lambda: None
            house.boot()
            self.assertEqual(house.agent.supply.state, state)

    def test_since_when_is_known_after_a_boot(self):
        house = cut_house()
        opened = house.entries(RELAY_KIND)[-1].time
        house.agent.stop()
        house.boot()
        house.run(1)
        self.assertEqual(house.page.view["supply"]["since"], opened)

    def test_power_lost_while_closing_leaves_it_to_a_person(self):
        # The entry and the slot are durable, the relay has not moved: nobody closes by itself.
        house = cut_house()
        house.relay.close = lambda: None
        house.hold(3000)
        self.assertEqual(house.moves()[-1][0], CONNECTED)
        house.relay = LatchingRelay(False)
        house.boot()
        house.run(120)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, READY)

    def test_an_unset_clock_and_a_friendly_time_hold_off_nothing_that_was_decided(self):
        # The cut was decided and journalled before the power went.
        house = House(credit=1, tariff=tariff_of())
        house.run(3, 3600)
        house.go_offline()
        house.relay = LatchingRelay(True)
        house.boot()
        house.run(3)
        self.assertFalse(house.relay.contact())


if __name__ == "__main__":
    unittest.main()
