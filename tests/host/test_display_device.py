"""The page from a device image on MicroPython: bytes, heap, and ticks that nobody delays."""

import http.client
import json
import socket
import struct
import time

import pytest

pytest.importorskip("microdot", reason="microdot is not installed")

from wattledger.tests.host.display_bench import VIEW
from wattledger.tests.host.page_client import LABEL, Client, Slow, check_refused_late
from wattledger.tools import mpy
from wattledger.tools.bench import page
from wattledger.tools.bench.page import FIRST_PAINT, HEAP, first_paint, received
from wattledger.tools.image.assets import FOLDER, lean

pytestmark = pytest.mark.skipif(
    None in (mpy.find_tool("micropython"), mpy.compiler()), reason="no micropython or mpy-cross"
)

KB2 = 2048
LATE_MS = 250  # a quarter of the time between two ticks; on an idle machine it is below 20


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return page.image(tmp_path_factory.mktemp("page") / "tree")


class Served:
    """A device that serves; a press makes it report."""

    def __init__(self, image):
        self.port = page.free_port()
        self.process = image.spawn("run", self.port, VIEW, heap=HEAP)
        self._owner = Client(self.port)
        for _ in range(100):
            try:
                if self._owner.sign_in(LABEL) == 200:
                    break
            except OSError:
                assert self.process.poll() is None, self.process.stdout.read()
                time.sleep(0.05)

    def report(self):
        for word in ("press", "release"):
            assert self._owner.post("/" + word)[0] == 200
        return json.loads(self.process.stdout.readline())

    def settled(self):
        """The least heap of eight reports while nothing but the reporter is open: what a request
        holds until its socket is closed, or the collector has not found yet, is no leak."""
        found = []
        for _ in range(60):
            report = self.report()
            if report["open"] <= 1:
                found.append(report["heap"])
            if len(found) == 8:
                return min(found)
            time.sleep(0.05)
        raise AssertionError(report)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def served(image):
    served = Served(image)
    yield served
    served.close()


def test_the_first_paint_is_below_60_kb_on_the_wire(served):
    sizes = first_paint(served.port)
    assert {"/", "/assets/app.js", "/assets/paint.js", "/assets/theme.css"} < set(sizes)
    assert sum(sizes.values()) < FIRST_PAINT, sizes


def test_compressed_files_hold_what_the_sources_hold(served):
    for name in ("app.js", "theme.css", "i18n/zh.json", "icon.svg"):
        body = received(served.port, "/assets/" + name)[1]
        assert body == lean(name, (mpy.ROOT / FOLDER / name).read_bytes())


def test_the_numbers_and_the_pin_work_on_a_device(served):
    text = received(served.port, "/plain?lang=zh")[1].decode()
    assert '<p class="big">¥23.41</p>' in text and "剩余金额" in text
    client = Client(served.port)
    assert client.post("/token", {"token": "1234"})[0] == 401
    assert client.sign_in("00000000") == 401
    assert client.sign_in(LABEL) == 200
    assert client.post("/pin", {"old": LABEL, "new": "90210900"})[0] == 200
    assert client.sign_in("90210900") == 200
    assert client.post("/token", {"token": "1234"})[0] == 200
    assert b"wattledger_power_watts 1243.210\n" in received(served.port, "/metrics")[1]


def test_four_streams_and_no_fifth(served):
    streams = []
    for _ in range(4):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        connection.request("GET", "/events")
        streams.append(connection.getresponse())
        assert streams[-1].status == 200
    assert Client(served.port).get("/events")[0] == 503
    for stream in streams:
        assert stream.readline() == b"event: view\n"


def test_who_still_sends_a_body_that_was_refused_gets_the_answer(served):
    check_refused_late(served.port)


def test_bodies_that_are_never_sent_hold_no_place(served):
    served.settled()
    began = time.monotonic()
    slow = []
    for _ in range(8):  # of eight places one browser may have six
        slow.append(Slow(served.port))
        slow[-1].wait()
        received(served.port, "/view")
    assert time.monotonic() - began < 1.5  # a place that is needed is had in 50 ms
    for client in slow:
        client.close()


