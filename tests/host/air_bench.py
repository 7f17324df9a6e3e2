"""An ESP32 that gets its application over the air: a built image, in one MicroPython process for
each start, beside a real broker (air_program.py)."""

import contextlib
import json
import signal
import threading

from wattledger.host_sim.machine import PWRON_RESET
from wattledger.tests.host import flash_bench
from wattledger.tests.host.esp32_linked_bench import BOARD, WIFI
from wattledger.tests.host.mqtt_bench import until
from wattledger.tools.flash import upload

HEAP = "8M"  # as little as does: the firmware's boot sweeps it for each 4 kB


class Esp32:
    """A board that starts again whenever its firmware ends. `told` are the lines of all starts,
    whose `start` counts from 1, `causes` why each began. `cuts` are conditions of a line, each of
    which cuts the power once."""

    def __init__(self, folder, made, release, site):
        flash_bench.interpreter()  # or a skip, here and not in the thread
        folder.mkdir()
        self._folder = folder
        (folder / "image.rom").write_bytes(made.rom)
        files = upload.application(made, folder, release) + upload.site_files(site, BOARD)
        self._files = [(str(source), place) for source, place in files]
        self._lock = threading.Lock()
        self._is_over = False
        self._process = None
        self._thread = threading.Thread(target=self._supervise, daemon=True)
        self.told, self.causes, self.cuts = [], [], []
        self._said = ""

    def _supervise(self):
        cause, world = PWRON_RESET, None
        while True:
            words = {"files": self._files, "air": WIFI, "cause": cause, "world": world}
            with self._lock:
                if self._is_over:
                    return
                self.causes.append(cause)
                call = f"lives({words!r})"
                self._process = flash_bench.start(self._folder, "air_program", call, HEAP)
            for line in self._process.stdout:
                self._hear(line)
            code = self._process.wait()
            self._process.stdout.close()
            if code not in (0, -signal.SIGKILL):
                return
            world = self.told[-1]["world"]
            cause = self.told[-1].get("cause", PWRON_RESET)

    def _hear(self, line):
        try:
            self.told.append({**json.loads(line), "start": len(self.causes)})
        except ValueError:  # a traceback, or a line that a power cut has cut
            self._said += line
            return
        if self.cuts and self.cuts[0](self.told[-1]):
            self.cuts.pop(0)
            self.cut()

    def cut(self):
        """The power is gone, and comes back."""
        self._process.kill()

    def lines(self):
        """Its serial console, of all starts."""
        return [line for told in list(self.told) for line in told["lines"]]

    def until(self, condition, timeout_s=30):
        """The first of all that was told of which `condition` is true."""
        at = 0

        def found():
            nonlocal at
            while at < len(self.told):
                at += 1
                if condition(self.told[at - 1]):
                    return self.told[at - 1]
            assert self._thread.is_alive(), self.story()
            return None

        told = until(found, timeout_s)
        assert told, self.story()
        return told

    def story(self):
        """What happened, for people."""
        last = [{key: told[key] for key in told if key != "world"} for told in self.told[-1:]]
        return "\n".join([*self.lines(), self._said, str(self.causes), str(last)])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with self._lock:
            self._is_over = True
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._thread.join(20)
        self._process.kill()
        assert not self._thread.is_alive()
