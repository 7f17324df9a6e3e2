"""The meter of a Raspberry Pi by TLS: a real broker, and its certificate's end in the journal."""

import json
import time
from types import SimpleNamespace

import pytest

from wattledger.agent import events
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.firmware import main_pi
from wattledger.firmware.errors import BrokerError
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.fixtures_agent import ScriptedChip
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.tls_bench import Authority, mosquitto

METER = "pi-0001"


class Hardware:
    """What firmware/parts_linux.py makes, without a board."""

    def __init__(self, board, calibration, log):
        self.chip = ScriptedChip()
        self.relay = LatchingRelay(True)
        self.clock = HostClock()
        self.clock.set(int(time.time()), TRUST_SYNCED)
        self.button = self.inputs = None

    def close(self):
        pass


@pytest.fixture
def bench(tmp_path):
    """Folders and options of a provisioned meter whose certificate lasts 20.5 days."""
    site, state = tmp_path / "site", tmp_path / "state"
    site.mkdir()
    state.mkdir()
    device = {"v": 1, "meter": METER, "tenant": "demo", "board": "pi_atm90e32", "max_amps": 60}
    (site / "device.json").write_text(json.dumps(device))
    (site / "device.key").write_text("11" * 32)
    (site / "device.key").chmod(0o600)
    commission(PosixStorage(state), METER, int(time.time()), TRUST_SYNCED, 5, CONNECTED)
    authority = Authority(tmp_path)
    own = authority.issue(METER, names=(METER,), ends=20.5)
    options = SimpleNamespace(
        site=str(site),
        state=str(state),
        broker=None,
        ca=own.authority_file,
        cert=own.certificate,
        key=own.key,
        page=None,
        page_name=[],
        releases=None,
    )
    return SimpleNamespace(options=options, authority=authority, folder=tmp_path)


def run(bench, until_true):
    """Turn a meter until the condition holds for it; the (code, value) of its events."""
    meter = main_pi.PiMeter(bench.options, SimpleNamespace(Hardware=Hardware))
    meter.start()
    try:
        assert until(lambda: meter.turn() is None or until_true(meter), 10)
    finally:
        meter.stop()
    found = walk(PosixStorage(bench.options.state), records.first_hash(METER))
    return [readers.unpack_event(one.payload) for _, one in found if one.kind == records.EVENT]


def test_the_broker_takes_the_meter_and_the_end_of_its_certificate_is_told_once(bench):
    broker = bench.authority.issue("broker")
    with mosquitto(bench.folder, broker) as running:
        bench.options.broker = "mqtts://localhost:%d" % running.port
        for _ in range(2):
            found = run(bench, lambda meter: meter.agent.is_linked())
            ends = [event for event in found if event[0] == events.CERTIFICATE_ENDS]
            assert ends == [(events.CERTIFICATE_ENDS, 20)]


def test_a_file_that_is_no_certificate_is_named(bench):
    bench.options.broker = "mqtts://localhost:1"
    with open(bench.options.key, "rb") as key:
        content = key.read()
    with open(bench.options.cert, "wb") as file:
        file.write(content)
    with pytest.raises(BrokerError, match="--cert"):
        main_pi.PiMeter(bench.options, SimpleNamespace(Hardware=Hardware))
