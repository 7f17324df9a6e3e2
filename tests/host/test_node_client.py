"""A utility in Node.js, written from docs/asyncapi.yaml with jose and mqtt, and a real meter."""

import contextlib
import hashlib
import json
import subprocess
import sys

import pytest
from jsonschema import Draft7Validator

from wattledger.tests.both.fixtures_agent import START, tariff_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, GATE_SECRET, METER
from wattledger.tests.host import asyncapi_bench as contract
from wattledger.tests.host import node_bench
from wattledger.tests.host.mqtt_bench import Signer, SoftMeter, running_broker
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import signing

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("node_client")

LATER = START + 86_400


@pytest.fixture(scope="module")
def node():
    return node_bench.installed()


@pytest.fixture(scope="module")
def broker():
    with running_broker("mosquitto") as process:
        yield process


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    secret = {"meter": METER, "note": "test key", "device_key": DEVICE_KEY.hex()}
    (folder / f"{METER}.json").write_text(json.dumps(secret))
    signing.create(folder, signing.TARIFF_KID)
    return folder


@contextlib.contextmanager
def running_meter(broker, keys):
    """A meter process; its report is in the list once it has ended."""
    words = [sys.executable, "-m", "wattledger.tests.host.meter_process", str(broker.port)]
    process = subprocess.Popen(
        [*words, str(keys)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    found = []
    try:
        yield found
    finally:
        out, _ = process.communicate(timeout=30)
        found += [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def client(node, broker, keys, tmp_path):
    """Runs client.mjs; (its JSON, its stderr)."""
    known = {
        "tenant": "demo",
        "meter": METER,
        "device_key": DEVICE_KEY.hex(),
        "gate_key": GATE_SECRET.hex(),
        "tariff_pem": (keys / "tariff.1.pem").read_text(),
    }
    path = tmp_path / "client.json"
    path.write_text(json.dumps(known))

    def run(*words):
        command = ["node", str(node / "client.mjs"), broker.url, str(path), *map(str, words)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return json.loads(found.stdout) if found.stdout else None, found.stderr

    return run


def test_it_credits_opens_and_pushes_a_tariff(broker, keys, client, tmp_path):
    document = tmp_path / "tariff.json"
    document.write_bytes(tariff_of(n=2, **{"from": LATER}))
    with running_meter(broker, keys) as report:
        ack, _ = client("credit", 7, 2_500_000)
        assert contract.faults("Ack", ack) == []
        assert (ack["result"], ack["m"]) == ("ok", METER)
        # The very same again has its stored answer; another with that number pays nothing.
        assert client("credit", 7, 2_500_000)[0]["result"] == "ok"
        assert client("credit", 7, 2_600_000)[0]["result"] == "duplicate"
        assert client("arm")[0]["detail"] == "connected already"
        assert client("open", "works")[0]["result"] == "scheduled"
        assert client("arm")[0]["detail"].endswith("is cancelled")
        hello, _ = client("want", 1, "plain", 2, "homes")
        assert contract.faults("Hello", hello) == []
        assert hello["documents"]["want"] == 1
        hello, _ = client("tariff", "homes", document)
        assert hello["documents"]["next"] == {"id": "plain", "n": 2}
    assert report == [{"balance": 12_500_000_000, "want": 1, "next": 2}]


def test_it_believes_only_the_meter_and_only_about_its_own_command(broker, client):
    signer, forger = Signer(METER, DEVICE_KEY), Signer(METER, bytes(32))
    head = {"sequence": 1, "hash": "00" * 8}

    def answer(raw, command):
        of = hashlib.sha256(raw).hexdigest()[:16]
        wrong = {"m": METER, "of": of, "result": "range", "detail": "", "head": head}
        for token in (
            forger.sign("up.1", wrong),
            signer.sign("credit.1", wrong),
            signer.sign("up.1", {**wrong, "of": "00" * 8}),
            signer.sign("up.1", {**wrong, "m": "demo-0002"}),
        ):
            meter.publish(f"wl/1/demo/m/{METER}/ack", token)
        return {"result": "ok", "head": head}

    with SoftMeter(broker.port, signer, answer) as meter:
        assert client("credit", 8, 1)[0]["result"] == "ok"
    # A retained hello may have made it send once more: the very same bytes.
    assert len({raw for raw, _ in meter.commands}) == 1
    command = meter.commands[0][1]
    assert contract.faults("Command", command) == []


def test_the_file_is_asyncapi_3(node):
    """By the schema of the AsyncAPI initiative, out of its own package."""
    path = node / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
    validator = Draft7Validator(json.loads(path.read_text("utf-8")))
    faults = [
        "%s: %s" % ("/".join(map(str, error.path)), error.message[:300])
        for error in validator.iter_errors(contract.document())
    ]
    assert faults == []
    broken = dict(contract.document(), channels={"status": {"place": "a"}})
    assert list(validator.iter_errors(broken))
