"""Rare commands: messages, the clock, settings and what can be read."""

import json
import unittest

from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "640K"
NO_SPACE = 28


class Orders(Linked):
    def setUp(self):
        super().setUp()
        self.counter = 0

    def order(self, op, arguments, kid="config.1"):
        """(result, detail) of a command with the challenge."""
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
        answer = self.ask(jws.sign(body(op, arguments, more=more), kid))[0]
        return answer["result"], answer["detail"]

    def refuse(self, op, *arguments):
        for text in arguments:
            with self.subTest(arguments=text):
                self.assertEqual(self.order(op, text)[0], "range")

    def reboot(self):
        self.house.agent.stop()
        self.house.boot()
        self.house.run(1)


class TestMessage(Orders):
    def shown(self):
        self.house.run(1)
        return self.house.page.view["messages"]

    def test_it_is_shown_journalled_and_kept_over_reboots(self):
        self.assertEqual(self.order("message.show", '{"text":"Work on Monday"}'), ("ok", ""))
        at = self.house.agent.time.unix()
        self.assertEqual(self.shown(), [{"time": at, "text": "Work on Monday", "until": None}])
        entries = self.house.entries(records.MESSAGE)
        self.assertEqual([entry.payload for entry in entries], [b"Work on Monday"])
        self.reboot()
        self.assertEqual(self.shown(), [{"time": at, "text": "Work on Monday", "until": None}])

    def test_the_next_takes_its_place_and_an_empty_one_clears(self):
        self.order("message.show", '{"text":"one"}')
        self.order("message.show", '{"text":"two"}')
        self.assertEqual([message["text"] for message in self.shown()], ["two"])
        self.order("message.show", '{"text":""}')
        self.assertEqual(self.shown(), [])
        self.reboot()
        self.assertEqual(self.shown(), [])

    def test_it_is_over_at_its_end_also_after_a_reboot(self):
        end = self.house.agent.time.unix() + 60
        order = '{"text":"Works until noon","until":%d}' % end
        self.assertEqual(self.order("message.show", order), ("ok", ""))
        self.assertEqual(self.shown()[0]["until"], end)
        self.reboot()
        self.assertEqual(self.shown()[0]["until"], end)
        while self.house.agent.time.unix() < end - 2:
            self.house.run(1)
        self.assertEqual(len(self.shown()), 1)
        self.assertEqual(self.house.agent.time.unix(), end - 1)
        self.assertEqual(self.shown(), [])

    def test_other_letters_come_through_either_way(self):
        for text in ('"停电 10:00"', '"\\u505c\\u7535 10:00"'):
            self.assertEqual(self.order("message.show", '{"text":%s}' % text)[0], "ok")
            self.assertEqual(self.shown()[0]["text"], "停电 10:00")

    def test_bounds(self):
        self.assertEqual(self.order("message.show", '{"text":"%s"}' % ("a" * 160))[0], "ok")
        self.refuse(
            "message.show",
            '{"text":"%s"}' % ("a" * 161),
            '{"text":"%s"}' % ("停" * 134),  # 402 bytes
            '{"text":"a\\nb"}',
            '{"text":"a\\u0000"}',
            '{"text":"a\\u009b1m"}',
            '{"text":7}',
            "{}",
            '{"text":"a","to":1}',
            '{"text":"a","until":%d}' % self.house.agent.time.unix(),
            '{"text":"a","until":4102444801}',
            '{"text":"a","until":"1"}',
            '{"text":"\\ud83d\\ude00"}',
            '{"text":"\\ud83d"}',
        )
        self.assertEqual(len(self.house.entries(records.MESSAGE)), 1)

    def test_storage_that_is_full_is_told_and_nothing_shown(self):
        self.house.storage.fail = NO_SPACE
        self.assertEqual(self.order("message.show", '{"text":"hello"}')[0], "no space")
        self.assertEqual(self.shown(), [])


