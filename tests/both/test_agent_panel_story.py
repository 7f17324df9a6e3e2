"""A home that runs out of credit, with nothing but its panel: a whole meter behind the glass."""

import unittest

from wattledger.agent.supply import states
from wattledger.tests.both.fixtures_agent import UNIT, WH, tariff_of
from wattledger.tests.both.fixtures_panel import Table
from wattledger.tests.both.houses_tokens import NOW_TID, STS, TokenHouse, token

HEAP = "1024K"
CREDIT = {
    "low": [5 * UNIT, 2 * UNIT],
    "reconnect_above": UNIT,
    "max": 1000 * UNIT,
    "friendly": [],
    "emergency": 3 * UNIT,
}


class PanelHouse(TokenHouse):
    """A house whose page is a panel on a table."""

    table = None

    def boot(self, tariff=None, cold=True):
        self.table = Table(clock=self.link_clock)
        self.page = self.table.panel
        super().boot(tariff, cold)

    since = 0  # ms since the last tick
    load = 0  # Wh a tick

    def live(self, ms):
        """Time in pieces of 100 ms, as the loop of a Pi has it: panel and agent side by side."""
        self.chip.power_mw[0] = self.load * 3600000
        for _ in range(ms // 100):
            before = self.link_clock.ticks_ms()
            self.table.run(100, take=False)
            passed = self.link_clock.ticks_ms() - before
            self.now_ms += passed
            self.clock.advance(passed)
            self.since += passed
            if self.since >= 1000:
                self.since -= 1000
                if self.relay.contact():
                    self.chip.feed(self.load * WH)
                self.agent.tick()
            self.agent.step()

    def burn(self, wh):
        """Use so much, a Wh a second."""
        self.load = 1
        target = self.agent.meter.register.import_wh + wh
        for _ in range(20 * wh):
            if self.agent.meter.register.import_wh < target:
                self.live(100)
        self.load = 0
        self.coast(10)  # money is shown as it was last stored
        self.live(300)

    def key(self, letter):
        at = "123A456B789C*0#D".index(letter)
        self.table.keys.add((at // 4, at % 4))
        self.live(100)
        self.table.keys.clear()
        self.live(100)

    def press(self, ms):
        self.table.button.down = True
        self.live(ms)
        self.table.button.down = False
        self.live(200)

    def seen(self, ms=9000):
        """Titles that were on the screen in the time to come."""
        found = []
        for _ in range(ms // 500):
            self.live(500)
            if self.table.title() not in found:
                found.append(self.table.title())
        return found

    def rows(self):
        return [left for left, _ in self.table.screens.last.rows]


class TestStory(unittest.TestCase):
    def test_run_low_cut_borrow_top_up_by_keypad_and_reconnect(self):
        house = PanelHouse(credit=10, tariff=tariff_of(credit=CREDIT), token=dict(STS))
        table = house.table
        self.assertEqual(house.seen(1000), ["Balance"])
        self.assertEqual(table.screens.last.big, "\u00a510.00")

        # A Wh costs a unit.
        house.burn(5)
        self.assertIn("Credit is low", house.seen())
        house.burn(3)
        seen = house.seen(14000)
        for title in ("Balance", "Emergency", "Nearly no credit"):
            self.assertIn(title, seen)
        self.assertTrue([tone for tone in table.tones if tone[1] >= 1500])

        house.burn(2)
        self.assertEqual(house.agent.supply.state, states.DISCONNECTED)
        self.assertEqual(sorted(house.seen(14000)), ["Emergency", "Supply OFF"])

        # Emergency credit with the button; the same finger closes nothing.
        house.press(6000)
        self.assertTrue(house.agent.account.watch.accepted)
        self.assertEqual(house.agent.supply.state, states.READY)
        self.assertEqual(house.seen(1000), ["READY"])
        self.assertTrue(house.rows()[0].startswith("Wait "), house.rows())  # the relay rests
        house.coast(60)
        house.live(300)
        self.assertEqual(house.rows(), ["Hold button 3 s", "to switch on", "Is it safe?"])
        house.press(2000)
        self.assertEqual(house.agent.supply.state, states.READY)
        house.live(1000)
        house.press(3500)
        self.assertEqual(house.agent.supply.state, states.CONNECTED)
        self.assertIs(house.relay.contact(), True)

        # The borrowed credit goes too: now only money helps.
        house.burn(3)
        house.warn()
        house.live(2000)
        self.assertEqual(house.agent.supply.state, states.DISCONNECTED)
        self.assertEqual(house.seen(5000), ["Supply OFF"])
        self.assertEqual(house.rows()[0], "Credit used up")
        self.assertTrue(house.rows()[1].startswith("Top up \u00a5"), house.rows())

        # 110 kWh at 0.52 are 57.20, a token at the keypad, with a slip.
        digits = token(NOW_TID, 1100)
        for letter in digits[:7] + "0*" + digits[7:]:
            house.key(letter)
        self.assertEqual(table.title(), "Token")
        self.assertEqual(table.screens.last.corner, "20/20")
        house.key("#")
        house.live(1000)
        self.assertEqual(table.screens.last.sentence, "Accepted")
        house.live(6500)
        self.assertEqual(house.seen(2000), ["READY"])
        house.coast(60)
        house.live(300)
        house.press(3500)
        self.assertEqual(house.agent.supply.state, states.CONNECTED)
        self.assertEqual(table.oled.frame(), table.frame)

    def test_the_chart_shows_what_the_journal_holds(self):
        house = PanelHouse(credit=100, tariff=tariff_of(), token=dict(STS))
        house.run(2)
        house.use(6)
        house.once(895_000)  # the interval ends
        for _ in range(4):
            house.press(300)
        self.assertEqual(house.table.title(), "Hours")
        house.live(2000)
        bars = house.table.screens.last.bars
        self.assertEqual((sum(bars), bars[-1]), (6, 6))
