"""Signed documents for a group: taken when the meter's want names them, and no others."""

import json
import unittest

from wattledger.agent.comms import documents
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, House, tariff_of

HEAP = "512K"
MINUTE = 60
REFUSED = 80  # the event


class Utility(House):
    """A house whose utility signs with the test key `tariff.1`."""

    public_keys = {"tariff.1": es256.public(es256.TARIFF_KEY), "firmware.1": es256.public(11)}

    def __init__(self, **more):
        House.__init__(self, linked=True, **more)
        self.run(1)
        self.talk()

    def arrive(self, leaf, data, group=None):
        """A message on a topic, judged to its end; a minute passes first, for the next one."""
        self.coast(MINUTE)
        place = "m/" + jws.METER if group is None else "g/" + group
        self.link.inbox.append(("wl/1/demo/%s/%s" % (place, leaf), data, True))
        self.talk(90)

    def want(self, version=1, id="plain", n=1, group="homes", meter=jws.METER, **sign):
        text = '{"m":"%s","v":%d,"id":"%s","n":%d,"group":"%s","fw":0}'
        self.arrive("want", es256.sign(text % (meter, version, id, n, group), **sign))

    def tariff(self, group="homes", message=None, **changes):
        """A signed tariff arrives on a group's topic; its message."""
        changes.setdefault("n", 2)
        signed = message or es256.sign(tariff_of(**changes))
        self.arrive("tariff", signed, group)
        return signed

    def pending(self):
        """(id, n) of the set that waits to come into force, or None."""
        pending = self.agent.account.pending
        return (pending.id, pending.n) if pending else None

    def reasons(self):
        """Why documents were refused, as the durable events say."""
        self.agent.keeper.now()
        return self.told(REFUSED)


LATER = START + 86_400


class TestPush(unittest.TestCase):
    def test_a_tariff_that_is_wanted_becomes_the_next_set(self):
        house = Utility()
        house.want(n=2)
        house.tariff(**{"from": LATER})
        self.assertEqual(house.pending(), ("plain", 2))
        self.assertEqual(house.reasons(), [])

    def test_the_meter_says_hello_with_what_it_took(self):
        house = Utility()
        house.want(version=7, n=2)
        house.link.take()
        house.tariff(**{"from": LATER})
        hellos = [json.loads(jws.unsign(data)) for _, data, _ in house.link.take("hello")]
        self.assertEqual(
            hellos[-1]["documents"],
            {"want": 7, "next": {"id": "plain", "n": 2}, "prices": [], "refused": None},
        )

    def test_the_meter_says_hello_with_why_it_refused_what_was_signed(self):
        house = Utility()
        house.want(n=2)
        house.link.take()
        house.tariff(n=2, tz="nowhere", **{"from": LATER})
        hello = json.loads(jws.unsign(house.link.take("hello")[-1][1]))
        self.assertEqual(hello["documents"]["refused"][:11], "tariff: tz:")
        house.tariff(n=2, message=es256.sign(b"{}", es256.OTHER_KEY))
        self.assertEqual(house.link.take("hello"), [])  # whoever cannot sign is told nothing

    def test_prices_of_the_wanted_tariff_are_taken(self):
        house = Utility()
        house.want()
        text = '{"v":1,"prices_of":"plain","n":4,"start":%d,"step":3600,"prices":[-5,6]}'
        house.arrive("price", es256.sign(text % LATER), "homes")
        held = house.agent.ledger.shelf.dynamic.held
        self.assertEqual([prices.n for prices in held if prices], [4])

    def test_another_order_of_the_protected_header_is_the_same(self):
        house = Utility()
        house.want(head='{"kid":"tariff.1","alg":"ES256"}')
        self.assertEqual(house.agent.documents.want.version, 1)

    def test_a_want_is_held_over_a_power_cut_with_its_topics(self):
        house = Utility()
        house.want(version=3, n=2)
        house.link.topics = []
        house.boot()
        self.assertEqual(house.agent.documents.want.version, 3)
        for leaf in ("tariff", "price"):
            self.assertTrue("wl/1/demo/g/homes/" + leaf in house.link.topics)
        house.tariff(**{"from": LATER})
        self.assertEqual(house.pending(), ("plain", 2))

    def test_a_change_of_the_tariffs_id_needs_a_want_that_names_it(self):
        house = Utility()
        house.want()
        house.tariff(id="cheap", n=1, **{"from": LATER})
        self.assertEqual((house.pending(), house.reasons()), (None, [documents.NOT_WANTED]))
        house.want(version=2, id="cheap")
        house.tariff(id="cheap", n=1, **{"from": LATER})
        self.assertEqual(house.pending(), ("cheap", 1))


