"""Keys, the vend counter and signed messages of the utility's side."""

import json
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattledger.agent.comms import envelope
from wattledger.agent.errors import EnvelopeError
from wattledger.tests.host.mqtt_bench import Signer
from wattledger.tools import child, jws, keys
from wattledger.tools.errors import JwsError, KeysError

METER = "demo-0001"
KEY = bytes(range(32))


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path / "keys", METER)
    return tmp_path / "keys"


def test_new_keys_are_random_private_and_marked(folder):
    document = json.loads((folder / "demo-0001.json").read_text())
    assert document["meter"] == METER
    assert document["note"] == "demo keys, not for a real meter"
    assert len(bytes.fromhex(document["device_key"])) == 32
    assert keys.load(folder, METER).device_key.hex() == document["device_key"]
    for path in folder.iterdir():
        if path.suffix != ".lock":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = keys.create(folder, "demo-0002")
    assert other.device_key.hex() != document["device_key"]


def test_keys_are_never_replaced(folder):
    before = (folder / "demo-0001.json").read_bytes()
    with pytest.raises(KeysError, match=r"demo-0001\.json: this meter has keys already"):
        keys.create(folder, METER)
    assert (folder / "demo-0001.json").read_bytes() == before


@pytest.mark.parametrize("kid", ["relay.1", "credit.1", "config.1", "up.1", "credit.2"])
def test_derived_keys_are_those_of_the_meter(kid):
    # agent/ has an HMAC of its own, as MicroPython has none.
    assert keys.MeterKeys(METER, KEY).key(kid) == envelope.derive(KEY, kid)


def test_derived_key_is_the_published_one():
    # printf 'wattledger/1/credit.1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102..1f
    expected = "7e5b61753f8071ace031014e51b1911ebf5598f1cc693bc43f3e211dd2d68404"
    assert keys.MeterKeys(METER, KEY).key("credit.1").hex() == expected


@pytest.mark.parametrize("kid", ["credit", "credit.0", "gate.1", "credit.1 ", "credit.x", ""])
def test_unknown_key_name_is_refused(kid):
    with pytest.raises(KeysError, match="no key is called"):
        keys.MeterKeys(METER, KEY).key(kid)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file; give the folder"),
        ('{"meter": "demo-0001",\n "device_key" 1}', r"json:2:15: not JSON"),
        ("[]", 'needs "meter" and "device_key"'),
        ('{"meter": "demo-0001"}', 'needs "meter" and "device_key"'),
        ('{"meter": "demo-0001", "device_key": "zz"}', 'needs "meter" and "device_key"'),
        ('{"meter": "demo-0001", "device_key": "00"}', "device_key is 1 bytes, not 32"),
        ('{"meter": "x", "device_key": "00"}', "holds the keys of 'x'"),
        (b"\xff\xfe", 'needs "meter" and "device_key"'),
    ],
)
def test_damaged_keys_are_told_in_one_line(folder, content, why):
    path = folder / "demo-0001.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(KeysError, match=why) as caught:
        keys.load(folder, METER)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("meter", ["", "../up", "a/b", ".hidden", "x" * 33, "a b", "ä"])
def test_meter_id_is_a_plain_name(tmp_path, meter):
    for call in (keys.create, keys.load, keys.next_vend):
        with pytest.raises(KeysError, match="is no meter id"):
            call(tmp_path, meter)


def test_vend_numbers_are_dense_and_durable_before_use(folder):
    counter = folder / "demo-0001.counter"
    assert counter.read_text() == "0\n"
    for expected in (1, 2, 3):
        assert keys.next_vend(folder, METER) == expected
        assert counter.read_text() == "%d\n" % expected


def test_vend_number_is_not_handed_out_when_it_cannot_be_kept(folder, monkeypatch):
    def fails(path, text, mode):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keys.durable, "replace", fails)
    with pytest.raises(KeysError, match=r"demo-0001\.counter: cannot be used \(No space"):
        keys.next_vend(folder, METER)


def test_vend_numbers_of_several_processes_never_meet(folder):
    script = (
        "import sys; from wattledger.tools import keys\n"
        "print(*[keys.next_vend(sys.argv[1], sys.argv[2]) for _ in range(20)])"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder), METER],
            stdout=subprocess.PIPE,
            text=True,
            env=child.environment(),
        )
        for _ in range(3)
    ]
    used = [int(n) for process in children for n in process.communicate()[0].split()]
    assert sorted(used) == list(range(1, 61))


