"""Credit and arming: sent, repeated, answered by the meter's signed word or not at all."""

import shlex
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattledger.tests.host.mqtt_bench import KINDS, Signer, SoftMeter, running_broker
from wattledger.tools import counter, keys, orders, vend
from wattledger.tools.errors import BrokerError, KeysError, VendError

METER = "demo-0001"


@pytest.fixture(params=KINDS)
def broker(request):
    with running_broker(request.param) as process:
        yield process


@pytest.fixture
def iotcore():
    with running_broker("iotcore") as process:
        yield process


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path, METER)
    return tmp_path


@pytest.fixture
def signer(folder):
    return Signer(METER, keys.load(folder, METER).device_key)


@pytest.fixture
def quick(monkeypatch):
    """Resend after 0.3 s instead of 5 s."""
    monkeypatch.setattr(counter, "RESEND_S", 0.3)


def accept(raw, command):
    return {"result": "ok", "detail": "balance 12.00"}


def silence(raw, command):
    return None


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("10", 10_000_000),
        ("10.00", 10_000_000),
        ("0.5", 500_000),
        ("0.000001", 1),
        ("12.345678", 12_345_678),
        ("007", 7_000_000),
        ("9007199254.740991", 9_007_199_254_740_991),
    ],
)
def test_amount_is_exact(text, micro):
    assert vend.parse_amount(text) == micro


@given(st.integers(1, 2**53 - 1))
def test_every_amount_survives_its_text(micro):
    assert vend.parse_amount("%d.%06d" % divmod(micro, 1_000_000)) == micro


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0", "is zero"),
        ("0.000000", "is zero"),
        ("-1", "cannot be negative"),
        ("10,00", "use a point"),
        ("1,000.00", "use a point"),
        ("0.0000001", "at most 6 decimals"),
        ("1e3", "digits and at most one point"),
        ("NaN", "digits and at most one point"),
        ("inf", "digits and at most one point"),
        ("", "digits and at most one point"),
        (".5", "digits and at most one point"),
        ("5.", "digits and at most one point"),
        ("+5", "digits and at most one point"),
        ("1_0", "digits and at most one point"),
        (" 5", "digits and at most one point"),
        ("5\n", "digits and at most one point"),
        ("٥", "digits and at most one point"),
        ("1.2.3", "digits and at most one point"),
        ("9007199254.740992", "give a smaller one"),
        ("9" * 5000, "too large"),
    ],
)
def test_wrong_amount_is_refused_in_one_line(text, why):
    with pytest.raises(VendError, match=why) as caught:
        vend.parse_amount(text)
    assert "\n" not in str(caught.value)


def test_credit_is_answered_by_the_meter(broker, folder, signer):
    with SoftMeter(broker.port, signer, accept) as meter:
        answer = vend.credit(METER, "10.00", broker.url, folder)
        again = vend.credit(METER, "0.5", broker.url, folder)
    latency_ms = answer.pop("latency_ms")
    assert 0 <= latency_ms < 2000
    assert answer == {"result": "ok", "detail": "balance 12.00", "n": 1}
    assert again["n"] == 2
    assert [command for _, command in meter.commands] == [
        {"m": METER, "op": "credit.add", "a": {"n": 1, "amount": 10_000_000}},
        {"m": METER, "op": "credit.add", "a": {"n": 2, "amount": 500_000}},
    ]


def test_refusal_of_the_meter_is_an_answer(iotcore, folder, signer):
    for result in ("duplicate", "stale", "range", "rate", "no space", "bad signature"):
        with SoftMeter(iotcore.port, signer, lambda raw, command, r=result: {"result": r}):
            assert vend.credit(METER, "1", iotcore.url, folder, n=3)["result"] == result


def test_lost_answer_is_asked_for_again_byte_for_byte(iotcore, folder, signer, quick):
    def third_time(raw, command):
        return {"result": "ok"} if len(meter.commands) == 3 else None

    with SoftMeter(iotcore.port, signer, third_time) as meter:
        assert vend.credit(METER, "1", iotcore.url, folder)["result"] == "ok"
    assert len({raw for raw, _ in meter.commands}) == 1
    assert (folder / "demo-0001.counter").read_text() == "1\n"


def test_answers_that_are_not_the_meters_or_not_to_this_are_ignored(
    iotcore, folder, signer, quick
):
    def answer(raw, command):
        if len(meter.commands) == 1:
            meter.ack(raw, {"result": "ok"}, kid="credit.1")
            meter.ack(b"another command", {"result": "range"})
            meter.ack(raw, {"result": "range", "m": "demo-0002"})
            meter.publish("wl/1/demo/m/demo-0001/ack", b"noise")
            return None
        return {"result": "duplicate"}

    with SoftMeter(iotcore.port, signer, answer) as meter:
        assert vend.credit(METER, "1", iotcore.url, folder)["result"] == "duplicate"


