"""What people are shown: nothing that is not known, no money that is not stored."""

import json
import unittest

from wattledger.agent import events
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of

HEAP = "448K"
NO_SPACE = 28
LIVE = ("power_mw", "voltage_mv", "current_ma", "frequency_mhz", "power_factor")


def shown(house):
    return house.agent.view.page()


class TestUnknown(unittest.TestCase):
    def test_before_the_first_reading_live_values_are_none(self):
        view = shown(House(credit=10))
        self.assertEqual([view[key] for key in LIVE], [None] * 5)
        self.assertIsNone(view["cost_per_hour_micro"])
        self.assertEqual(view["quality"], "stale")

    def test_a_chip_that_never_answered_shows_none_through_all_its_resets(self):
        house = House(credit=10)
        house.chip.dead = True
        house.boot()
        for _ in range(20):
            house.once()
            view = house.page.view
            self.assertEqual([view[key] for key in LIVE], [None] * 5)
            self.assertEqual(view["quality"], "stale")

    def test_a_chip_that_fell_silent_keeps_its_last_values_and_says_so(self):
        house = House(credit=10)
        house.run(2, 720)
        house.chip.dead = True
        house.run(10)
        view = house.page.view
        self.assertEqual((view["power_mw"], view["quality"]), (720_000, "stale"))
        self.assertEqual(view["sample_age_ms"], 10_000)
        self.assertIn("meter", view["alarms"])

    def test_the_meter_alarm_ends_when_the_chip_has_answered_for_an_hour(self):
        house = House(credit=10)
        house.chip.dead = True
        house.run(20)
        house.chip.dead = False
        for _ in range(361):
            house.once(10_000)
        self.assertNotIn("meter", house.page.view["alarms"])

    def test_without_a_ledger_there_is_no_balance(self):
        house = House(credit=None)
        house.run(3, 3600)
        view = house.page.view
        self.assertIsNone(view["balance_micro"])
        self.assertIsNone(view["available_micro"])
        self.assertEqual(view["alarms"], ["ledger"])

    def test_without_a_tariff_there_is_no_price(self):
        house = House(credit=10, tariff=tariff_of(**{"from": START + 900_000}))
        house.run(2, 3600)
        view = house.page.view
        for key in ("rate", "next", "currency", "tariff", "today_wh", "today_micro", "low_micro"):
            self.assertIsNone(view[key])
        self.assertEqual((view["zone"], view["balance_micro"]), ("untariffed", 10 * UNIT))


