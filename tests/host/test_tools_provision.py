"""`wattledger provision`: what it makes, whole or not at all, and never over what is there."""

import json
import os
import re
import ssl
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from wattledger.firmware.site import Site as Folder
from wattledger.tests.both.fixtures_agent import tariff_of
from wattledger.tests.host.provision_bench import NAME, Site
from wattledger.tools import cli, durable, keys, orders, signing, token_till
from wattledger.tools.errors import KeysError, ProvisionError
from wattledger.tools.provision import broker, folder, label, meter, retire, tenant

BOARD = "pi_atm90e32"
NEVER_IN_A_LABEL = ("device.key", "gate.key", "client.key")


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch):
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)


def run(capsys, *words):
    """(exit code, the object of --json, stderr)."""
    code = cli.run([*(str(word) for word in words), "--json"])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    return code, json.loads(lines[-1]) if lines else None, err


def everything(place):
    """relative path -> bytes of every file."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file()
    }


# --- the promise: wattledger provision --board B --meter ID --out DIR ---


def test_one_command_makes_a_meter_and_says_where(tmp_path, capsys):
    out = tmp_path / "m-1"
    words = ("provision", "--board", BOARD, "--meter", "m-1", "--out", out)
    code, made, _ = run(capsys, *words)
    assert code == 0 and made["meter"] == "m-1" and made["tenant"] == "home"
    assert all(os.path.exists(path) for path in made["paths"])
    names = sorted(os.path.basename(path) for path in made["paths"] if str(out) + "/" in path)
    assert names == sorted(path.name for path in out.iterdir()) and len(names) == 11
    site = Folder(str(out))  # the meter's own reader and checker
    assert (site.config.meter, site.config.tenant, site.config.board) == ("m-1", "home", BOARD)
    assert site.device_key == keys.load(tmp_path / "keys", "m-1").device_key
    assert site.gate_key == orders.load_gate(tmp_path / "gate", "m-1")
    assert site.device_key != site.gate_key
    assert site.public_keys == signing.public_keys(tmp_path / "keys")
    assert set(site.public_keys) == {"root.1", "tariff.1", "firmware.1"}
    assert site.ca == str(out / "ca.pem") and site.key == str(out / "client.key")
    assert keys.load(tmp_path / "keys", "m-1").tenant == "home"


def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        site = Site(tmp_path)
        site.meter("m-1")
        site.broker()
        site.head_end()
    finally:
        os.umask(before)
    for place in ("ca", "gate", "m-1", "broker", "head"):
        assert stat.S_IMODE((tmp_path / place).stat().st_mode) == 0o700
        for path in (tmp_path / place).iterdir():
            wanted = 0o700 if path.is_dir() else 0o600
            if path.suffix != ".lock":
                assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for path in [*(tmp_path / "keys").glob("*.json"), *(tmp_path / "keys").glob("*.pem")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_certificates_are_what_openssl_takes_them_for(tmp_path):
    site = Site(tmp_path)
    out = site.meter("m-1")
    site.broker()

    def verify(path, purpose, *more):
        command = ["openssl", "verify", "-CAfile", str(out / "ca.pem"), "-purpose", purpose]
        return subprocess.run([*command, *more, str(path)], capture_output=True).returncode

    client, server = out / "client.pem", tmp_path / "broker" / "server.pem"
    assert verify(client, "sslclient") == 0 and verify(client, "sslserver") != 0
    assert verify(server, "sslserver") == 0 and verify(server, "sslclient") != 0
    assert verify(server, "sslserver", "-verify_ip", "127.0.0.1") == 0
    assert verify(server, "sslserver", "-verify_hostname", "localhost") == 0
    assert verify(server, "sslserver", "-verify_hostname", "other") != 0
    # A clock that nobody has set begins in 2000: the certificate is good then.
    assert verify(client, "sslclient", "-attime", "946771200") == 0  # 2000-01-02
    found = x509.load_pem_x509_certificate(client.read_bytes())
    assert found.subject.rfc4514_string() == "CN=m-1"
    left = found.not_valid_after_utc.timestamp() - client.stat().st_mtime
    assert abs(left - 365 * 86400) < 3600


def test_an_esp32_gets_der_and_a_pi_gets_pem(tmp_path):
    site = Site(tmp_path)
    for board, have, lack in (
        ("esp32_bl0942", ("client.der", "client.key.der"), ("client.pem", "client.key")),
        (BOARD, ("client.pem", "client.key"), ("client.der", "client.key.der")),
    ):
        out = tmp_path / board
        meter.create(site.tenant, site.gate, out, meter.Wanted(board, board.replace("_", "-")), 9)
        assert all((out / name).exists() for name in (*have, "ca.pem", "ca.der"))
        assert not any((out / name).exists() for name in lack)
    esp32 = tmp_path / "esp32_bl0942"
    certificate = x509.load_der_x509_certificate((esp32 / "client.der").read_bytes())
    private = serialization.load_der_private_key((esp32 / "client.key.der").read_bytes(), None)
    assert certificate.public_key() == private.public_key()
    authority = x509.load_der_x509_certificate((esp32 / "ca.der").read_bytes())
    certificate.verify_directly_issued_by(authority)
    # SEC 1 with the curve named: 121 bytes, as mbedTLS was given in the measurements.
    assert len((esp32 / "client.key.der").read_bytes()) == 121


def test_no_two_meters_share_a_secret(tmp_path):
    check_that_no_two_share(tmp_path, 25)


@pytest.mark.nightly
def test_no_two_of_a_thousand_meters_share_a_secret(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    check_that_no_two_share(tmp_path, 1000)


def check_that_no_two_share(tmp_path, count):
    site = Site(tmp_path)
    seen = {"device.key": set(), "gate.key": set(), "client.key": set(), "display.pin": set()}
    for number in range(count):
        out = site.meter(f"m-{number}")
        for name, found in seen.items():
            found.add((out / name).read_text())
    for name in ("device.key", "gate.key", "client.key"):
        assert len(seen[name]) == count
    # Eight digits: two of a thousand are alike by chance in one of 200 runs.
    assert len(seen["display.pin"]) >= count - 1
    assert not seen["device.key"] & seen["gate.key"]


# --- the label ---


def test_the_label_has_what_a_person_needs_and_no_secret(tmp_path):
    site = Site(tmp_path)
    out = site.meter("m-1", support="Call 0800 123 & <ask>")
    pin = (out / "display.pin").read_text().strip()
    assert re.fullmatch(r"[0-9]{8}", pin)
    text = (out / "label.txt").read_text()
    assert text == (
        f"Meter  m-1\nUtility  {NAME}\nDisplay PIN  {pin[:4]} {pin[4:]}\n"
        f"Call 0800 123 & <ask>\nWL1;T:{NAME};M:m-1;P:{pin}\n"
    )
    picture = (out / "label.svg").read_text()
    assert "Call 0800 123 &amp; &lt;ask&gt;" in picture and f"{pin[:4]} {pin[4:]}" in picture
    for name in NEVER_IN_A_LABEL:
        secret = (out / name).read_text().splitlines()
        assert secret[len(secret) // 2] not in text + picture


def test_the_code_on_the_label_is_the_one_of_its_text():
    import segno

    text = label.qr_text("acme", "m-1", "01234567")
    assert text == "WL1;T:acme;M:m-1;P:01234567"
    drawn = label.svg("acme", "m-1", "01234567", "")
    assert segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4) in drawn
    assert (
        segno.make(text + "x", error="m", micro=False).svg_inline(scale=4, border=4) not in drawn
    )


# --- never overwritten, never half made ---


def test_nothing_is_overwritten(tmp_path):
    site = Site(tmp_path)
    site.meter("m-1")
    site.broker()
    site.head_end()
    before = everything(tmp_path)
    with pytest.raises(ProvisionError, match="m-1 has keys there already"):
        meter.create(site.tenant, site.gate, tmp_path / "x", meter.Wanted(BOARD, "m-1"), 9)
    with pytest.raises(ProvisionError, match="is there already; nothing is overwritten"):
        meter.create(site.tenant, site.gate, tmp_path / "m-1", meter.Wanted(BOARD, "m-2"), 9)
    with pytest.raises(ProvisionError, match="is there already"):
        broker.create(site.tenant, tmp_path / "broker", broker.Doors(("h",)), 9)
    with pytest.raises(ProvisionError, match="is there already"):
        tenant.create("x", tmp_path / "ca", tmp_path / "k", tmp_path / "g")
    with pytest.raises(ProvisionError, match="is there already"):
        tenant.create("x", tmp_path / "c", tmp_path / "k", tmp_path / "gate")
    after = everything(tmp_path)
    issued = ("ca/meters.json", "ca/meters.lock", "ca/head-end.lock")
    assert {n: d for n, d in after.items() if n not in issued} == {
        n: d for n, d in before.items() if n not in issued
    }


def test_a_meter_that_fails_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    site = Site(tmp_path)
    before = set(everything(tmp_path))
    write, seen = folder.write, []

    def failing(path, data):
        seen.append(path.name)
        if len(seen) == stop:
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(folder, "write", failing)
    stop = 0
    for stop in range(1, 12):
        seen.clear()
        with pytest.raises(ProvisionError, match="cannot be written"):
            site.meter("m-1")
        left = set(everything(tmp_path)) - before - {"ca/meters.lock"}
        assert left == set(), (stop, seen)
        assert not (tmp_path / "m-1").exists()
    stop = 0
    seen.clear()
    assert (site.meter("m-1") / "label.svg").exists()
    assert len(seen) == 11  # each of its files was failed once


def test_a_folder_of_before_a_crash_is_no_meter(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder.whole(tmp_path / "m-1") as made:
        folder.write(made / "device.key", "x")
        assert made.parent == tmp_path and made.name.startswith(".m-1.")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


# --- what is wrong is told before anything is made ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--board", "none"), "there is no board 'none'"),
        (("--meter", "M-1"), "device.json: meter: must be 1 to 32 of a-z"),
        (("--set", "tick_ms=1"), "device.json: tick_ms: must be a whole number from 100"),
        (("--set", "colour=red"), "device.json: colour: unknown key"),
        (("--tenant", "Big Utility"), "device.json: tenant: must be 1 to 32"),
        (("--tariff", "none.json"), "none.json"),
        (("--token-scheme", "sts", "--token-set", "ea=08"), "device.json: token.ea"),
    ],
)
def test_wrong_wishes_leave_no_trace(tmp_path, capsys, words, said):
    given = {"--board": BOARD, "--meter": "m-1", "--out": tmp_path / "m-1"}
    more = [*words]
    for name in ("--board", "--meter"):
        if name in more:
            given.pop(name)
    line = [word for pair in given.items() for word in pair]
    code, _, err = run(capsys, "provision", *line, *more)
    assert code == 1 and said in err and "Traceback" not in err
    assert [path for path in tmp_path.iterdir() if path.name == "m-1"] == []


def test_the_gate_secrets_lie_apart(tmp_path, capsys):
    with pytest.raises(ProvisionError, match="must be three folders"):
        tenant.create("x", tmp_path / "ca", tmp_path / "k", tmp_path / "k")
    site = Site(tmp_path)
    with pytest.raises(ProvisionError, match="must not share a directory"):
        meter.create(site.tenant, site.keys, tmp_path / "m", meter.Wanted(BOARD, "m"), 9)
    (tmp_path / "other").mkdir()
    other = Site(tmp_path / "other")
    (other.keys / "tenant.json").write_text('{"tenant": "else"}')
    with pytest.raises(ProvisionError, match="keys of another tenant"):
        tenant.Tenant(site.tenant.ca, other.keys)


def test_wrong_usage(tmp_path, capsys):
    for words in (("provision",), ("provision", "--board", BOARD), ("provision", "nothing")):
        assert run(capsys, *words)[0] == 2
    words = ("provision", "--board", BOARD, "--meter", "m", "--out", tmp_path / "m")
    assert run(capsys, *words, "--token-set", "ea=07")[0] == 2
    assert run(capsys, *words, "--set", "tick_ms")[0] == 2
    assert list(tmp_path.iterdir()) == []


# --- tokens and a tariff ---


def test_a_meter_with_sts_tokens_and_a_tariff(tmp_path, capsys):
    (tmp_path / "t.json").write_bytes(tariff_of())
    words = ["provision", "--board", BOARD, "--meter", "m", "--out", tmp_path / "m"]
    words += ["--tariff", tmp_path / "t.json", "--token-scheme", "sts", "--token-set", "krn=2"]
    assert run(capsys, *words)[0] == 0
    site = Folder(str(tmp_path / "m"))
    assert (site.config.token.ea, site.config.token.krn) == ("07", 2)
    assert site.token_key == token_till.load(tmp_path / "keys", "m").key
    assert len(site.token_key) == 8
    assert site.tariff == tariff_of()


def test_a_meter_with_openpaygo_tokens(tmp_path, capsys):
    words = ["provision", "--board", BOARD, "--meter", "m", "--out", tmp_path / "m"]
    assert run(capsys, *words, "--token-scheme", "openpaygo")[0] == 0
    site = Folder(str(tmp_path / "m"))
    assert site.config.token.scheme == "openpaygo" and len(site.token_key) == 16
    assert (tmp_path / "keys" / "m.paygo").read_text().strip() == site.token_key.hex()


# --- once more, renewed, revoked, retired ---


def test_a_folder_that_is_lost_is_made_again_with_the_same_secrets(tmp_path):
    site = Site(tmp_path)
    first = site.meter("m-1")
    again = tmp_path / "again"
    meter.create(site.tenant, site.gate, again, meter.Wanted(BOARD, "m-1"), 9, again=True)
    for name in ("device.key", "gate.key", "public_keys.json"):
        assert (again / name).read_text() == (first / name).read_text()
    for name in ("client.key", "client.pem"):
        assert (again / name).read_text() != (first / name).read_text()
    serial = x509.load_pem_x509_certificate((first / "client.pem").read_bytes()).serial_number
    crl = x509.load_pem_x509_crl(site.tenant.meters().crl_path.read_bytes())
    assert [one.serial_number for one in crl] == [serial]
    with pytest.raises(KeysError, match="no such file"):
        meter.create(site.tenant, site.gate, tmp_path / "x", meter.Wanted(BOARD, "m-9"), 9, True)


def test_a_renewed_certificate_stands_beside_the_old_one(tmp_path):
    site = Site(tmp_path)
    site.meter("m-1")
    assert len(site.tenant.meters().live("m-1")) == 1
    retire.renew(site.tenant, "m-1", BOARD, tmp_path / "new", 9)
    assert len(site.tenant.meters().live("m-1")) == 2
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "ca.pem", "ca.der", "client.pem", "client.key",
    }  # fmt: skip
    assert retire.revoke(site.tenant, "m-1", []) == 2
    assert site.tenant.meters().live("m-1") == []
    with pytest.raises(ProvisionError, match="no certificate of 'm-1' is good"):
        retire.revoke(site.tenant, "m-1", [])
    with pytest.raises(KeysError):
        retire.renew(site.tenant, "m-9", BOARD, tmp_path / "x", 9)


def test_a_revoked_head_end_is_on_its_own_list(tmp_path):
    site = Site(tmp_path)
    site.head_end()
    site.broker()
    assert retire.revoke(site.tenant, "head-end", [tmp_path / "broker"]) == 1
    for name, count in (("head-end", 1), ("meters", 0)):
        crl = x509.load_pem_x509_crl((tmp_path / "broker" / f"{name}.crl").read_bytes())
        assert len(list(crl)) == count
        # One that is over would lock everybody out.
        assert crl.next_update_utc.year >= 2049


def test_a_retired_meters_secrets_are_archived_and_its_neighbours_stay(tmp_path):
    site = Site(tmp_path)
    for name in ("m", "m.1", "m1"):
        site.meter(name)
    secret = keys.load(site.keys, "m").device_key.hex()
    retire.decommission(site.tenant, site.gate, "m", [])
    assert secret in (site.keys / "retired" / "m.json").read_text()
    with pytest.raises(KeysError, match="no such file"):
        keys.load(site.keys, "m")
    for name in ("m.1", "m1"):
        assert keys.load(site.keys, name) and orders.load_gate(site.gate, name)
        assert (site.keys / f"{name}.counter").exists()
        assert site.tenant.meters().live(name)
    assert site.tenant.meters().live("m") == []


# --- the passphrase ---


def test_with_a_passphrase_no_private_key_lies_open(tmp_path, monkeypatch):
    monkeypatch.setenv(signing.PASSPHRASE, "correct horse")
    site = Site(tmp_path)
    out = site.meter("m-1")
    site.head_end()
    for path in [*site.tenant.ca.glob("*.key"), *site.keys.glob("*.pem")]:
        assert "ENCRYPTED" in path.read_text()
    assert "ENCRYPTED" in (tmp_path / "head" / "client.key").read_text()
    device_key = (out / "device.key").read_text().strip()
    held = everything(site.keys) | everything(site.gate) | everything(site.tenant.ca)
    for name in ("device.key", "gate.key"):
        secret = (out / name).read_text().strip().encode()
        assert not any(secret in data for data in held.values())
    assert keys.load(site.keys, "m-1").device_key.hex() == device_key
    # What the meter itself reads as it starts, with nobody there, cannot be sealed.
    assert Folder(str(out)).device_key.hex() == device_key
    for wrong in ("wrong", ""):
        monkeypatch.setenv(signing.PASSPHRASE, wrong)
        with pytest.raises(KeysError, match="m-1.json: does not open; is WATTLEDGER_PASSPHRASE"):
            keys.load(site.keys, "m-1")
        with pytest.raises(KeysError, match="does not open"):
            orders.load_gate(site.gate, "m-1")
        with pytest.raises(ProvisionError, match="WATTLEDGER_PASSPHRASE"):
            site.tenant.meters()
    monkeypatch.setenv(signing.PASSPHRASE, "correct horse")
    text = (site.keys / "m-1.json").read_text().replace('"m-1"', '"m-2"')
    durable.replace(site.keys / "m-2.json", text, 0o600)
    with pytest.raises(KeysError, match="does not open"):  # another meter's, renamed
        keys.load(site.keys, "m-2")


def test_a_head_end_reads_its_key_under_the_passphrase(tmp_path, monkeypatch):
    from wattledger.tools import head_end
    from wattledger.tools.errors import BrokerError

    monkeypatch.setenv(signing.PASSPHRASE, "correct horse")
    place = Site(tmp_path).head_end()
    found = head_end.load(place)
    assert found.address.host == "127.0.0.1"
    assert found.context().verify_mode is ssl.CERT_REQUIRED and found.context().check_hostname
    monkeypatch.setenv(signing.PASSPHRASE, "wrong")
    with pytest.raises(BrokerError, match="is WATTLEDGER_PASSPHRASE right"):
        found.context()
    with pytest.raises(BrokerError, match="provision head-end"):
        head_end.load(tmp_path)
    (place / "head-end.json").write_text('{"v": 1, "host": "h", "port": 70000}')
    with pytest.raises(BrokerError, match="is no address"):
        head_end.load(place)