def test_chosen_vend_number_is_never_handed_out_again(folder):
    assert keys.claim_vend(folder, METER, 9) == 9
    assert keys.claim_vend(folder, METER, 4) == 4
    assert keys.next_vend(folder, METER) == 10
    for wrong in (0, -1, 2**53):
        with pytest.raises(KeysError, match="outside 1 to"):
            keys.claim_vend(folder, METER, wrong)


@pytest.mark.parametrize("content", [None, "", "seven", "-1", "9007199254740991"])
def test_unusable_counter_stops_vending(folder, content):
    path = folder / "demo-0001.counter"
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeysError, match=r"demo-0001\.counter: ") as caught:
        keys.next_vend(folder, METER)
    assert "\n" not in str(caught.value)


def test_command_reads_the_same_on_the_meter():
    payload = {"m": METER, "op": "credit.add", "a": {"n": 7, "amount": 10000000}}
    token = jws.sign(payload, keys.MeterKeys(METER, KEY).key("credit.1"), "credit.1")
    # The header is the base64url of {"alg":"HS256","kid":"credit.1"}, worked out with coreutils.
    assert token.startswith(b"eyJhbGciOiJIUzI1NiIsImtpZCI6ImNyZWRpdC4xIn0.")
    purpose, body = envelope.Keyring(KEY, ("credit", "relay")).open(token)
    assert purpose == "credit"
    assert bytes(body) == b'{"m":"demo-0001","op":"credit.add","a":{"n":7,"amount":10000000}}'
    assert Signer(METER, KEY).open("credit.1", token) == payload


def test_answer_of_the_meter_is_believed():
    token = envelope.Keyring(KEY, ()).sign('{"m":"demo-0001","detail":"Ω"}'.encode())
    uplink = {"up.1": keys.MeterKeys(METER, KEY).key("up.1")}
    assert jws.verify(token, uplink) == {"m": METER, "detail": "Ω"}


def test_both_header_orders_are_known_and_no_other():
    key = keys.MeterKeys(METER, KEY).key("up.1")
    for header, good in (
        (b'{"kid":"up.1","alg":"HS256"}', True),
        (b'{"alg":"HS256","kid":"up.1"}', True),
        (b'{"alg":"none","kid":"up.1"}', False),
        (b'{"alg":"HS256","kid":"up.1","typ":"JWT"}', False),
        (b'{"alg": "HS256","kid":"up.1"}', False),
        (b'{"alg":"HS256","kid":"credit.1"}', False),
    ):
        signed = jws.encode(header) + b"." + jws.encode(b'{"m":1}')
        token = signed + b"." + jws.encode(jws.hmac.digest(key, signed, "sha256"))
        if good:
            assert jws.verify(token, {"up.1": key}) == {"m": 1}
        else:
            with pytest.raises(JwsError, match="protected header is not one of up.1"):
                jws.verify(token, {"up.1": key})


@given(st.data())
def test_changed_token_is_never_believed(data):
    token = Signer(METER, KEY).sign("up.1", {"m": METER, "result": "ok"})
    place = data.draw(st.integers(0, len(token) - 1))
    changed = bytearray(token)
    changed[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != token[place]))
    uplink = {"up.1": keys.MeterKeys(METER, KEY).key("up.1")}
    with pytest.raises(JwsError):
        jws.verify(bytes(changed), uplink)


@given(st.binary(max_size=80))
def test_noise_is_never_believed(noise):
    with pytest.raises(JwsError):
        jws.verify(noise, {"up.1": KEY})


def test_signed_payload_must_be_an_object_of_whole_numbers():
    signer = Signer(METER, KEY)
    uplink = {"up.1": keys.MeterKeys(METER, KEY).key("up.1")}
    for payload, why in (
        ([1], "not a JSON object"),
        ({"a": 1.5}, "1.5 is not an integer"),
        ({"a": float("nan")}, "NaN is not an integer"),
        ({"a": "x" * 9216}, "longer than 9216 bytes"),
    ):
        with pytest.raises(JwsError, match=why):
            jws.verify(signer.sign("up.1", payload), uplink)


@given(st.binary(max_size=64))
def test_base64url_is_canonical(data):
    text = jws.encode(data)
    assert jws.decode(text) == data
    assert envelope.base64url(data) == text
    for wrong in (text + b"=", text + b"\n", text.replace(b"A", b"+") + b"+"):
        with pytest.raises(JwsError):
            jws.decode(wrong)


def test_meter_refuses_what_another_meter_was_sent():
    token = jws.sign({"m": METER}, keys.MeterKeys(METER, bytes(32)).key("credit.1"), "credit.1")
    with pytest.raises(EnvelopeError, match="wrong signature"):
        envelope.Keyring(KEY, ("credit",)).open(token)
