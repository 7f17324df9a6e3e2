"""`wattledger debt`: the command it sends, and what it refuses to send."""

import json

import pytest

from wattledger.tests.host.mqtt_bench import Signer, SoftMeter, running_broker
from wattledger.tools import cli, debt, keys, orders
from wattledger.tools.errors import VendError

METER = "demo-0001"


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path, METER)
    return tmp_path


@pytest.fixture
def broker():
    with running_broker("iotcore") as process:
        yield process


def test_it_carries_the_terms_and_the_challenge(broker, folder, capsys):
    signer = Signer(METER, keys.load(folder, METER).device_key)
    answer = {"result": "ok", "detail": "12500000 micro-units are owed"}
    line = ["debt", METER, "12.50", "--id", "3", "--per-day", "0.25", "--share", "20"]
    line += ["--broker", broker.url, "--keys", str(folder), "--json"]
    with SoftMeter(broker.port, signer, lambda raw, command: answer) as meter:
        meter.hello("00112233445566aa")
        assert cli.run(line) == 0
    ((raw, command),) = meter.commands
    assert signer.open("config.1", raw) == command
    assert (command["op"], command["ch"]) == ("debt.set", "00112233445566aa")
    assert command["a"] == {
        "id": 3,
        "total": 12_500_000,
        "per_day": 250_000,
        "share": 20,
        "cap": 0,
    }
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (shown["result"], shown["detail"]) == ("ok", "12500000 micro-units are owed")


def test_silence_says_that_it_may_be_repeated(broker, folder):
    with pytest.raises(VendError, match="has not said hello within 0.3 s.*repeat the command"):
        orders.send(METER, debt.order(debt.Terms(1, "5", "0", 10, "0")), broker.url, folder, 0.3)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ((0, "5", "0", 0, "0"), "debt id 0 is not from 1"),
        ((1, "5", "0", 91, "0"), "share 91 is not from 0 to 90"),
        ((1, "-5", "0", 0, "0"), "'-5' is not a number"),
        ((1, "5", "x", 0, "0"), "'x' is not a number"),
        ((1, "5", "0", 0, "281474977"), "is over 281474976"),
    ],
)
def test_wrong_terms_are_refused(terms, said):
    with pytest.raises(VendError, match=said):
        debt.Terms(*terms)


def test_zero_takes_a_debt_back():
    assert debt.Terms(1, "0.00", "0", 0, "0").arguments["total"] == 0