def test_silence_names_the_command_to_repeat(iotcore, folder, signer):
    with SoftMeter(iotcore.port, signer, silence) as meter:
        meter.publish("wl/1/demo/m/demo-0001/status", b"offline", retain=True)
        with pytest.raises(VendError) as caught:
            vend.credit(METER, "2.5", iotcore.url, folder, timeout_s=0.7)
    first, second = str(caught.value).split("\n")
    assert "no answer from demo-0001 within 0.7 s (its status is offline)" in first
    assert "may or may not have arrived" in first
    assert shlex.split(second) == [
        *("wattledger", "credit", METER, "2.5", "--broker", iotcore.url),
        *("--keys", str(folder), "--n", "1"),
    ]
    with SoftMeter(iotcore.port, signer, accept) as meter:
        assert vend.credit(METER, "2.5", iotcore.url, folder, n=1)["n"] == 1
        assert meter.commands[0][1]["a"] == {"n": 1, "amount": 2_500_000}
        assert vend.credit(METER, "1", iotcore.url, folder)["n"] == 2


def test_credit_outlives_a_broker_restart(folder, signer, quick):
    with running_broker("iotcore") as first:
        port, url = first.port, first.url
        answers = []
        # The first broker takes the command and dies before anybody answers.
        with SoftMeter(port, signer, silence) as meter:
            call = threading.Thread(
                target=lambda: answers.append(vend.credit(METER, "1", url, folder))
            )
            call.start()
            while not meter.commands:
                pass
            first.stop()
    with running_broker("iotcore", port), SoftMeter(port, signer, accept) as meter:
        call.join(10)
        assert [answer["result"] for answer in answers] == ["ok"]
        assert meter.commands[0][1]["a"]["n"] == 1


def test_unreachable_broker_uses_up_no_number(folder):
    with running_broker("iotcore") as process:
        url = process.url
    with pytest.raises(BrokerError, match=r"no broker at .* \(.*refused\); nothing was sent"):
        vend.credit(METER, "1", url, folder, timeout_s=0.3)
    assert (folder / "demo-0001.counter").read_text() == "0\n"


def test_wrong_input_is_refused_before_anything_is_sent(iotcore, folder):
    with pytest.raises(VendError, match="cannot be negative"):
        vend.credit(METER, "-5", iotcore.url, folder)
    with pytest.raises(KeysError, match=r"demo-0009\.json: no such file"):
        vend.credit("demo-0009", "5", iotcore.url, folder)
    with pytest.raises(BrokerError, match="does not begin with mqtt://"):
        vend.credit(METER, "5", "localhost", folder)
    with pytest.raises(KeysError, match="vend number 0"):
        vend.credit(METER, "5", iotcore.url, folder, n=0)
    assert (folder / "demo-0001.counter").read_text() == "0\n"


def test_arm_carries_the_challenge_of_the_retained_hello(broker, folder, signer):
    with SoftMeter(broker.port, signer, accept) as meter:
        meter.hello("00112233445566aa")
        answer = orders.send(METER, orders.arming(), broker.url, folder)
        orders.send(METER, orders.arming(), broker.url, folder)
    assert (answer["result"], answer["detail"]) == ("ok", "balance 12.00")
    (raw, first), (_, second) = meter.commands
    assert signer.open("relay.1", raw) == first
    assert (first["op"], first["ch"], first["a"]) == ("relay.arm", "00112233445566aa", {})
    assert 0 < first["ctr"] < second["ctr"] < 2**53


def test_stale_command_is_signed_again_with_the_fresh_hello(iotcore, folder, signer):
    def answer(raw, command):
        if command["ch"] == "00000000000000aa":
            meter.ack(raw, {"result": "stale"})
            meter.hello("00000000000000bb")
            return None
        return {"result": "ok"}

    with SoftMeter(iotcore.port, signer, answer) as meter:
        meter.hello("00000000000000aa")
        assert orders.send(METER, orders.arming(), iotcore.url, folder)["result"] == "ok"
    assert [c["ch"][-2:] for _, c in meter.commands] == ["aa", "bb"]


def test_stale_counter_is_raised_under_the_same_challenge(iotcore, folder, signer, quick):
    def answer(raw, command):
        return {"result": "stale" if len(meter.commands) == 1 else "ok"}

    with SoftMeter(iotcore.port, signer, answer) as meter:
        meter.hello("00000000000000aa")
        assert orders.send(METER, orders.arming(), iotcore.url, folder)["result"] == "ok"
    (_, first), (_, second) = meter.commands
    assert second["ctr"] > first["ctr"]


def test_arm_without_a_believable_hello_sends_nothing(iotcore, folder, signer):
    with SoftMeter(iotcore.port, signer, accept) as meter:
        forged = Signer(METER, bytes(32)).sign("up.1", {"m": METER, "challenge": "00" * 8})
        meter.publish("wl/1/demo/m/demo-0001/hello", forged, retain=True)
        with pytest.raises(VendError, match="has not said hello within 0.5 s"):
            orders.send(METER, orders.arming(), iotcore.url, folder, 0.5)
    assert meter.commands == []
