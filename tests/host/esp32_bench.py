"""Runs functions of tests/both/houses_esp32*.py in real MicroPython."""

import json

from wattledger.tests.host import micropython_bench

HEAP = "8M"  # the firmware, the simulated board, a flash of 960 KiB and copies of it
TIMEOUT_S = 600
PROGRAM = (
    "import json; from wattledger.tests.both import houses_esp32 as house, "
    "houses_esp32_faults as faults, houses_esp32_site as site; print(json.dumps(%s))"
)


def run(call, heap=HEAP, program=PROGRAM):
    """What `call` returns there, through JSON."""
    return json.loads(say(program % call, heap).splitlines()[-1])


def say(program, heap=HEAP):
    """What `program` prints there."""
    return micropython_bench.say(program, heap, TIMEOUT_S)
