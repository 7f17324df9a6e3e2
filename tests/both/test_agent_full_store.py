"""A full store: the oldest segment makes room, whatever it is that has none."""

import unittest

from wattledger.agent import events
from wattledger.agent.journal.segments import segments
from wattledger.agent.tokens import results
from wattledger.tests.both.fixtures_agent import START, House, tariff_of
from wattledger.tests.both.houses_storage import FullStorage
from wattledger.tests.both.houses_tokens import NOW_TID, sts_house, token

HEAP = "1024K"


class TestFullStore(unittest.TestCase):
    def seal(self, house):
        """Three segments more, as boots begin them, with something in each."""
        for _ in range(3):
            house.run(20)
            house.agent.stop()
            house.boot()
            house.run(1)
        self.assertGreater(len(segments(house.storage)), 3)

    def dropped(self, house):
        house.agent.stop()
        return [0] + house.told(events.JOURNAL_DROPPED)

    def test_the_token_memory_finds_room(self):
        house = sts_house(storage=FullStorage())
        self.seal(house)
        storage = house.storage
        storage.room = storage.used() + 200  # its entry and a slot, not the memory's 300
        self.assertEqual(house.enter(token(NOW_TID)), results.ACCEPT)
        house.run(15)
        self.assertEqual(house.agent.keeper.failed, 0)
        self.assertEqual(self.dropped(house)[-1], segments(storage)[0] - 1)
        house.boot()
        self.assertFalse(house.agent.tokens.due)  # nothing was to be applied to it
        self.assertEqual(house.enter(token(NOW_TID)), results.USED)

    def test_a_set_that_comes_into_force_finds_room(self):
        house = House(storage=FullStorage())
        self.seal(house)
        storage = house.storage
        house.agent.accept_document(tariff_of(n=2, **{"from": START + 900}))
        storage.room = storage.used() + 250  # its entries and a slot, and not the document
        house.coast(1000)
        self.assertEqual(house.agent.keeper.failed, 0)
        self.assertEqual(house.agent.account.tariff.n, 2)
        self.assertEqual(self.dropped(house)[-1], segments(storage)[0] - 1)
        self.assertEqual(storage.size("tariff.next"), 0)
        house.boot()
        self.assertEqual(house.agent.account.tariff.n, 2)


if __name__ == "__main__":
    unittest.main()
