"""The page server over plain HTTP: who may ask, what is answered, that nobody can hold it up."""

import http.client
import json
import socket
import time
from pathlib import Path

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")

from wattledger.hal.display import connection, files, folder, stream, told
from wattledger.hal.display.page import WAITING_MAX
from wattledger.hal.display.page_server_linux import PageServer
from wattledger.hal.display.page_text import TextPage
from wattledger.hal.errors import HalError
from wattledger.tests.host.page_client import Slow, check_refused_late

NAMES = [f"{stem}.{ending}" for ending, _, stems in files.KINDS for stem in stems.split()]


@pytest.fixture
def server():
    server = PageServer()
    server.start()
    yield server
    server.stop()


def ask(server, path, method="GET", **headers):
    """(status, headers, body as text) of one request; header names with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def press(server, path="/press"):
    origin = "http://127.0.0.1:%d" % server.port
    return ask(server, path, "POST", Origin=origin, X_Wattledger="1")


class Watcher:
    """A client of /events."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        self.connection.request("GET", "/events")
        self.answer = self.connection.getresponse()

    def event(self):
        """(name, data) of the next event."""
        lines = []
        while not lines or lines[-1]:
            lines.append(self.answer.readline().decode().rstrip("\n"))
        fields = dict(line.split(": ", 1) for line in lines if line)
        return fields["event"], fields["data"]

    def close(self):
        self.answer.close()
        self.connection.close()


def requests(server):
    found = []
    while (request := server.request()) is not None:
        found.append(request)
    return found


def test_start_binds_a_free_port_and_names_it(server):
    assert server.url == "http://127.0.0.1:%d/" % server.port
    status, headers, body = ask(server, "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "<title>Wattledger</title>" in body


def test_a_taken_port_is_said_in_words(server):
    with pytest.raises(HalError) as caught:
        PageServer(port=server.port).start()
    assert "port %d: another program uses it" % server.port in str(caught.value)


def test_an_address_of_another_machine_is_said_in_words():
    with pytest.raises(HalError) as caught:
        PageServer(host="192.0.2.1").start()
    assert "no such address" in str(caught.value)


def test_stop_frees_the_port_and_may_be_called_twice():
    first = PageServer()
    first.start()
    watcher = Watcher(first)
    first.stop()
    first.stop()
    watcher.close()
    second = PageServer(port=first.port)
    second.start()
    assert ask(second, "/view")[0] == 200
    second.stop()


def test_view_is_the_latest_shown(server):
    assert ask(server, "/view")[2] == "{}"
    server.show({"meter": "a", "power_mw": 1})
    server.show({"meter": "a", "power_mw": 2})
    status, headers, body = ask(server, "/view")
    assert (status, json.loads(body)) == (200, {"meter": "a", "power_mw": 2})
    assert headers["Cache-Control"] == "no-store"


def test_a_shown_view_is_not_changed_by_its_owner_later(server):
    view = {"power_mw": 1}
    server.show(view)
    view["power_mw"] = 2
    assert json.loads(ask(server, "/view")[2]) == {"power_mw": 1}


@pytest.mark.parametrize("path", ["/", "/view", "/events", "/assets/app.js"])
def test_a_foreign_host_name_is_refused(server, path):
    status, _, body = ask(server, path, Host="rebound.example:%d" % server.port)
    assert status == 403
    assert "127.0.0.1, [::1], localhost" in body


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:80", "[::1]:8080", "127.0.0.1"])
def test_own_host_names_are_served_on_any_port(server, name):
    assert ask(server, "/view", Host=name)[0] == 200


def test_a_configured_host_name_is_served():
    server = PageServer(allowed_hosts=["meter.local"])
    server.start()
    try:
        assert ask(server, "/view", Host="meter.local")[0] == 200
        assert ask(server, "/view", Host="localhost")[0] == 403
        assert ask(server, "/view")[0] == 200  # the address it was told to bind
    finally:
        server.stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Wattledger": "1"},
        {"X_Wattledger": "1", "Origin": "null"},
        {"X_Wattledger": "1", "Origin": "http://evil.example"},
        {"X_Wattledger": "1", "Origin": "http://127.0.0.1:1"},
        {"Origin": "own"},
        {"Origin": "own", "X_Wattledger": "0"},
        {"Origin": "own", "X_Wattledger": "1", "Host": "evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/press", "/release"])
def test_a_post_from_elsewhere_is_refused_and_asks_nothing(server, path, headers):
    if headers.get("Origin") == "own":
        headers = dict(headers, Origin="http://127.0.0.1:%d" % server.port)
    status, _, body = ask(server, path, "POST", **headers)
    assert status == 403
    assert len(body.split()) > 5
    assert server.request() is None


