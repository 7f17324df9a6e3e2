"""The app of the page serves on MicroPython too: the same files, one event loop, no threads."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

microdot = pytest.importorskip("microdot", reason="microdot is not installed")

ROOT = Path(__file__).parents[2]
MICROPYTHON = shutil.which(
    "micropython", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
)

DEVICE = """
import asyncio, sys
from wattledger.hal.display.app import build_app
from wattledger.hal.display.page_text import TextPage

async def main(port):
    page = TextPage()
    page.show({"power_mw": 640000, "supply": None})
    app = build_app(page, ["127.0.0.1"], viewers_max=1)
    asyncio.create_task(app.start_server("127.0.0.1", port))
    while True:
        request = page.request()
        if request:
            print(request[0])
            if request[0] == "release":
                return
        await asyncio.sleep(0.05)

asyncio.run(main(int(sys.argv[1])))
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connect(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    return connection


def ask(port, method, path, **headers):
    connection = connect(port)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.skipif(MICROPYTHON is None, reason="no micropython beside python or on PATH")
def test_the_app_serves_on_micropython(tmp_path):
    # microdot alone, not its whole neighbourhood: MicroPython must not meet CPython's packages.
    shutil.copytree(Path(microdot.__file__).parent, tmp_path / "microdot")
    (tmp_path / "device.py").write_text(DEVICE)
    port = free_port()
    device = subprocess.Popen(
        [MICROPYTHON, str(tmp_path / "device.py"), str(port)],
        cwd=ROOT,
        env=dict(os.environ, MICROPYPATH=os.pathsep.join([".frozen", str(tmp_path), str(ROOT)])),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for _ in range(100):
            try:
                connect(port).close()
                break
            except OSError:
                assert device.poll() is None, device.stdout.read()
                time.sleep(0.05)
        status, page = ask(port, "GET", "/")
        assert status == 200
        shell = (ROOT / "hal/display/assets/index.html").read_text(encoding="utf-8")
        assert page == shell
        status, page = ask(port, "GET", "/plain")
        assert status == 200
        assert page.startswith("<!doctype html>") and page.endswith("</html>\n")
        assert '<p class="big">640 W</p>' in page
        status, view = ask(port, "GET", "/view")
        assert status == 200
        assert '"power_mw": 640000' in view and '"supply": null' in view
        assert ask(port, "GET", "/view", Host="evil.example")[0] == 403
        assert ask(port, "GET", "/press")[0] == 405
        assert ask(port, "GET", "/nothing")[0] == 404

        watcher = connect(port)
        watcher.request("GET", "/events")
        events = watcher.getresponse()
        assert events.readline() == b"event: view\n"
        assert b"640000" in events.readline()
        assert ask(port, "GET", "/events")[0] == 503
        watcher.close()

        own = {"Origin": "http://127.0.0.1:%d" % port, "X-Wattledger": "1"}
        assert ask(port, "POST", "/press")[0] == 403
        assert ask(port, "POST", "/press", **own)[0] == 200
        assert ask(port, "POST", "/release", **own)[0] == 200
        said = device.communicate(timeout=5)[0]
        assert said.split() == ["press", "release"], said
    finally:
        device.kill()
        device.wait()
