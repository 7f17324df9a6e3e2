"""`wattledger-meter` as the unit starts it, for tests: pins, chip and clock in software, and time
some hundred times as fast.

    python -P pi_release_meter.py SITE --state DIR ...      (by launch_linux, with its PYTHONPATH)

WATTLEDGER_WORLD names a file of JSON: `start` (unix s at which time began to run fast), `speed`,
`milliwatts` of each phase, `hangs` while the bus never answers. It is read again while the meter
runs. At the end stderr has a line `coils N`, how often a coil was driven.
"""

import json
import os
import sys
import time
from pathlib import Path

import wattledger

# The meter's own rooms are those of the release; the simulator lies in no release.
wattledger.__path__.append(str(Path(__file__).resolve().parents[2]))

from gpiozero import Device  # noqa: E402
from gpiozero.pins.mock import MockFactory, MockPin  # noqa: E402

from wattledger.board import pi_atm90e32  # noqa: E402
from wattledger.firmware import main_pi, parts_linux  # noqa: E402
from wattledger.hal.sample import TRUST_SYNCED  # noqa: E402
from wattledger.host_sim.chip.atm90e32 import Atm90e32  # noqa: E402

TICKS_MASK = (1 << 30) - 1
READ_S = 0.05


class World:
    """Time, and the chip on its bus (the face of a bus device)."""

    def __init__(self, path):
        self._path = path
        self._chip = Atm90e32(7305, 27518)  # the board's nominal constants
        self._chip.set_mains(50_000)
        self._load()
        self._fed = self.ms()

    def _load(self):
        found = json.loads(Path(self._path).read_text())
        self._start, self._speed = found["start"], found["speed"]
        self._hangs = found.get("hangs", False)
        for phase in range(3):
            power = found["milliwatts"]
            self._chip.set_phase(phase, found.get("millivolts", 230_000), power // 230, power)
        self._read = time.monotonic()

    def ms(self):
        return int((time.time() - self._start) * self._speed * 1000)

    def transfer(self, out, into):
        if time.monotonic() - self._read > READ_S:
            self._load()
        while self._hangs:
            time.sleep(READ_S)
            self._load()
        now = self.ms()
        if now > self._fed:
            self._chip.feed(now - self._fed)
            self._fed = now
        self._chip.transfer(out, into)

    def close(self):
        pass

    # As a clock: of the meter, and for its link.

    def ticks_ms(self):
        return self.ms() & TICKS_MASK

    def elapsed_ms(self, since):
        return (self.ticks_ms() - since) & TICKS_MASK

    def unix_s(self):
        return int(self._start) + self.ms() // 1000

    def trust(self):
        return TRUST_SYNCED

    def offer(self):
        return None

    def set(self, unix_s, trust):
        pass


class Grounded(MockPin):
    """A pin that a closed contact holds low."""

    def _set_pull(self, value):
        self._pull = value


def main(words):
    world = World(os.environ["WATTLEDGER_WORLD"])
    Device.pin_factory = pins = MockFactory()
    pins.pin(pi_atm90e32.CONTACT, pin_class=Grounded).drive_low()
    coils = [pins.pin(pi_atm90e32.RELAY_OPEN), pins.pin(pi_atm90e32.RELAY_CLOSE)]
    parts_linux.bus_device = lambda board: world
    parts_linux.Hardware._clock = lambda self, found, log: world
    main_pi.HostClock = lambda: world
    main_pi.LOOK_S = 0.002
    if "--releases" in words:
        from wattledger.firmware import updates_linux

        updates_linux.HostClock = lambda: world
    code = main_pi.main(words)
    driven = sum(1 for coil in coils for change in coil.states if change.state)
    print("coils %d" % driven, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