class TestValues(unittest.TestCase):
    def test_live_values_and_their_cost(self):
        house = House(credit=10)
        house.run(1, 720)
        view = house.page.view
        self.assertEqual(
            [view[key] for key in LIVE], [720_000, 230_000, 720_000 // 230, 50_000, 1000]
        )
        # 0.72 kW at 1000.000000 a kWh
        self.assertEqual(view["cost_per_hour_micro"], 720_000_000)
        self.assertEqual((view["time"], view["trust"]), (START + 1, "synced"))
        self.assertEqual(view["utc_offset_s"], 28_800)

    def test_export_is_worth_its_own_price(self):
        house = House(credit=10, tariff=tariff_of(export=[300_000]))
        house.run(1, -720)
        self.assertEqual(house.page.view["cost_per_hour_micro"], -216_000)

    def test_today_is_its_closed_intervals_and_the_open_one(self):
        house = House(credit=40)
        house.use(6)
        house.once(895_000)
        house.use(9)
        house.agent.keeper.now()
        view = shown(house)
        self.assertEqual((view["import_wh"], view["today_wh"]), (15, 15))
        self.assertEqual(view["today_micro"], 15 * UNIT)
        self.assertEqual(view["balance_micro"], 34 * UNIT)
        self.assertEqual(view["available_micro"], 25 * UNIT)

    def test_a_purchase_is_shown_and_costs_nothing_today(self):
        house = House(credit=10)
        house.run(2, 3600)
        house.pay(5, 1)
        house.run(11)
        view = house.page.view
        self.assertEqual(view["purchases"][0]["n"], 1)
        self.assertEqual(view["purchases"][0]["amount_micro"], 5 * UNIT)
        self.assertEqual(view["today_micro"], 2 * UNIT)
        self.assertEqual(view["available_micro"], 13 * UNIT)

    def test_at_most_five_purchases_newest_first_over_a_reboot(self):
        house = House(credit=10)
        for n in range(1, 8):
            house.pay(n, n)
        house.boot()
        found = [(item["n"], item["amount_micro"]) for item in shown(house)["purchases"]]
        self.assertEqual(found, [(n, n * UNIT) for n in (7, 6, 5, 4, 3)])

    def test_what_brings_the_supply_back_is_told_to_the_micro_unit(self):
        # 3 Wh at 0.333333 a Wh: 2.000001 over a credit of... balance 1.00, so available is
        # 1000000000 - 3 * 333333000 = 1000 nano; one more Wh makes it -333332000 nano.
        tariff = tariff_of(price=[[333_333_000]], reconnect_above=2 * UNIT)
        house = House(credit=1, tariff=tariff)
        house.use(4)
        self.assertEqual(house.agent.control.credit.available, -333_332_000)
        view = house.page.view["supply"]
        self.assertEqual(view["restore_micro"], 2_333_332)
        self.assertEqual((view["state"], view["reason"]), ("disconnected", "no credit"))
        self.assertEqual(view["reasons"], ["no credit"])
        self.assertEqual(view["since"], START + 10)

    def test_a_part_of_a_micro_unit_is_rounded_so_that_it_suffices(self):
        # 7 Wh at 0.142857001 a Wh is 999999007 nano: available 993 nano; 8 Wh: -142856008 nano.
        tariff = tariff_of(price=[[142_857_001]], reconnect_above=0)
        house = House(credit=1, tariff=tariff)
        house.use(8)
        self.assertEqual(house.agent.control.credit.available, -142_856_008)
        # floor(-142856.008) = -142857; one micro-unit above zero is needed.
        self.assertEqual(house.page.view["supply"]["restore_micro"], 142_858)
        account = house.agent.account
        self.assertEqual(account.credit(1, 142_858, START, 2)[0], "ok")
        house.agent.control.look_again()
        house.run(1)
        self.assertEqual(house.page.view["supply"]["state"], "ready")
        self.assertEqual(house.page.view["supply"]["restore_micro"], 0)

    def test_the_button_and_the_wait_are_shown(self):
        house = House(credit=1)
        house.run(3, 3600)
        house.pay(20, 1)
        house.run(1)
        opened = house.moves()[0][3]
        wait = opened + 60 - house.agent.time.powered_s
        self.assertEqual(house.page.view["supply"]["wait_s"], wait)
        house.page.requests.append(("press",))
        house.agent.step()
        house.pass_ms(700)
        house.page.requests.append(("press",))
        house.agent.step()
        self.assertEqual(house.page.view["supply"]["hold_ms"], 700)

    def test_a_friendly_time_is_shown_with_its_end(self):
        house = House(credit=10, tariff=tariff_of(friendly=[(2, 300, 480), (2, 480, 540)]))
        house.run(1)
        # Local 06:00 to 09:00, without a break at 08:00.
        self.assertEqual(house.page.view["friendly"], {"now": True, "until": START + 3 * 3600})

    def test_zones(self):
        house = House(credit=8)
        found = []
        for _ in range(9):
            house.use(1)
            zone = house.page.view["zone"]
            if not found or found[-1] != zone:
                found.append(zone)
        self.assertEqual(found, ["normal", "low1", "low2", "zero"])


class TestDurable(unittest.TestCase):
    KEYS = ("import_wh", "balance_micro", "available_micro", "today_micro", "today_wh", "zone")

    def test_registers_and_money_are_those_of_the_last_snapshot(self):
        house = House(credit=9)
        house.run(3, 3600)
        house.agent.keeper.now()
        kept = [shown(house)[key] for key in self.KEYS]
        self.assertEqual(kept[:2], [3, 9 * UNIT])
        house.storage.fail = NO_SPACE
        house.run(3, 3600)
        view = shown(house)
        self.assertEqual([view[key] for key in self.KEYS], kept)
        self.assertEqual(view["power_mw"], 3_600_000)
        house.run(10)
        self.assertIn("storage", shown(house)["alarms"])
        house.storage.fail = None
        house.run(12)
        self.assertEqual(shown(house)["import_wh"], 6)
        self.assertEqual(shown(house)["alarms"], [])

    def test_an_interval_that_closes_unstored_changes_nothing_shown(self):
        house = House(credit=20)
        house.use(5)
        house.agent.keeper.now()
        kept = [shown(house)[key] for key in self.KEYS]
        house.storage.fail = NO_SPACE
        house.once(900_000)
        self.assertEqual([shown(house)[key] for key in self.KEYS], kept)

    def test_a_purchase_that_is_not_stored_is_not_shown(self):
        house = House(credit=20)
        house.run(1)
        house.agent.keeper.now()
        house.storage.fail = NO_SPACE
        house.pay(5, 1)
        view = shown(house)
        self.assertEqual((view["balance_micro"], view["purchases"]), (20 * UNIT, []))


class TestForms(unittest.TestCase):
    def houses(self):
        yield House(credit=10)
        yield House(credit=None)
        yield House(credit=10, tariff=tariff_of(**{"from": START + 900_000}))
        house = House(credit=2, linked=True)
        house.run(5, 3600)
        house.pay(3, 1)
        yield house
        house.chip.dead = True
        house.storage.fail = NO_SPACE
        house.run(15)
        yield house

    def test_every_model_is_json(self):
        for house in self.houses():
            for model in (house.agent.view.page(), house.agent.view.state()):
                again = json.loads(json.dumps(model))
                for key in model:
                    self.assertEqual(again[key], model[key])
            self.assertIn("boots", json.loads(json.dumps(house.agent.view.hello())))

    def test_money_and_energy_are_whole_numbers(self):
        for house in self.houses():
            view = house.agent.view.page()
            for key in view:
                if key.endswith(("_micro", "_wh", "_mw", "_mv", "_ma", "_ms")):
                    self.assertTrue(view[key] is None or isinstance(view[key], (int, list)), key)

    def test_the_state_topic_leaves_out_what_only_a_page_needs(self):
        house = House(credit=10)
        state = house.agent.view.state()
        for key in ("purchases", "messages", "simulated"):
            self.assertNotIn(key, state)

    def test_a_change_that_matters_is_said_and_a_reading_is_not(self):
        house = House(credit=20)
        house.run(1)
        house.agent.keeper.now()
        said = house.agent.view.said()
        house.run(1, 3600)
        house.agent.keeper.now()
        self.assertEqual(house.agent.view.said(), said)
        house.pay(5, 1)
        self.assertNotEqual(house.agent.view.said(), said)

    def test_events_have_a_name_each(self):
        codes = [
            getattr(events, name)
            for name in dir(events)
            if name == name.upper() and isinstance(getattr(events, name), int)
        ]
        self.assertEqual(sorted(codes), sorted(events.NAMES))
        self.assertEqual(len(set(codes)), len(codes))


if __name__ == "__main__":
    unittest.main()
