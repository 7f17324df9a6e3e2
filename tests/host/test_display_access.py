"""Who may see and do what at the page: the PIN, sessions, and what is shown without them."""

import json
import socket
from time import monotonic, sleep

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")

from wattledger.hal.display import page_server_linux, privacy, reset_linux
from wattledger.hal.display.page_server_linux import PageServer
from wattledger.hal.display.page_text import TextPage
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.host.display_bench import VIEW
from wattledger.tests.host.page_client import LABEL, OWN, Client, server_with_pin
from wattledger.tools.bench.house import House
from wattledger.tools.bench.plain_chip import PlainChip

ASKED = ["/press", "/release", "/accept", "/token"]


class Time:
    """The server's whole seconds, by hand."""

    def __init__(self, monkeypatch):
        self.now = 1000
        monkeypatch.setattr(page_server_linux, "whole_seconds", lambda: self.now)


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


@pytest.fixture
def storage():
    return MemoryStorage()


@pytest.fixture
def server(time, storage):
    server = server_with_pin(storage, shown=privacy.HOME)
    yield server
    server.stop()


@pytest.fixture
def client(server):
    return Client(server.port)


def fields_of(path):
    return {"token": "1234"} if path == "/token" else None


@pytest.mark.parametrize("path", ASKED)
def test_nothing_is_taken_from_who_has_not_signed_in(server, client, path):
    status, headers, words = client.post(path, fields_of(path))
    assert (status, words) == (
        401,
        "Sign in with the PIN first: the page /form/session takes it.\n",
    )
    assert headers["WWW-Authenticate"]
    assert server.request() is None


@pytest.mark.parametrize("path", ASKED)
def test_who_has_signed_in_may_ask(server, client, path):
    assert client.sign_in() == 200
    assert client.post(path, fields_of(path))[0] == 200
    assert server.request()[0] == path[1:]


def test_the_cookie_is_random_and_kept_from_scripts_and_other_sites(client, server):
    cookies = set()
    for _ in range(3):
        header = client.post("/session", {"pin": LABEL})[1]["Set-Cookie"]
        value, *attributes = header.split("; ")
        assert sorted(attributes) == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Strict"]
        name, _, secret = value.partition("=")
        assert name == "wattledger" and len(bytes.fromhex(secret)) == 16
        cookies.add(secret)
    assert len(cookies) == 3


def test_a_made_up_cookie_opens_nothing(client, server):
    client.sign_in()
    for value in ("wattledger=", "wattledger=" + "0" * 32, "wattledger=" + "x" * 5000, "a=b"):
        assert client.post("/press", Cookie=value)[0] == 401
    assert server.request() is None


def test_our_cookie_is_found_among_long_ones_of_other_programs(client, server):
    client.sign_in()
    own = client.cookie
    for others in ("a=%s; %s" % ("x" * 3000, own), "%s; a=%s" % (own, "x" * 3000), "b=1;" + own):
        assert client.post("/press", Cookie=others)[0] == 200
    assert client.post("/press", Cookie="not" + own)[0] == 401


def test_signing_out_ends_the_session_on_the_meter(client, server):
    client.sign_in()
    kept = client.cookie
    assert client.post("/session/end")[0] == 200
    assert client.post("/press", Cookie=kept)[0] == 401


def test_a_session_ends_after_half_an_hour_without_use(client, server, time):
    client.sign_in()
    time.now += 1799
    assert client.post("/press")[0] == 200
    time.now += 1799
    assert client.post("/release")[0] == 200
    time.now += 1800
    assert client.post("/press")[0] == 401


