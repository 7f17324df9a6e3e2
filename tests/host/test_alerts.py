"""Alerts on their way to real services on this machine, and what becomes of those nobody takes."""

import contextlib
import http.server
import json
import os
import threading
import time
import types

import pytest

from wattledger.agent import events
from wattledger.agent.display import notices
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.firmware import alerts_linux, main_pi
from wattledger.firmware.alerts_linux import AlertFace, AlertsFile
from wattledger.firmware.errors import SiteError
from wattledger.hal.display.faces import Faces
from wattledger.hal.errors import HalError
from wattledger.hal.network.apprise_linux import AppriseSender
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.fixtures_agent import START, House, ScriptedChip, tariff_of
from wattledger.tests.host.mqtt_bench import HOST, until
from wattledger.tools import cli

SECRET = "s3cr3t-word"


class Service:
    """An HTTP service on this machine: `answers` are the codes it gives, the last one for ever."""

    def __init__(self, *answers):
        self.answers = list(answers) or [200]
        self.got = []
        self.hold = threading.Event()
        self.hold.set()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.hold.wait(20)
                code = service.answers[0]
                if len(service.answers) > 1:
                    service.answers.pop(0)
                service.got.append(json.loads(body))
                with contextlib.suppress(OSError):
                    self.send_response(code)
                    self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"json://meter:{SECRET}@{HOST}:{self.port}/alerts"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def sending(*targets, retry_s=()):
    sender = AppriseSender(targets, retry_s)
    try:
        yield sender
    finally:
        sender.close()


def results(sender, count):
    found = []
    assert until(lambda: found.extend(sender.results()) or len(found) >= count, 10), found
    return found


def test_an_alert_arrives_at_every_service():
    with Service() as one, Service() as two:
        with sending(("one", one.url), ("two", two.url)) as sender:
            sender.send(4, "Power is cut", "停电")
            assert sorted(results(sender, 2)) == [(4, "one", None), (4, "two", None)]
        for service in (one, two):
            ((got),) = service.got
            assert (got["title"], got["message"]) == ("Power is cut", "停电")


def test_a_service_that_was_busy_is_tried_again():
    with Service(503, 503, 200) as service:
        with sending(("one", service.url), retry_s=(0.01, 0.02)) as sender:
            sender.send(1, "t", "x")
            assert results(sender, 1) == [(1, "one", None)]
        assert len(service.got) == 3


@pytest.mark.parametrize(("code", "fault"), [(401, "it answered 401"), (500, "it answered 500")])
def test_a_refusal_says_why_and_no_secret(code, fault, caplog, capfd):
    with Service(code) as service, sending(("one", service.url), retry_s=(0.01,)) as sender:
        sender.send(1, "t", "x")
        assert results(sender, 1) == [(1, "one", fault)]
        assert len(service.got) == 2
    told = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in told and told == ""


def test_a_service_that_is_gone_is_no_connection():
    with Service() as service:
        url = service.url
    with sending(("one", url)) as sender:
        sender.send(1, "t", "x")
        assert results(sender, 1) == [(1, "one", "no connection")]


def test_a_service_that_hangs_keeps_nobody_waiting_but_alerts():
    with Service() as service, sending(("one", service.url)) as sender:
        service.hold.clear()
        began = time.monotonic()
        for token in range(50):
            sender.send(token, "t", "x")
        assert time.monotonic() - began < 0.5
        # One is under way and 32 wait; the others are told as not sent, at once.
        faults = [fault for _, _, fault in results(sender, 17)]
        assert set(faults) == {"too many wait"}
        service.hold.set()


def test_what_a_stop_leaves_unsent_is_told():
    with Service(503) as service:
        sender = AppriseSender([("one", service.url)], retry_s=(60,))
        sender.send(1, "t", "x")
        assert until(lambda: service.got)
        time.sleep(0.05)
        sender.close()
        assert sender.results() == [(1, "one", "the meter stopped before it was sent")]


def test_an_address_that_is_none_is_refused_by_its_name():
    with pytest.raises(HalError, match="the address of 'phone'") as caught:
        AppriseSender([("phone", f"nosuch://{SECRET}")])
    assert SECRET not in str(caught.value)


# --- alerts.json ---


def write(folder, document, mode=0o600):
    path = folder / "alerts.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(mode)
    return path


def document_of(*urls, **changes):
    send = [{"name": f"service {place}", "url": url} for place, url in enumerate(urls, 1)]
    return {"v": 1, "send": send, **changes}


