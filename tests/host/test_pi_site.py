"""The folder of a meter on a Raspberry Pi, its broker's address, its watchdog: right and wrong."""

import json
import os
import socket
import ssl

import pytest

from wattledger.firmware import broker_linux
from wattledger.firmware.errors import BrokerError, SiteError
from wattledger.firmware.site import Site
from wattledger.hal.watchdog.systemd_linux import SystemdWatchdog
from wattledger.tests.micropython.staging import ROOT

DEVICE = {"v": 1, "meter": "pi-0001", "tenant": "demo", "board": "pi_atm90e32", "max_amps": 60}
KEY = "00" * 31 + "7f"  # a test key


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "device.json").write_text(json.dumps(DEVICE))
    secret(tmp_path / "device.key", KEY + "\n")
    return tmp_path


def secret(path, text):
    path.write_text(text)
    path.chmod(0o600)


def test_a_provisioned_folder_is_read(folder):
    (folder / "tariff.json").write_bytes(b"{}")
    site = Site(str(folder))
    assert (site.config.meter, site.config.board) == ("pi-0001", "pi_atm90e32")
    assert site.device_key == bytes(31) + b"\x7f"
    assert (site.tariff, site.calibration, site.token_key) == (b"{}", None, b"")


def refusal(folder):
    with pytest.raises(SiteError) as caught:
        Site(str(folder))
    return str(caught.value)


def test_a_folder_that_is_none_names_the_file_that_is_missing(tmp_path):
    assert refusal(tmp_path).startswith(f"{tmp_path}/device.json: no such file")


def test_a_wrong_device_json_is_told_with_its_key_and_range(folder):
    (folder / "device.json").write_text(json.dumps({**DEVICE, "max_amps": 0}))
    assert "device.json: max_amps: must be a whole number from 1 to 2000, is 0" in refusal(folder)


def test_a_key_that_others_may_read_is_refused(folder):
    (folder / "device.key").chmod(0o640)
    assert "others may read this secret; run chmod 600" in refusal(folder)


@pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32, "0"])
def test_a_key_of_another_form_is_refused(folder, text):
    secret(folder / "device.key", text)
    assert "device.key: is " in refusal(folder)


def test_a_meter_with_tokens_needs_their_key(folder):
    token = {"scheme": "sts", "ea": "11", "base": 2014, "made": 1735689600}
    (folder / "device.json").write_text(json.dumps({**DEVICE, "token": token}))
    assert "token.key: no such file" in refusal(folder)
    secret(folder / "token.key", "0011223344556677")
    assert Site(str(folder)).token_key == bytes.fromhex("0011223344556677")


def test_the_gates_secret_is_optional_and_of_the_same_form(folder):
    assert Site(str(folder)).gate_key == b""
    secret(folder / "gate.key", "11" * 32)
    assert Site(str(folder)).gate_key == b"\x11" * 32
    secret(folder / "gate.key", "11" * 31)
    assert "gate.key: is 31 bytes, not 32" in refusal(folder)
    (folder / "gate.key").chmod(0o644)
    assert "gate.key: others may read this secret" in refusal(folder)


def test_the_pin_on_the_label_is_optional_and_eight_digits_that_nobody_else_reads(folder):
    assert Site(str(folder)).display_pin == ""
    secret(folder / "display.pin", "48151623\n")
    assert Site(str(folder)).display_pin == "48151623"
    for text in ("", "4815162", "481516234", "4815162x", "\u0661" * 8):
        secret(folder / "display.pin", text)
        assert "display.pin: is not 8 digits" in refusal(folder)
    secret(folder / "display.pin", "48151623\n")
    (folder / "display.pin").chmod(0o604)
    assert "display.pin: others may read this secret" in refusal(folder)


def test_public_keys_are_points(folder):
    assert Site(str(folder)).public_keys is None
    path = folder / "public_keys.json"
    path.write_text(json.dumps({"tariff.1": "0a" * 64}))
    assert Site(str(folder)).public_keys == {"tariff.1": b"\x0a" * 64}
    for wrong in ("[]", "{", '{"tariff.1": 5}', '{"tariff.1": "00"}', '{"tariff.1": "zz"}'):
        path.write_text(wrong)
        assert "public_keys.json: must map key ids to points of 128 hex" in refusal(folder)


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("mqtt://127.0.0.1", ("mqtt", "127.0.0.1", 1883)),
        ("mqtt://localhost:2000", ("mqtt", "localhost", 2000)),
        ("mqtts://broker.example", ("mqtts", "broker.example", 8883)),
        ("mqtts://[2001:db8::1]:444/", ("mqtts", "2001:db8::1", 444)),
    ],
)
def test_an_address_of_a_broker(url, parsed):
    assert broker_linux.parse(url) == parsed


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://192.0.2.1", "another machine: use mqtts://"),
        ("http://127.0.0.1", "write it as mqtts://"),
        ("127.0.0.1:1883", "write it as mqtts://"),
        ("mqtts://", "write it as mqtts://"),
        ("mqtts://a:99999", "wrong host or port"),
        ("mqtts://a:0", "write it as mqtts://"),
        ("mqtts://user@a", "more than a host and a port"),
        ("mqtts://a/topic", "more than a host and a port"),
    ],
)
def test_an_address_that_is_refused(url, words):
    with pytest.raises(BrokerError, match=words):
        broker_linux.parse(url)


def test_tls_needs_its_three_files(tmp_path):
    with pytest.raises(BrokerError, match="needs --ca, --cert and --key"):
        broker_linux.context("ca", None, "key")
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text("not PEM")
    files = [str(tmp_path / name) for name in ("ca", "cert", "key")]
    with pytest.raises(BrokerError, match="the TLS files cannot be used"):
        broker_linux.context(*files)
    with pytest.raises(BrokerError, match="No such file"):
        broker_linux.context(str(tmp_path / "none"), *files[1:])


def test_tls_verifies_certificate_and_name_and_trusts_one_authority(tmp_path):
    authority, certificate, key = own_certificate(tmp_path)
    made = broker_linux.context(authority, certificate, key)
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    assert len(made.get_ca_certs()) == 1  # none of the system's
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2


def own_certificate(folder):
    """Paths of a certificate that is its own authority, twice, and of its key."""
    import subprocess

    certificate, key = str(folder / "meter.pem"), str(folder / "meter.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "1", "-subj", "/CN=test", "-out", certificate, "-keyout", key],
        check=True,
        capture_output=True,
    )
    return certificate, certificate, key


def test_systemd_hears_of_the_start_of_each_feed_and_of_the_end(tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(2)
        watchdog = SystemdWatchdog({"NOTIFY_SOCKET": address})
        watchdog.ready()
        watchdog.feed()
        watchdog.stopping()
        heard = [systemd.recv(64) for _ in range(3)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]
    watchdog.feed()  # systemd is gone: nothing happens


def test_without_systemd_nothing_is_sent():
    watchdog = SystemdWatchdog({})
    watchdog.ready()
    watchdog.feed()


def test_an_abstract_socket_is_reached():
    name = "wattledger-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name)
        systemd.settimeout(2)
        SystemdWatchdog({"NOTIFY_SOCKET": "@" + name}).ready()
        assert systemd.recv(64) == b"READY=1"


def test_the_service_runs_where_lgpio_may_make_its_pipe():
    # lgpio makes one in the working directory; that of a service is / (gpiozero issue 1106).
    text = (ROOT / "firmware" / "wattledger.service").read_text()
    for line in ("RuntimeDirectory=wattledger", "WorkingDirectory=/run/wattledger", "Type=notify"):
        assert line in text.splitlines()
