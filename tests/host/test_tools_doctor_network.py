"""`wattledger doctor`: files, broker, certificates, page; how it speaks."""

import contextlib
import datetime
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from wattledger.board import pi_atm90e32
from wattledger.firmware.site import Site
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.host_sim.chip.ds3231 import Ds3231 as Clock
from wattledger.tests.host.mqtt_bench import HOST, running_broker
from wattledger.tests.host.test_pi_process import GAINS, Bench
from wattledger.tools import (
    cli,
    doctor,
    doctor_broker,
    doctor_bus,
    doctor_clock,
    doctor_pins,
    doctor_storage,
    findings,
)


def stands(found):
    return found.state, found.found


# --- the broker and its certificates ---


def signed(folder, name, days, authority=None):
    """(certificate, key) by openssl: its own authority, or signed by one."""
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", str(days), "-subj", f"/CN={name}", "-keyout", key]
    command += ["-out", certificate, "-addext", f"subjectAltName=IP:{HOST}"]
    if authority:
        command += ["-CA", authority[0], "-CAkey", authority[1]]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return signed(tmp_path_factory.mktemp("authority"), "authority", 3650)


@contextlib.contextmanager
def listening(answer, certificate=None, authority=None):
    """A port that answers the first bytes of each connection; by TLS with a certificate."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.load_verify_locations(authority[0])
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((HOST, 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    line = server.accept()[0]
                    line.settimeout(5)
                    with contextlib.suppress(OSError), line:
                        end = context.wrap_socket(line, server_side=True) if context else line
                        heard.append(end.recv(100))
                        end.sendall(answer)
                        end.recv(100)

        heard = []
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


def asked(port, authority, own, scheme="mqtts"):
    files = (authority[0], *own) if own else (None, None, None)
    return list(doctor_broker.check(f"{scheme}://{HOST}:{port}", *files))


def day(ahead):
    """The date so many days ahead, UTC."""
    return (datetime.datetime.now(datetime.timezone.utc) + ahead * DAY).strftime("%Y-%m-%d")


DAY = datetime.timedelta(days=1)
ACCEPTED = b"\x20\x02\0\0"


@pytest.mark.parametrize(
    ("days", "state", "fix"),
    [
        (6, "fail", "renew it now"),
        (20, "warn", "renew it this week"),
        (60, "warn", "plan its renewal"),
        (100, "ok", ""),
    ],
)
def test_a_broker_by_tls_and_the_days_its_certificates_last(tmp_path, authority, days, state, fix):
    own = signed(tmp_path, "meter", 400, authority)
    server = signed(tmp_path, "server", days, authority)
    with listening(ACCEPTED, server, authority) as (port, heard):
        found = asked(port, authority, own)
    # A certificate of so many days has that less a moment.
    assert [stands(one) for one in found] == [
        ("ok", f"the meter's lasts 399 more days, until {day(400)}"),
        ("ok", f"the authority's lasts 3649 more days, until {day(3650)}"),
        (state, f"the broker's lasts {days - 1} more days, until {day(days)}"),
        ("ok", f"{HOST} port {port} answers"),
    ]
    assert found[2].fix == fix
    # MQTT 3.1.1: CONNECT of 29 bytes, clean session, 10 s, a client id of 17 of its own
    assert heard == [b"\x10\x1d\0\4MQTT\4\2\0\x0a\0\x11wattledger-doctor"]


def test_a_certificate_that_has_ended():
    assert stands(doctor_broker._dates("meter's", 1_795_858_215)) == (
        "fail",
        "the meter's has ended on 2026-11-28",
    )


def test_a_broker_that_another_authority_signed_is_not_believed(tmp_path, authority):
    own = signed(tmp_path, "meter", 400, authority)
    stranger = signed(tmp_path, "stranger", 400)
    with listening(ACCEPTED, stranger, authority) as (port, heard):
        found = asked(port, authority, own)[-1]
    assert found.state == "fail" and "self-signed certificate" in found.found
    assert heard == []


def test_a_broker_without_tls_and_what_can_be_wrong_with_it():
    with running_broker("auto") as broker:
        assert stands(asked(broker.port, None, None, "mqtt")[0]) == (
            "ok",
            f"{HOST} port {broker.port} answers",
        )
    assert "Connection refused" in asked(broker.port, None, None, "mqtt")[0].found
    for answer, state, words in (
        (b"HTTP", "fail", "speaks no MQTT"),
        (b"\x20\x02\0\5", "warn", "refuses a connection (code 5)"),
    ):
        with listening(answer) as (port, _):
            found = asked(port, None, None, "mqtt")[0]
        assert found.state == state and words in found.found
    refused = next(doctor_broker.check("mqtt://192.0.2.1", None, None, None))
    assert stands(refused) == ("fail", "broker 192.0.2.1 is another machine")
    assert refused.fix == "use mqtts:// with --ca, --cert and --key"
    refused = next(doctor_broker.check("mqtts://192.0.2.1", None, None, None))
    assert refused.found == "a connection by mqtts:// needs --ca, --cert and --key"


def test_the_port_of_the_page():
    assert doctor_broker.page("8080x", False).state == "fail"
    with socket.create_server((HOST, 0)) as taken:
        address = f"{HOST}:{taken.getsockname()[1]}"
        assert doctor_broker.page(address, False).state == "fail"
        taken_by = f"{address} is taken, most likely by the running meter"
        assert stands(doctor_broker.page(address, True)) == ("ok", taken_by)
    assert doctor_broker.page(address, False).state == "ok"


# --- files ---


def test_the_folder_of_a_meter(tmp_path, monkeypatch):
    found = list(doctor_storage.state(tmp_path / "none"))
    assert [stands(one) for one in found] == [("fail", f"{tmp_path}/none: no such folder")]
    names = {one.name: one for one in doctor_storage.state(tmp_path)}
    assert names["storage"].state == "ok"
    assert stands(names["journal"]) == ("warn", f"{tmp_path}: holds no journal")
    assert list(tmp_path.iterdir()) == []  # nothing of the probe stays
    usage = doctor_storage.shutil.disk_usage(tmp_path)
    for free, state in ((900_000, "fail"), (19_000_000, "warn"), (20_000_000, "ok")):
        monkeypatch.setattr(
            doctor_storage.shutil, "disk_usage", lambda _, free=free: usage._replace(free=free)
        )
        assert doctor_storage._room(tmp_path).state == state


def test_a_journal_that_is_damaged(tmp_path):
    from wattledger.agent.ledger import commission
    from wattledger.hal.storage.posix_linux import PosixStorage

    commission(PosixStorage(tmp_path), "pi-0001", 1_800_000_000, 2, 5_000_000, 2)
    segment = next(path for path in tmp_path.iterdir() if path.name.startswith("j"))
    data = bytearray(segment.read_bytes())
    data[20] ^= 1
    segment.write_bytes(data)
    found = list(doctor_storage.state(tmp_path))[-1]
    assert found.state == "fail" and "entry 1" in found.found


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", fail)
    found = doctor_storage._write(tmp_path)
    assert found.state == "fail" and "Read-only" in found.found


def test_a_calibration_is_there_and_of_this_chip(tmp_path):
    bench = Bench(tmp_path)
    site = Site(str(bench.site))
    assert doctor_storage.calibration(pi_atm90e32, site).state == "ok"
    changed = json.loads((bench.site / "calibration.json").read_text())
    changed["constants"][0] = {**GAINS, "voltage_gain": 36_701}
    bench.write("calibration.json", json.dumps(changed))
    found = doctor_storage.calibration(pi_atm90e32, Site(str(bench.site)))
    assert found.state == "fail" and "changed by hand" in found.found + found.fix
    (bench.site / "calibration.json").unlink()
    found = doctor_storage.calibration(pi_atm90e32, Site(str(bench.site)))
    assert stands(found) == ("warn", "no calibration.json: the nominal constants of pi_atm90e32")


# --- clocks and pins ---


def test_the_systems_clock():
    assert doctor_clock.system(lambda: None).state == "warn"
    assert stands(doctor_clock.system(lambda: 4_001)) == (
        "ok",
        "a time server is followed, to 5 ms",
    )


def test_a_battery_clock_that_runs_apart(monkeypatch):
    chip = Clock()
    chip.close = lambda: None
    monkeypatch.setattr(doctor_clock, "LinuxI2c", lambda bus, address: chip)
    clock = Ds3231(chip)
    clock.set(int(time.time()) - 100)
    found = doctor_clock.battery(pi_atm90e32, lambda: 4_000)
    assert found.state == "warn" and found.found.startswith("the DS3231 is 10")
    assert doctor_clock.battery(pi_atm90e32, lambda: None).state == "ok"  # nothing to hold it to


def test_the_contact_is_read_and_no_coil_is_touched(monkeypatch):
    gpiozero = pytest.importorskip("gpiozero")
    from gpiozero.pins.mock import MockFactory

    from wattledger.tests.host.pi_process import Grounded

    pins = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", pins)
    assert stands(doctor_pins.contact(pi_atm90e32)) == (
        "ok",
        "its contact is open: the supply is off",
    )
    pins.reset()
    pins.pin(pi_atm90e32.CONTACT, pin_class=Grounded).drive_low()
    found = doctor_pins.contact(pi_atm90e32)
    assert stands(found) == ("ok", "its contact is closed: the supply is on")
    for coil in (pi_atm90e32.RELAY_OPEN, pi_atm90e32.RELAY_CLOSE):
        assert pins.pin(coil).function == "input"
        assert not any(change.state for change in pins.pin(coil).states)


def test_pins_that_cannot_be_driven(monkeypatch):
    gpiozero = pytest.importorskip("gpiozero")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nosuchfactory")
    found = doctor_pins.contact(pi_atm90e32)
    assert found.state == "fail" and "nosuchfactory" in found.found
    assert found.fix.startswith("sudo apt install python3-lgpio")


# --- what only looks like a chip ---


class Registers:
    """An SPI device that answers frames from a table, {bytes sent first: bytes at the end}."""

    def __init__(self, answers, otherwise):
        self._answers = answers
        self._otherwise = otherwise

    def transfer(self, out, into):
        head = bytes(out[:2])
        answer = self._answers.get(head, self._otherwise)
        if answer is None:  # as LAST_ADD answers
            answer = self._last
        self._last = head
        into[:] = (b"\0" * len(into) + answer)[-len(into) :]


def test_a_line_that_looks_like_a_chip_is_none():
    three = {b"\x80\x31": b"\x08\x61", b"\x80\x32": b"\xc4\x68", b"\x80\x33": b"\0\x87"}
    # Its registers hold values, and LastSPIData does not repeat them.
    assert not doctor_bus.is_atm90e32(Registers(three, b"\x12\x34"))
    # It repeats them, and all are alike: a line that answers the same to everything.
    assert not doctor_bus.is_atm90e32(Registers({}, b"\x12\x34"))
    # LAST_OP says read; LAST_ADD names another register.
    assert not doctor_bus.is_ade7953(Registers({b"\0\xfd": b"\x35"}, b"\x02\x20"))
    # LAST_ADD names the register each time; LAST_OP says write, then read.
    assert not doctor_bus.is_ade7953(Registers({b"\x01\xfe": None}, b"\xca"))
    assert doctor_bus.is_ade7953(Registers({b"\x01\xfe": None}, b"\x35"))
    # Channel 0 is a good answer of 0x842, the others have no null bit.
    assert not doctor_bus.is_mcp3208(Registers({b"\x06\0": b"\xe8\x42"}, b"\xff\xff\xff"))
    # All have it, and all stand at a rail: a line that is low.
    assert not doctor_bus.is_mcp3208(Registers({}, b"\0\0\0"))
    assert doctor_bus.is_mcp3208(Registers({}, b"\xff\xe8\x42"))


# --- how it speaks ---


def test_a_meter_that_runs_keeps_its_chip_and_pins(tmp_path, monkeypatch):
    for number, words in (
        (7, ["/opt/wattledger/bin/python", "/opt/wattledger/bin/wattledger", "doctor"]),
        (8, ["less", "wattledger-meter.txt"]),
    ):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_bytes("\0".join([*words, ""]).encode())
    (tmp_path / "9").mkdir()  # ended meanwhile
    assert doctor.running_meter(tmp_path) is None
    meter = "/opt/wattledger/bin/python\0/opt/wattledger/bin/wattledger-meter\0/etc/wattledger\0"
    (tmp_path / "9" / "cmdline").write_bytes(meter.encode())
    assert doctor.running_meter(tmp_path) == 9
    monkeypatch.setattr(doctor, "running_meter", lambda: 9)
    monkeypatch.setattr(
        doctor_bus, "present", lambda board: findings.Finding("bus", findings.OK, "")
    )
    names = [found.name for found in doctor._hardware(pi_atm90e32, None, False)]
    assert names == ["bus", "meter", "battery"]


def test_no_line_is_longer_than_a_terminal(capsys):
    code = cli.run(["doctor", "--board", "pi_atm90e32", "--broker", f"mqtt://{HOST}:1"])
    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0].startswith("fail  bus         /dev/spidev0.0 is missing")
    assert lines[1].startswith("                  -> enable SPI with raspi-config")
    assert max(len(line) for line in lines) <= 80
    assert " fail" in lines[-1] and " ok" in lines[-1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "which board? name it with --board"),
        (["--board", "sim"], 1, "'sim' is no board of a Raspberry Pi"),
        (["--board", "esp32_bl0942"], 1, "is no board of a Raspberry Pi"),
    ],
)
def test_a_board_must_be_named(capsys, words, code, said):
    assert cli.run(["doctor", *words]) == code
    assert said in capsys.readouterr().err


def test_a_site_that_is_wrong_is_a_check_that_fails(tmp_path, capsys):
    assert cli.run(["doctor", "--site", str(tmp_path), "--board", "pi_atm90e32"]) == 1
    out = capsys.readouterr().out
    words = " ".join(out.split())
    assert words.startswith(f"fail site {tmp_path}/device.json: no such file -> give the folder")
