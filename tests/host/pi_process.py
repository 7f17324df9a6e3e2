"""`wattledger-meter` as a process whose pins are gpiozero's mock ones, for tests.

    python -m wattledger.tests.host.pi_process SITE --state DIR ...

The contact is closed to ground whatever its pull. At the end stderr has a line `coils N`, how
often a coil was driven.
"""

import sys

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from wattledger.board import pi_atm90e32
from wattledger.firmware import main_pi


class Grounded(MockPin):
    """A pin that a closed contact holds low."""

    def _set_pull(self, value):
        self._pull = value


def main(words):
    Device.pin_factory = pins = MockFactory()
    pins.pin(pi_atm90e32.CONTACT, pin_class=Grounded).drive_low()
    coils = [pins.pin(pi_atm90e32.RELAY_OPEN), pins.pin(pi_atm90e32.RELAY_CLOSE)]
    code = main_pi.main(words)
    driven = sum(1 for coil in coils for change in coil.states if change.state)
    print("coils %d" % driven, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