def test_press_and_release_reach_the_agent_in_order(server):
    assert press(server)[0] == 200
    assert press(server, "/release")[0] == 200
    assert requests(server) == [("press",), ("release",)]


def test_a_held_button_leaves_room_for_its_release(server):
    for _ in range(3 * WAITING_MAX):
        assert press(server)[0] == 200
    assert press(server, "/release")[0] == 200
    assert requests(server) == [("press",), ("release",)]


def test_waiting_requests_are_bounded():
    page = TextPage()
    taken = [page.ask(("press", "release")[n % 2]) for n in range(20)]
    assert taken[:9] == [True] * 8 + [False]
    assert requests(page) == [("press",), ("release",)] * 4


def test_a_full_queue_is_said_in_words(server):
    answers = [press(server, ("/press", "/release")[n % 2]) for n in range(9)]
    assert [status for status, _, _ in answers] == [200] * 8 + [503]
    assert "let go and try again" in answers[8][2]


@pytest.mark.parametrize("path", ["/press", "/release"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_post_asks_for_anything(server, path, method):
    origin = "http://127.0.0.1:%d" % server.port
    assert ask(server, path, method, Origin=origin, X_Wattledger="1")[0] == 405
    assert server.request() is None


def test_reading_changes_nothing(server):
    server.show({"power_mw": 7})
    before = ask(server, "/view")[2]
    for path in ["/", "/view", *("/assets/" + name for name in NAMES)]:
        assert ask(server, path)[0] == 200
    assert ask(server, "/view")[2] == before
    assert server.request() is None


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/assets/", "/assets/../app.py", "/assets/..%2fapp.py", "/assets//etc/passwd"],
)
def test_an_unknown_address_is_said_in_words(server, path):
    status, headers, body = ask(server, path)
    assert status == 404
    assert headers["Content-Type"].startswith("text/plain")
    assert body == "There is nothing at this address. The page is at /\n"


def test_a_history_is_asked_of_the_meter_once_and_kept_while_it_holds(server, monkeypatch):
    monkeypatch.setattr(told, "POLLS", 2)
    server.show({"recorded_until": 900})
    status, headers, words = ask(server, "/history?span=day")
    assert (status, headers["Retry-After"]) == (202, "1") and "ask again" in words
    assert server.request() == ("tell", "day")
    server.answer("day", '{"rows":[1]}')
    server.answer("week", '{"rows":[7]}')
    while server.request():
        pass
    for _ in range(2):
        assert ask(server, "/history?span=day")[::2] == (200, '{"rows":[1]}')
    assert ask(server, "/history?span=week")[2] == '{"rows":[7]}'
    assert server.request() is None
    server.show({"recorded_until": 1800})  # an interval has closed: what is kept is old
    assert ask(server, "/history?span=day")[0] == 202
    assert server.request() == ("tell", "day")


def test_what_cannot_be_told_is_said_and_asked_for_again(server, monkeypatch):
    monkeypatch.setattr(told, "POLLS", 1)
    server.show({"recorded_until": 900})
    server.answer("tariff", "")
    assert ask(server, "/tariff")[0] == 503
    assert ask(server, "/tariff")[0] == 202
    assert server.request() == ("tell", "tariff")
    status, _, words = ask(server, "/history?span=century")
    assert status == 400 and "day, week, month, year, long" in words


def test_a_microcontroller_keeps_one_answer_and_no_years_of_days():
    page = TextPage()
    page.show({})
    page.answer("day", "1")
    page.answer("week", "2")
    assert page.told("week") == "2"
    assert page.told("day") is None
    assert "long" not in page.spans


@pytest.mark.parametrize("path", ["/", "/view", "/nothing", "/press"])
def test_every_answer_carries_the_security_headers(server, path):
    headers = ask(server, path)[1]
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in headers


def test_no_file_of_the_page_is_taken_for_anything_else(server):
    for name in ("app.js", "theme.css", "i18n/en.json", "icon.svg"):
        headers = ask(server, "/assets/" + name)[1]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


def test_assets_are_revalidated_by_their_content(server):
    status, headers, _ = ask(server, "/assets/app.js")
    assert (status, headers["Cache-Control"]) == (200, "no-cache")
    tag = headers["ETag"]
    assert ask(server, "/assets/app.js", If_None_Match=tag)[::2] == (304, "")
    assert ask(server, "/assets/app.js", If_None_Match='"other"')[0] == 200


@pytest.mark.parametrize(
    "name",
    ["app%20assist.js", ".js", "app", "app.css", "../folder.py", "i18n/", "/app.js", "%20.js"],
)
def test_a_name_that_is_none_of_them_is_no_file(server, name):
    assert ask(server, "/assets/" + name)[0] == 404
    assert files.kind_of(name.replace("%20", " ")) is None


def test_the_table_of_assets_is_the_folder():
    place = Path(folder.FOLDER)
    found = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert found == set(NAMES) | {"vendor/LICENSE"}  # for who reads sources


def test_events_bring_the_view_at_once_and_when_it_changes(server):
    server.show({"power_mw": 1})
    watcher = Watcher(server)
    assert watcher.answer.headers["Content-Type"].startswith("text/event-stream")
    assert watcher.event() == ("view", '{"power_mw": 1}')
    server.show({"power_mw": 2})
    assert watcher.event() == ("view", '{"power_mw": 2}')
    watcher.close()


def test_events_come_at_most_four_times_a_second_and_end_with_the_latest(server):
    watcher = Watcher(server)
    watcher.event()
    began = time.monotonic()
    for n in range(50):
        server.show({"n": n})
        time.sleep(0.02)
    seen = []
    while not seen or seen[-1] != 49:
        seen.append(json.loads(watcher.event()[1])["n"])
    took = time.monotonic() - began
    assert len(seen) <= took * 4 + 1
    assert seen == sorted(set(seen))
    watcher.close()


def test_a_quiet_stream_has_a_heartbeat(server, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT_POLLS", 2)
    watcher = Watcher(server)
    assert watcher.event()[0] == "view"
    assert watcher.event() == ("heartbeat", "{}")
    watcher.close()


def test_the_ninth_display_is_refused_until_one_leaves(server):
    watchers = [Watcher(server) for _ in range(8)]
    status, _, body = ask(server, "/events")
    assert status == 503
    assert "8 displays are watching already" in body
    assert ask(server, "/view")[0] == 200  # the rest still works
    watchers.pop().close()
    time.sleep(1)
    ninth = Watcher(server)
    assert ninth.answer.status == 200
    for watcher in [*watchers, ninth]:
        watcher.close()


def test_head_of_events_takes_no_place(server):
    for _ in range(10):
        assert ask(server, "/events", "HEAD")[0] == 200
    watcher = Watcher(server)
    assert watcher.answer.status == 200
    watcher.close()


def test_a_browser_that_stops_reading_is_dropped_and_delays_nobody(server, monkeypatch):
    monkeypatch.setattr(connection, "STALL_S", 1)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", server.port))
    stuck.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reading = Watcher(server)
    reading.event()
    slowest = 0
    for n in range(24):
        began = time.monotonic()
        server.show({"n": n, "padding": "x" * 60_000})
        slowest = max(slowest, time.monotonic() - began)
        assert json.loads(reading.event()[1])["n"] == n
    assert slowest < 0.05
    time.sleep(1)
    assert len(server._server.open) == 1  # only the one that reads
    others = [Watcher(server) for _ in range(7)]  # its place is free again, too
    assert [other.answer.status for other in others] == [200] * 7
    for other in others:
        other.close()
    stuck.close()
    reading.close()


def test_a_connection_that_asks_nothing_is_closed(server, monkeypatch):
    monkeypatch.setattr(connection, "REQUEST_S", 0.2)
    silent = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    silent.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    with pytest.raises(ConnectionError):
        silent.recv(1)
        raise ConnectionResetError  # an orderly close is as good
    silent.close()


def test_who_still_sends_a_body_that_was_refused_gets_the_answer(server):
    check_refused_late(server.port)


def test_a_body_that_is_never_sent_delays_no_answer_and_holds_no_place(server):
    began = time.monotonic()
    slow = [Slow(server.port) for _ in range(24)]  # three quarters of 32: all that one may have
    for client in slow:
        assert client.read().startswith("HTTP/1.0 413 ")  # and the end of it
    assert len(server._server.open) == 24
    assert ask(server, "/view")[0] == 200
    assert time.monotonic() - began < connection.PATIENCE_S
    assert len(server._server.open) >= 22  # one place was taken, from one of them
    while server._server.open:
        assert time.monotonic() - began < connection.LINGER_S + 2
        time.sleep(0.05)
    for client in slow:
        client.close()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nAccept: " + b"x" * 3000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"Cookie: a=b\r\n" * 4000 + b"\r\n",
    ],
)
def test_rubbish_gets_an_answer_and_no_traceback(server, rubbish, capfd):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(rubbish)
        try:
            client.recv(4096)
        except ConnectionError:
            pass
    assert ask(server, "/view")[0] == 200
    server.stop()
    assert "Traceback" not in capfd.readouterr().err


def test_long_cookies_of_other_programs_are_passed_over(server):
    assert ask(server, "/view", Cookie="session=" + "x" * 8000)[0] == 200
