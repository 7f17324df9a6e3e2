"""`wattledger doctor`: addresses where nobody can listen or be reached are findings."""

import ssl

import pytest

from wattledger.tests.host.mqtt_bench import HOST
from wattledger.tools import doctor_broker


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (":65536", "':65536' is no address"),
        (f"{HOST}:99999999999999999999", f"'{HOST}:99999999999999999999' is no address"),
        (f"{HOST}:-1", f"'{HOST}:-1' is no address"),
        (":\u00b2", "':\u00b2' is no address"),
        ("", "'' is no address"),
        ("a..b:80", "'a..b' is no name or address that is known here"),
        (f"{'a' * 64}:80", f"'{'a' * 64}' is no name or address that is known here"),
        ("[::1]:80", "'[::1]' is no name or address that is known here"),
        # TEST-NET-1 of RFC 5737: no machine has it.
        (
            "192.0.2.1:8080",
            "the display cannot listen on 192.0.2.1 port 8080: this machine has no such address",
        ),
    ],
)
def test_an_address_where_no_page_can_listen_is_one_finding(address, found):
    for runs in (False, True):
        told = doctor_broker.page(address, runs)
        assert (told.state, told.found) == ("fail", found)
        assert told.fix


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "a b"])
def test_a_broker_by_a_name_that_is_none_is_a_finding(monkeypatch, host):
    context = ssl.create_default_context()
    monkeypatch.setattr(doctor_broker.broker_linux, "context", lambda *files: context)
    (told,) = doctor_broker.check(f"mqtts://{host}", None, None, None)
    assert told.state == "fail" and told.found.startswith(f"{host} port 8883: ")
