"""Dynamic price documents: what is refused, which slot answers, how two are held."""

import json
import unittest

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing.dynamic_document import admit
from wattledger.agent.errors import TariffError
from wattledger.tests.both.houses_tariffs import prices_data, prices_document

T = 1798732800  # 2027-01-01 00:00 in China
HALF = 1800
HOUR = 3600
DAY = 86400


def listed(start, prices, **changes):
    return dynamics.load(prices_data(start, prices, **changes))


class TestForm(unittest.TestCase):
    def refusal(self, limit=10**10, **changes):
        made = prices_document(T, [1, 2])
        made.update(changes)
        try:
            dynamics.load(json.dumps(made).encode(), limit)
        except TariffError as error:
            return error.path
        return None

    def test_good(self):
        prices = listed(T, [120000, -54321], n=3)
        self.assertEqual((prices.id, prices.n, prices.step), ("demo-cn", 3, 1800))
        self.assertEqual((prices.start, prices.end, prices.since), (T, T + HOUR, T))
        self.assertEqual(prices.size, len(prices_data(T, [120000, -54321], n=3)))
        self.assertIsNone(self.refusal(prices=[0] * 96, step=900))

    def test_each_key_is_needed(self):
        for key in sorted(prices_document(T, [1])):
            made = prices_document(T, [1])
            del made[key]
            with self.assertRaises(TariffError) as caught:
                dynamics.load(json.dumps(made).encode())
            self.assertEqual(str(caught.exception), "document: lacks " + key)

    def test_places(self):
        for changes, path in (
            ({"v": 2}, ("v",)),
            ({"price": 5}, ("price",)),
            ({"prices_of": "Demo"}, ("prices_of",)),
            ({"prices_of": 5}, ("prices_of",)),
            ({"n": 0}, ("n",)),
            ({"n": 1 << 32}, ("n",)),
            ({"start": T + 1}, ("start",)),
            ({"start": T + 600}, ("start",)),
            ({"start": -900}, ("start",)),
            ({"step": 600}, ("step",)),
            ({"step": 2700}, ("step",)),
            ({"step": 7200}, ("step",)),
            ({"step": "900"}, ("step",)),
            ({"prices": []}, ("prices",)),
            ({"prices": [1] * 97}, ("prices",)),
            ({"prices": 5}, ("prices",)),
            ({"prices": [1, 2.5]}, ("prices", 1)),
            ({"prices": [1, None]}, ("prices", 1)),
            ({"prices": [True]}, ("prices", 0)),
            ({"prices": [1, 1001], "limit": 1000}, ("prices", 1)),
            ({"prices": [-1001], "limit": 1000}, ("prices", 0)),
            ({"prices": [-1000, 1000], "limit": 1000}, None),
        ):
            self.assertEqual(self.refusal(**changes), path, changes)

    def test_bytes(self):
        for raw in (b"", b"[]", b"{", b"\xff"):
            with self.assertRaises(TariffError):
                dynamics.load(raw)


class TestPriceAt(unittest.TestCase):
    def test_slots_are_half_open(self):
        prices = dynamics.DynamicPrices()
        prices.tariff_id = "demo-cn"
        self.assertIsNone(prices.price_at(T))
        self.assertFalse(prices.is_expected())
        prices.held[1] = listed(T, [5, -7, 0])
        for unix, price in (
            (T - 1, None),
            (T, 5),
            (T + HALF - 1, 5),
            (T + HALF, -7),
            (T + HOUR, 0),
            (T + HOUR + HALF - 1, 0),
            (T + HOUR + HALF, None),
        ):
            self.assertEqual(prices.price_at(unix), price, unix)
        self.assertTrue(prices.is_expected())
        prices.tariff_id = "other"
        self.assertIsNone(prices.price_at(T))
        self.assertFalse(prices.is_expected())

    def test_next_change(self):
        prices = dynamics.DynamicPrices()
        prices.tariff_id = "demo-cn"
        self.assertIsNone(prices.next_change(T))
        prices.held = [listed(T, [5, 5, 7]), listed(T + 4 * HALF, [7, 8], n=2)]
        for unix, change in (
            (T - DAY, T),
            (T - 1, T),
            (T, T + HOUR),
            (T + HOUR, T + 3 * HALF),  # a half hour without a price
            (T + 3 * HALF, T + 4 * HALF),
            (T + 4 * HALF, T + 5 * HALF),
            (T + 5 * HALF, T + 6 * HALF),
            (T + 6 * HALF, None),
        ):
            self.assertEqual(prices.next_change(unix), change, unix)
        prices.held[0].since = T + HALF
        self.assertEqual(prices.next_change(T), T + HALF)

    def test_the_newer_document_answers(self):
        prices = dynamics.DynamicPrices()
        prices.tariff_id = "demo-cn"
        prices.held = [listed(T + HALF, [9], n=4), listed(T, [1, 2, 3], n=2)]
        self.assertEqual(
            [prices.price_at(T + at) for at in (0, HALF, HOUR, 2 * HOUR)], [1, 9, 3, None]
        )


