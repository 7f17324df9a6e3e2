"""Documents offered to a whole meter: dynamic prices, corrections, and how far prices may move."""

import unittest

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.tests.both.houses_meter import House, running
from wattledger.tests.both.houses_tariffs import data, local_2027, prices_data

HEAP = "640K"

NOON = local_2027(6, 2, 12)  # peak: 777777 for each Wh; running() goes on to 12:20
DAY = 86400


def refused(house, raw):
    """The TariffError that `raw` causes, as text; None when it is taken."""
    try:
        house.agent.accept_document(raw)
    except TariffError as error:
        return str(error)
    return None


class TestPrices(unittest.TestCase):
    def test_a_slot_is_charged_at_its_price(self):
        house = running(NOON, data())
        before = house.sum()
        raw = prices_data(NOON, [999, -50000, 3])
        self.assertEqual(house.agent.accept_document(raw), "prices")
        self.assertEqual(house.agent.accept_document(raw), "held")
        house.run(6 * 10)  # 12:30: the slot that had begun keeps the band's price
        house.run(6 * 45)  # 13:15
        charged = [
            (entry.time, part.wh, part.price)
            for entry, interval in house.intervals()
            for part in interval.parts
            if entry.time > NOON + 900
        ]
        self.assertEqual(
            charged,
            [
                (NOON + 1800, 900, 777777),
                (NOON + 2700, 900, -50000),
                (NOON + 3600, 900, -50000),
                (NOON + 4500, 900, 3),
            ],
        )
        self.assertEqual(house.sum() - before, -900 * (777777 - 2 * 50000 + 3))

    def test_people_see_the_price_of_the_slot(self):
        house = running(NOON, data())  # 12:20, 777777 until 22:00
        house.agent.accept_document(prices_data(NOON, [1, -50000, 3]))
        page = house.agent.view.state()
        self.assertEqual(page["rate"]["price_micro"], 777777)
        self.assertEqual(
            page["next"], {"time": NOON + 1800, "band": "peak", "price_micro": -50000}
        )
        house.run(6 * 15)
        page = house.agent.view.state()
        self.assertEqual(page["rate"]["price_micro"], -50000)
        self.assertEqual(page["next"], {"time": NOON + 3600, "band": "peak", "price_micro": 3})

    def test_they_survive_a_boot_with_the_slots_that_had_begun(self):
        house = running(NOON, data())  # 12:20
        house.agent.accept_document(prices_data(NOON, [1, 2]))
        house.agent.accept_document(prices_data(NOON + DAY, [3], n=2))
        house.cut()
        house.boot()
        price_at = house.agent.account.dynamic.price_at
        self.assertIsNone(price_at(NOON + 1799))
        self.assertEqual([price_at(NOON + at) for at in (1800, DAY, DAY + 1800)], [2, 3, None])
        self.assertEqual(house.agent.accept_document(prices_data(NOON, [1, 2])), "held")

    def test_refused_ones_leave_the_held(self):
        house = running(NOON, data())
        house.agent.accept_document(prices_data(NOON + 1800, [1, 2]))
        for raw in (
            prices_data(NOON + 1800, [1, 3]),
            prices_data(NOON + 1800, [1, 3], n=2, prices_of="other"),
            prices_data(NOON + 1800, [1, 10**11], n=2),
            prices_data(NOON + 1801, [1], n=2),
        ):
            self.assertIsNotNone(refused(house, raw))
        house.storage.fail = 28
        message = refused(house, prices_data(NOON + 1800, [7, 8], n=2))
        self.assertEqual(message, "document: cannot be stored (error 28); send it again")
        house.storage.fail = None
        for _ in range(2):
            price_at = house.agent.account.dynamic.price_at
            self.assertEqual([price_at(NOON + at) for at in (1800, 3600, 5400)], [1, 2, None])
            house.cut()
            house.boot()

    def test_a_damaged_file_is_reported_and_the_day_table_charged(self):
        house = running(NOON, data())
        house.agent.accept_document(prices_data(NOON + 1800, [1, 2]))
        house.cut()
        house.storage.commit("prices.0", b"\0\0\0\0\0{")
        house.boot()
        self.assertIsNone(house.agent.account.dynamic.price_at(NOON + 1800))
        self.assertIn((events.TARIFF_REFUSED, 0), house.events())
        house.run(6 * 15)

    def test_without_a_tariff(self):
        house = House(NOON)
        house.boot()
        self.assertEqual(
            refused(house, prices_data(NOON, [1])),
            "prices_of: there is no tariff in force yet; send that first",
        )


class TestCorrection(unittest.TestCase):
    CORRECT = {"from": NOON - 900, "until": NOON + 900}

    def test_it_leaves_the_sets_as_they_are_and_is_known_over_a_boot(self):
        house = running(NOON, data())
        raw = data(n=2, correct=self.CORRECT, price=[[1, 2], [3, 4]])
        self.assertEqual(house.agent.accept_document(raw), "correction")
        for _ in range(2):
            self.assertEqual(house.agent.accept_document(raw), "held")
            account = house.agent.account
            self.assertEqual((account.tariff.n, account.pending), (1, None))
            house.cut()
            house.boot()

    def test_refused(self):
        house = running(NOON, data())
        self.assertEqual(
            refused(house, data(correct=self.CORRECT)), "n: 1 is held already with other content"
        )
        self.assertEqual(
            refused(house, data(n=2, id="other", correct=self.CORRECT)),
            "id: is other, which is not the tariff in force",
        )
        house.agent.accept_document(data(n=3, correct=self.CORRECT))
        for changes in ({"n": 2}, {"n": 3, "standing_day": 1}):
            self.assertEqual(
                refused(house, data(correct=self.CORRECT, **changes)),
                "n: must be above 3, the correction the meter took last",
            )

    def test_a_set_does_not_take_the_number_of_one(self):
        house = running(NOON, data())
        house.agent.accept_document(data(n=2, correct=self.CORRECT))
        message = "n: 2 was that of a correction; take the next"
        self.assertEqual(refused(house, data(n=2, standing_day=1)), message)
        house.run(200)
        house.cut()
        house.boot()
        self.assertEqual(refused(house, data(n=2, standing_day=1)), message)
        self.assertEqual(house.agent.accept_document(data(n=3)), "next")


class TestChange(unittest.TestCase):
    """In force: [[333333, 777777], [555555, 999999]], export 123457; at most 50 %."""

    def refusal(self, before=None, **changes):
        house = House(NOON, tick_ms=10000)
        house.boot(data(**(before or {})))
        house.run(6)
        return refused(house, data(n=2, **changes))

    def test_within_half(self):
        self.assertIsNone(self.refusal(price=[[166667, 1166665], [833332, 500000]]))
        self.assertIsNone(self.refusal(export=[185185]))
        self.assertIsNone(self.refusal(export=[61729]))

    def test_beyond(self):
        for changes, message in (
            ({"price": [[333333, 777777], [555555, 1499999]]},
             "price[1][1]: 1499999 is more than 50 % above 999999, the price in force; "
             "change it in steps, or raise price_change_percent in device.json"),
            ({"price": [[166666, 777777], [555555, 999999]]},
             "price[0][0]: 166666 is more than 50 % below 333333, the price in force; "
             "change it in steps, or raise price_change_percent in device.json"),
            ({"export": [185186]},
             "export[0]: 185186 is more than 50 % above 123457, the price in force; "
             "change it in steps, or raise price_change_percent in device.json"),
        ):  # fmt: skip
            self.assertEqual(self.refusal(**changes), message)

    def test_five_hundredths_are_always_allowed(self):
        cheap = {"price": [[10000, -20000], [0, 60000]]}
        self.assertIsNone(self.refusal(cheap, price=[[60000, 30000], [-50000, 110000]]))
        self.assertIn("price[0][0]", self.refusal(cheap, price=[[60001, 30000], [0, 60000]]))
        self.assertIn("price[0][1]", self.refusal(cheap, price=[[10000, 30001], [0, 60000]]))

    def test_new_bands_and_blocks(self):
        # A band of a new name may cost what any band of the block may: 166667 to 1166665.
        three = {
            "bands": ["valley", "peak", "sharp"],
            "days": {"all": [[0, 0], [480, 1], [600, 2], [1320, 0]]},
        }
        rows = [[333333, 777777, 1166665], [555555, 999999, 277778]]
        self.assertIsNone(self.refusal(price=rows, **three))
        rows[0][2] = 1166666
        self.assertIn("price[0][2]: 1166666 is", self.refusal(price=rows, **three))
        # A block more is held against the last there is.
        rows = [[333333, 777777], [555555, 999999], [833332, 1499998]]
        self.assertIsNone(self.refusal(blocks=[100, 200], price=rows))
        rows[2][1] = 1499999
        self.assertIn("price[2][1]", self.refusal(blocks=[100, 200], price=rows))
        # Bands in another order are found by their names.
        self.assertIsNone(
            self.refusal(bands=["peak", "valley"], price=[[777777, 333333], [999999, 555555]])
        )

    def test_the_first_pay_for_export_is_free(self):
        self.assertIsNone(self.refusal({"export": []}, export=[350000]))

    def test_the_bound_is_configured(self):
        house = House(NOON, tick_ms=10000, price_change_percent=10)
        house.boot(data())
        house.run(6)
        rows = [[333333, 855554], [555555, 1099998]]
        self.assertIsNone(refused(house, data(n=2, price=rows)))
        rows[1][1] = 1099999
        self.assertIn("more than 10 % above", refused(house, data(n=3, price=rows)))

    def test_a_change_of_id(self):
        self.assertEqual(
            self.refusal(id="other"),
            "id: is other, the meter has demo-cn; a change of id needs a signed want",
        )
