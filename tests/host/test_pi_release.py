"""Releases of a Raspberry Pi as processes: fetched by MQTT, switched, judged, and the way back."""

import pytest

from wattledger.firmware import slots
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until
from wattledger.tests.host.pi_release_bench import METER, Pi, Unit, newest
from wattledger.tools import ledger, rollout

pytest.importorskip("gpiozero")


@pytest.fixture
def pi(tmp_path):
    return Pi(tmp_path)


@pytest.fixture
def broker():
    with running_broker("mosquitto") as process:
        yield process


def test_a_pushed_release_is_fetched_started_and_proven(pi, broker, monkeypatch):
    pi.commission(5_000_000)
    pi.install(1)
    topics = f"wl/1/demo/m/{METER}/#"
    with Peer(broker.port, topics) as peer, pi.utility(broker):
        with Unit(pi, "--broker", broker.url) as unit:
            assert until(lambda: unit.runs and "has proven itself" in unit.runs[0].said, 20), (
                unit.said()
            )
            pi.load(1_000_000)
            assert until(lambda: (newest(peer, "state") or {}).get("import_wh", 0) > 50, 20)
            pi.load(0)
            monkeypatch.setattr(rollout, "BURST", 10_000)
            lines = []
            plan = rollout.Rollout(pi.release(2), [METER], pi.tariff, pi.keys, lines.append)
            found = plan.run(broker.url, (100,), 60)
            print(unit.said())
            assert found == {"proven": [METER], "failed": {}, "waiting": []}
