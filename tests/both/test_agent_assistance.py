"""Remote assistance: nothing is read without the household's consent, nor after its end."""

import json
import unittest

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "1M"
HOUR = 3600
AGREED = "the household has not agreed to it"


class Assisted(Linked):
    def setUp(self):
        super().setUp()
        self.counter = 0

    def order(self, op, arguments="{}", kid="config.1"):
        """(result, detail) of a command with the challenge."""
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
        answer = self.ask(jws.sign(body(op, arguments, more=more), kid))[0]
        return answer["result"], answer["detail"]

    def request(self, scope="live", seconds=HOUR):
        until = self.house.agent.time.unix() + seconds
        return self.order("assist.start", '{"scope":"%s","until":%d}' % (scope, until))

    def say(self, yes):
        self.house.page.requests.append(("assist", yes))
        self.house.run(1)

    def shown(self):
        self.house.run(1)
        return self.house.page.view["assist"]

    def told(self):
        """What the journal says of assistance: [(code, value)]."""
        self.house.agent.keeper.now()
        found = []
        for code in range(events.ASSIST_ASKED, events.ASSIST_OVER + 1):
            found += [(code, value) for value in self.house.told(code)]
        return found


class TestConsent(Assisted):
    def test_it_is_shown_and_reads_nothing_before_a_person_agrees(self):
        self.assertIsNone(self.shown())
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        until = self.house.agent.time.unix() + HOUR
        self.assertEqual(self.request()[0], "ok")
        self.assertEqual(self.shown(), {"scope": "live", "until": until, "state": "asked"})
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.say(True)
        self.assertEqual(self.shown()["state"], "on")
        self.assertEqual(self.order("read.live")[0], "ok")
        self.assertEqual(self.told(), [(events.ASSIST_ASKED, 1), (events.ASSIST_BEGUN, 1)])

    def test_consent_is_for_its_scope(self):
        self.request("live")
        self.say(True)
        self.assertEqual(self.order("read.display"), ("denied locally", AGREED))
        self.request("display")
        self.assertEqual(self.order("read.display"), ("denied locally", AGREED))
        self.say(True)
        self.assertEqual(self.order("read.display")[0], "ok")
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.assertIn((events.ASSIST_OVER, 2), self.told())

    def test_a_person_refuses(self):
        self.request()
        self.say(False)
        self.assertIsNone(self.shown())
        self.say(True)  # a late yes to nothing
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.assertEqual(self.told(), [(events.ASSIST_ASKED, 1), (events.ASSIST_REFUSED, 0)])

    def test_nobody_answers(self):
        self.request()
        self.house.coast(899)
        self.assertEqual(self.house.page.view["assist"]["state"], "asked")
        self.house.coast(2)
        self.say(True)
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.assertEqual(self.told()[-1], (events.ASSIST_REFUSED, 1))


class TestEnd(Assisted):
    def agree(self, seconds=HOUR):
        self.request(seconds=seconds)
        self.say(True)
        self.assertEqual(self.order("read.live")[0], "ok")

    def test_its_time(self):
        self.agree(600)
        self.house.coast(590)
        self.assertEqual(self.order("read.live")[0], "ok")
        self.house.coast(20)
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.assertIsNone(self.shown())
        self.assertEqual(self.told()[-1], (events.ASSIST_OVER, 1))

    def test_a_clock_set_back_does_not_lengthen_it(self):
        self.agree(600)
        back = self.house.agent.time.unix() - 300
        self.assertEqual(self.order("time.set", '{"unix":%d}' % back)[0], "ok")
        self.house.go_offline()
        self.house.coast(620)
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))

    def test_a_person_ends_it(self):
        self.agree()
        self.say(False)
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))
        self.assertEqual(self.told()[-1], (events.ASSIST_OVER, 0))

    def test_a_reboot(self):
        self.agree()
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        self.greet()
        self.assertIsNone(self.shown())
        self.assertEqual(self.order("read.live"), ("denied locally", AGREED))


class TestReads(Assisted):
    def test_live(self):
        self.request()
        self.say(True)
        self.house.run(2, 2300)
        result, detail = self.order("read.live")
        found = json.loads(detail)
        self.assertEqual(result, "ok")
        self.assertEqual(len(found["phases"]), 1)
        self.assertEqual(found["phases"][0]["power_mw"], 2_300_000)
        self.assertEqual(found["phases"][0]["current_ma"], 10_000)
        self.assertEqual((found["frequency_mhz"], found["quality"]), (50_000, "ok"))

    def test_display(self):
        self.request("display")
        self.say(True)
        found = json.loads(self.order("read.display")[1])
        self.assertEqual(found["meter"], jws.METER)
        self.assertEqual(found["assist"]["state"], "on")
        self.assertNotIn("token", found)

    def test_each_read_is_in_the_journal(self):
        self.request()
        self.say(True)
        before = len(self.house.entries(records.COMMAND))
        self.order("read.live")
        self.order("read.display")
        self.assertEqual([row[1:] for row in self.written()[before:]],
                         [(24, "ok"), (25, "denied locally")])  # fmt: skip

    def test_a_change_makes_a_state_message_due(self):
        self.request()
        self.house.agent.keeper.now()
        self.house.run(3)
        self.house.link.take()
        self.say(True)
        self.house.run(2)
        states = [json.loads(data) for _, data, _ in self.house.link.take("state")]
        self.assertEqual([state["assist"]["state"] for state in states], ["on"])


class TestRefusals(Assisted):
    def test_what_cannot_be_asked(self):
        now = self.house.agent.time.unix()
        for text in (
            "{}",
            '{"scope":"live"}',
            '{"scope":"all","until":%d}' % (now + 60),
            '{"scope":7,"until":%d}' % (now + 60),
            '{"scope":"live","until":%d}' % (now - 60),
            '{"scope":"live","until":%d}' % (now + 4 * HOUR + 60),
            '{"scope":"live","until":%d,"yes":true}' % (now + 60),
        ):
            self.assertEqual(self.order("assist.start", text)[0], "range", text)
        self.assertEqual(self.order("read.live", '{"all":1}')[0], "range")
        self.assertIsNone(self.shown())

    def test_other_keys_ask_nothing(self):
        for kid in ("relay.1", "credit.1"):
            until = self.house.agent.time.unix() + 60
            text = '{"scope":"live","until":%d}' % until
            self.assertEqual(self.order("assist.start", text, kid)[0], "denied locally")
            self.assertEqual(self.order("read.live", "{}", kid)[0], "denied locally")

    def test_a_clock_nobody_set_knows_no_end(self):
        self.house.go_offline()
        self.house.agent.stop()
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        self.greet()
        self.assertEqual(self.request()[0], "denied locally")


if __name__ == "__main__":
    unittest.main()