def reset(client):
    """Close with a reset, as a browser does that is killed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def rude(served, number):
    """One of nine ways to go away."""
    client = served.connect()
    host = b"Host: 127.0.0.1\r\n"
    begun = (
        b"",
        b"GET /view",
        b"GET /view HTTP/1.1\r\nHo",
        b"GET /events HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /assets/paint.js HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /token HTTP/1.1\r\n" + host + b"Content-Length: 200\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01\x00\xff\xff",
        b"GET /" + b"x" * 3000,
    )[number % 9]
    client.sendall(begun)
    if number % 4 < 2:
        time.sleep(0.02)  # it has begun to answer
    if number % 2:
        client.close()
    else:
        reset(client)


def test_36_rude_disconnects_leak_nothing(served):
    for number in range(18):  # what is loaded once, or kept once, is here
        rude(served, number)
    before = served.settled()
    for number in range(36):
        rude(served, number)
    after = served.settled()
    assert after - before <= KB2, (before, after)


def test_stuck_and_slow_browsers_delay_no_tick_and_nobody_else(served):
    served.settled()
    stuck = []
    for _ in range(2):  # streams that are never read
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", served.port))
        client.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        stuck.append(client)
    for _ in range(3):  # requests that never end
        client = served.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: 12")
        stuck.append(client)
    slowest = 0.0
    until = time.monotonic() + 3
    while time.monotonic() < until:
        began = time.monotonic()
        received(served.port, "/")
        received(served.port, "/assets/paint.js")
        slowest = max(slowest, time.monotonic() - began)
    report = served.report()
    assert report["late_ms"] < LATE_MS, report
    assert slowest < 2.5  # a second of patience for who has not asked, and its turn
    for client in stuck:
        client.close()


def test_trying_a_pin_delays_no_tick(served):
    client = Client(served.port)
    client.sign_in(LABEL)
    client.post("/pin", {"old": LABEL, "new": "90210900"})
    served._owner.sign_in("90210900")
    served.report()
    for _ in range(2):
        assert client.sign_in("90210900") == 200
    assert served.report()["late_ms"] < LATE_MS


def test_an_hour_of_four_streams_leaves_the_heap_where_it_was(image):
    found = image.run("hours", 3600, 60, VIEW, heap=HEAP)
    assert found["open"] == 4
    early, late = found["heap"]
    assert abs(late - early) <= KB2, found
    # Each stream brought a view a second, whole.
    assert min(found["bytes"]) > 3600 * 1000


def test_the_bench_measures_what_it_says():
    report = page.run(rounds=2, seconds=100)
    assert [row.unit for row in report.rows] == ["ms", "ms", "B", "B"]
    assert all(row.measured >= 0 and row.reference > 0 for row in report.rows)
    assert report.rows[2].measured == sum(report.details["bytes"].values())


def test_a_script_without_comments_is_the_same_script():
    script = b'// What it is for.\nconst a = "// no comment"; // of a line\n\n  call(a);\n'
    assert lean("x.js", script) == b'const a = "// no comment"; // of a line\ncall(a);'
    style = b"/* of\n two lines */\nbody {\n  color: red; /* so */\n}\n"
    assert lean("x.css", style) == b"body {\ncolor: red;\n}"
    words = b'{\n  "a": "// b",\n  "c":  1\n}\n'
    assert lean("x.json", words) == b'{\n"a": "// b",\n"c":  1\n}'
    assert lean("x.svg", b"  <svg>\n") == b"  <svg>\n"


@pytest.mark.parametrize(
    "path", sorted((mpy.ROOT / FOLDER).glob("*.js")), ids=lambda path: path.name
)
def test_no_text_of_a_script_goes_over_the_end_of_a_line(path):
    for line in path.read_text("utf-8").split("\n"):
        assert line.count("`") % 2 == 0, line
        assert "/*" not in line, line


def test_a_browser_shows_the_page_of_a_device(served):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from wattledger.tests.host import display_bench as bench

    if bench.CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with bench.launched_browser() as browser:
        visitor = browser.new_context(locale="en-GB").new_page()
        problems = []
        visitor.on("console", lambda message: problems.append(message.text))
        visitor.on("pageerror", lambda error: problems.append(str(error)))
        visitor.goto("http://127.0.0.1:%d/" % served.port)
        bench.expect(visitor.locator("#fresh")).to_have_attribute("data-state", "live")
        bench.expect(visitor.locator("#balance-amount")).to_have_text("¥23.41")
        bench.expect(visitor.locator("#session-act")).to_have_text("Sign in")
        visitor.click("#session-act")
        visitor.fill("input[name=pin]", LABEL)
        visitor.click("button")
        bench.expect(visitor.locator("#session-said")).to_contain_text("PIN on the label")
    # A stream that is cut off by leaving the page is no problem of the page.
    assert [text for text in problems if "ERR_INCOMPLETE" not in text] == []
