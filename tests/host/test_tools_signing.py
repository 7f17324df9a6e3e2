"""Signing keys and documents: any JOSE library's signature is taken, and a wrong key told of."""

import hashlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto import jwk
from jwcrypto import jws as jose

from wattledger.agent.comms.p256 import N, P, Verification
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tools import jws, signing
from wattledger.tools.errors import KeysError

KID = signing.TARIFF_KID


def is_good(point, token):
    signed, _, signature = token.rpartition(b".")
    return verified(point, hashlib.sha256(signed).digest(), jws.decode(signature))


def verified(point, digest, signature):
    verification = Verification(point, digest, signature)
    found = None
    while found is None:
        found = verification.work()
    return found


def test_a_document_is_signed_with_the_header_the_meter_knows(tmp_path):
    token = signing.create(tmp_path, KID).sign(b'{"n":1}')
    head, body, _ = token.split(b".")
    assert jws.decode(head) == b'{"alg":"ES256","kid":"tariff.1"}'
    assert jws.decode(body) == b'{"n":1}'
    assert is_good(signing.public_keys(tmp_path)[KID], token)


def test_a_key_is_the_same_when_it_is_loaded(tmp_path):
    signing.create(tmp_path, KID)
    assert (tmp_path / "tariff.1.pem").stat().st_mode & 0o777 == 0o600
    point = signing.public_keys(tmp_path)[KID]
    assert is_good(point, signing.load(tmp_path, KID).sign(b"text"))


def test_a_key_is_never_replaced(tmp_path):
    signing.create(tmp_path, KID)
    with pytest.raises(
        KeysError, match="there is a key already; use the next number, as tariff.2"
    ):
        signing.create(tmp_path, KID)


def test_a_passphrase_locks_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv(signing.PASSPHRASE, "a test's passphrase")
    signing.create(tmp_path, KID)
    signing.load(tmp_path, KID)
    assert b"ENCRYPTED" in (tmp_path / "tariff.1.pem").read_bytes()
    monkeypatch.setenv(signing.PASSPHRASE, "another")
    with pytest.raises(KeysError, match="no PEM private key, or a wrong WATTLEDGER_PASSPHRASE"):
        signing.load(tmp_path, KID)
    monkeypatch.delenv(signing.PASSPHRASE)
    with pytest.raises(KeysError, match="needs its passphrase"):
        signing.load(tmp_path, KID)


def test_files_that_are_no_keys_are_told_of(tmp_path):
    with pytest.raises(KeysError, match="no such file"):
        signing.load(tmp_path, KID)
    with pytest.raises(KeysError, match="no signing key is called 'relay.1'"):
        signing.load(tmp_path, "relay.1")
    (tmp_path / "tariff.1.pem").write_text("no key")
    with pytest.raises(KeysError, match="no PEM private key"):
        signing.load(tmp_path, KID)
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "tariff.1.pem").write_bytes(other)
    with pytest.raises(KeysError, match="is no key of the curve P-256"):
        signing.load(tmp_path, KID)
    (tmp_path / "tariff.1.pub").write_text("00")
    with pytest.raises(KeysError, match="is no public key of ours"):
        signing.public_keys(tmp_path)


# --- other libraries ---

PRIVATE = ec.derive_private_key(es256.TARIFF_KEY, ec.SECP256R1())  # a test key
POINT = es256.public(es256.TARIFF_KEY)


def test_the_fixtures_own_arithmetic_gives_the_library_its_key():
    numbers = PRIVATE.public_key().public_numbers()
    assert numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big") == POINT


def test_a_token_of_pyjwt_is_taken():
    # typ is left out: the meter knows the header letter by letter.
    token = jwt.encode({"n": 1}, PRIVATE, "ES256", {"kid": KID, "typ": None}).encode()
    assert jws.decode(token.split(b".")[0]) == b'{"alg":"ES256","kid":"tariff.1"}'
    assert is_good(POINT, token)


def test_a_token_of_jwcrypto_is_taken():
    made = jose.JWS(b'{"n":1}')
    head = json.dumps({"kid": KID, "alg": "ES256"}, separators=(",", ":"))
    made.add_signature(jwk.JWK.from_pyca(PRIVATE), protected=head)
    assert is_good(POINT, made.serialize(compact=True).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.integers(1, N - 1), st.integers(0, 511))
def test_the_meter_and_the_library_agree(text, private, bit):
    key = ec.derive_private_key(private, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    r, s = utils.decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    good = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    digest = hashlib.sha256(text).digest()
    assert verified(point, digest, good)
    bent = bytearray(good)
    bent[bit // 8] ^= 1 << bit % 8
    assert not verified(point, digest, bytes(bent))


def test_an_x_above_the_order_of_the_group_is_taken_modulo_it():
    # One in 2**96 signatures has it: so the point comes first, and the key is worked out of it.
    x = N + 1
    while pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) != 1:
        x += 1
    assert x < P
    y = pow((x**3 - 3 * x + B) % P, (P + 1) // 4, P)  # P is 3 modulo 4
    r, s, digest = x - N, 12345, 67890
    # R = (digest G + r Q) / s, so Q = (s R - digest G) / r.
    inverse = pow(r, N - 2, N)
    first = multiplied(s * inverse % N, (x, y))
    second = multiplied(-digest * inverse % N, es256.G)
    key = es256.add(first, second)
    point = key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert verified(point, digest.to_bytes(32, "big"), signature)
    other = (r + 1).to_bytes(32, "big") + s.to_bytes(32, "big")
    assert not verified(point, digest.to_bytes(32, "big"), other)


B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def multiplied(number, point):
    """`number` times an affine point, by doubling."""
    total = None
    while number:
        if number & 1:
            total = point if total is None else es256.add(total, point)
        point = es256.add(point, point)
        number >>= 1
    return total