class TestRefusals(unittest.TestCase):
    def refused(self, house, reason):
        self.assertEqual(house.pending(), None)
        self.assertEqual(house.reasons(), [reason])

    def test_a_wrong_key_a_wrong_kid_and_the_meters_own_key_sign_nothing(self):
        for sign in (
            {"private": es256.OTHER_KEY},
            {"private": 11, "kid": "firmware.1"},
            {"kid": "tariff.2"},
            {"head": '{"alg":"none","kid":"tariff.1"}'},
            {"head": '{"alg":"ES256","kid":"tariff.1","typ":"JWT"}'},
            {"head": '{"alg":"HS256","kid":"tariff.1"}'},
        ):
            house = Utility()
            house.want(**sign)
            self.assertEqual(house.agent.documents.want, None)
            self.assertEqual(house.reasons(), [documents.NOT_SIGNED])
        house = Utility()
        text = '{"m":"%s","v":1,"id":"plain","n":1,"group":"homes"}' % jws.METER
        house.arrive("want", jws.sign(text, "config.1"))
        self.assertEqual(house.agent.documents.want, None)

    def test_a_flipped_bit_anywhere_is_refused(self):
        house = Utility()
        house.want()
        good = es256.sign(tariff_of(n=2, **{"from": LATER}))
        for position in list(range(0, len(good), 131)) + [len(good) - 1]:
            for bit in (0, 3):
                bent = bytearray(good)
                bent[position] ^= 1 << bit
                house.tariff(message=bytes(bent))
                self.assertEqual(house.pending(), None)
        house.tariff(message=good)
        self.assertEqual(house.pending(), ("plain", 2))

    def test_bits_that_a_lenient_decoder_drops_are_refused(self):
        # 64 bytes are 86 letters of 6 bits: the last letter has four bits that say nothing.
        house = Utility()
        house.want()
        good = es256.sign(tariff_of(n=2, **{"from": LATER}))
        last = jws.LETTERS.index(chr(good[-1]))
        house.tariff(message=good[:-1] + jws.LETTERS[last ^ 1].encode())
        self.refused(house, documents.NOT_SIGNED)

    def test_the_tariff_of_another_group_is_not_taken(self):
        house = Utility()
        house.want(n=2)
        house.tariff(group="farms", **{"from": LATER})  # on its own topic
        self.assertEqual((house.pending(), house.reasons()), (None, []))
        house.tariff(id="farms", **{"from": LATER})  # served on ours
        self.refused(house, documents.NOT_WANTED)

    def test_an_older_tariff_than_the_wanted_one_is_not_taken(self):
        house = Utility()
        house.want(n=5)
        house.tariff(n=4, **{"from": LATER})
        self.refused(house, documents.NOT_WANTED)

    def test_without_a_want_no_document_is_listened_to(self):
        house = Utility()
        house.tariff(**{"from": LATER})
        self.assertEqual((house.pending(), house.reasons()), (None, []))
        self.assertEqual([t for t in house.link.topics if "/g/" in t], [])

    def test_a_want_never_goes_back(self):
        house = Utility()
        house.want(version=5, n=3)
        house.want(version=4, n=1)
        self.assertEqual((house.agent.documents.want.version, house.reasons()), (5, [5]))
        house.want(version=5, n=1)
        self.assertEqual(house.agent.documents.want.n, 3)

    def test_the_want_of_another_meter_is_refused(self):
        house = Utility()
        house.want(meter="demo-0002")
        self.assertEqual(house.agent.documents.want, None)
        self.assertEqual(house.reasons(), [documents.BAD_CONTENT])

    def test_a_document_over_6_kb_is_dropped_unread(self):
        house = Utility()
        house.want()
        house.tariff(message=b"x" * 6145)
        self.refused(house, documents.TOO_LONG)

    def test_signed_rubbish_changes_nothing(self):
        for payload in (b"", b"[]", b"{", b"\xff\xfe", b"[" * 300, b'{"id":"plain","n":true}'):
            house = Utility()
            house.want()
            house.arrive("tariff", es256.sign(payload), "homes")
            self.assertEqual(house.pending(), None)
            self.assertEqual(len(house.reasons()), 1)

    def test_text_that_is_no_jws_changes_nothing(self):
        house = Utility()
        for message in (b"", b".", b"..", b"a.b", b"\xff.\xff.\xff", b"." * 100):
            house.arrive("want", message)
        self.assertEqual(house.agent.documents.want, None)

    def test_refusals_are_written_down_once_a_minute(self):
        house = Utility()
        for number in range(20):
            topic = "wl/1/demo/m/%s/want" % jws.METER
            house.link.inbox.append((topic, b"x.y.%d" % number, True))
            house.talk(3)
        self.assertEqual(house.reasons(), [documents.NOT_SIGNED])


