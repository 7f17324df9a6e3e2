"""Tokens sold from the keys directory, and tokens sent to a meter over the broker."""

import json
from datetime import datetime

import pytest

from wattledger.agent.tokens import misty1, sts
from wattledger.tests.host.mqtt_bench import Signer, SoftMeter, running_broker
from wattledger.tools import cli, counter, keys, token_enter, token_till
from wattledger.tools.errors import KeysError, VendError

METER = "demo-0001"
MADE = 5_785_920  # minutes from 2014-01-01 to 2025-01-01: 4018 days
DIGITS = "12345678901234567890"


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path, METER)
    token_till.create(tmp_path, METER, "11", 2014, MADE)
    return tmp_path


@pytest.fixture
def broker():
    with running_broker("iotcore") as process:
        yield process


@pytest.fixture
def signer(folder):
    return Signer(METER, keys.load(folder, METER).device_key)


@pytest.fixture
def token(capsys):
    """Runs `wattledger token ... --json`: (exit code, answer or None, stderr)."""

    def run(*arguments):
        code = cli.run(["token", *map(str, arguments), "--json"])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        lines = captured.out.splitlines()
        return code, json.loads(lines[-1]) if lines else None, captured.err

    return run


def read(folder, digits):
    return sts.decode(digits, misty1.decrypt, token_till.load(folder, METER).key)


def test_the_key_is_marked_and_nobody_elses_to_read(folder):
    path = folder / "demo-0001.token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["note"] == "test key, not for a real meter"
    with pytest.raises(KeysError, match="already"):
        token_till.create(folder, METER, "11", 2014, MADE)


def test_two_tokens_of_a_minute_are_two_to_the_meter(folder, token):
    at = ("--at", "2026-03-01T12:00")  # 425 days after MADE, and 12 hours
    sold = [token("vend", METER, "--keys", folder, "--kwh", "20", *at) for _ in range(3)]
    assert [code for code, _, _ in sold] == [0, 0, 0]
    first = MADE + 424 * 1440 + 720
    assert [answer["tid"] for _, answer, _ in sold] == [first, first + 1, first + 2]
    found = read(folder, sold[0][1]["tokens"][0])
    assert (found.wh(), found.tid) == (20_000, first)


def test_a_clock_that_went_back_sells_no_identifier_twice(folder):
    late = token_till.sell(folder, METER, datetime(2026, 3, 1, 12, 0)).tid
    assert token_till.sell(folder, METER, datetime(2025, 6, 1)).tid == late + 1
    assert token_till.sell(folder, METER, datetime(2014, 1, 1)).tid == late + 2


def test_the_reserved_minute_is_stepped_over(folder):
    # 00:01 of a day is the standard's own.
    midnight = token_till.sell(folder, METER, datetime(2026, 3, 2, 0, 0)).tid
    assert midnight % 1440 == 0
    assert token_till.sell(folder, METER, datetime(2026, 3, 2, 0, 0)).tid == midnight + 2


def test_a_round_amount_is_sold_upwards_when_asked(folder, token):
    vend = ("vend", METER, "--keys", folder, "--amount", "10.00")
    code, _, told = token(*vend)
    # From 1.80224 on a token counts in thousandths: 1.80224 + 8198 x 0.00100 = 10.00024.
    assert code == 1 and "9.99924 and 10.00024" in told
    code, answer, _ = token(*vend, "--up")
    assert (code, answer["amount"]) == (0, "10.00024")
    assert read(folder, answer["tokens"][0]).micro() == 10_000_240
    code, answer, _ = token("vend", METER, "--keys", folder, "--kwh", "1638.5", "--up")
    assert (code, answer["kwh"]) == (0, "1639.4")
    code, _, told = token("vend", METER, "--keys", folder, "--power-limit", "500", "--up")
    assert code == 1 and "--up goes with" in told


def test_wrong_usage(folder, token):
    for arguments, words in (
        (("vend", METER, "--kwh", "1"), "go together"),
        (("vend", "--keys", folder, "--kwh", "1"), "go together"),
        (("vend", METER, "--keys", folder, "--key", "00" * 16, "--kwh", "1"), "has the key"),
    ):
        code, answer, told = token(*arguments)
        assert (code, answer) == (2, None)
        assert words in told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"meter": "demo-0001"}',
        '{"meter": "demo-0002", "ea": "11", "base": 2014, "key": "%s", "tid": 1}' % ("00" * 16),
        '{"meter": "demo-0001", "ea": "07", "base": 2014, "key": "%s", "tid": 1}' % ("00" * 16),
        '{"meter": "demo-0001", "ea": "11", "base": 2014, "key": "%s", "tid": true}' % ("00" * 16),
        '{"meter": "demo-0001", "ea": "11", "base": 2000, "key": "%s", "tid": 1}' % ("00" * 16),
    ],
)
def test_a_damaged_till_sells_nothing(folder, token, text):
    (folder / "demo-0001.token").write_text(text)
    code, answer, told = token("vend", METER, "--keys", folder, "--kwh", "1")
    assert (code, answer) == (1, None)
    assert "demo-0001.token" in told and "restore the file" in told


def test_no_till_names_the_file(folder, token):
    code, _, told = token("vend", "demo-0002", "--keys", folder, "--kwh", "1")
    assert code == 1 and "demo-0002.token: no such file" in told


def test_a_token_is_entered_and_answered(broker, folder, signer, token):
    def accept(raw, command):
        return {"result": "ok", "detail": "Accept"}

    with SoftMeter(broker.port, signer, accept) as meter:
        grouped = "1234 5678 9012 3456-7890"
        to = ("--broker", broker.url, "--keys", folder)
        code, answer, _ = token("enter", METER, grouped, *to)
        assert (code, answer["result"], answer["detail"]) == (0, "ok", "Accept")
        token("enter", METER, DIGITS, *to)
    payloads = [payload for _, payload in meter.commands]
    assert [(each["m"], each["op"], each["a"]) for each in payloads] == [
        (METER, "token.enter", {"token": DIGITS})
    ] * 2
    # Entered again it is another command: the meter looks again instead of repeating itself.
    assert payloads[0]["ctr"] < payloads[1]["ctr"]


def test_a_refusal_is_1_and_used_is_done(broker, folder, signer, token):
    for result, code in (("duplicate", 0), ("range", 1), ("rate", 1), ("denied locally", 1)):
        with SoftMeter(broker.port, signer, lambda raw, command, r=result: {"result": r}):
            to = ("--broker", broker.url, "--keys", folder)
            assert token("enter", METER, DIGITS, *to)[0] == code


def test_silence_is_told_and_what_is_sent_again_is_the_same(broker, folder, signer, monkeypatch):
    monkeypatch.setattr(counter, "RESEND_S", 0.2)
    with SoftMeter(broker.port, signer, lambda raw, command: None) as meter:
        with pytest.raises(VendError, match="cannot pay twice: repeat the command"):
            token_enter.enter(METER, DIGITS, broker.url, folder, timeout_s=1)
    assert len(meter.commands) > 1
    assert len({raw for raw, _ in meter.commands}) == 1


@pytest.mark.parametrize("text", ["", " ", "1" * 21, "12a4", "٣٤", "1.5"])
def test_what_is_no_token_is_not_sent(folder, text):
    with pytest.raises(VendError, match="not 1 to 20 digits"):
        token_enter.enter(METER, text, "mqtt://127.0.0.1:1", folder)
