"""The contact of the supply relay. Only its pin is taken: no coil can move."""

from types import ModuleType

from wattledger.firmware import parts_linux
from wattledger.hal.errors import HalError
from wattledger.tools import doctor_bus
from wattledger.tools.findings import FAIL, OK, WARN, Finding

LOOKS = 20


def contact(board: ModuleType) -> Finding:
    """Can the relay's contact be read, and does it hold still?"""
    try:
        parts_linux.claim_pins()
    except HalError as error:
        return doctor_bus.told("relay", error)
    import gpiozero

    try:
        pin = gpiozero.DigitalInputDevice(board.CONTACT, pull_up=True)
    except Exception as error:  # gpiozero's pin factories raise what their libraries do
        fix = "end the program that holds the pin; put this user into the group gpio"
        return Finding("relay", FAIL, f"GPIO{board.CONTACT} cannot be read: {error}", fix)
    try:
        seen = {bool(pin.value) for _ in range(LOOKS)}
    finally:
        pin.close()
    if len(seen) > 1:
        fix = f"check the wire from GPIO{board.CONTACT} to the relay's contact"
        return Finding("relay", WARN, "its contact flickers", fix)
    state = "closed: the supply is on" if seen == {True} else "open: the supply is off"
    return Finding("relay", OK, f"its contact is {state}")