def test_a_session_ends_after_half_a_day_in_any_case(client, server, time):
    client.sign_in()
    for _ in range(43200 // 1700):
        time.now += 1700
        assert client.post("/press")[0] == 200
    time.now = 1000 + 43200
    assert client.post("/press")[0] == 401


def test_watching_is_no_use(client, server, time):
    client.sign_in()
    for _ in range(3):
        time.now += 900
        client.get("/view")
    assert client.post("/press")[0] == 401


def test_a_fifth_session_takes_the_place_of_the_one_used_least_recently(server):
    clients = [Client(server.port) for _ in range(5)]
    for client in clients[:4]:
        client.sign_in()
    assert clients[0].post("/press")[0] == 200  # the second is the least recently used now
    clients[4].sign_in()
    assert [client.post("/press")[0] for client in clients] == [200, 401, 200, 200, 200]


def test_after_three_wrong_ones_the_wait_doubles_from_10_to_1280_s(client, server, time):
    # STS meters: the third in a row locks for 10 s, each further one twice as long, to 1280 s.
    waits = []
    for _ in range(12):
        assert client.sign_in("00000000") in (401, 429)
        wait = json.loads(client.get("/session")[2])["wait_s"]
        waits.append(wait)
        if wait:
            time.now += wait - 1
            status, headers, words = client.post("/session", {"pin": LABEL})
            assert (status, headers["Retry-After"]) == (429, "1")
            assert words == "Too many wrong PINs: wait 1 s.\n"
            time.now += 1
    assert waits == [0, 0, 10, 20, 40, 80, 160, 320, 640, 1280, 1280, 1280]
    assert client.sign_in() == 200
    client.sign_in("00000000")
    assert json.loads(client.get("/session")[2])["wait_s"] == 0  # the count began again


def test_the_lock_out_begins_again_at_a_boot(server, storage, client, time):
    for _ in range(5):
        client.sign_in("00000000")
        time.now += json.loads(client.get("/session")[2])["wait_s"]
    server.stop()
    again = server_with_pin(storage)
    try:
        client = Client(again.port)
        assert client.sign_in() == 429
        assert json.loads(client.get("/session")[2])["wait_s"] == 40  # of five wrong ones
    finally:
        again.stop()


def test_who_is_signed_in_is_not_locked_out_by_others(server, time):
    owner, stranger = Client(server.port), Client(server.port)
    owner.sign_in()
    for _ in range(3):
        stranger.sign_in("00000000")
    assert stranger.sign_in() == 429
    assert owner.post("/press")[0] == 200


@pytest.mark.parametrize("pin", ["", "12345", "1234567890123", "1234567a", "١٢٣٤٥٦٧٨", None, 7])
def test_what_is_no_pin_is_no_try(client, server, pin):
    for _ in range(4):
        assert client.post("/session", {"pin": pin})[0] == 400
    assert client.sign_in() == 200


def test_another_pin_is_set_by_who_knows_the_old_one(server, storage, client):
    assert client.post("/pin", {"old": LABEL, "new": OWN})[0] == 401
    client.sign_in()
    assert json.loads(client.get("/session")[2])["label_pin"] is True
    assert client.post("/pin", {"old": OWN, "new": OWN})[0] == 401
    assert client.post("/pin", {"old": LABEL, "new": "12345"})[0] == 400
    assert client.post("/pin", {"old": LABEL, "new": OWN})[0] == 200
    assert client.post("/press")[0] == 401  # everybody is signed out
    assert client.sign_in(LABEL) == 401
    assert client.sign_in(OWN) == 200
    assert json.loads(client.get("/session")[2])["label_pin"] is False
    kept = bytes(storage.files["pin"])
    assert OWN.encode() not in kept and LABEL.encode() not in kept


def test_another_pin_is_kept_over_a_boot_until_it_is_reset(server, storage, client):
    client.sign_in()
    client.post("/pin", {"old": LABEL, "new": OWN})
    server.stop()
    again = server_with_pin(storage)
    client = Client(again.port)
    assert client.sign_in(LABEL) == 401
    assert client.sign_in(OWN) == 200
    again.stop()
    again.access.pin.reset()
    third = server_with_pin(storage)
    assert Client(third.port).sign_in(LABEL) == 200
    third.stop()


def test_a_pin_that_cannot_be_stored_is_not_taken(client, server, storage):
    client.sign_in()
    storage.fail = 28
    status, _, words = client.post("/pin", {"old": LABEL, "new": OWN})
    assert (status, words) == (503, "The meter cannot store that now; try again later.\n")
    storage.fail = None
    assert Client(server.port).sign_in(LABEL) == 200


def test_a_wrong_pin_that_cannot_be_counted_on_storage_still_counts(client, server, storage):
    storage.fail = 28
    for _ in range(3):
        assert client.sign_in("00000000") == 503
    assert client.sign_in() == 429


PRIVATE = ["debt", "messages", "purchases", "recorded_until"]


def test_a_history_is_private_and_a_tariff_is_not(server, client):
    server.answer("day", '{"span":"day"}')
    server.answer("tariff", '{"active":{}}')
    assert client.get("/history?span=day")[0] == 401
    assert client.get("/tariff")[::2] == (200, '{"active":{}}')
    client.sign_in()
    assert client.get("/history?span=day")[::2] == (200, '{"span":"day"}')


def test_without_the_pin_the_numbers_of_a_display_are_seen_and_private_ones_are_not(
    server, client
):
    server.show(VIEW)
    seen = json.loads(client.get("/view")[2])
    assert seen["available_micro"] == 23411999
    assert seen["supply"]["state"] == "connected"
    assert seen["rate"]["price_micro"] == 620000
    assert sorted(set(VIEW) - set(seen)) == seen["withheld"] == PRIVATE
    client.sign_in()
    assert json.loads(client.get("/view")[2]) == VIEW


def test_every_member_of_a_view_is_either_seen_without_the_pin_or_named_private():
    seen = set(House(PlainChip(), page=TextPage()).agent.view.page())
    # The last is the end of the history, of use with it only.
    private = {"purchases", "messages", "debt", "token", "recorded_until"}
    assert seen - set(privacy.HOME.split()) == private
    assert set(privacy.SUPPLY.split()) < set(privacy.HOME.split()) <= seen


def test_a_stream_shows_what_its_viewer_may_see_at_that_time(server, client, time):
    server.show(VIEW)
    client.sign_in()
    connection = client_stream(server.port, client.cookie)
    assert "purchases" in next_view(connection)
    time.now += 1800
    server.show(dict(VIEW, time=VIEW["time"] + 60))
    seen = next_view(connection)
    assert "purchases" not in seen and "available_micro" in seen


def client_stream(port, cookie):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/events", headers={"Cookie": cookie})
    return connection.getresponse()


def next_view(answer):
    assert answer.readline() == b"event: view\n"
    data = answer.readline()
    answer.readline()
    return json.loads(data.removeprefix(b"data: "))


def test_supply_level_hides_the_money_too():
    server = server_with_pin(shown=privacy.LEVELS["supply"])
    try:
        server.show(VIEW)
        seen = json.loads(Client(server.port).get("/view")[2])
        assert "available_micro" not in seen and "power_mw" not in seen
        assert seen["supply"]["state"] == "connected" and seen["zone"] == "normal"
    finally:
        server.stop()


def test_a_page_without_a_pin_is_free_on_this_machine_alone():
    server = PageServer()
    server.start()
    try:
        assert json.loads(Client(server.port).get("/session")[2])["access"] == "free"
        assert Client(server.port).post("/press")[0] == 200
        assert Client(server.port).post("/session", {"pin": LABEL})[0] == 409
    finally:
        server.stop()
    server = PageServer(host="0.0.0.0")
    server.start()
    try:
        assert json.loads(Client(server.port).get("/session")[2])["access"] == "shut"
        status, _, words = Client(server.port).post("/press")
        assert status == 403 and "was given no PIN" in words
        assert Client(server.port).get("/view")[0] == 200
        assert server.request() is None
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_addresses(host):
    assert page_server_linux.is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.2", "meter.local"])
def test_addresses_that_others_reach(host):
    assert not page_server_linux.is_loopback(host)


def test_a_token_in_an_address_is_not_taken(client, server):
    client.sign_in()
    assert client.post("/token/12345678901234567890")[0] == 404
    assert client.post("/token?token=12345678901234567890")[0] == 400
    assert server.request() is None


@pytest.mark.parametrize(
    "token, status",
    [
        ("1234 5678-9012 3456 7890", 200),
        ("123456789012345678901", 400),
        ("12a", 400),
        ("", 400),
    ],
)
def test_the_digits_of_a_token(client, server, token, status):
    client.sign_in()
    assert client.post("/token", {"token": token})[0] == status
    expected = ("token", "12345678901234567890") if status == 200 else None
    assert server.request() == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"7"', b"\xff", b"[" * 250, b'{"token": 7}'])
def test_bodies_that_are_no_object_of_texts_are_refused(client, server, body):
    client.sign_in()
    status, _, words = client.ask(
        "POST",
        "/token",
        body,
        Origin="http://127.0.0.1:%d" % server.port,
        X_Wattledger="1",
        Content_Type="application/json",
    )
    assert (status, server.request()) == (400, None)


def test_a_long_body_is_refused_in_words(client, server):
    status, _, words = client.post("/token", {"token": "1" * 300})
    assert (status, words[:25]) == (413, "The request is too large:")


class Button:
    """A button that says these things, one a look."""

    def __init__(self, *said):
        self._said = list(said)

    def request(self):
        return self._said.pop(0) if self._said else None


@pytest.mark.parametrize(
    "button, held",
    [
        (None, False),
        (Button(), False),
        (Button(("press",)), True),
        (Button(("press",), None, ("press",), None), True),
        (Button(("press",), *[None] * 48, ("release",)), False),
        (Button(("press",), *[None] * 50, ("release",)), True),
    ],
)
def test_a_button_held_for_five_seconds_at_the_start(button, held):
    slept = []
    assert reset_linux.is_held(button, slept.append) is held
    assert sum(slept) <= 5.01 and (not held or sum(slept) > 4.9)


def test_slow_and_stuck_browsers_delay_no_tick_of_the_meter():
    # The meter's thread shows a view and hears a person in each tick, as the agent does.
    server = PageServer()
    server.start()
    stuck = []

    def latest():
        """By how much the latest of 200 ticks was late."""
        late = 0
        for number in range(200):
            due = monotonic() + 0.01
            server.show(dict(VIEW, time=number, padding="x" * 20_000))
            server.request()
            sleep(max(due - monotonic(), 0))
            late = max(late, monotonic() - due)
        return late

    try:
        alone = latest()  # what this machine does by itself, busy as it is
        for number in range(16):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            request = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
            client.sendall(request if number < 8 else request[:-5])
            stuck.append(client)
        assert latest() < 0.25 + alone
        assert Client(server.port).get("/view")[0] == 200
    finally:
        for client in stuck:
            client.close()
        server.stop()