class TestTime(Orders):
    def test_a_signed_time_is_taken_however_far_it_is(self):
        self.house.go_offline()
        ahead = START + 40 * 86_400  # more than a time source alone may step
        self.assertEqual(self.order("time.set", '{"unix":%d}' % ahead)[0], "ok")
        self.house.run(1)
        self.assertIn(self.house.agent.time.unix() - ahead, (0, 1, 2))
        self.assertEqual(self.house.agent.time.trust(), TRUST_SYNCED)
        self.house.agent.keeper.now()
        self.assertEqual(len(self.house.entries(records.CLOCK)), 1)

    def test_a_clock_nobody_set_is_synced_by_it(self):
        self.house.go_offline()
        self.house.clock.set(START, TRUST_UNKNOWN)
        self.assertEqual(self.order("time.set", '{"unix":%d}' % (START + 5))[0], "ok")
        self.house.run(1)
        self.assertEqual(self.house.agent.time.trust(), TRUST_SYNCED)

    def test_what_is_no_time(self):
        self.refuse(
            "time.set",
            "{}",
            '{"unix":0}',
            '{"unix":946684799}',  # the second before 2000
            '{"unix":4102444801}',
            '{"unix":"now"}',
            '{"unix":true}',
            '{"unix":1800000000,"trust":1}',
        )

    def test_another_key_sets_no_clock(self):
        self.assertEqual(
            self.order("time.set", '{"unix":%d}' % START, "relay.1")[0], "denied locally"
        )


class TestSettings(Orders):
    def test_one_is_in_force_at_once_and_after_reboots(self):
        self.assertEqual(
            self.order("config.set", '{"key":"load_limit_w","value":3000}'),
            ("ok", "load_limit_w was 0"),
        )
        self.assertEqual(self.order("config.set", '{"key":"load_limit_s","value":5}')[0], "ok")
        self.assertEqual(self.order("config.set", '{"key":"state_s","value":77}')[0], "ok")
        self.house.config.load_limit_w = 0  # as device.json has it
        self.house.config.load_limit_s = 30
        self.reboot()
        self.assertEqual(self.house.agent.control.limits.load_limit_w, 3_000)
        self.house.run(5, 3_600)
        self.assertTrue(self.house.relay.contact())
        self.house.run(1, 3_600)
        self.assertFalse(self.house.relay.contact())

    def test_settings_that_are_refused(self):
        self.refuse(
            "config.set",
            "{}",
            '{"key":"load_limit_w"}',
            '{"key":"load_limit_w","value":-1}',
            '{"key":"load_limit_w","value":1000001}',
            '{"key":"load_limit_w","value":"3000"}',
            '{"key":"load_limit_w","value":true}',
            '{"key":"never_cut","value":1}',
            '{"key":"meter","value":1}',
            '{"key":"price_limit_micro","value":1000}',
            '{"key":7,"value":1}',
            '{"key":"load_limit_w","value":1,"more":1}',
        )
        self.assertEqual(self.house.storage.size("settings"), 0)

    def test_a_file_that_rotted_leaves_what_device_json_says(self):
        self.house.storage.commit("settings", b"\x02\xff\xff\xff\xff\x63\x01\x00\x00\x00\x01")
        self.reboot()
        self.assertEqual(self.house.agent.control.limits.load_limit_w, 0)

    def test_reading_them(self):
        self.order("config.set", '{"key":"load_limit_w","value":3000}')
        result, detail = self.order("read.config", "{}")
        found = json.loads(detail)
        self.assertEqual(result, "ok")
        self.assertEqual((found["meter"], found["load_limit_w"]), (jws.METER, 3_000))
        self.refuse("read.config", '{"all":true}')


class TestJournal(Orders):
    def sent(self):
        """Sequences of the journal messages since the last look."""
        self.house.talk(40)
        found = []
        for _, data, _ in self.house.link.take("journal"):
            message = json.loads(data)
            found += range(message["from"], message["from"] + len(message["e"]))
        return found

    def test_a_range_is_sent_once_more_and_no_more(self):
        for number in range(1, 13):
            self.send(jws.credit(number, 1_000_000))
        self.sent()
        self.house.link.put(
            jws.sign(
                body(
                    "read.journal",
                    '{"from":2,"to":11}',
                    more='"ch":"%s","ctr":1,' % self.challenge,
                ),
                "config.1",
            )
        )
        self.assertEqual(self.sent()[:10], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
        self.house.run(1)
        self.assertNotIn(5, self.sent())

    def test_ranges_that_are_none(self):
        self.refuse(
            "read.journal",
            "{}",
            '{"from":1}',
            '{"from":0,"to":1}',
            '{"from":2,"to":1}',
            '{"from":1,"to":999999}',
            '{"from":999999,"to":999999}',
            '{"from":"1","to":2}',
        )


if __name__ == "__main__":
    unittest.main()
