"""Links beside each other: a broker killed again and again, and a black hole. Takes minutes.

    python -m wattledger.tools.bench.link [--kills N] [--umqtt DIR] [--mqtt-as DIR] [--json]

A report, not a test. umqtt.robust and mqtt_as are measured when a folder that holds their package
(`umqtt`, `mqtt_as`) is named; they are not part of this project.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from wattledger.tools import child, mpy, output
from wattledger.tools.bench import device
from wattledger.tools.bench.link_broker import HOST, RecordingBroker
from wattledger.tools.bench.link_subjects import DRAIN_MS, number_of

UP_S, DOWN_S = 2, 1  # of a killed broker
HOLE_S = 25
BEFORE_S, AFTER_S = 5, 10
LATE_S = 30  # behind a subject's own end: it hangs
CLIENT = "wattledger.hal.network.mqtt.client"
SUBJECTS = "wattledger.tools.bench.link_subjects"
PROGRAM = "import sys; from wattledger.tools.bench.link_subjects import main; main(sys.argv[1:])"


def killed(broker: RecordingBroker, kills: int) -> None:
    """The broker is killed and restarted."""
    for _ in range(kills):
        time.sleep(UP_S)
        broker.kill()
        time.sleep(DOWN_S)
        broker.restart()


def swallowed(broker: RecordingBroker, seconds: int) -> None:
    """A black hole of so many seconds, then all goes on where it was."""
    time.sleep(BEFORE_S)
    broker.swallow(True)
    time.sleep(seconds)
    broker.swallow(False)


def _once_connected(process: Any, broker: RecordingBroker, fault: Any) -> None:
    while process.poll() is None:
        if broker.connects:
            fault(broker)
            return
        time.sleep(0.01)


def measure(command: list[str], environment: dict[str, str], fault: Any, seconds: int) -> dict:
    """One subject under one fault: what it said, and what the broker has."""
    broker = RecordingBroker()
    process = subprocess.Popen(
        [*command, HOST, str(broker.port), str(seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    thread = threading.Thread(target=_once_connected, args=(process, broker, fault), daemon=True)
    thread.start()
    said: dict[str, Any] = {}
    hung = False
    try:
        out, _ = process.communicate(timeout=seconds + DRAIN_MS // 1000 + LATE_S)
        said = json.loads(out.splitlines()[-1]) if process.returncode == 0 and out else {}
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        hung = True
    thread.join()
    broker.stop()
    return {
        "offered": seconds * 20,
        **count(broker, seconds * 20),
        "connects": broker.connects,
        "end": "hangs" if hung else "done" if said else "crashed",
        **{key: said.get(key) for key in ("confirmed", "gap_ms", "faults")},
    }


def count(broker: RecordingBroker, offered: int) -> dict[str, int]:
    """Messages of `offered` that the broker misses, has behind a later one, and has twice."""
    numbers = [number_of(payload) for payload in broker.received]
    first_time = list(dict.fromkeys(numbers))
    return {
        "missing": offered - len(first_time),
        "out_of_order": sum(a > b for a, b in zip(first_time, first_time[1:], strict=False)),
        "twice": len(numbers) - len(first_time),
    }


def subjects(options: argparse.Namespace) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Name: (command, environment)."""
    here = child.environment()
    found = {
        "paho, CPython": ([sys.executable, "-c", PROGRAM, "paho"], here),
        "own, CPython": ([sys.executable, "-c", PROGRAM, "own"], here),
    }
    micropython = mpy.find_tool("micropython")
    for name, word, folder in (
        ("own, MicroPython", "own", ""),
        ("umqtt.robust, MicroPython", "umqtt", options.umqtt),
        ("mqtt_as, MicroPython", "mqtt_as", options.mqtt_as),
    ):
        if micropython and folder is not None:
            paths = ":".join([str(mpy.ROOT), str(folder), ".frozen"])
            command = [micropython, "-X", "heapsize=4M", "-c", PROGRAM, word]
            found[name] = (command, dict(os.environ, MICROPYPATH=paths))
    return found


def heaps() -> dict[str, dict[str, Any]]:
    """What our client takes of a device's heap, from .mpy files and from a ROMFS image."""
    with tempfile.TemporaryDirectory() as name:
        tree, image = Path(name, "tree"), Path(name, "tree.rom")
        sizes = device.stage(device.modules_of(SUBJECTS, CLIENT), tree)
        image.write_bytes(device.image_of(tree))
        broker = RecordingBroker()
        try:
            return {
                "bytes of .mpy": {
                    "imported": sum(size for name, size in sizes.items() if ".hal." in name)
                },
                "from .mpy files": device.Device(tree, None, SUBJECTS).run(
                    "heap", HOST, broker.port
                ),
                "from ROMFS": device.Device(tree, image, SUBJECTS).run("heap", HOST, broker.port),
            }
        finally:
            broker.stop()


def main() -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--umqtt", type=Path, help="a folder that holds umqtt/robust.py")
    parser.add_argument("--mqtt-as", type=Path, help="a folder that holds mqtt_as/")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    faults = {
        f"broker killed {options.kills} times": (
            lambda broker: killed(broker, options.kills),
            options.kills * (UP_S + DOWN_S) + AFTER_S,
        ),
        f"black hole of {HOLE_S} s": (
            lambda broker: swallowed(broker, HOLE_S),
            BEFORE_S + HOLE_S + AFTER_S,
        ),
    }
    found: dict[str, dict[str, Any]] = {"heap of our client, bytes": heaps()}
    if not options.json:
        rows = [
            (name, str(one["imported"]), str(one.get("connected", "")))
            for name, one in found["heap of our client, bytes"].items()
        ]
        output.table("heap of our client, bytes", ["", "imported>", "connected>"], rows)
    for title, (fault, seconds) in faults.items():
        found[title] = {
            name: measure(*subject, fault, seconds) for name, subject in subjects(options).items()
        }
        if not options.json:
            columns = ["offered", "missing", "out_of_order", "twice", "gap_ms", "connects", "end"]
            cells = [
                (name, *(str(one[column]) for column in columns))
                for name, one in found[title].items()
            ]
            output.table(title, ["", *(f"{column}>" for column in columns)], cells)
    if options.json:
        output.result(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
