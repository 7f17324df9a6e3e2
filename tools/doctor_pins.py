"""What drives the pins, and the relay's contact. Only its pin is taken: no coil can move."""

from importlib import metadata
from types import ModuleType

from wattledger.firmware import parts_linux
from wattledger.hal.errors import HalError
from wattledger.tools import doctor_bus
from wattledger.tools.findings import OK, WARN, Finding

LOOKS = 20
# Of a Pi 5 they open a chip that newer kernels do not have (gpiozero issue 1166), or none at all
# (issue 1229).
WRONG_RELEASES = ("2.0", "2.0.1", "2.0.1.post1", "2.0.1.post2")
RELEASE = "2.0.1.post3"


def factory() -> Finding:
    """Which of gpiozero's pin factories drives the pins, and can it?"""
    try:
        found = parts_linux.claim_pins()
    except HalError as error:
        return doctor_bus.told("pins", error)
    name = type(found).__name__.removesuffix("Factory").lower()
    chip = getattr(found, "chip", None)
    where = "" if chip is None else f" on /dev/gpiochip{chip}"
    release = metadata.version("gpiozero")
    what = f"driven by {name}{where}, gpiozero {release}"
    if release in WRONG_RELEASES:
        fix = f"a Pi 5 needs {RELEASE}: pip install --upgrade 'gpiozero>={RELEASE}'"
        return Finding("pins", WARN, what, fix)
    return Finding("pins", OK, what)


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
