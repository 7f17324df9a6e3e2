"""The broker that provisioning makes, run by mosquitto: who gets in, what is delivered to whom.

A SUBACK says "granted" for what is never delivered, and a PUBACK comes for what is refused, so
only what arrives counts.
"""

import os
import socket
import time
from pathlib import Path

import pytest

from wattledger.tests.host.mqtt_bench import HOST, until
from wattledger.tests.host.provision_bench import BASE, NAME, Client, Site, context
from wattledger.tools.provision import retire

UP = ("status", "hello", "state", "journal", "ack")
DOWN = ("cmd", "want")
GROUP = f"wl/1/{NAME}/g/homes"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("tenant"))
    for name in ("m-1", "m-2", "m-3"):
        made.meter(name)
    made.head_end()
    made.broker()
    made.start()
    yield made
    made.stop()


def as_meter(site, name, client_id=None, topics=("#",)):
    return Client(site.ports[0], client_id or name, context(site.folder / name), topics)


def as_head_end(site, topics=("#",)):
    return Client(site.ports[1], "desk", context(site.folder / "head"), topics)


def test_a_meter_and_the_head_end_hear_each_other(site):
    with as_meter(site, "m-1") as meter, as_head_end(site) as head:
        for leaf in UP:
            meter.publish(f"{BASE}/m-1/{leaf}", leaf.encode())
            assert until(lambda leaf=leaf: head.heard(f"{BASE}/m-1/{leaf}") == [leaf.encode()])
        for topic in [f"{BASE}/m-1/{leaf}" for leaf in DOWN] + [
            f"{GROUP}/tariff",
            f"{GROUP}/price",
        ]:
            head.publish(topic, b"down")
            assert until(lambda topic=topic: meter.heard(topic) == [b"down"])


def test_a_meter_writes_and_hears_nothing_of_another(site):
    with as_meter(site, "m-1") as one, as_meter(site, "m-2") as two, as_head_end(site) as head:
        for leaf in UP + DOWN:
            two.publish(f"{BASE}/m-1/{leaf}", b"forged")
        for leaf in DOWN:
            two.publish(f"{BASE}/m-2/{leaf}", b"forged")  # not even its own commands
        for topic in (f"{GROUP}/tariff", f"{GROUP}/price", "wl/1/other/m/m-2/state", "x"):
            two.publish(topic, b"forged")
        one.publish(f"{BASE}/m-1/hello", b"mine")
        for leaf in DOWN:
            head.publish(f"{BASE}/m-1/{leaf}", b"for one")
        two.publish(f"{BASE}/m-2/state", b"last")
        assert until(lambda: head.heard(f"{BASE}/m-2/state") == [b"last"])
        assert until(lambda: len(one.received) >= 2)
        assert sorted(one.received) == [(f"{BASE}/m-1/{leaf}", b"for one") for leaf in DOWN]
        assert two.received == []
        assert [payload for _, payload in head.received] == [b"mine", b"last"]
        # SUBACK said otherwise.
        assert not any(reason.is_failure for reason in two.granted)


def test_another_meters_certificate_does_not_take_a_session_over(site):
    with as_meter(site, "m-1", topics=(f"{BASE}/m-1/cmd",)) as one:
        with as_meter(site, "m-2", client_id="m-1") as two, as_head_end(site) as head:
            assert two.is_in()
            head.publish(f"{BASE}/m-1/cmd", b"to one")
            assert until(lambda: one.received)
            time.sleep(0.2)
            assert (one.is_in(), one.lost, two.received) == (True, 0, [])


def test_the_head_end_writes_nothing_as_a_meter(site):
    with as_head_end(site) as head, as_meter(site, "m-1") as meter:
        for leaf in UP:
            head.publish(f"{BASE}/m-1/{leaf}", b"forged")
        head.publish("wl/1/other/m/m-1/cmd", b"forged")
        head.publish(f"{BASE}/m-1/cmd", b"last")
        assert until(lambda: meter.received)
        assert meter.received == [(f"{BASE}/m-1/cmd", b"last")]
        assert head.received == []


def test_no_meters_certificate_opens_the_head_ends_door_nor_the_other_way_round(site):
    with Client(site.ports[1], "x", context(site.folder / "m-1")) as client:
        assert not client.is_in()
    with Client(site.ports[0], "x", context(site.folder / "head")) as client:
        assert not client.is_in()


def test_nobody_without_a_certificate(site):
    for port in site.ports:
        with Client(port, "m-1", context(site.folder / "m-1", certificate=False)) as client:
            assert not client.is_in()
        with Client(port, "m-1") as client:  # without TLS
            assert not client.is_in()


def test_no_other_port_is_open(site):
    assert sorted(listening(site.process.pid)) == sorted(site.ports)


def listening(pid):
    """The TCP ports a process listens on (proc(5): state 0A)."""
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            field = line.split()
            if field[3] == "0A" and f"socket:[{field[9]}]" in links:
                yield int(field[1].rpartition(":")[2], 16)


def test_another_authoritys_certificate_is_refused(site, tmp_path):
    other = Site(tmp_path)
    other.meter("m-1")
    ca = site.folder / "m-1" / "ca.pem"
    with Client(site.ports[0], "m-1", context(tmp_path / "m-1", ca=ca)) as client:
        assert not client.is_in()


def test_a_meter_does_not_believe_a_broker_with_a_meters_certificate(site):
    import ssl
    import threading

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(site.folder / "m-2" / "client.pem", site.folder / "m-2" / "client.key")
    with socket.create_server((HOST, 0)) as listener:

        def answer():
            try:
                server.wrap_socket(listener.accept()[0], server_side=True)
            except (OSError, ssl.SSLError):
                pass

        threading.Thread(target=answer, daemon=True).start()
        tls = context(site.folder / "m-1")
        tls.check_hostname = False  # whatever the name: it is not for servers
        with socket.create_connection((HOST, listener.getsockname()[1]), 5) as line:
            with pytest.raises(
                ssl.SSLCertVerificationError, match="unsuitable certificate purpose"
            ):
                tls.wrap_socket(line, server_hostname=HOST)


def test_too_long_a_message_ends_its_connection(site):
    with as_meter(site, "m-3") as meter, as_head_end(site) as head:
        meter.publish(f"{BASE}/m-3/journal", bytes(9216))
        assert until(lambda: head.heard(f"{BASE}/m-3/journal") == [bytes(9216)])
        meter.publish(f"{BASE}/m-3/journal", bytes(10_000), wait_s=0)
        assert until(lambda: meter.lost)
        assert len(head.received) == 1


def test_a_revoked_certificate_is_refused(site):
    with as_meter(site, "m-3") as meter:
        assert meter.is_in()
    assert retire.revoke(site.tenant, "m-3", [site.folder / "broker"]) == 1
    site.reload()
    assert until(lambda: not lets_in(site, "m-3"), 5)
    assert lets_in(site, "m-1")


def lets_in(site, name):
    with as_meter(site, name, topics=()) as meter:
        time.sleep(0.1)
        return meter.is_in()
