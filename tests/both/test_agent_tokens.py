"""The desk and STS-format tokens: what each does to the money, and each refusal by its number."""

import unittest

from wattledger.agent import events
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.tokens import results
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.houses_tokens import KWH, NOW_TID, currency, seal, sts_house, token

HEAP = "1024K"
NANO = 10**9
OPENING = 10 * NANO
CREDIT = 4000 * KWH  # 4.0 kWh, nano
NEW_KEY = b"\x71\x90\x6c\xda\x47\x61\x71\xa2"


def section(number, key=NEW_KEY, ken=255, krn=2, flags=2, ti=1):
    """A section of a key change to a key of 8 bytes; flags: RO 8, third 4, KT."""
    if number == 1:
        return seal(2, bytes([0x30 | ken >> 4, krn << 4 | flags]) + key[:4])
    if number == 2:
        return seal(2, bytes([0x40 | ken & 15, ti]) + key[4:])
    return seal(2, bytes([0x80, 0x12, 0x34, 0x50, 0, 0]))  # SGC 0x01 23 45 shifted by 4


class TestCredit(unittest.TestCase):
    def setUp(self):
        self.house = sts_house()

    def balance(self):
        return self.house.agent.journal.balance

    def test_kwh_become_money_at_the_tariffs_price(self):
        self.assertEqual(self.house.enter(token(NOW_TID)), results.ACCEPT)
        self.assertEqual(self.balance(), OPENING + CREDIT)
        entry = self.house.entries(records.TOKEN)[0]
        self.assertEqual(entry.amount, CREDIT)
        self.assertEqual(readers.unpack_token(entry.payload), (1, 0, NOW_TID, 4000, 0))
        self.assertEqual(self.house.agent.account.recent[0][1:], (CREDIT // 1000, NOW_TID))

    def test_currency_is_money(self):
        # 12345 of 0.00001
        self.assertEqual(self.house.enter(currency(NOW_TID, 12345)), results.ACCEPT)
        self.assertEqual(self.balance(), OPENING + 123450000)

    def test_negative_currency_and_none_at_all(self):
        for digits in (currency(NOW_TID, -12345), currency(NOW_TID, 0), token(NOW_TID, 0)):
            self.assertEqual(self.house.enter(digits), results.RANGE)
        self.assertEqual(self.house.enter(token(NOW_TID)), results.ACCEPT)

    def test_twice_is_used_also_after_a_boot(self):
        digits = token(NOW_TID)
        self.house.enter(digits)
        self.assertEqual(self.house.enter(digits), results.USED)
        self.house.boot()
        self.assertEqual(self.house.enter(digits), results.USED)
        self.assertEqual(self.balance(), OPENING + CREDIT)

    def test_a_price_is_needed_and_the_token_stays_unused(self):
        self.house.agent.account.tariff.kwh_credit = 0
        self.assertEqual(self.house.enter(token(NOW_TID)), results.FUNCTION)
        self.house.price_kwh()
        self.assertEqual(self.house.enter(token(NOW_TID)), results.ACCEPT)

    def test_above_the_limit_it_stays_unused(self):
        tariff = self.house.agent.account.tariff
        tariff.credit_max = 11 * UNIT
        self.assertEqual(self.house.enter(token(NOW_TID)), results.OVERFLOW)
        tariff.credit_max = 1000 * UNIT
        self.assertEqual(self.house.enter(token(NOW_TID)), results.ACCEPT)

    def test_water_gas_and_time_are_not_for_us(self):
        for subclass in (1, 2, 3, 5, 6, 7, 8, 15):
            wrong = token(NOW_TID, 40, subclass)
            self.assertEqual(self.house.enter(wrong), results.FUNCTION)
        self.assertEqual(self.balance(), OPENING)

    def test_older_than_the_meter_or_than_64_others(self):
        made = NOW_TID - 1440
        self.assertEqual(self.house.enter(token(made - 1)), results.OLD)
        self.assertEqual(self.house.enter(token(made)), results.USED)
        for late in range(64):
            self.assertEqual(self.house.enter(token(NOW_TID + 2 * late, 1)), results.ACCEPT)
        self.assertEqual(self.house.enter(token(NOW_TID - 1)), results.OLD)
        # In between, unseen: taken, and the smallest goes.
        self.assertEqual(self.house.enter(token(NOW_TID + 1)), results.ACCEPT)
        self.assertEqual(self.house.enter(token(NOW_TID)), results.OLD)
        self.assertEqual(self.house.enter(token(NOW_TID + 2)), results.USED)

    def test_the_purchase_list_after_a_boot(self):
        self.house.enter(token(NOW_TID))
        self.house.boot()
        self.assertEqual(self.house.agent.account.recent[0][1:], (CREDIT // 1000, NOW_TID))


class TestKeys(unittest.TestCase):
    def test_expired(self):
        house = sts_house(ken=NOW_TID >> 16)
        self.assertEqual(house.enter(token((NOW_TID >> 16) + 1 << 16)), results.KEY_EXPIRED)
        self.assertEqual(house.enter(token(NOW_TID)), results.ACCEPT)

    def test_a_default_key_takes_no_credit(self):
        house = sts_house(kt=1)
        self.assertEqual(house.enter(token(NOW_TID)), results.DDTK)
        self.assertEqual(house.enter(token(NOW_TID, 0, 5, 2)), results.ACCEPT)

    def test_another_meters_token(self):
        house = sts_house()
        self.assertEqual(house.enter(token(NOW_TID, key=NEW_KEY)), results.CRC)

    def test_a_change_in_any_order(self):
        for order in ((1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)):
            house = sts_house()
            said = [house.enter(section(number, flags=6)) for number in order]
            names = [results.FIRST_SECTION if n == 1 else results.SECOND_SECTION for n in order]
            self.assertEqual(said, names[:2] + [results.ACCEPT])
            memory = house.agent.tokens.memory
            self.assertEqual((memory.key, memory.krn, memory.sgc), (NEW_KEY, 2, 0x012345))
            self.assertEqual(house.enter(token(NOW_TID)), results.CRC)
            self.assertEqual(house.enter(token(NOW_TID, key=NEW_KEY)), results.ACCEPT)

    def test_two_sections_and_a_boot_between(self):
        house = sts_house()
        self.assertEqual(house.enter(section(1)), results.FIRST_SECTION)
        house.boot()
        self.assertEqual(house.enter(section(2)), results.ACCEPT)
        house.boot()
        self.assertEqual(house.enter(token(NOW_TID, key=NEW_KEY)), results.ACCEPT)
        self.assertEqual(len(house.entries(records.TOKEN)), 2)

    def test_the_key_is_in_no_entry(self):
        house = sts_house()
        house.enter(section(1))
        house.enter(section(2))
        for entry in house.entries():
            self.assertNotIn(NEW_KEY[:4], entry.payload)
            self.assertNotIn(NEW_KEY[4:], entry.payload)

    def test_used_ones_stay_used_and_a_rollover_forgets_them_but_no_money(self):
        house = sts_house()
        house.enter(token(NOW_TID))
        house.enter(section(1))
        house.enter(section(2))
        self.assertEqual(house.enter(token(NOW_TID, key=NEW_KEY)), results.USED)
        third = b"\x11\x22\x33\x44\x55\x66\x77\x88"
        for number in (1, 2):
            old = section(number, third, flags=10)
            plain = self._under(NEW_KEY, number, third)
            self.assertNotEqual(old, plain)
            house.enter(plain)
        self.assertEqual(house.agent.tokens.memory.base, 2035)
        self.assertEqual(house.agent.journal.balance, OPENING + CREDIT)
        self.assertEqual(house.enter(token(7, key=third)), results.ACCEPT)
        self.assertEqual(house.enter(token(7, key=third)), results.USED)

    def _under(self, old, number, new):
        if number == 1:
            return seal(2, bytes([0x3F, 0x3A]) + new[:4], old)
        return seal(2, bytes([0x4F, 1]) + new[4:], old)

    def test_sections_of_a_change_given_up_are_forgotten(self):
        house = sts_house()
        house.enter(section(1, b"\x01" * 8))
        house.agent.time.powered_s += 86401
        self.assertEqual(house.enter(section(2)), results.SECOND_SECTION)
        self.assertEqual(house.enter(section(1)), results.ACCEPT)
        self.assertEqual(house.agent.tokens.memory.key, NEW_KEY)

    def test_the_manufacturing_key_does_not_come_back(self):
        house = sts_house()
        self.assertEqual(house.enter(section(1, flags=0)), results.KEY_TYPE)

    def test_a_fourth_section_is_for_longer_keys(self):
        house = sts_house()
        self.assertEqual(house.enter(seal(2, b"\x90\0\0\0\0\0")), results.FUNCTION)


class TestManagement(unittest.TestCase):
    def setUp(self):
        self.house = sts_house()

    def test_power_limit_also_after_a_boot(self):
        self.assertEqual(self.house.enter(token(NOW_TID, 0x4001, 0, 2)), results.ACCEPT)
        self.assertEqual(self.house.agent.tokens.memory.power_limit_w, 16394)
        self.assertEqual(self.house.agent.control.limits.load_limit_w, 16394)
        self.house.boot()
        self.assertEqual(self.house.agent.control.limits.load_limit_w, 16394)
        self.assertEqual(self.house.enter(token(NOW_TID + 1, 0, 0, 2)), results.RANGE)

    def test_clear_credit_takes_what_is_there_and_no_more(self):
        for register, result in ((1, results.FUNCTION), (4, results.ACCEPT)):
            self.assertEqual(self.house.enter(token(NOW_TID, register, 1, 2)), result)
        self.assertEqual(self.house.agent.journal.balance, 0)
        entry = self.house.entries(records.TOKEN)[0]
        self.assertEqual(entry.amount, -OPENING)
        self.house.agent.journal.append(records.ADJUST, 0, 0, -5, b"")
        self.assertEqual(self.house.enter(token(NOW_TID + 1, 0xFFFF, 1, 2)), results.ACCEPT)
        self.assertEqual(self.house.agent.journal.balance, -5)

    def test_prices_do_not_come_by_token(self):
        self.assertEqual(self.house.enter(token(NOW_TID, 1, 2, 2)), results.FUNCTION)
        self.assertEqual(self.house.enter(token(NOW_TID)), results.ACCEPT)

    def test_unbalance_is_for_more_than_one_phase(self):
        unbalance = token(NOW_TID, 100, 6, 2)
        self.assertEqual(self.house.enter(unbalance), results.FUNCTION)
        self.house.agent.tokens.phases = 3
        self.assertEqual(self.house.enter(unbalance), results.ACCEPT)
        self.assertEqual(self.house.agent.tokens.memory.unbalance_limit_w, 100)
        self.assertEqual(self.house.agent.control.limits.unbalance_limit_w, 100)
        self.house.agent.keeper.now()
        self.house.boot()
        self.assertEqual(self.house.agent.control.limits.unbalance_limit_w, 100)

    def test_clear_tamper_clears_the_latch_also_when_power_goes_before_it_is_kept(self):
        house = self.house
        house.run(20, -3600)
        house.run(20)
        self.assertEqual(house.agent.view.page()["alarms"], ["tamper"])
        house.agent.keeper.now()
        clear = token(NOW_TID, 0, 5, 2)
        commit = house.storage.commit
        house.storage.commit = fails
        self.assertEqual(house.enter(clear), results.ACCEPT)
        # Its entry is durable; the files behind it are not written when the power goes.
        house.storage.commit = commit
        house.boot()
        self.assertEqual(house.agent.watch.latched, 1)
        house.run(1)
        self.assertEqual(house.agent.watch.latched, 0)
        self.assertEqual(house.enter(clear), results.USED)
        house.boot()
        house.run(1)
        self.assertEqual(house.agent.view.page()["alarms"], [])

    def test_clear_tamper_is_done_at_once(self):
        self.house.run(20, -3600)
        self.house.run(20)
        self.assertEqual(self.house.agent.view.page()["tamper"], 1)
        self.assertEqual(self.house.enter(token(NOW_TID, 0, 5, 2)), results.ACCEPT)
        self.assertEqual(self.house.agent.view.page()["tamper"], 0)

    def test_clear_tamper_and_what_nobody_knows(self):
        self.assertEqual(self.house.enter(token(NOW_TID, 0, 5, 2)), results.ACCEPT)
        for subclass in (7, 10, 15):
            wrong = token(NOW_TID + 1, 0, subclass, 2)
            self.assertEqual(self.house.enter(wrong), results.FUNCTION)

    def test_a_test_token_shows_and_changes_nothing(self):
        before = self.house.agent.journal.sequence
        result, words = self.house.agent.tokens.enter("56493153725450313471")
        self.assertEqual(result, results.ACCEPT)
        for part in ("KRN 1", "TI 1", "total 0 Wh", "version test", "limit 0 W"):
            self.assertIn(part, words)
        self.assertEqual(self.house.agent.journal.sequence, before)
        self.assertEqual(self.house.relay.operations, 0)
        self.assertEqual(self.house.enter(seal(1, b"\0\0\0\0\x04\x63")), results.MANUFACTURER)
        self.assertEqual(self.house.enter(seal(1, b"\x20\0\0\0\x04\0")), results.FUNCTION)


class TestLockout(unittest.TestCase):
    def test_after_three_ten_seconds_that_double(self):
        house = sts_house()
        desk = house.agent.tokens
        for tries in range(3):
            self.assertEqual(desk.locked_s(), 0)
            self.assertEqual(house.enter("0" * 19), results.FORMAT, tries)
        for wait in (10, 20, 40, 80, 160, 320, 640, 1280, 1280):
            self.assertEqual(desk.locked_s(), wait)
            self.assertEqual(house.enter(token(NOW_TID)), results.LOCKED)
            house.agent.time.powered_s += wait
            self.assertEqual(house.enter("0" * 20), results.CRC)
        house.run(11)
        self.assertEqual(house.told(events.TOKENS_LOCKED), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])

    def test_a_boot_does_not_end_it_and_a_good_token_does(self):
        house = sts_house()
        for _ in range(3):
            house.enter("1" * 20)
        house.boot()
        # 10 s, and the 3 s of powered time since the last slot are served again.
        self.assertEqual(house.agent.tokens.locked_s(), 13)
        self.assertEqual(house.enter("56493153725450313471"), results.ACCEPT)
        house.run(14)
        self.assertEqual(house.enter(token(NOW_TID)), results.ACCEPT)
        self.assertEqual(house.agent.tokens.memory.failures, 0)

    def test_a_test_token_forgives_nothing_and_a_used_one_counts_nothing(self):
        house = sts_house()
        house.enter(token(NOW_TID))
        house.enter("1" * 20)
        house.enter("56493153725450313471")
        for _ in range(5):
            self.assertEqual(house.enter(token(NOW_TID)), results.USED)
        self.assertEqual(house.agent.tokens.memory.failures, 1)


def fails(*arguments):
    raise OSError(5)