def test_a_whole_file_is_read(tmp_path):
    path = write(tmp_path, document_of("a://b", language="zh", quiet=["22:30", "07:00"]))
    file = AlertsFile(str(path))
    assert (file.language, file.quiet, file.days) == ("zh", (1350, 420), (3, 1))
    assert file.targets == [("service 1", "a://b")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"v": 2}, "v: must be 1"),
        ({"quite": []}, "quite: unknown key"),
        ({"language": "de"}, "language: must be en or zh"),
        ({"quiet": ["22:00"]}, 'quiet: must be two times as ["22:00", "07:00"]'),
        ({"quiet": ["22:00", "24:00"]}, "quiet: must be two times"),
        ({"quiet": "22:00"}, "quiet: must be two times"),
        ({"days": [1, 3]}, "days: must be two whole numbers up to 60, the larger first"),
        ({"days": [True, False]}, "days: must be two whole numbers"),
        ({"send": []}, "send: must list 1 to 8 services"),
        ({"send": [{"url": f"a://{SECRET}"}]}, "send: number 1 must have a name and a url"),
        ({"send": [{"name": "a", "url": f"a://{SECRET}"}] * 2}, "two services have the same name"),
    ],
)
def test_a_wrong_file_says_what_and_quotes_no_address(tmp_path, changes, said):
    path = write(tmp_path, document_of(f"json://{SECRET}", **changes))
    with pytest.raises(SiteError) as caught:
        AlertsFile(str(path))
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"v": 1, "send": "' + SECRET, '{"v": ' + "[" * 100_000]
)
def test_what_is_no_json_object_is_refused(tmp_path, text):
    with pytest.raises(SiteError) as caught:
        AlertsFile(str(write(tmp_path, text)))
    assert SECRET not in str(caught.value)


def test_a_file_that_others_may_read_is_refused(tmp_path):
    with pytest.raises(SiteError, match="chmod 600"):
        AlertsFile(str(write(tmp_path, document_of("a://b"), mode=0o640)))


# --- a meter and its household ---


class AlertedHouse(House):
    """A house with a face that alerts; a boot makes it anew, as a process would."""

    def __init__(self, file, retry_s=(), **config):
        self._file = file
        self._retry_s = retry_s
        self.log = []
        self.alerts = None
        super().__init__(**config)

    def boot(self, tariff=None, cold=True):
        if self.alerts is not None:
            self.alerts.close()
        sender = AppriseSender(self._file.targets, self._retry_s)
        self.alerts = AlertFace(self._file, self.storage, True, self.log.append, sender)
        self.scripted, self.page = self.page, Faces([self.page, self.alerts])
        super().boot(tariff, cold)
        self.page = self.scripted
        self.alerts.report = self.agent.report


