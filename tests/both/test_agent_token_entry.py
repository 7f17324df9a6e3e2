"""How tokens come in: OpenPAYGO's functions, the keypad, the page, and the signed command."""

import unittest

from wattledger.agent.journal import record as records
from wattledger.agent.tokens import results
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.fixtures_linked import Linked, body
from wattledger.tests.both.houses_tokens import (
    KWH,
    NOW_TID,
    paygo,
    paygo_house,
    seal,
    sts_house,
    token,
)

HEAP = "1024K"
NANO = 10**9
DAY = 86400
CREDIT = 4000 * KWH


class TestPaygoTime(unittest.TestCase):
    def setUp(self):
        self.house = paygo_house()

    def left(self):
        """Seconds of time left."""
        return self.house.agent.tokens.memory.until - self.house.agent.time.powered_s

    def test_add_adds_to_what_is_left_and_set_sets(self):
        self.assertEqual(self.house.enter(paygo(2, 3)), results.ACCEPT)
        self.house.run(5)
        self.assertEqual(self.left(), 3 * DAY - 5)
        self.assertEqual(self.house.enter(paygo(4, 1)), results.ACCEPT)
        self.assertEqual(self.left(), 4 * DAY - 5)
        self.assertEqual(self.house.enter(paygo(5, 2)), results.ACCEPT)
        self.assertEqual(self.left(), 2 * DAY)
        self.assertEqual(self.house.agent.journal.balance, 10 * NANO)
        self.assertEqual(self.house.agent.tokens.time_left_s(), 2 * DAY)

    def test_late_tokens_add_and_none_twice(self):
        for count in (8, 2, 6, 4):
            self.assertEqual(self.house.enter(paygo(count, 1)), results.ACCEPT)
        for count in (8, 2, 6, 4):
            self.assertEqual(self.house.enter(paygo(count, 1)), results.USED)
        self.assertEqual(self.left(), 4 * DAY)

    def test_reserved_values_are_refused_and_stay_unused(self):
        for count, value in ((2, 996), (2, 999), (3, 997)):
            self.assertEqual(self.house.enter(paygo(count, value)), results.RANGE)
        self.assertEqual(self.house.enter(paygo(2, 995)), results.ACCEPT)

    def test_a_sync_moves_the_count_and_nothing_else(self):
        self.assertEqual(self.house.enter(paygo(81, 999)), results.ACCEPT)
        self.assertEqual(self.left(), -self.house.agent.time.powered_s)
        self.assertEqual(self.house.enter(paygo(80, 1)), results.USED)
        self.assertEqual(self.house.enter(paygo(82, 1)), results.ACCEPT)
        self.assertEqual(self.house.enter(paygo(51, 999)), results.USED)

    def test_unlocking_is_for_meters_that_allow_it(self):
        self.assertEqual(self.house.enter(paygo(3, 998)), results.FUNCTION)
        house = paygo_house(allow_unlock=True)
        self.assertEqual(house.agent.tokens.time_left_s(), 0)
        self.assertEqual(house.enter(paygo(3, 998)), results.ACCEPT)
        self.assertIsNone(house.agent.tokens.time_left_s())
        house.boot()
        self.assertIsNone(house.agent.tokens.time_left_s())

    def test_the_time_outlives_a_boot(self):
        self.house.enter(paygo(2, 3))
        until = self.house.agent.tokens.memory.until
        self.house.boot()
        self.assertEqual(self.house.agent.tokens.memory.until, until)

    def test_guesses_end_in_a_lock_out(self):
        for guess in ("923456781", "223456782", "323456783"):
            self.assertEqual(self.house.enter(guess), results.INVALID)
        self.assertEqual(self.house.enter(paygo(2, 3)), results.LOCKED)


