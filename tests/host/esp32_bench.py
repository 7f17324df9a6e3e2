"""Runs functions of tests/both/houses_esp32*.py in real MicroPython."""

import json
import os
import subprocess

import pytest

from wattledger.tests.micropython import staging

HEAP = "8M"  # the firmware, the simulated board, a flash of 960 KiB and copies of it
TIMEOUT_S = 600
PROGRAM = (
    "import json; from wattledger.tests.both import houses_esp32 as house, "
    "houses_esp32_faults as faults; print(json.dumps(%s))"
)


def run(call, heap=HEAP):
    """What `call` returns there, through JSON."""
    return json.loads(say(PROGRAM % call, heap).splitlines()[-1])


def say(program, heap=HEAP):
    """What `program` prints there."""
    interpreter = staging.find_tool("micropython")
    if interpreter is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    tree = staging.staged_tree()
    done = subprocess.run(
        [interpreter, "-X", "heapsize=" + heap, "-c", program],
        cwd=tree,  # not here, where the sources lie
        env=dict(os.environ, MICROPYPATH="%s:.frozen" % tree),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout
