"""The ESP32's frozen start in MicroPython at the far end of a serial line: a pseudo-terminal.

When the start ends, the interpreter gives its prompt, as the port does.
"""

import contextlib
import os
import pty
import select
import signal
import termios
import time

import pytest

from wattledger.tests.micropython import staging
from wattledger.tools.flash.manifest import BOOT

HEAP = "3M"  # each collection is short: what the Unix port does to one at Ctrl-C is not ours
BUILD = "wattledger/firmware/build.py"
PROGRAM = (
    "import sys, vfs; vfs.mount(vfs.VfsPosix('/'), '/host'); "
    "sys.path[:] = ['/host%s', '.frozen']; "
    "from wattledger.tests.both.houses_esp32_start import start; start(%r, %r)"
)
PROMPT = b">>> "


class Line:
    """A board in a state of houses_esp32_start.py; `heard` is all it said.

    With `signals` the terminal makes a signal of Ctrl-C, which is how MicroPython's Unix port
    hears it while it runs a program; else it is a byte that waits, as Ctrl-D and the rest are.
    """

    def __init__(self, case, release=True, signals=False):
        interpreter = staging.find_tool("micropython")
        if interpreter is None:
            pytest.skip("no micropython: no wheel for this platform and none on PATH")
        source = (staging.ROOT / "firmware" / "build.py").read_bytes()
        assert b"RELEASE = False" in source
        if release:
            source = source.replace(b"RELEASE = False", b"RELEASE = True")
        tree = staging.staged_tree(instead={BUILD: source})
        program = PROGRAM % (tree, case, f"/host{staging.ROOT}/{BOOT}")
        words = [interpreter, "-X", "heapsize=" + HEAP, "-i", "-c", program]
        self.heard = b""
        self._child, self._line = pty.fork()
        if not self._child:
            os.execve(interpreter, words, dict(os.environ, TERM="dumb"))
        if not signals:
            settings = termios.tcgetattr(self._line)
            settings[3] &= ~(termios.ISIG | termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._line, termios.TCSANOW, settings)

    def send(self, data):
        os.write(self._line, data)

    def hears(self, words, timeout_s=20):
        """True as soon as one of `words` was said; False when the time or the process is over."""
        deadline = time.monotonic() + timeout_s
        while not any(word in self.heard for word in words):
            if not self._more(deadline):
                return False
        return True

    def stays_silent(self, seconds):
        """What it says within a time; it must not end."""
        deadline = time.monotonic() + seconds
        before = len(self.heard)
        while time.monotonic() < deadline:
            self._more(deadline)
        assert os.waitpid(self._child, os.WNOHANG) == (0, 0), self.heard
        return self.heard[before:]

    def code(self, timeout_s=10):
        """How it ended, negative for a signal; None when it did not."""
        deadline = time.monotonic() + timeout_s
        while self._more(deadline) and PROMPT not in self.heard:
            pass
        while time.monotonic() < deadline and PROMPT not in self.heard:
            child, status = os.waitpid(self._child, os.WNOHANG)
            if child:
                self._child = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        return None

    def _more(self, deadline):
        left = max(deadline - time.monotonic(), 0)
        if not select.select([self._line], [], [], left)[0]:
            return False
        try:
            got = os.read(self._line, 4096)
        except OSError:  # its end is closed
            return False
        self.heard += got
        return bool(got)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        os.close(self._line)
