"""Lamp and buzzer: the patterns of each warning, and silence once somebody has heard."""

import unittest

from wattledger.agent.display import signals
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_panel import Table

HEAP = "384K"
LOW_1 = views.view(zone="low1")
LOW_2 = views.view(zone="low2")


class TestLevels(unittest.TestCase):
    def test_the_level_of_a_view(self):
        supply = views.supply
        for view, level in (
            (views.view(), signals.NOTHING),
            (LOW_1, signals.LOW_1),
            (LOW_2, signals.LOW_2),
            (views.view(zone="emergency"), signals.LOW_2),
            (views.view(zone="zero"), signals.LOW_2),
            (views.view(supply=supply(cut_in_s=301)), signals.NOTHING),
            (views.view(supply=supply(cut_in_s=300)), signals.GOING_OFF),
            (views.view(supply=supply(remote_in_s=10)), signals.GOING_OFF),
            (views.off(), signals.OFF),
            (views.view(supply=supply(state="ready")), signals.READY),
        ):
            self.assertEqual(signals.level_of(view), level)

    def test_a_pattern_begins_with_on(self):
        told = [signals.is_on((100, 50, 20), ms) for ms in (0, 99, 100, 149, 150, 169, 170)]
        self.assertEqual(told, [True, True, False, False, True, True, False])


class TestSounds(unittest.TestCase):
    def setUp(self):
        self.table = Table()

    def show(self, view, ms):
        """Beeps (how many tones began) in the `ms` after a view."""
        del self.table.tones[:]
        self.table.panel.show(view)
        self.table.run(ms)
        return len([tone for tone in self.table.tones if tone[1]])

    def test_all_is_well_and_silent(self):
        self.assertEqual(self.show(views.view(), 5000), 0)
        self.assertFalse(self.table.lit)

    def test_the_first_level_beeps_twice_and_never_again(self):
        self.assertEqual(self.show(LOW_1, 3000), 2)
        self.assertEqual(self.show(LOW_1, 65000), 0)

    def test_the_second_beeps_three_times_each_minute(self):
        self.assertEqual(self.show(LOW_2, 3000), 3)
        self.assertEqual(self.show(LOW_2, 60000), 3)

    def test_a_press_mutes_until_the_next_level(self):
        self.show(LOW_2, 3000)
        self.table.press(200)
        self.assertEqual(self.show(LOW_2, 65000), 0)
        going = views.view(zone="low2", supply=views.supply(cut_in_s=200))
        self.assertEqual(self.show(going, 3000), 3)

    def test_a_key_mutes_in_the_middle_of_a_beep(self):
        going = views.view(supply=views.supply(cut_in_s=200))
        self.show(going, 100)
        self.assertEqual(self.table.tones[-1][1], 2000)
        self.table.type("1")
        self.assertEqual(self.table.tones[-1][1], 0)

    def test_a_mute_ends_when_credit_came_and_went(self):
        self.show(LOW_1, 3000)
        self.table.press(200)
        self.show(views.view(), 1000)
        self.assertEqual(self.show(LOW_1, 3000), 2)

    def test_a_beep_is_as_long_as_its_table_says(self):
        self.show(views.off(), 3000)
        (began, hertz), (ended, silence) = self.table.tones
        self.assertEqual((hertz, silence), (800, 0))
        self.assertTrue(580 <= ended - began <= 640, ended - began)

    def test_the_lamp_blinks_half_of_the_time_at_the_second_level(self):
        self.table.panel.show(LOW_2)
        lit = 0
        for _ in range(200):
            self.table.run(20)
            lit += self.table.lit
        self.assertTrue(80 <= lit <= 120, lit)

    def test_the_lamp_is_steady_while_the_supply_is_off(self):
        self.table.panel.show(views.off())
        self.table.run(200)
        for _ in range(62):
            self.table.run(1000)
            self.assertTrue(self.table.lit)
