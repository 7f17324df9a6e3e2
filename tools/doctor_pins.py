"""The contact of the supply relay. Only its pin is taken: no coil can move."""

from types import ModuleType

from wattledger.firmware import parts_linux
from wattledger.hal.errors import HalError
from wattledger.tools import doctor_bus
from wattledger.tools.findings import OK, WARN, Finding

LOOKS = 20


def contact(board: ModuleType) -> Finding:
    """Can the relay's contact be read, and does it hold still?"""
    try:
        seen = set(parts_linux.contact(board, LOOKS))
    except HalError as error:
        return doctor_bus.told("relay", error)
    if len(seen) > 1:
        fix = f"check the wire from GPIO{board.CONTACT} to the relay's contact"
        return Finding("relay", WARN, "its contact flickers", fix)
    state = "closed: the supply is on" if seen == {True} else "open: the supply is off"
    return Finding("relay", OK, f"its contact is {state}")
