"""The envelope against Python's own hmac and base64, and against the utility's implementation."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.comms.envelope import Keyring, Mac, base64url, derive, from_base64url, same
from wattledger.agent.errors import EnvelopeError
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tools import jws as utility

KEY = bytes(range(32))
PURPOSES = ("relay", "credit", "config")
MESSAGE = jws.sign('{"m":"demo-0001","op":"credit.add","a":{"n":7,"amount":10000000}}', "credit.1")


def python_key(kid):
    return hmac.new(KEY, b"wattledger/1/" + kid.encode(), hashlib.sha256).digest()


@settings(max_examples=60, deadline=None)
@given(key=st.binary(max_size=150), data=st.binary(max_size=300))
def test_the_mac_is_pythons(key, data):
    expected = hmac.new(key, data, hashlib.sha256).digest()
    assert Mac(key).digest(data) == expected
    assert jws.hmac_sha256(key, data) == expected


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_base64url_is_pythons(data):
    expected = base64.urlsafe_b64encode(data).rstrip(b"=")
    assert base64url(data) == expected == jws.letters(data).encode()
    assert from_base64url(expected) == data == jws.unletters(expected.decode())


@settings(max_examples=100, deadline=None)
@given(first=st.binary(max_size=6), second=st.binary(max_size=6))
def test_same_is_equality(first, second):
    assert same(first, second) == (first == second)


@pytest.mark.parametrize("kid", ["relay.1", "credit.1", "config.1", "up.1", "credit.2"])
def test_derived_keys_are_pythons(kid):
    assert derive(KEY, kid) == python_key(kid) == jws.key_of(kid)


@settings(max_examples=40, deadline=None)
@given(
    payload=st.dictionaries(
        st.text(max_size=8), st.integers(-(2**53), 2**53) | st.text(max_size=20), max_size=5
    ),
    purpose=st.sampled_from(PURPOSES),
)
def test_what_the_utility_signs_the_meter_opens(payload, purpose):
    kid = purpose + ".1"
    token = utility.sign(payload, python_key(kid), kid)
    if len(token) > 1024:
        return
    found, data = Keyring(KEY, PURPOSES).open(token)
    assert found == purpose
    assert json.loads(data) == payload


@settings(max_examples=40, deadline=None)
@given(payload=st.dictionaries(st.text(max_size=8), st.integers(), max_size=5))
def test_what_the_meter_signs_the_utility_verifies(payload):
    token = Keyring(KEY, PURPOSES).sign(json.dumps(payload).encode())
    assert utility.verify(token, {"up.1": python_key("up.1")}) == payload


def test_every_single_flipped_bit_is_refused():
    ring = Keyring(KEY, PURPOSES)
    assert ring.open(MESSAGE)[0] == "credit"
    passed = []
    for bit in range(len(MESSAGE) * 8):
        bent = bytearray(MESSAGE)
        bent[bit // 8] ^= 1 << bit % 8
        try:
            ring.open(bytes(bent))
            passed.append(bit)
        except EnvelopeError:
            pass
    assert passed == []


def test_every_inserted_byte_is_refused():
    ring = Keyring(KEY, PURPOSES)
    passed = []
    for at in range(len(MESSAGE) + 1):
        for byte in (b"=", b"\n", b"\r", b" ", b".", b"A", b"\0", b"-"):
            try:
                ring.open(MESSAGE[:at] + byte + MESSAGE[at:])
                passed.append((at, byte))
            except EnvelopeError:
                pass
    assert passed == []


def test_every_swapped_segment_is_refused():
    ring = Keyring(KEY, PURPOSES)
    other = jws.sign('{"m":"demo-0001","op":"relay.arm","a":{}}', "relay.1").split(b".")
    mine = MESSAGE.split(b".")
    good = (mine, other)
    for head in good:
        for body in good:
            for mark in good:
                token = b".".join((head[0], body[1], mark[2]))
                if head is body is mark:
                    ring.open(token)
                else:
                    with pytest.raises(EnvelopeError):
                        ring.open(token)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=1100) | st.text("Aa0-_.=+/", max_size=400).map(str.encode))
def test_noise_is_refused_and_raises_nothing_else(data):
    with pytest.raises(EnvelopeError):
        Keyring(KEY, PURPOSES).open(data)


def test_appendix_a_1_of_rfc_7515_by_the_test_helpers_too():
    signed = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    key = jws.unletters(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    )
    mark = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert jws.letters(jws.hmac_sha256(key, signed.encode())) == mark
