"""The page from a device image on MicroPython: what a first paint takes, beside a static file.

Times are of this machine, best of several; an ESP32 takes some 75 to 150 times as long to compute
and has a slower network. The bytes are the same there.
"""

import gzip
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.rows import Report, Row

PROGRAM = "wattledger.tools.bench.page_device"
HEAP = 256 << 10
FIRST_PAINT = 60_000
GROWTH = 2048
STATIC = "/assets/i18n/en.json"
ROUNDS = 15
START_S = 10
# As much of a view as fills every line of the page.
VIEW: dict[str, Any] = {
    "meter": "bench-0001",
    "time": 1799715600,
    "utc_offset_s": 28800,
    "trust": "synced",
    "currency": "CNY",
    "power_mw": 1243210,
    "cost_per_hour_micro": 770790,
    "import_wh": 1204567,
    "available_micro": 23411999,
    "days_left": 4,
    "rate": {"band": "peak", "block": 1, "blocks": 3, "price_micro": 620000, "block_left_wh": 9},
    "next": {"time": 1799723640, "band": "valley", "price_micro": 340050},
    "supply": {"state": "connected", "reasons": [], "since": 1799708400},
    "link": True,
    "alarms": [],
}


def run(rounds: int = ROUNDS, seconds: int = 3600) -> Report:
    """Serve from an image and ask. BenchError."""
    with tempfile.TemporaryDirectory() as name:
        place = image(Path(name) / "tree")
        with serving(place) as port:
            sizes = first_paint(port)
            front = min(_took(port, "/") for _ in range(rounds))
            static = min(_took(port, STATIC) for _ in range(rounds))
            paint = min(sum(_took(port, path) for path in sizes) for _ in range(3))
        found = place.run("hours", seconds, 60, VIEW, heap=HEAP)
    total = sum(sizes.values())
    growth = abs(found["heap"][-1] - found["heap"][0])
    rows = [
        Row("first page, with its numbers", front * 1000, static * 1000, "ms", "a static file"),
        Row(
            f"first paint, {len(sizes)} answers one by one", paint * 1000, front * 1000, "ms", "/"
        ),
        Row("first paint, on the wire", total, FIRST_PAINT, "B", "limit set", "<= 1"),
        Row(f"heap after {seconds} s of 4 streams", growth, GROWTH, "B", "limit set", "<= 1"),
    ]
    return Report(
        "page",
        "The page from a device image on MicroPython",
        rows,
        {"bytes": sizes},
        [f"the static file is {STATIC}, {sizes[STATIC]} B; the first page is {sizes['/']} B"],
    )


def image(tree: Path) -> Device:
    """The page alone as a device image, in a ROMFS beside the new folder `tree`. BenchError."""
    device.stage(device.modules_of(PROGRAM), tree, page=True, root=PROGRAM)
    rom = tree.with_suffix(".rom")
    rom.write_bytes(device.image_of(tree))
    return Device(tree, rom, PROGRAM, 4096)


@contextmanager
def serving(place: Device) -> Iterator[int]:
    """The port of a device that serves until the end. BenchError."""
    port = free_port()
    process = place.spawn("run", port, VIEW, heap=HEAP)
    try:
        _wait(port, process)
        yield port
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    """A port of this machine that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise BenchError("the page did not start on MicroPython")


def received(port: int, path: str) -> tuple[int, bytes]:
    """(bytes on the wire, body) of a GET. BenchError unless it is 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path.encode())
        data = b""
        while piece := client.recv(65536):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.0 200 "):
        raise BenchError(f"the page answers GET {path} with {head[:40]!r}")
    if b"Content-Encoding: gzip" in head:
        body = gzip.decompress(body)
    return len(data), body


def _took(port: int, path: str) -> float:
    """Seconds of a GET."""
    began = time.perf_counter()
    received(port, path)
    return time.perf_counter() - began


def first_paint(port: int) -> dict[str, int]:
    """Bytes on the wire by path: the page, and all that it loads to show itself."""
    sizes: dict[str, int] = {}
    sizes["/"], page = received(port, "/")
    page = re.sub(rb"<noscript>.*?</noscript>", b"", page, flags=re.S)
    found = re.findall(rb'(?:src|href)="(/assets/[^"]+)"', page)
    waiting = [name.decode() for name in found]
    waiting += ["/assets/i18n/en.json", "/assets/i18n/zh.json", "/session", "/view"]
    while waiting:
        path = waiting.pop()
        if path not in sizes:
            sizes[path], body = received(port, path)
            imports = re.findall(rb'^import [^;]*?"\./([^"]+)";$', body, re.M)
            waiting += ["/assets/" + name.decode() for name in imports]
    return sizes
