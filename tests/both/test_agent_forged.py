"""M4, M5: cut, forged and wrongly signed commands, each kind in full: none is accepted."""

import unittest

from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "640K"
DONE = ("ok", "scheduled", "duplicate")
OWNED = {"relay.arm": "relay", "credit.add": "credit", "message.show": "config"}
ARGUMENTS = {"credit.add": '{"n":1,"amount":1}', "message.show": '{"text":"x"}'}


class Gated(House):
    gate_key = jws.GATE_SECRET


class Forged(Linked):
    def build(self):
        return Gated(credit=10, linked=True)

    def judge(self, message):
        """The result of one message at the desk, whatever came before it."""
        desk = self.house.agent.desk
        desk._bad_at = []
        desk._silent_since = None
        desk._taken = 0  # floods are tested elsewhere
        return desk.handle(message, False)["result"]

    def command(self, op, purpose, counter=1, challenge=None):
        more = '"ch":"%s","ctr":%s,' % (challenge or self.challenge, counter)
        return jws.sign(body(op, ARGUMENTS.get(op, "{}"), more=more), purpose + ".1")

    def untouched(self):
        self.assertEqual(self.balance(), 10 * 10**9)
        self.assertTrue(self.house.relay.contact())
        remote = self.house.agent.control.remote
        self.assertTrue(remote is None or remote.opens_at is None)


class TestForged(Forged):
    def test_each_truncation_of_a_command_is_refused(self):
        for good, result in (
            (jws.credit(1, UNIT), "ok"),
            (jws.open_(self.challenge, 1), "scheduled"),
        ):
            for length in range(len(good)):
                self.assertEqual(self.judge(good[:length]), "bad signature")
            self.untouched()
            self.assertEqual(self.judge(good), result)
            self.house.agent.journal.balance = 10 * 10**9

    def test_each_command_with_a_byte_more_is_refused(self):
        good = jws.credit(1, UNIT)
        for more in (b"=", b"A", b".", b"\x00", b"\n", b" "):
            self.assertEqual(self.judge(good + more), "bad signature")
            self.assertEqual(self.judge(more + good), "bad signature")
        self.untouched()

    def test_each_wrong_header_is_refused(self):
        payload = body("credit.add", ARGUMENTS["credit.add"])
        for head in (
            '{"alg":"none"}',
            '{"alg":"none","kid":"credit.1"}',
            '{"alg":"ES256","kid":"credit.1"}',
            '{"alg":"HS512","kid":"credit.1"}',
            '{"alg":"HS256"}',
            '{"kid":"credit.1"}',
            '{"alg":"HS256","kid":"credit.0"}',
            '{"alg":"HS256","kid":"credit.2"}',
            '{"alg":"HS256","kid":"credit.01"}',
            '{"alg":"HS256","kid":"credit"}',
            '{"alg":"HS256","kid":"Credit.1"}',
            '{"alg":"HS256","kid":"root.1"}',
            '{"alg":"HS256","kid":"tariff.1"}',
            '{"alg":"HS256","kid":"gate.1"}',
            '{"alg":"HS256","kid":"up.1"}',
            '{"alg":"HS256","kid":""}',
            '{"alg":"HS256","kid":null}',
            '{"alg":"HS256","kid":"credit.1","typ":"JWT"}',
            '{"alg":"HS256","kid":"credit.1","kid":"credit.1"}',
            '{"alg":"HS256", "kid":"credit.1"}',
            "{}",
            "",
        ):
            message = jws.sign(payload, "credit.1", head)
            self.assertEqual(self.judge(message), "bad signature", head)
        self.untouched()

    def test_each_wrong_key_under_a_right_name_is_refused(self):
        payload = body("credit.add", ARGUMENTS["credit.add"])
        for key in (
            b"",
            bytes(32),
            jws.DEVICE_KEY,
            jws.GATE_SECRET,
            jws.key_of("relay.1"),
            jws.key_of("config.1"),
            jws.key_of("up.1"),
            jws.key_of("credit.2"),
            jws.key_of("credit.0"),
            jws.key_of("credit.1", jws.GATE_SECRET),
            jws.key_of("credit.1", bytes(range(1, 33))),  # another meter's
            jws.key_of("credit.1")[:31],
        ):
            # An empty key means the right one to `sign`: one byte of nothing is as good.
            message = jws.sign(payload, "credit.1", key=key or b"\0")
            self.assertEqual(self.judge(message), "bad signature")
        self.untouched()

    def test_each_challenge_that_is_none_of_now_is_stale(self):
        for challenge in (
            "0" * 16,
            "f" * 16,
            self.challenge[:-1],
            self.challenge + "0",
            " " + self.challenge,
            self.challenge[8:] + self.challenge[:8],
        ):
            message = self.command("relay.arm", "relay", 1, challenge)
            self.assertEqual(self.judge(message), "stale", challenge)
        upper = self.challenge.upper()
        if upper != self.challenge:
            self.assertEqual(self.judge(self.command("relay.arm", "relay", 1, upper)), "stale")

    def test_each_counter_out_of_range_is_refused(self):
        for counter in (
            "0",
            "-1",
            str(1 << 53),
            str((1 << 64) - 1),
            str(1 << 64),
            "1.0",
            "1e3",
            '"1"',
            "true",
            "null",
            "[1]",
            "{}",
        ):
            message = self.command("relay.arm", "relay", counter)
            self.assertEqual(self.judge(message), "range", counter)
        self.assertEqual(self.judge(self.command("relay.arm", "relay", (1 << 53) - 1)), "ok")
        for counter in (1, 2, (1 << 53) - 2):  # nothing is above the highest one
            self.assertEqual(self.judge(self.command("relay.arm", "relay", counter)), "stale")


class TestPurposes(Forged):
    def test_five_keys_and_five_operations(self):
        """Rows: relay, credit, config, up, gate; columns: three single ones, an opening with one
        signature, and one with both."""
        done = []
        for purpose in ("relay", "credit", "config", "up"):
            for op in sorted(OWNED):
                if self.judge(self.command(op, purpose, 100 + len(done))) in DONE:
                    done.append((purpose, op))
            self.assertTrue(self.judge(self.command("relay.open", purpose)) not in DONE)
            # Both signatures by keys that one stolen device key gives.
            payload = body(
                "relay.open",
                '{"reason":"request"}',
                more='"ch":"%s","ctr":900,' % self.challenge,
            )
            inner = jws.sign(payload, "relay.1")
            for kid in ("gate.1", purpose + ".1"):
                forged = jws.wrap(inner, key=jws.key_of(purpose + ".1"), kid=kid)
                self.assertTrue(self.judge(forged) not in DONE)
        for op in sorted(OWNED):
            message = jws.sign(
                body(op, ARGUMENTS.get(op, "{}"), more='"ch":"%s","ctr":950,' % self.challenge),
                "gate.1",
                key=jws.key_of("gate.1", jws.GATE_SECRET),
            )
            self.assertTrue(self.judge(message) not in DONE)
            wrapped = jws.wrap(self.command(op, OWNED[op], 960))
            self.assertTrue(self.judge(wrapped) not in DONE)
        self.assertEqual(sorted(done), sorted((OWNED[op], op) for op in OWNED))
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.house.agent.control.remote, None)


if __name__ == "__main__":
    unittest.main()
