"""A demo as a user starts it, for tests: its printed lines, its end, and its state directory."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 30


class DemoProcess:
    """`wattledger demo ...` in a process group of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wattledger.tools.cli", "demo", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        self.lines = []
        self.errors = []
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))
            if line.startswith("topup "):
                self._ready.set()
        if stream is self.process.stdout:
            self._ready.set()

    def wait_ready(self):
        """Wait for the four lines; fails with what the demo said instead."""
        assert self._ready.wait(START_S), self.errors
        assert any(line.startswith("topup ") for line in self.lines + self.errors), self.errors
        return self

    def said(self, word):
        """The rest of the printed line that begins with `word`."""
        for line in self.lines + self.errors:
            if line.startswith(word + " "):
                return line[len(word) + 1 :]
        raise AssertionError(f"no line {word!r} in {self.lines} {self.errors}")

    def kill(self, group=False):
        """kill -9 of the demo, or of everything it started as well."""
        if group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self._join()

    def interrupt(self):
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self, seconds=60):
        """The exit code once it has ended."""
        code = self.process.wait(seconds)
        self._join()
        return code

    def _join(self):
        self.process.wait(10)
        for reader in self._readers:
            reader.join(10)

    def report(self):
        """The object of --json: the last line of stdout."""
        return json.loads(self.lines[-1])


def is_running(pid):
    """True while the process exists and is no zombie."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return re.search(r"^State:\s+Z", status, re.M) is None


def children_of(pid):
    """Ids of the running processes whose parent is `pid`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\s+{pid}$", status, re.M):
            found.append(int(entry.name))
    return found
