"""A simulated meter on a stage: one world, one meter in it, on CPython or in real MicroPython.

Both run firmware/main_bridge.py turn by turn, so the same stage gives the same journal on both,
byte by byte. What a boot needs lies in one folder:

    device.json, tariff.json    what the meter is told at its boot
    storage/                    the meter's own files
    meter.log                   failures that the meter contained, documents that it refused, and
                                its last words
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from wattledger.agent import config as configs
from wattledger.agent.agent import Agent
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.firmware.main_bridge import ACCEPT, DOCUMENT, REFUSED, TOKEN
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.errors import PowerLost
from wattledger.host_sim.port import LocalPort
from wattledger.tools.folder_image import FolderImage
from wattledger.tools.stage_body import Child, Local, StageError

CPYTHON = "cpython"
MICROPYTHON = "micropython"
INTERPRETERS = (CPYTHON, MICROPYTHON)
HEAP_REPORT = "heap: "


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
        token_key: bytes = b"",
    ) -> None:
        """`heap`: measure the meter's memory (attributes `heap` and `growth` after stop());
        `token_key` is the decoder key of a meter whose `config` says that it takes tokens."""
        if interpreter not in INTERPRETERS:
            raise StageError(f"no interpreter is called {interpreter!r}: use cpython, micropython")
        data = json.dumps(config).encode()
        self._config = configs.load(data)
        self._world = world
        self._port = LocalPort(world, network, times, SeededEntropy(seed))
        self._tariff: bytes | None = tariff
        self.device_key = device_key or hashlib.sha256(b"a stage's key %d" % seed).digest()
        self.token_key = token_key
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
        self._sizes: tuple[int, int] | None = None

    @property
    def told(self) -> tuple[int, int, int] | None:
        """What the meter told at the end of the last run_until() with `ask`: credit above the
        floor in nano-units, its time (unix s), and bits of hal/bus/bridge.py."""
        return self._port.told

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
        return [line for line in self._log_lines() if not line.startswith((HEAP_REPORT, REFUSED))]

    @property
    def refusals(self) -> list[str]:
        """Why the meter refused a document, a line each."""
        lines = self._log_lines()
        return [line[len(REFUSED) :] for line in lines if line.startswith(REFUSED)]

    @property
    def heap(self) -> tuple[int, int] | None:
        """Bytes of heap free after an hour and at the clean end, MicroPython with `heap` only."""
        reports = [line for line in self._log_lines() if line.startswith(HEAP_REPORT)]
        if not reports:
            return None
        numbers = [int(word) for word in reports[-1].split() if word.isdigit()]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None

    @property
    def growth(self) -> int | None:
        """Bytes that the meter held more at its clean end than an hour after its last boot; None
        when it ran for less than an hour, or was not measured."""
        if self._interpreter == CPYTHON:
            early, late = self._sizes or (0, 0)
            return late - early if self._sizes else None
        return self.heap[0] - self.heap[1] if self.heap else None

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

    def cut_at_write(self, number: int, permille: int = 0) -> None:
        """Let the power go within the `number`th write to storage from now on, whoever is running
        then; 0: within none. Of an append, that much of its bytes has arrived by then; a commit
        is done only with all of them."""
        self._port.cut_at_write(number, permille)

    def boot(self, tariff: bytes | None = None) -> bool:
        """Give the meter power. The first boot brings the stage's tariff, a later one `tariff`.

        False when the power went within a write of the boot.
        """
        if self._body is not None:
            raise StageError("the meter is running already")
        brought, self._tariff = tariff or self._tariff, None
        try:
            self._body = self._embody(brought)
        except PowerLost:
            self._tariff = brought
            return False
        return True

    def _embody(self, brought: bytes | None) -> Local | Child:
        if self._interpreter == CPYTHON:
            return Local(
                self._port,
                self._config,
                self.storage_folder,
                self.device_key,
                brought,
                self.log,
                self._heap,
                self.token_key,
            )
        path = "-"
        if brought is not None:
            path = str(self.folder / "tariff.json")
            Path(path).write_bytes(brought)
        words = [str(self._device), str(self.storage_folder), path, self.device_key.hex()]
        if self.token_key:
            words.append(self.token_key.hex())
        if self._heap:
            words.append("--heap")
        return Child(self._port, words, self.log)

    def run_until(self, unix_ms: int, ask: bool = False) -> bool:
        """Let the world pass, turn by turn, until it is at or just after `unix_ms`; with `ask`
        the meter tells of its supply then.

        While the meter is off it passes without one, and ends exactly there. False when the
        power of the meter went on the way, within a write (see cut_at_write).
        """
        self._port.ask_at(unix_ms if ask else 0)
        if self._body is not None:
            try:
                self._body.run_until(unix_ms)
            except PowerLost:
                self._body = None
                return False
        elif unix_ms > self._world.time_ms:
            self._world.advance(unix_ms - self._world.time_ms)
        return True

    def accept(self) -> None:
        """A person accepts the emergency credit at the display, when it is offered then."""
        self._port.send_visitor(ACCEPT)

    def enter(self, digits: str) -> None:
        """A person enters a token at the keypad."""
        self._port.send_visitor(TOKEN, digits.encode())

    def bring(self, document: bytes) -> None:
        """Somebody at the meter has it take a document: a tariff, prices or a correction."""
        self._port.send_visitor(DOCUMENT, document)

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
            self._sizes = body.stop()
