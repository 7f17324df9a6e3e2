"""M4: each bit of a signed document flipped, each cut of it, each group's and each older one."""

import pytest

from wattledger.agent.comms import documents
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, tariff_of
from wattledger.tests.host.fault_bench import ROOT_KEY, Everything

LATER = START + 86_400
WANT = "wl/1/demo/m/%s/want" % jws.METER
TARIFF = "wl/1/demo/g/homes/tariff"
GROUPS = ("homes", "farms", "shops", "lamps")


def want_of(version, id="plain", n=2, group="homes", **sign):
    text = '{"m":"%s","v":%d,"id":"%s","n":%d,"group":"%s","fw":0}'
    return es256.sign(text % (jws.METER, version, id, n, group), **sign)


def judge(house, topic, message):
    """Have it judged now, whatever came in the minute before."""
    desk = house.agent.documents
    desk._verified_at = None
    desk.hear(topic, message)
    while desk.work():
        desk._verified_at = None


def held(house):
    """(version of the want, the tariff that is next)."""
    want = house.agent.documents.want
    pending = house.agent.account.pending
    return want and want.version, pending and (pending.id, pending.n)


@pytest.fixture
def house():
    return Everything()


def flipped(house, topic, good, every):
    before = held(house)
    for bit in range(0, len(good) * 8, every):
        bent = bytearray(good)
        bent[bit // 8] ^= 1 << bit % 8
        judge(house, topic, bytes(bent))
        assert held(house) == before, bit


def test_no_flipped_bit_of_a_want_is_accepted(house):
    good = want_of(1)
    flipped(house, WANT, good, 1)
    judge(house, WANT, good)
    assert held(house)[0] == 1


def test_no_flipped_bit_of_a_tariff_is_accepted(house, every=11):
    judge(house, WANT, want_of(1))
    good = es256.sign(tariff_of(n=2, **{"from": LATER}))
    flipped(house, TARIFF, good, every)
    judge(house, TARIFF, good)
    assert held(house) == (1, ("plain", 2))


@pytest.mark.nightly
def test_no_single_flipped_bit_of_a_tariff_is_accepted(house):
    test_no_flipped_bit_of_a_tariff_is_accepted(house, 1)


def test_no_truncation_of_a_document_is_accepted(house):
    good = want_of(1)
    for length in range(len(good)):
        judge(house, WANT, good[:length])
        assert held(house) == (None, None), length
    judge(house, WANT, good)
    tariff = es256.sign(tariff_of(n=2, **{"from": LATER}))
    for length in range(len(tariff)):
        judge(house, TARIFF, tariff[:length])
        assert held(house) == (1, None), length


def test_no_groups_tariff_is_taken_by_another_group():
    signed = {group: es256.sign(tariff_of(id=group, n=2, **{"from": LATER})) for group in GROUPS}
    for mine in GROUPS:
        house = Everything()
        judge(house, WANT, want_of(1, id=mine, group=mine))
        topic = "wl/1/demo/g/%s/tariff" % mine
        for group in GROUPS:
            if group != mine:
                # On the topic of its own group, and served by the broker on ours.
                judge(house, "wl/1/demo/g/%s/tariff" % group, signed[group])
                judge(house, topic, signed[group])
                assert held(house) == (1, None), (mine, group)
        judge(house, topic, signed[mine])
        assert held(house) == (1, (mine, 2))


def test_no_older_tariff_than_the_wanted_one_is_taken(house):
    judge(house, WANT, want_of(1, n=9))
    for n in range(9):
        judge(house, TARIFF, es256.sign(tariff_of(n=n, **{"from": LATER})))
        assert held(house) == (1, None), n
    judge(house, TARIFF, es256.sign(tariff_of(n=9, **{"from": LATER})))
    assert held(house) == (1, ("plain", 9))
    judge(house, TARIFF, es256.sign(tariff_of(n=8, **{"from": LATER})))
    assert held(house) == (1, ("plain", 9))


def test_each_wrong_signer_of_a_document_is_refused(house):
    wrong = (
        {"private": es256.OTHER_KEY},
        {"private": ROOT_KEY},  # the root's, under the tariff's name
        {"kid": "root.1"},  # and the other way about
        {"kid": "tariff.0"},
        {"kid": "tariff.2"},
        {"kid": "firmware.1"},
        {"kid": "credit.1"},
        {"head": '{"alg":"none","kid":"tariff.1"}'},
        {"head": '{"alg":"HS256","kid":"tariff.1"}'},
        {"head": '{"alg":"ES384","kid":"tariff.1"}'},
        {"head": '{"alg":"ES256"}'},
        {"head": "{}"},
        {"head": ""},
    )
    for sign in wrong:
        judge(house, WANT, want_of(1, **sign))
        assert held(house) == (None, None), sign
    for purpose in ("relay.1", "credit.1", "config.1", "up.1"):
        payload = '{"m":"%s","v":1,"id":"plain","n":1,"group":"homes"}' % jws.METER
        judge(house, WANT, jws.sign(payload, purpose))
        assert held(house) == (None, None), purpose
    assert documents.NOT_SIGNED in [*house_reasons(house)]


def house_reasons(house):
    house.agent.keeper.now()
    return house.told(80)  # DOCUMENT_REFUSED
