"""esptool and mpremote, as programs of their own: their command lines, and what to look at when
one of them fails."""

import importlib.util
import subprocess
import sys
from pathlib import Path, PurePosixPath

from wattledger.tools.errors import FlashError
from wattledger.tools.flash.layout import BOOTLOADER

CHIP = "esp32"
BAUD = "460800"
TIMEOUT_S = 600
LONGEST = 300  # characters of what a program said that are told again
Command = list[str]

# What a program says -> what is wrong. Small letters; the first that fits.
SYMPTOMS = (
    # esptool says of a port that is not there that it is busy or not there.
    (("no such file", "cannot find the file"), "no port"),
    (("busy", "in use", "resource temporarily", "could not exclusively"), "busy"),
    (("permission denied", "errno 13"), "permission"),
    (("wrong chip", "this chip is", "not supported by", "unexpected chip"), "wrong chip"),
    (("raw repl",), "no prompt"),
    (("romfs is not enabled", "partition not found", "too big for the target"), "no rom"),
    (
        ("no serial data", "failed to connect", "wrong boot mode", "timed out waiting"),
        "no answer",
    ),
    (("could not open", "failed to access", "no device"), "no port"),
)
CHECKS = {
    "busy": "the port is in use: close the serial monitor, the other mpremote, ModemManager",
    "permission": "you may not open the port: sudo usermod -aG dialout $USER, and log in again",
    "wrong chip": "it is another chip: this image is for an ESP32, not an S2, S3, C3 or C6",
    "no prompt": "the board has no prompt: press reset; a commissioned meter of a release has "
    "none and is updated by `update push`; else write MicroPython to it with --firmware",
    "no rom": "its MicroPython has no ROMFS of that size: build it as docs/flashing.md says for "
    "--layout rom, or take --layout ota",
    "no answer": "the board does not answer: hold BOOT while you press reset; take a cable that "
    "carries data, many only charge; no wire of the meter on GPIO 0, 2, 12 or 15",
    "no port": "there is no board at the port: see `python -m serial.tools.list_ports`; plug it "
    "in by a cable that carries data, many only charge; its driver is CP210x or CH340",
    "other": "press reset and try again; a cable that carries data; another USB port, no hub",
}


def esptool(port: str, *arguments: str) -> Command:
    """A command line of esptool."""
    head = [sys.executable, "-m", "esptool", "--chip", CHIP, "--port", port, "--baud", BAUD]
    return [*head, *arguments]


def write_firmware(port: str, firmware: Path, erase: bool = False) -> list[Command]:
    """Command lines that write MicroPython, its bootloader and its partition table."""
    wiped = [esptool(port, "erase-flash")] if erase else []
    return [*wiped, esptool(port, "write-flash", hex(BOOTLOADER), str(firmware))]


def mpremote(port: str, *arguments: str) -> Command:
    """A command line of mpremote."""
    return [sys.executable, "-m", "mpremote", "connect", port, *arguments]


def deploy_rom(port: str, image: Path) -> Command:
    """Write the core into the ROMFS partition."""
    return mpremote(port, "romfs", "deploy", str(image))


def copy_files(port: str, files: list[tuple[Path, str]]) -> Command:
    """Copy files to their places on the board, the folders made; then restart it.

    One command line, for each asks the board for its prompt anew.
    """
    folders: list[str] = []
    for _, place in files:
        for parent in reversed(PurePosixPath(place).parents[:-1]):
            if str(parent) not in folders:
                folders.append(str(parent))
    # One try for each: mpremote's own mkdir fails where the folder is.
    made = "".join(f"\ntry: os.mkdir({'/' + name!r})\nexcept OSError: pass" for name in folders)
    command = mpremote(port, "exec", "import os" + made)
    for source, place in files:
        command += ["+", "fs", "cp", str(source), ":/" + place]
    return [*command, "+", "reset"]


def need(*modules: str) -> None:
    """FlashError unless the programs are installed."""
    for name in modules:
        if importlib.util.find_spec(name) is None:
            wanted = name if name == "esptool" else "'wattledger[flash]'"
            raise FlashError(f"this needs {name}: pip install {wanted}")


def check_port(port: str) -> None:
    """FlashError for a port that is not there; mpremote would say that it is in use."""
    if not port or port.startswith("/") and not Path(port).exists():
        raise FlashError(told(["", "", port], "no such file"))


def run(command: Command, timeout_s: float = TIMEOUT_S) -> str:
    """What a program said. FlashError with the list of checks when it fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise FlashError(told(command, "timed out waiting for it")) from None
    said = done.stdout + done.stderr
    if done.returncode:
        raise FlashError(told(command, said))
    return said


def told(command: Command, said: str) -> str:
    """Two lines for a person: what the program said, and what to check."""
    program = command[2] if len(command) > 2 else command[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1][-LONGEST:] if lines else "it said nothing"
    return f"{program}: {last}\ncheck: {CHECKS[symptom(said)]}"


def symptom(said: str) -> str:
    """The key of CHECKS that what a program said stands for."""
    text = said.lower()
    for words, found in SYMPTOMS:
        if any(word in text for word in words):
            return found
    return "other"
