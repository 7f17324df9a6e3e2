"""C2: a rotation in the middle of traffic, in all 24 orders: one generation is always whole.

Commands come by the old key, by the new one and by both, and the rotation's answer is lost.
"""

from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.houses_rotation import MINUTE, Rotating

ALL = "crkg"
OLD, NEW, BOTH, LOST = range(4)


def orders():
    """The 24 orders of the four."""
    found = [()]
    for _ in range(4):
        found = [order + (item,) for order in found for item in range(4) if item not in order]
    return found


class TestOrders(Rotating):
    def sale(self, n, generation):
        text = '{"m":"%s","op":"credit.add","a":{"n":%d,"amount":%d}}'
        return jws.sign(text % (jws.METER, n, UNIT), "credit.%d" % generation)

    def carry_out(self, order, hours, cut):
        """Units that this order must have brought; the meter loses power after each with `cut`."""
        rotated = False
        due = 0
        for item in order:
            if item == LOST:
                self.house.coast(MINUTE)
                message = self.order(2, hours)
                self.house.link.put(message)
                self.house.talk(90)
                self.house.link.take()  # nobody hears it
                self.up = 2
                # Within the same session the stored answer says that it is done.
                self.assertEqual(self.answer(message, 90)[0], "ok")
                rotated = True
            if item in (OLD, BOTH):
                good = not rotated or hours > 0
                due += good
                said = self.answer(self.sale(10 + item, 1))[0]
                self.assertEqual(said, "ok" if good else "bad signature")
            if item in (NEW, BOTH):
                good = rotated
                paid = item == BOTH and (not rotated or hours > 0)
                due += good and not paid
                said = self.answer(self.sale(10 + item, 2))[0]
                expected = ("duplicate" if paid else "ok") if good else "bad signature"
                self.assertEqual(said, expected)
            if cut:
                self.house.agent.keeper.now()
                self.house.boot()
                self.house.talk()
        return due

    def judge(self, hours, cut):
        self.assertEqual(len(orders()), 24)
        for order in orders():
            with self.subTest(order=order):
                self.setUp()
                due = self.carry_out(order, hours, cut)
                self.assertEqual(self.balance(), (10 + due) * 10**9)
                self.house.agent.desk._bad_at = []
                self.n = 20
                self.assertEqual(self.works(2), ALL)
                self.assertEqual(self.works(1), ALL if hours else "")

    def test_the_old_keys_end_at_once(self):
        self.judge(0, False)

    def test_both_generations_live_for_a_day(self):
        self.judge(24, False)

    def test_power_goes_after_each(self):
        self.judge(0, True)