class TestCost(unittest.TestCase):
    def slices(self, house):
        """Steps that work on a document, from now until there is none."""
        count = 0
        while house.agent.documents.work():
            count += 1
        return count

    def test_what_is_held_is_dropped_unverified(self):
        house = Utility()
        house.want(n=2)
        signed = house.tariff(**{"from": LATER})
        house.boot()
        house.coast(MINUTE)
        house.agent.documents.hear("wl/1/demo/g/homes/tariff", signed)
        self.assertTrue(self.slices(house) <= 1)
        again = es256.sign(house.agent.documents.want.data)
        house.agent.documents.hear("wl/1/demo/m/%s/want" % jws.METER, again)
        self.assertTrue(self.slices(house) <= 1)

    def test_a_refused_message_that_comes_again_is_not_verified_again(self):
        house = Utility()
        house.want()
        bad = es256.sign(tariff_of(n=2, **{"from": LATER}), es256.OTHER_KEY)
        house.tariff(message=bad)
        house.coast(MINUTE)
        house.agent.documents.hear("wl/1/demo/g/homes/tariff", bad)
        self.assertEqual(self.slices(house), 0)

    def test_one_verification_a_minute_and_the_latest_of_a_topic_waits(self):
        house = Utility()
        house.want(n=2)
        for n in (2, 3, 4):
            signed = es256.sign(tariff_of(n=n, **{"from": LATER}))
            house.agent.documents.hear("wl/1/demo/g/homes/tariff", signed)
            house.talk(90)
        self.assertEqual(house.pending(), None)  # the want was verified within this minute
        house.coast(MINUTE)
        house.talk(90)
        self.assertEqual(house.pending(), ("plain", 4))

    def test_the_tick_goes_on_between_the_slices(self):
        house = Utility()
        house.want(n=2)
        house.coast(MINUTE)
        signed = es256.sign(tariff_of(n=2, **{"from": LATER}))
        house.link.inbox.append(("wl/1/demo/g/homes/tariff", signed, True))
        before = house.agent.meter.register.import_wh
        house.run(80, watts=3600)  # a tick and one step a second
        self.assertEqual(house.agent.meter.register.import_wh - before, 80)
        self.assertEqual(house.pending(), ("plain", 2))


class TestStorage(unittest.TestCase):
    def test_a_want_that_storage_does_not_take_is_taken_when_it_comes_again(self):
        house = Utility()
        commit = house.storage.commit

        def fail(name, data):
            if name == "want":
                raise OSError(28)
            commit(name, data)

        house.storage.commit = fail
        house.want()
        self.assertEqual(house.agent.documents.want, None)
        house.storage.commit = commit
        house.want()
        self.assertEqual(house.agent.documents.want.version, 1)

    def test_a_want_that_rotted_is_as_none(self):
        house = Utility()
        house.want()
        house.storage.commit("want", b"{rot")
        house.boot()
        self.assertEqual(house.agent.documents.want, None)


if __name__ == "__main__":
    unittest.main()
