"""Runs programs in real MicroPython, on the portable rooms and their tests as it sees them."""

import os
import subprocess

import pytest

from wattledger.tests.micropython import staging


def say(program, heap, timeout_s):
    """What `program` prints under a heap limit (as "8M"); skips without an interpreter."""
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
        timeout=timeout_s,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout
