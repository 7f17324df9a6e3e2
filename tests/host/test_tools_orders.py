"""Orders through a real broker to a real meter: openings, messages, keep-power and reads."""

import json
import time

import pytest

from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, GATE_SECRET, METER
from wattledger.tests.host.mqtt_bench import running_broker, until
from wattledger.tests.host.test_tools_push import Meter
from wattledger.tools import cli, keys, orders
from wattledger.tools.errors import KeysError, VendError

WAIT_S = 20


@pytest.fixture(scope="module")
def broker():
    with running_broker("iotcore") as process:
        yield process


@pytest.fixture
def folders(tmp_path):
    """(keys directory, gate directory) with test keys."""
    for name, field, secret in (
        ("keys", "device_key", DEVICE_KEY),
        ("gate", "gate_key", GATE_SECRET),
    ):
        (tmp_path / name).mkdir()
        document = {"meter": METER, "note": "test key", field: secret.hex()}
        (tmp_path / name / f"{METER}.json").write_text(json.dumps(document))
    return tmp_path / "keys", tmp_path / "gate"


class Gated(House):
    gate_key = GATE_SECRET


@pytest.fixture
def meter(broker):
    """A house with a gate secret on the broker, a few hundred times as fast as the wall."""
    with Meter(broker.url, Gated()) as running:
        yield running.house


def run(capsys, *arguments):
    """(exit code, the JSON object on stdout or None, stderr) of a command line."""
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]) if out else None, err


def command(broker, folders, *arguments):
    where = ["--broker", broker.url, "--keys", str(folders[0]), "--json"]
    return [*arguments, *where]


def test_an_opening_is_scheduled_and_comes(broker, folders, meter, capsys):
    arguments = command(broker, folders, "relay", METER, "open", "--reason", "tamper")
    code, found, _ = run(capsys, *arguments, "--gate", str(folders[1]), "--yes")
    assert (code, found["result"]) == (0, "scheduled")
    assert found["detail"].startswith("opens in ")
    assert found["latency_ms"] >= 0
    assert until(lambda: not meter.relay.contact(), WAIT_S)


def test_arming_cancels_it(broker, folders, meter, capsys):
    arguments = command(broker, folders, "relay", METER, "open", "--reason", "works")
    assert run(capsys, *arguments, "--gate", str(folders[1]), "--yes")[0] == 0
    code, found, _ = run(capsys, *command(broker, folders, "relay", METER, "arm"))
    assert (code, found["detail"][:10]) == (0, "connected;")


def test_a_refusal_of_the_meter_is_told_and_fails(broker, folders, meter, capsys):
    arguments = command(broker, folders, "relay", METER, "open", "--reason", "debt")
    code, found, _ = run(capsys, *arguments, "--gate", str(folders[1]), "--yes")
    assert (code, found["result"]) == (1, "denied locally")
    assert found["detail"] == "the meter's journal shows no debt"


def test_a_message_keep_power_and_reads(broker, folders, meter, capsys):
    assert run(capsys, *command(broker, folders, "message", METER, "明天停电 09:00"))[0] == 0
    assert until(lambda: meter.page.view["messages"], WAIT_S)
    assert meter.page.view["messages"][0]["text"] == "明天停电 09:00"
    assert run(capsys, *command(broker, folders, "keep", METER, "5"))[1]["result"] == "ok"
    code, found, _ = run(capsys, *command(broker, folders, "read", METER, "config"))
    assert (code, json.loads(found["detail"])["meter"]) == (0, METER)
    again = command(broker, folders, "read", METER, "journal", "--from", "1", "--to", "2")
    assert run(capsys, *again)[1]["result"] == "ok"


def test_a_dry_run_sends_nothing(folders, capsys):
    where = ["--broker", "mqtt://127.0.0.1:9", "--keys", str(folders[0]), "--dry-run", "--json"]
    code, found, _ = run(
        capsys, "relay", METER, "open", "--reason", "debt", "--gate", str(folders[1]), *where
    )
    assert (code, found["result"]) == (0, "not sent")
    assert json.loads(found["detail"])["a"] == {"reason": "debt"}
    for words in (["message", METER, "hello"], ["keep", METER, "1"], ["read", METER, "config"]):
        assert run(capsys, *words, *where)[1]["result"] == "not sent"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--reason", "debt"], "open needs --reason and --gate"),
        (["--gate", "gate"], "open needs --reason and --gate"),
        (["--reason", "debt", "--gate", "gate"], "add --yes"),
        (["--reason", "because", "--gate", "gate", "--yes"], "is none of request, debt"),
        (["--reason", "debt", "--gate", "keys", "--yes"], "must not share a directory"),
        (["--reason", "debt", "--gate", "other", "--yes"], "no such file"),
        (["--reason", "debt", "--gate", "gate", "--until", "soon"], "a time with its offset"),
        (["--reason", "debt", "--gate", "gate", "--until", "2027-01-31"], "with its offset"),
        (["--reason", "debt", "--gate", "gate", "--until", "2020-01-01T00:00Z"], "in the past"),
    ],
)
def test_what_cannot_be_asked_is_told(folders, capsys, monkeypatch, more, words):
    monkeypatch.chdir(folders[0].parent)
    where = ["--broker", "mqtt://127.0.0.1:9", "--keys", "keys"]
    code, _, err = run(capsys, "relay", METER, "open", *where, *more)
    assert code in (1, 2)
    assert words in " ".join(err.split())
    assert "Traceback" not in err


def test_orders_that_no_meter_takes_are_not_made():
    for text in ("a" * 161, "停" * 134, "a\nb", "\U0001f600"):
        with pytest.raises(VendError, match="shorten the message"):
            orders.message(text)
    with pytest.raises(VendError, match="not from 0 to 720"):
        orders.keep(721)
    with pytest.raises(VendError, match="no range"):
        orders.read_journal(3, 2)


def test_silence_is_told(broker, folders):
    began = time.monotonic()
    with pytest.raises(VendError, match="may or may not have been done"):
        orders.send("demo-0009", orders.keep(1), broker.url, keys_of(folders, "demo-0009"), 0.5)
    assert time.monotonic() - began < 5


def keys_of(folders, meter):
    keys.create(folders[0], meter)
    return folders[0]


def test_a_gate_secret_is_made_once_and_private(tmp_path):
    secret = orders.create_gate(tmp_path / "gate", METER)
    path = tmp_path / "gate" / f"{METER}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert orders.load_gate(tmp_path / "gate", METER) == secret
    with pytest.raises(KeysError, match="already"):
        orders.create_gate(tmp_path / "gate", METER)
    path.write_text('{"meter": "demo-0001", "device_key": "00"}')
    with pytest.raises(KeysError, match="gate_key"):
        orders.load_gate(tmp_path / "gate", METER)
