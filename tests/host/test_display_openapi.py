"""docs/openapi.yaml describes the local API: fuzzed by schemathesis against the real server."""

import http.client
import threading
import zlib
from pathlib import Path

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")
pytest.importorskip("schemathesis", reason="schemathesis is not installed")
pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")

import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate

from wattledger.hal.display.app import ASKED, SHOWN, TOLD
from wattledger.tests.host.display_bench import VIEW
from wattledger.tests.host.page_client import LABEL, Client, server_with_pin

FILE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
schema = schemathesis.openapi.from_path(FILE)


class Drain:
    """The meter behind the page, which takes what waits, so that the queue does not fill."""

    def __init__(self, server):
        self.server = server
        self.taken = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self):
        while not self._stopped.wait(0.005):
            while (request := self.server.request()) is not None:
                self.taken.append(request)
                if request[0] == "tell":
                    self.server.answer(request[1], "{}")

    def stop(self):
        self._stopped.set()
        self._thread.join()
        self.server.stop()


@pytest.fixture(scope="module")
def meter():
    server = server_with_pin()
    server.show(VIEW)
    meter = Drain(server)
    yield meter
    meter.stop()


def test_the_document_is_valid_openapi():
    validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def test_every_address_of_the_server_is_described():
    described = {
        (path[1:], method)
        for path, item in yaml.safe_load(FILE.read_text(encoding="utf-8"))["paths"].items()
        for method in item
    }
    shown = {(name, "get") for name in SHOWN + TOLD} - {("events", "get")}  # a stream is no answer
    assert described == shown | {(name, "post") for name in ASKED}


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_described_and_never_a_failure(case, meter):
    url = meter.server.url.rstrip("/")
    client = Client(meter.server.port)
    # Every second case comes from who has signed in.
    headers = {"Origin": url}
    if zlib.crc32(repr(case.body).encode()) % 2 and case.path not in ("/session/end", "/pin"):
        meter.server.access.pin.reset()
        assert client.sign_in(LABEL) == 200
        headers["Cookie"] = client.cookie
    response = case.call(base_url=url, headers=headers)
    assert response.status_code < 500 or response.status_code == 503, response.text
    case.validate_response(response, excluded_checks=_not_ours())
    for request in meter.taken:
        assert request[0] in ("press", "release", "accept", "token", "tell"), request
        assert request[0] != "token" or request[1].isdecimal()


def _not_ours():
    """Checks that contradict what the meter promises."""
    from schemathesis.specs.openapi import checks

    return [
        # The session is added by hand above, and a refusal by Origin comes before it.
        checks.ignored_auth,
        # Blanks in a token are taken although the pattern has none, as people type them.
        checks.negative_data_rejection,
        checks.positive_data_acceptance,
    ]


def test_metrics_parse_and_carry_the_views_values(meter):
    parser = pytest.importorskip("prometheus_client.parser")
    client = Client(meter.server.port)
    status, headers, text = client.get("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    samples = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.documentation and family.type in ("gauge", "counter")
        for sample in family.samples:
            samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    cny = (("currency", "CNY"),)
    expected = {
        # 1 204 567 Wh are 1 204 567 * 3600 J; the rest stands in the view in thousandths.
        ("wattledger_import_energy_joules_total", ()): 4336441200,
        ("wattledger_export_energy_joules_total", ()): 0,
        ("wattledger_power_watts", ()): 1243.21,
        ("wattledger_voltage_volts", ()): 230.14,
        ("wattledger_current_amperes", ()): 5.48,
        ("wattledger_frequency_hertz", ()): 50.012,
        ("wattledger_power_factor_ratio", ()): 0.986,
        ("wattledger_sample_age_seconds", ()): 0.04,
        ("wattledger_balance", cny): 23.456789,
        ("wattledger_available", cny): 23.411999,
        ("wattledger_cost_per_hour", cny): 0.77079,
        ("wattledger_energy_price_per_kilowatt_hour", (("band", "peak"), *cny)): 0.62,
        ("wattledger_supply_state", (("state", "connected"),)): 1,
        ("wattledger_supply_state", (("state", "ready"),)): 0,
        ("wattledger_supply_state", (("state", "disconnected"),)): 0,
        ("wattledger_utility_link_up", ()): 1,
        ("wattledger_clock_synced", ()): 1,
        ("wattledger_alarms", ()): 0,
        ("wattledger_meter_info", (("meter", "demo-0001"),)): 1,
    }
    assert samples == expected


def test_metrics_follow_the_same_rule_as_the_view():
    from wattledger.hal.display import privacy

    server = server_with_pin(shown=privacy.SUPPLY)
    try:
        server.show(VIEW)
        client = Client(server.port)
        assert "wattledger_balance" not in client.get("/metrics")[2]
        assert "wattledger_supply_state" in client.get("/metrics")[2]
        client.sign_in()
        assert "wattledger_balance" in client.get("/metrics")[2]
    finally:
        server.stop()


def test_metrics_of_a_meter_that_knows_nothing_yet_are_empty(meter):
    server = server_with_pin()
    try:
        assert Client(server.port).get("/metrics")[2] == ""
    finally:
        server.stop()


def test_a_stream_is_not_metrics_and_takes_any_method_but_get(meter):
    connection = http.client.HTTPConnection("127.0.0.1", meter.server.port, timeout=5)
    connection.request("TRACE", "/events")
    assert connection.getresponse().status == 405
    connection.close()
