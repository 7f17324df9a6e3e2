"""Brings an image and a meter's site onto a board, in the order that leaves it usable.

Firmware, core, application, the record that starts it, and the site last: a board that was left
half done is not provisioned, and keeps its prompt.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from wattledger.firmware import boot, slots
from wattledger.firmware.site_esp32 import COPIED, FOLDER
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tools.errors import FlashError
from wattledger.tools.flash import programs
from wattledger.tools.flash.image import Image

SITE = (*COPIED, "tariff.json", "commission")
NEEDED = ("device.json", "device.key")
SLOT = "a"
SEQUENCE = 1
FIRST_S = 60.0
BAUD = 115200
# What main_esp32 says when it cannot meter; anything else is its own business.
REFUSALS = ("not provisioned", "restarts after", "no ledger")


class Plan:
    """What is done to a board: `commands` in order, each a program's command line."""

    def __init__(
        self,
        image: Image,
        port: str,
        folder: Path,
        firmware: Path | None = None,
        erase: bool = False,
        site: Path | None = None,
        release: Path | None = None,
    ) -> None:
        """`folder` is a scratch one; `release` what `update sign` made of this image's app."""
        self.port = port
        self.commands: list[programs.Command] = []
        if firmware is not None:
            self.commands += programs.write_firmware(port, firmware, erase)
        if image.layout.has_rom:
            rom = folder / "image.romfs"  # mpremote takes a file of another name for a folder
            rom.write_bytes(image.rom)
            self.commands.append(programs.deploy_rom(port, rom))
        files = application(image, folder, release)
        if site is not None:
            files += site_files(site, image.board)
        self.files = files
        self.commands.append(programs.copy_files(port, files))

    def run(self, said: Callable[[str], None]) -> None:
        """Do it. FlashError."""
        programs.check_port(self.port)
        for number, command in enumerate(self.commands, 1):
            line = " ".join(" ".join(command[2:]).split())  # a program for the board has several
            said(f"{number}/{len(self.commands)} {line}"[:100])
            programs.run(command)


def application(image: Image, folder: Path, release: Path | None) -> list[tuple[Path, str]]:
    """The files of slot a and the record that starts it. FlashError for a release of another."""
    slot = folder / "slot"
    slot.mkdir()
    for path, data in image.slot.items():
        (slot / path).write_bytes(data)
    if release is None:
        manifest, sequence = listing(image), SEQUENCE
    else:
        manifest, sequence = _signed(image, release)
    (slot / boot.MANIFEST).write_bytes(manifest)
    storage = MemoryStorage()
    slots.install(storage, SLOT, sequence, hashlib.sha256(manifest).digest())
    slots.good(storage)
    found = []
    for place in sorted(slot.iterdir()):
        found.append((place, f"{boot.APP}/{SLOT}/{place.name}"))
    for name in slots.FILES:
        record = bytearray(slots.LENGTH)
        if storage.read_from(name, 0, record):
            (folder / name).write_bytes(record)
            found.append((folder / name, name))
    return found


def listing(image: Image) -> bytes:
    """What stands for the signed manifest where nobody signed: an update replaces it."""
    files = [
        {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for path, data in sorted(image.slot.items())
    ]
    return json.dumps({"files": files, "unsigned": True}, sort_keys=True).encode()


def _signed(image: Image, release: Path) -> tuple[bytes, int]:
    try:
        message = (release / boot.MANIFEST).read_bytes()
        for path, data in image.slot.items():
            if (release / path).read_bytes() != data:
                raise FlashError(
                    f"{release / path}: is of another image; core and application belong together"
                )
    except OSError as error:
        raise FlashError(f"{release}: is no release ({error.strerror})") from None
    return message, sequence_of(message)


def sequence_of(message: bytes) -> int:
    """The sequence number in a signed manifest (a compact JWS). FlashError."""
    from base64 import urlsafe_b64decode

    try:
        payload = message.split(b".")[1]
        found = json.loads(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["seq"]
        return int(found)
    except (IndexError, ValueError, KeyError, TypeError):
        raise FlashError(
            "the release's manifest cannot be read; make it by `update sign`"
        ) from None


def site_files(site: Path, board: str) -> list[tuple[Path, str]]:
    """A meter's own files, as `provision` made them. FlashError: missing, or of another board."""
    for name in NEEDED:
        if not (site / name).is_file():
            raise FlashError(f"{site}: has no {name}; make it by `provision --board {board}`")
    try:
        named = json.loads((site / "device.json").read_bytes())["board"]
    except (ValueError, KeyError, TypeError):
        raise FlashError(f"{site}/device.json: names no board") from None
    if named != board:
        raise FlashError(f"{site}: is for {named}, the image for {board}")
    # device.json last: with it the meter is provisioned, and leaves the prompt.
    names = [name for name in SITE if (site / name).is_file() and name != "device.json"]
    return [(site / name, f"{FOLDER}/{name}") for name in [*names, "device.json"]]


def first_line(port: str, seconds: float = FIRST_S) -> str:
    """The meter's first line that says it meters, within `seconds`. FlashError."""
    serial = import_module("serial")

    try:
        with serial.Serial(port, BAUD, timeout=0.2) as line:
            until = time.monotonic() + seconds
            heard = b""
            while time.monotonic() < until:
                heard += line.read(256)
                *whole, heard = heard.split(b"\n")
                for each in whole:
                    text = each.decode("utf-8", "replace").strip()
                    if any(word in text for word in REFUSALS):
                        raise FlashError(f"the meter says: {text}\ncheck: its site, and the log")
                    if is_reading(text):
                        return text
    except OSError as error:
        raise FlashError(programs.told(["", "", "serial"], str(error))) from None
    raise FlashError(
        f"the meter said nothing valid in {seconds:g} s\ncheck: {programs.CHECKS['no answer']}"
    )


def is_reading(text: str) -> bool:
    """True for the line that tells a first valid reading."""
    return text.startswith("first reading")


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder that goes again; secrets are never copied into it."""
    return tempfile.TemporaryDirectory(prefix="wattledger-flash-")
