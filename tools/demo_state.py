"""The demo's state directory: configuration, meter, keys, world and the utility's copy.

device.json   written last when the state is made, so that its presence says it is whole
meter/        the meter's storage
gate/         the second secret of remote openings, apart from the keys
keys/         the utility's keys directory (demo keys and a test key for tokens, made here)
world/        the simulated house
utility/      the utility's replica of the journal
"""

import fcntl
import json
import time
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO

from wattledger.agent import config as configs
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.journal.journal import segments
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.agent.tokens.settings import base_unix
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import durable, keys, orders, places, signing, token_till
from wattledger.tools.errors import ToolError
from wattledger.tools.vend import parse_amount

METER = "demo-0001"
TENANT = "demo"
TARIFF = Path(__file__).parent / "data" / "demo-tariff.json"
LOCK_S = 10
EA, BASE = "11", 2014
# 2025-01-01: tokens are sold by the clock of whoever runs the demo, not by that of its world.
MADE = 1735689600


class StateError(ToolError):
    """The state directory cannot be used."""


class DemoState:
    """A directory held by one demo at a time; made and provisioned on first use."""

    def __init__(self, folder: Path, board: ModuleType, tariff: Path | None, credit: str) -> None:
        self.folder = folder.resolve()
        self.meter_folder = self.folder / "meter"
        self.keys_folder = self.folder / "keys"
        self.gate_folder = self.folder / "gate"
        self.world_folder = self.folder / "world"
        self.utility_folder = self.folder / "utility"
        self._board = board
        self._tariff = tariff
        self._credit = credit
        self._lock: IO[str] | None = None
        self.is_new = False
        self.document: bytes | None = None  # a tariff to hand to the meter
        self.start = 0  # unix seconds a new world starts at

    def __enter__(self) -> "DemoState":
        try:
            for folder in (self.meter_folder, self.keys_folder, self.world_folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.utility_folder.mkdir(exist_ok=True)
            self._lock = open(self.folder / "lock", "w")
        except OSError as error:
            raise StateError(
                f"{self.folder}: cannot be used as a state directory ({error.strerror}); "
                "choose another with --state"
            ) from None
        self._take_lock()
        try:
            self._open()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._lock is not None
        self._lock.close()

    def _take_lock(self) -> None:
        assert self._lock is not None
        until = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > until:
                    raise StateError(
                        f"{self.folder}: another demo is using it; end that one first, or choose "
                        "another directory with --state"
                    ) from None
                time.sleep(0.1)

    def _open(self) -> None:
        device = self.folder / "device.json"
        self.is_new = not device.exists()
        if self.is_new or self._tariff is not None:
            path = self._tariff or TARIFF
            self.start = places.load(path, tariffs.load).start
            self.document = path.read_bytes()
        if self.is_new:
            self._provision(device)
        self.device = device
        self.config = places.load(device, configs.load)
        self.keys = keys.load(self.keys_folder, self.config.meter)
        if not (self.gate_folder / f"{self.config.meter}.json").exists():
            orders.create_gate(self.gate_folder, self.config.meter)
        self.gate_key = orders.load_gate(self.gate_folder, self.config.meter)
        self.public_keys = signing.public_keys(self.keys_folder)
        self.token_key = b""
        if self.config.token:
            self.token_key = token_till.load(self.keys_folder, self.config.meter).key

    def _provision(self, device: Path) -> None:
        """Keys, opening entry, device.json of a new meter; may be cut anywhere and run again."""
        amount = 0 if self._credit.strip("0.") == "" else parse_amount(self._credit)
        if not (self.keys_folder / f"{METER}.json").exists():
            keys.create(self.keys_folder, METER)
        if not (self.keys_folder / f"{METER}.token").exists():
            made = (MADE - base_unix(BASE)) // 60
            token_till.create(self.keys_folder, METER, EA, BASE, made)
        for kid in (signing.TARIFF_KID, signing.ROOT_KID):
            if not (self.keys_folder / f"{kid}.pem").exists():
                signing.create(self.keys_folder, kid)
        storage = PosixStorage(self.meter_folder)
        if not segments(storage):
            commission(storage, METER, self.start, TRUST_SYNCED, amount, CONNECTED)
        text = json.dumps(
            {
                "v": configs.VERSION,
                "meter": METER,
                "tenant": TENANT,
                "board": self._board.NAME,
                "max_amps": self._board.MAX_AMPS,
                "max_volts": self._board.MAX_VOLTS,
                "token": {"scheme": "sts", "ea": EA, "base": BASE, "made": MADE},
            },
            indent=1,
        )
        durable.replace(device, text + "\n", 0o600)
