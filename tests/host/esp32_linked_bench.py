"""An ESP32's firmware in a MicroPython process beside a real broker, and its utility's copy."""

import contextlib
import io
import json
import os
import socket
import subprocess
import threading

import pytest

from wattledger.hal.network.sntp import ERA_0, LENGTH
from wattledger.tests.host.mqtt_bench import HOST, until
from wattledger.tests.micropython import staging
from wattledger.tools import cli, keys, mqtt
from wattledger.tools.flash import upload
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

BOARD = "esp32_atm90e32"
METER = "esp-0001"
WIFI = ("Stairwell 3", "correct horse")
HEAP = "8M"
PROGRAM = "from wattledger.tests.both.houses_esp32_linked import main; main()"
START = 1_799_704_800  # of the battery clock of the simulated board


def command(*words):
    """(exit code, the object of --json, stderr) of a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([str(word) for word in (*words, "--json")])
    return code, json.loads(out.getvalue() or "null"), err.getvalue()


def provision(site, tariff, *words):
    """The meter's folder beside a Site (provision_bench.py), by the command."""
    password = site.folder / "password"
    password.write_text(WIFI[1] + "\n")
    out = site.folder / METER
    line = ["provision", "--board", BOARD, "--meter", METER, "--out", out, "--tariff", tariff]
    line += ["--ca", site.tenant.ca, "--keys", site.keys, "--gate", site.gate]
    line += ["--ssid", WIFI[0], "--wifi-password-file", password]
    line += ["--broker", HOST, "--port", site.ports[0], "--ntp", HOST]
    code, _, said = command(*line, *words)
    assert code == 0, said
    return out


class TimeServer:
    """SNTP on the loopback that knows the time once, START of the simulated board; `asked` counts:
    what flies there has no server that could keep up."""

    def __init__(self):
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                query, source = self._socket.recvfrom(LENGTH)
                self.asked += 1
                if self.asked > 1:
                    continue
                sent = (START + ERA_0).to_bytes(4, "big") + bytes(4)
                answer = b"\x24\x01" + bytes(22) + query[40:48] + bytes(8) + sent
                self._socket.sendto(answer, source)

    def close(self):
        self._socket.close()


class Esp32:
    """The firmware on the simulated board; `told()` asks it how it is."""

    def __init__(self, folder, sntp_port=9, battery=True, air=WIFI):
        interpreter = staging.find_tool("micropython")
        if interpreter is None:
            pytest.skip("no micropython: no wheel for this platform and none on PATH")
        tree = staging.staged_tree()
        self._process = subprocess.Popen(
            [interpreter, "-X", "heapsize=" + HEAP, "-c", PROGRAM],
            cwd=tree,
            env=dict(os.environ, MICROPYPATH="%s:.frozen" % tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        files = [(str(source), place) for source, place in upload.site_files(folder, BOARD)]
        self._say(files=files, sntp_port=sntp_port, battery=battery, air=air)

    def _say(self, **words):
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def told(self, **words):
        """How it is, after it was told `air` or `watts`."""
        self._say(**words)
        line = self._process.stdout.readline()
        assert line.startswith("{"), line + self._process.stdout.read()
        return json.loads(line)

    def until(self, condition, timeout_s=20):
        """What it told when `condition` of it was true; else the last it told, as a failure."""
        last = {}

        def is_so():
            last.update(self.told())
            return condition(last)

        assert until(is_so, timeout_s), last
        return last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.stdout.close()


class HeadEnd:
    """The utility's copy of the journal, kept behind the head ends' door; `said` are its lines."""

    def __init__(self, site, door, folder):
        self.said = []
        folder.mkdir(exist_ok=True)
        self.replica = Replica(folder, METER)
        self._link = mqtt.connect(str(door), "utility-" + METER)
        self._utility = Utility(
            keys.load(site.keys, METER), self.replica, self._link, self.said.append
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._utility.serve, args=(self._stop,))
        self._thread.start()

    @property
    def proven(self):
        return self._utility.proven

    def close(self):
        self._stop.set()
        self._thread.join()
        self._link.close(0.5)
        self.replica.close()
