"""Tariff sets on a whole meter: offered, pending, taking over, and their files damaged."""

import unittest

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import record as records
from wattledger.tests.both.houses_meter import running
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "512K"

NOON = local_2027(6, 2, 12)  # peak: 777777 for each Wh


class TestTariffs(unittest.TestCase):
    def offer(self, house, **changes):
        try:
            house.agent.accept_document(data(**changes))
        except TariffError as error:
            return error.path
        return None

    def test_what_is_offered(self):
        house = running(NOON, data())
        start = NOON + 7200
        self.assertIsNone(self.offer(house))  # the same again: silent
        self.assertEqual(self.offer(house, fallback=0), ("n",))  # same n, other content
        self.assertEqual(self.offer(house, id="other", n=9), ("id",))
        self.assertIsNone(self.offer(house, n=3, start=start))
        self.assertEqual(house.agent.account.pending.n, 3)
        self.assertEqual(self.offer(house, n=2, start=start), ("n",))
        self.assertEqual(self.offer(house, n=3, start=start, fallback=0), ("n",))
        self.assertIsNone(self.offer(house, n=3, start=start))
        self.assertIsNone(self.offer(house, n=4, start=start))  # a newer next replaces it
        self.assertIsNone(self.offer(house))
        self.assertEqual(house.agent.account.pending.n, 4)
        self.assertEqual(house.agent.account.tariff.n, 1)

    def test_pending_set_survives_a_boot_and_takes_over_at_its_time(self):
        house = running(NOON, data())
        self.offer(house, n=2, start=NOON + 2700, price=[[1, 2], [3, 4]])
        house.cut()
        house.boot()
        self.assertEqual((house.agent.account.tariff.n, house.agent.account.pending.n), (1, 2))
        house.run(60 + 100)
        self.assertEqual(house.agent.account.tariff.n, 2)
        self.assertIsNone(house.agent.account.pending)
        house.cut()
        house.boot()
        self.assertEqual(house.agent.account.tariff.n, 2)
        house.run(90)
        switched = [entry.time for entry in house.entries(records.TARIFF)]
        self.assertEqual(switched, [NOON, NOON + 2700])
        for entry, interval in house.intervals():
            begun = entry.time - interval.duration_s
            self.assertEqual(interval.tariff_n, 2 if begun >= NOON + 2700 else 1)
            self.assertEqual(
                {part.price for part in interval.parts}, {2 if begun >= NOON + 2700 else 777777}
            )

    def test_from_in_the_past_rerates_nothing(self):
        house = running(NOON, data())
        before = house.sum()
        self.offer(house, n=2, start=NOON - 90000, price=[[1, 2], [3, 4]])
        house.run(1)
        self.assertEqual(house.agent.account.tariff.n, 1)
        house.run(59 + 30)  # the next quarter is at 30 minutes
        self.assertEqual(house.agent.account.tariff.n, 2)
        self.assertEqual(house.sum(), before - 900 * 777777)

    def test_a_set_offered_before_the_last_change_is_durable(self):
        house = running(NOON, data())
        self.offer(house, n=2, start=NOON + 1800)
        house.storage.fail = 28
        house.run(62)
        self.assertEqual(house.agent.account.tariff.n, 2)
        house.storage.fail = None
        self.offer(house, n=3, start=NOON + 9000)
        house.cut()
        house.boot()
        self.assertIn(house.agent.account.tariff and house.agent.account.tariff.n, (1, 2))

    def test_a_damaged_file_is_refused_and_reported(self):
        house = running(NOON, data())
        house.cut()
        house.storage.commit("tariff.active", b"{")
        house.boot()
        self.assertIsNone(house.agent.account.tariff)
        self.assertIn((events.TARIFF_REFUSED, 0), house.events())
        house.run(10)

    def test_another_file_in_its_place_is_not_charged_by(self):
        house = running(NOON, data())
        house.cut()
        house.storage.commit("tariff.active", data(price=[[0, 0], [0, 0]]))
        house.boot()
        self.assertIsNone(house.agent.account.tariff)
        self.assertIn((events.TARIFF_REFUSED, 1), house.events())
