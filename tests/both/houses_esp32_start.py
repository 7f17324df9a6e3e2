"""The start of an ESP32 as it is frozen, on the simulated board, for MicroPython alone.

What follows it is the prompt of the interpreter (tests/host/esp32_prompt_bench.py). The root of
the file system is the board's, so the modules come from a mount of this machine's.
"""

import os
import sys
import time

import esp32

from wattledger.host_sim import machine as sim_machine
from wattledger.host_sim.ticks import PortTime
from wattledger.tests.both import houses_esp32 as houses

HASTE = 20  # virtual milliseconds for one of the wall's


class HastyTime(PortTime):
    """Sleeps a part of it."""

    def sleep_ms(self, ms):
        time.sleep_ms(max(ms // HASTE, 1))
        super().sleep_ms(ms)


def _commissioned():
    house = houses.House().boot()
    house.run(12_000)
    house.off()
    return house


def _spoil(house, data, copies):
    """device.json becomes `data`, None for none, and its copy too when `copies`."""
    house.mount()
    if data is None:
        os.remove("/site/device.json")
    else:
        house.write("device.json", data)
    house.umount()
    if copies:
        nvs = esp32.NVS("wattledger")
        nvs.set_blob("device.json", data or b"")
        nvs.commit()


def board(case):
    """The board that starts, in one of the states that a test asks for."""
    if case == "new":
        house = houses.House(credit=None)
        _spoil(house, None, False)
        return house
    house = _commissioned()
    if case == "safe mode":
        sim_machine.attach_input(33, lambda: 0)
    elif case == "lost":
        _spoil(house, None, True)
    elif case == "emptied":
        _spoil(house, b"", True)
    elif case == "rotten":
        _spoil(house, b'{"v": 1, "me', True)
    elif case == "mended":
        _spoil(house, b'{"v": 1, "me', False)
    elif case == "no core":
        sys.path[:] = ["/nowhere"]
        for name in list(sys.modules):
            if name.startswith("wattledger"):
                del sys.modules[name]
    return house


def start(case, path):
    """Run the file at `path`, which is frozen as `_boot.py`. A reset is told, and is the end; what
    returns leaves a prompt."""
    with open(path) as file:
        source = file.read()
    house = board(case)
    sim_machine.power_up()
    sys.modules["time"] = HastyTime(house.pass_ms)
    try:
        exec(source, {})  # noqa: S102  that is what a port does
    except sim_machine.Reset:
        print("RESET")
        while True:
            time.sleep(1)
