"""A client of the page server for tests: requests as a program or a form sends them."""

import http.client
import json
import select
import socket
import time
from urllib.parse import urlencode

from wattledger.hal.display.page_server_linux import PageServer
from wattledger.hal.entropy_linux import OsEntropy
from wattledger.hal.storage.memory import MemoryStorage

LABEL = "48151623"
OWN = "90210900"


class Client:
    """Calls one server; keeps its cookie as a browser does."""

    def __init__(self, port):
        self._port = port
        self.cookie = None

    def ask(self, method, path, body=None, **headers):
        """(status, headers, body as text) of one request; header names with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named.setdefault("Cookie", self.cookie)
        try:
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            set_cookie = answer.headers["Set-Cookie"]
            if set_cookie:
                self.cookie = set_cookie.split(";")[0]
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, fields=None, **headers):
        """As the page's scripts do."""
        headers.setdefault("Origin", "http://127.0.0.1:%d" % self._port)
        if fields is not None:
            headers["Content_Type"] = "application/json"
        body = None if fields is None else json.dumps(fields)
        return self.ask("POST", path, body, X_Wattledger="1", **headers)

    def form(self, path, **fields):
        """As a form of the page without JavaScript does."""
        return self.ask(
            "POST",
            path,
            urlencode(fields),
            Origin="http://127.0.0.1:%d" % self._port,
            Content_Type="application/x-www-form-urlencoded",
        )

    def sign_in(self, pin=LABEL):
        return self.post("/session", {"pin": pin})[0]


class Slow:
    """A browser at a socket of its own that announces a body of 300 bytes, too many by far."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        head = "POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300\r\n\r\n"
        self._socket.sendall(head.encode())

    def wait(self):
        """Until there is an answer."""
        assert select.select([self._socket], [], [], 5)[0]

    def send_late(self):
        """Send the body in two pieces, both after the answer has come."""
        self.wait()
        for _ in range(2):
            time.sleep(0.05)  # a server that has closed says so by now
            self._socket.sendall(b"x" * 150)
        time.sleep(0.05)

    def read(self):
        """The answer to its orderly end, as text."""
        pieces = []
        while piece := self._socket.recv(4096):
            pieces.append(piece)
        return b"".join(pieces).decode()

    def close(self):
        self._socket.close()


def check_refused_late(port):
    """A body that comes after its refusal takes nothing of the answer back."""
    slow = Slow(port)
    slow.send_late()
    answer = slow.read()
    slow.close()
    assert answer.startswith("HTTP/1.0 413 ")
    assert answer.endswith(
        "\r\n\r\nThe request is too large: what the page sends is a line or two.\n"
    )


def server_with_pin(storage=None, **options):
    """A running server whose label has LABEL."""
    storage = MemoryStorage() if storage is None else storage
    server = PageServer(label_pin=LABEL, storage=storage, entropy=OsEntropy(), **options)
    server.start()
    return server