class TestAdmit(unittest.TestCase):
    """`now` is within the slots; the open interval begins at the last quarter."""

    def setUp(self):
        self.dynamic = dynamics.DynamicPrices()
        self.dynamic.tariff_id = "demo-cn"

    def offer(self, now, start, prices, **changes):
        """The place taken, None when held, or (path, message)."""
        new = listed(start, prices, **changes)
        try:
            place = admit(new, self.dynamic, now, now // 900 * 900)
        except TariffError as error:
            return error.path
        if place is not None:
            self.dynamic.held[place] = new
        return place

    def at(self, *offsets):
        return [self.dynamic.price_at(T + offset) for offset in offsets]

    def test_version_rises(self):
        self.assertEqual(self.offer(T - 1, T, [1], n=3), 0)
        self.assertIsNone(self.offer(T, T, [1], n=3))
        self.assertEqual(self.offer(T, T + DAY, [2], n=3), ("n",))
        self.assertEqual(self.offer(T, T + DAY, [2], n=2), ("n",))
        self.assertEqual(self.offer(T, T + DAY, [2], n=4), 1)
        self.assertIsNone(self.offer(T, T, [1], n=3))

    def test_of_another_tariff(self):
        self.assertEqual(self.offer(T, T, [1], prices_of="other"), ("prices_of",))

    def test_an_end_that_has_passed(self):
        self.assertEqual(self.offer(T + HALF, T, [1]), ("start",))
        self.assertEqual(self.offer(T + HALF - 1, T, [1]), 0)

    def test_a_slot_that_had_begun_without_a_price_keeps_the_day_table(self):
        self.assertEqual(self.offer(T + HALF + 600, T, [1, 2, 3]), 0)
        self.assertEqual(self.at(0, HALF, HOUR - 1, HOUR), [None, None, None, 3])
        self.assertEqual(self.dynamic.held[0].since, T + HOUR)

    def test_a_slot_that_begins_now_has_begun(self):
        self.assertEqual(self.offer(T + HALF, T, [1, 2, 3]), 0)
        self.assertEqual(self.at(HALF, HOUR), [None, 3])

    def test_a_slot_that_has_begun_cannot_change(self):
        self.offer(T - 1, T, [1, 2, 3])
        self.assertEqual(self.offer(T + HALF, T, [1, 5, 3], n=2), ("prices", 1))
        self.assertEqual(self.offer(T + HALF, T, [0, 2, 3], n=2), ("prices", 0))
        self.assertEqual(self.offer(T + HALF, T + HALF, [5], n=2), ("prices", 0))
        # An hour or a quarter over the same half hour does not hide it.
        self.assertEqual(self.offer(T + 600, T, [1, 4], n=2, step=900), ("prices", 1))
        self.assertEqual(self.offer(T + HALF, T, [1], n=2, step=3600), ("prices", 0))
        self.assertEqual(self.offer(T + 600, T, [1, 1, 5], n=2, step=900), 1)
        self.assertEqual(self.at(0, HALF, HALF + 900, HOUR), [1, 5, 2, 3])

    def test_slots_to_come_change_and_the_older_document_goes(self):
        self.offer(T - 1, T, [1, 2, 3])
        self.assertEqual(self.offer(T + HALF, T, [1, 2, 7, 8], n=2), 0)
        self.assertEqual(self.at(0, HALF, HOUR, HOUR + HALF), [1, 2, 7, 8])
        self.assertEqual(self.dynamic.held[0].since, T)
        self.assertEqual(self.offer(T + HALF, T + DAY, [4], n=3), 1)
        self.assertEqual(self.at(HALF, HOUR, DAY), [2, 7, 4])

    def test_the_rest_of_a_day_leaves_the_running_slot_its_price(self):
        self.offer(T - 1, T, [1, 2, 3])
        self.assertEqual(self.offer(T + HALF, T + HOUR, [7], n=2), 1)
        self.assertEqual(self.at(HALF, HOUR), [2, 7])
        # Both are needed; a third that begins last waits.
        self.assertEqual(self.offer(T + HALF, T + DAY, [4], n=3), ("start",))
        self.assertEqual(self.offer(T + HOUR + 900, T + DAY, [4], n=3), 0)
        self.assertEqual(self.at(HOUR, DAY), [7, 4])

    def test_what_the_open_interval_needs_stays(self):
        self.offer(T - 1, T, [1])
        self.offer(T - 1, T + HALF, [2], n=2)
        new = listed(T + HOUR, [3], n=3)
        with self.assertRaises(TariffError):
            admit(new, self.dynamic, T + HALF + 1, T + 900)  # the last quarter is still open
        self.assertEqual(admit(new, self.dynamic, T + HALF + 1, T + HALF), 0)

    def test_a_third_day_waits_but_does_not_block_today(self):
        self.offer(T - 1, T + 30 * DAY, [1])
        self.offer(T - 1, T + 40 * DAY, [2], n=2)
        self.assertEqual(self.offer(T - 1, T + 50 * DAY, [3], n=3), ("start",))
        self.assertEqual(self.offer(T - 1, T, [3], n=3), 1)
        self.assertEqual(self.at(0, 30 * DAY, 40 * DAY), [3, 1, None])

    def test_another_tariffs_prices_are_not_needed(self):
        self.offer(T - 1, T, [1])
        self.offer(T - 1, T + DAY, [2], n=2)
        self.dynamic.tariff_id = "other"
        self.assertEqual(self.offer(T - 1, T, [9], prices_of="other"), 0)
        self.assertEqual(self.at(0, DAY), [9, None])