class TestPaygoUnits(unittest.TestCase):
    def test_units_are_money_that_is_added_and_never_set(self):
        house = paygo_house(paygo_unit=UNIT // 2)
        self.assertEqual(house.enter(paygo(2, 3)), results.ACCEPT)
        self.assertEqual(house.agent.journal.balance, 11 * NANO + NANO // 2)
        self.assertEqual(house.enter(paygo(3, 3)), results.FUNCTION)
        self.assertEqual(house.enter(paygo(3, 998)), results.FUNCTION)
        self.assertIsNone(house.agent.tokens.time_left_s())
        house.agent.account.tariff.credit_max = 12 * UNIT
        self.assertEqual(house.enter(paygo(4, 3)), results.OVERFLOW)
        self.assertEqual(house.enter(paygo(4, 1)), results.ACCEPT)


class TestKeypad(unittest.TestCase):
    def setUp(self):
        self.house = sts_house()
        self.pad = self.house.agent.keypad

    def type(self, keys):
        for key in keys:
            self.house.page.requests.append(("key", key))
        self.house.agent.step()

    def test_typed_with_a_slip_and_entered(self):
        digits = token(NOW_TID)
        self.type(list(digits[:5]) + ["0", "erase"] + list(digits[5:]) + ["enter"])
        view = self.pad.view()
        self.assertEqual((view["result"], view["name"], view["typed"]), (1, "Accept", ""))
        self.assertEqual(self.house.agent.journal.balance, 10 * NANO + CREDIT)

    def test_what_is_no_digit_and_what_is_too_much(self):
        self.type(["x", "12", "", "1"] + ["2"] * 25)
        self.assertEqual(self.pad.typed, "1" + "2" * 19)

    def test_enter_without_digits_is_no_token(self):
        self.type(["enter"])
        self.assertIsNone(self.pad.view()["result"])

    def test_digits_left_alone_are_forgotten_and_a_result_fades(self):
        self.type(["1", "2"])
        self.house.coast(19)
        self.assertEqual(self.pad.typed, "12")
        self.house.coast(2)
        self.assertEqual(self.pad.typed, "")
        self.type(["1", "enter"])
        self.assertEqual(self.pad.view()["name"], "FormatError")
        self.house.coast(31)
        self.assertIsNone(self.pad.view()["name"])

    def test_the_page_sends_a_whole_token(self):
        self.house.page.requests.append(("token", token(NOW_TID)))
        self.house.agent.step()
        self.assertEqual(self.pad.view()["result"], results.ACCEPT)

    def test_a_meter_without_tokens_ignores_them(self):
        from wattledger.tests.both.fixtures_agent import House

        house = House()
        house.page.requests.append(("token", "1" * 20))
        house.page.requests.append(("key", "1"))
        house.run(1)
        self.assertIsNone(house.agent.tokens)


class Asked(Linked):
    def setUp(self):
        self.house = self.new_house()
        self.house.talk()
        self.house.link.take()

    def order(self, digits):
        return jws.sign(body("token.enter", '{"token":"%s"}' % digits), "credit.1")


class TestCommand(Asked):
    new_house = staticmethod(sts_house)

    def test_the_same_memory_as_the_keypads(self):
        self.house.agent.keypad.enter(token(NOW_TID))
        self.house.run(1)
        self.assertEqual(self.result(self.order(token(NOW_TID))), "duplicate")
        self.assertEqual(self.result(self.order(token(NOW_TID + 1))), "ok")
        self.house.agent.keypad.enter(token(NOW_TID + 1))
        self.house.agent.step()
        self.assertEqual(self.house.agent.keypad.view()["name"], "UsedError")
        self.assertEqual(self.balance(), 10 * NANO + 2 * CREDIT)

    def test_results_in_the_words_of_the_protocol(self):
        for digits, result, words in (
            (token(NOW_TID, 0), "range", "RangeError"),
            (token(1), "range", "OldError"),
            ("1" * 20, "range", "CRCError"),
            ("123", "range", "FormatError"),
            ("1" * 19 + "2", "range", "CRCError"),
            (token(NOW_TID), "rate", "token lockout"),
        ):
            found = self.ask(self.order(digits))
            self.assertEqual([answer["result"] for answer in found], [result])
            self.assertIn(words, found[0]["detail"])
        self.assertEqual(self.balance(), 10 * NANO)

    def play(self, orders, times):
        """Send recorded commands in turn, in time; the names of the files that were written."""
        written = []
        commit = self.house.storage.commit
        self.house.storage.commit = lambda name, data: written.append(name) or commit(name, data)
        for number in range(times):
            self.send(orders[number % len(orders)])
            self.house.coast(2)  # 60 commands a minute
        self.house.storage.commit = commit
        return written

    def test_recorded_wrong_ones_lock_nobody_and_wear_nothing(self):
        orders = [self.order(digits) for digits in ("1" * 20, "1" * 19 + "2")]
        self.assertEqual([self.result(order) for order in orders], ["range", "range"])
        written = self.play(orders, 60)
        desk = self.house.agent.tokens
        self.assertEqual((desk.memory.failures, desk.locked_s()), (0, 0))
        self.assertNotIn("attempts", written)
        self.assertNotIn("cold.a", written)
        self.assertNotIn("cold.b", written)
        self.assertEqual([item[2] for item in desk.attempts.found], [results.CRC, results.CRC])
        self.assertEqual(self.result(self.order(token(NOW_TID))), "ok")
        self.house.agent.keypad.enter(token(NOW_TID + 1))
        self.house.agent.step()
        self.assertEqual(self.house.agent.keypad.view()["result"], results.ACCEPT)

    def test_whoever_signs_guesses_locks_the_command_and_not_the_keypad(self):
        for number in range(3):
            self.assertEqual(self.result(self.order("%020d" % number)), "range")
        answer = self.ask(self.order(token(NOW_TID)))[0]
        self.assertEqual(
            (answer["result"], answer["detail"]), ("rate", "token lockout: wait 10 s")
        )
        self.house.agent.keypad.enter(token(NOW_TID + 1))
        self.house.agent.step()
        self.assertEqual(self.house.agent.keypad.view()["result"], results.ACCEPT)
        self.assertEqual(self.result(self.order(token(NOW_TID + 2))), "ok")  # a good one ends it

    def test_recorded_tests_and_sections_do_not_fill_the_journal(self):
        test = self.order("56493153725450313471")
        section = self.order(seal(2, b"\x3f\x22abcd"))
        self.assertEqual([self.result(order) for order in (test, section)], ["ok", "ok"])
        self.house.run(11)
        written = self.play([test, section], 50)
        for name in ("attempts", "cold.a", "cold.b"):
            self.assertNotIn(name, written)
        answers = [answer["result"] for answer in self.answers()]
        # The first two are of the sixteen there is room for; the last that was done is known.
        self.assertEqual(answers.count("rate"), 50 - 14 - 18)
        self.assertEqual(len(self.written()), 16)

    def test_arguments_that_are_none(self):
        for arguments in ("{}", '{"token":12}', '{"token":"%s"}' % ("1" * 21)):
            wrong = jws.sign(body("token.enter", arguments), "credit.1")
            self.assertEqual(self.result(wrong), "range")

    def test_it_takes_the_credit_key(self):
        wrong = jws.sign(body("token.enter", '{"token":"1"}'), "relay.1")
        self.assertEqual(self.result(wrong), "denied locally")


class TestCommandWithASearch(Asked):
    new_house = staticmethod(lambda: paygo_house(paygo_unit=UNIT))

    def test_it_is_answered_when_the_search_ends_and_once(self):
        # Count 60: four slices of 16 hashes.
        order = self.order(paygo(60, 2))
        found = self.ask(order)
        self.assertEqual([answer["result"] for answer in found], ["ok"])
        self.assertEqual(self.balance(), 12 * NANO)
        self.assertEqual(self.written(), [(jws.reference(order), 5, "ok")])
        self.assertEqual(self.house.agent.desk.refused, 0)
        self.assertEqual(len(self.house.entries(records.TOKEN)), 1)

    def test_the_keypad_waits_for_its_turn(self):
        self.house.agent.keypad.enter(paygo(50, 1))
        self.house.link.put(self.order(paygo(60, 2)))
        self.house.talk(20)
        self.assertEqual(self.balance(), 13 * NANO)

    def test_a_search_that_storage_broke_off_is_in_nobodys_way(self):
        agent = self.house.agent
        self.assertIsNone(agent.tokens.enter(paygo(50, 1)))  # 16 hashes are not enough
        agent.keeper.failed = 5
        self.assertEqual(agent.tokens.enter(paygo(50, 1))[0], results.NOT_READY)
        agent.keeper.failed = 0
        agent.keypad.enter(paygo(60, 2))
        self.house.talk(20)
        self.assertEqual(agent.keypad.view()["result"], results.ACCEPT)
        self.assertEqual(self.balance(), 12 * NANO)

    def test_a_search_that_nobody_comes_back_for_is_in_nobodys_way(self):
        agent = self.house.agent
        agent.keypad.enter(paygo(60, 2))
        agent.keypad.work()
        self.house.link.put(self.order(paygo(50, 1)))
        agent.step()  # the command waits, the keypad goes on
        agent.keypad._waiting = []  # as when the step that would have answered ran out of heap
        self.house.talk(20)
        self.assertEqual([answer["result"] for answer in self.answers()], ["ok"])
        self.assertEqual(self.balance(), 11 * NANO)
        self.house.link.put(self.order(paygo(48, 1)))
        agent.step()
        agent.talk.unanswered = None
        agent.keypad.enter(paygo(60, 2))
        self.house.talk(20)
        self.assertEqual(agent.keypad.view()["result"], results.ACCEPT)
        self.assertEqual(self.balance(), 13 * NANO)

    def test_a_meter_without_tokens_says_so(self):
        from wattledger.tests.both.fixtures_agent import House

        self.house = House(linked=True)
        self.house.run(1)
        self.assertEqual(self.result(self.order("1" * 20)), "range")