@pytest.fixture
def alerted(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(service, **config):
            file = AlertsFile(str(write(tmp_path, document_of(service.url))))
            house = AlertedHouse(file, credit=10, **config)
            stack.callback(lambda: house.alerts.close())
            return house

        yield make


def titles(service):
    return [got["title"].split(" - ")[0] for got in service.got]


def test_a_household_is_told_the_whole_story_of_its_credit(alerted):
    with Service() as service:
        house = alerted(service)
        # 1.000000 a Wh: 5 of 10 are left, the first level; then the second, then nothing. What is
        # shown is what was kept, every ten seconds.
        for wh in (5, 3, 3):
            house.run(wh, 3600)
            house.run(12)
        house.run(60)
        house.pay(900, 1)
        house.run(60)
        house.hold(3500)
        house.run(2)
        assert house.relay.contact() is True
        assert until(lambda: "Power is back" in titles(service))
        assert titles(service) == [
            "Credit is getting low",
            "Credit is very low",
            "Power is cut",
            "Power may be switched on",
            "Power is back",
        ]
        cut = service.got[titles(service).index("Power is cut")]
        assert cut["message"] == "Reason: no credit. Pay at least 1.00 CNY."
        assert house.told(events.ALERT_FAILED) == house.told(events.ALERT_HELD) == []


def test_an_alert_that_no_service_took_is_in_the_journal_and_the_log(alerted):
    with Service(403) as service:
        house = alerted(service)
        house.run(5, 3600)
        house.run(12)
        assert until(lambda: service.got)
        assert until(lambda: house.once(1000) or house.log)
        house.agent.keeper.now()
        assert house.told(events.ALERT_FAILED) == [notices.LOW_1]
        assert house.log == ["alert low1 to 'service 1': it answered 403"]


def test_an_alert_that_a_stop_left_unsent_is_in_the_journal(alerted):
    with Service(503) as service:
        house = alerted(service, retry_s=(60,))
        house.run(5, 3600)
        house.run(12)
        assert until(lambda: service.got)
        time.sleep(0.05)
        house.alerts.close()
        house.agent.stop()
        assert house.told(events.ALERT_FAILED) == [notices.LOW_1]


def test_a_boot_tells_a_household_nothing_twice(alerted):
    with Service() as service:
        house = alerted(service)
        house.run(5, 3600)
        house.run(12)
        assert until(lambda: service.got)
        house.boot()
        house.run(3)
        time.sleep(0.1)
        assert titles(service) == ["Credit is getting low"]


def test_a_step_does_not_wait_for_a_service(alerted):
    with Service() as service:
        house = alerted(service)
        service.hold.clear()
        began = time.monotonic()
        house.run(9, 3600)
        house.run(12)
        assert time.monotonic() - began < 2  # a service may take 4 s
        service.hold.set()


def test_a_fault_in_the_rules_harms_no_step(alerted):
    with Service() as service:
        house = alerted(service)
        house.run(1)
        house.alerts._rules.look = None
        house.run(3)
        assert len(house.log) == 1 and house.log[0].startswith("alerts failed")
        assert house.told(events.STEP_FAILED) == []


def test_a_wrong_file_stops_no_meter(tmp_path):
    said = []
    write(tmp_path, "{")
    house = House()
    assert alerts_linux.face(str(tmp_path), house.config, house.storage, said.append) is None
    assert len(said) == 1 and said[0].startswith("no alerts are sent: ")
    os.remove(tmp_path / "alerts.json")
    assert alerts_linux.face(str(tmp_path), house.config, house.storage, said.append) is None
    assert len(said) == 1


# --- wattledger notify test ---


def test_the_command_tells_which_service_took_it(tmp_path, capsys):
    with Service() as good, Service(401) as bad:
        write(tmp_path, document_of(good.url, bad.url))
        code = cli.run(["notify", "test", str(tmp_path), "--json"])
        said = capsys.readouterr()
        assert code == 1
        assert json.loads(said.out) == {
            "services": [
                {"name": "service 1", "fault": None},
                {"name": "service 2", "fault": "it answered 401"},
            ]
        }
        assert said.err == "service 2: it answered 401; check its url in alerts.json\n"
        assert titles(good) == ["Test alert"]
        assert good.got[0]["message"] == "Alerts of this meter arrive here."


def test_the_command_is_content_when_every_service_is(tmp_path, capsys):
    with Service() as good:
        path = write(tmp_path, document_of(good.url, language="zh"))
        assert cli.run(["notify", "test", str(path)]) == 0
        assert capsys.readouterr().out == "service 1: taken\n"
        assert titles(good) == ["测试提醒"]


def test_the_command_says_what_is_wrong_with_the_file(tmp_path, capsys):
    assert cli.run(["notify", "test", str(tmp_path)]) == 1
    assert "alerts.json: cannot be read (No such file" in capsys.readouterr().err


# --- the root of a Raspberry Pi ---


def test_a_raspberry_pi_alerts_whom_its_site_names(tmp_path):
    site, state = tmp_path / "site", tmp_path / "state"
    site.mkdir()
    state.mkdir()
    device = {"v": 1, "meter": "pi-0001", "tenant": "demo", "board": "pi_atm90e32"}
    (site / "device.json").write_text(json.dumps(device))
    (site / "device.key").write_text("00" * 32)
    (site / "device.key").chmod(0o600)
    (site / "tariff.json").write_bytes(tariff_of())
    commission(PosixStorage(str(state)), "pi-0001", START, TRUST_SYNCED, 4_000_000, CONNECTED)
    clock = VirtualClock(START * 1000, wall_s=START)
    clock.online = True
    parts = types.SimpleNamespace(
        Hardware=lambda *_: types.SimpleNamespace(
            chip=ScriptedChip(),
            relay=LatchingRelay(True),
            clock=clock,
            button=None,
            inputs=None,
            close=lambda: None,
        )
    )
    options = main_pi.parse([str(site), "--state", str(state)])
    with Service() as service, Service(503) as busy:
        write(site, document_of(service.url, busy.url))
        meter = main_pi.PiMeter(options, parts)
        try:
            meter.start()

            def passes():
                clock.advance(10_000)
                meter.turn()
                return service.got and busy.got

            assert until(passes)
            time.sleep(0.05)
        finally:
            meter.stop()
    # 4.00 of the first level of 5.00; the tariff comes into force within a quarter of an hour.
    assert service.got[0]["title"] == "Credit is getting low - Meter pi-0001"
    assert service.got[0]["message"] == "4.00 CNY left. Please top up."
    # The busy one was to be tried again; the meter stopped before.
    found = walk(PosixStorage(str(state)), records.first_hash("pi-0001"))
    told = [
        readers.unpack_event(entry.payload) for _, entry in found if entry.kind == records.EVENT
    ]
    assert (events.ALERT_FAILED, notices.LOW_1) in told
