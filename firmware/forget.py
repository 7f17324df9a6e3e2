"""Modules that only the boot or one turn needed leave the heap: a tariff's checks are 9 kB, wanted
again only with the next set. What needs one later imports it again, from flash.
"""

import sys

PACKAGE = "wattledger."
# In an image what is loaded when wanted is called g0, g1, ... (tools/image/flat.py).
FIRST, AFTER = "g0", "g:"
# Rooms whose modules stay once they are loaded by what an agent is given, or is.
STAYING = (
    "wattledger.agent.comms",
    "wattledger.agent.display",
    "wattledger.agent.tokens",
    "wattledger.firmware.page_",
    "wattledger.firmware.panel",
    "wattledger.hal.display",
    "wattledger.hal.network",
)


def loaded():
    """Names of the modules that are loaded now."""
    return set(sys.modules)


def forget(kept):
    """Let go of every module of ours that is not among the names `kept`.

    For MicroPython. An object made meanwhile keeps its class; nothing here holds global state. An
    import that ends for want of heap leaves a name without a module there, and whoever imports
    that next crashes: such names go too, and it takes no heap to find them.
    """
    name = _next(kept)
    while name is not None:
        sys.modules.pop(name, None)
        # A package holds its modules as attributes too.
        package, _, last = name.rpartition(".")
        holder = sys.modules.get(package)
        if holder is not None and hasattr(holder, last):
            delattr(holder, last)
        name = _next(kept)


def _next(kept):
    for name in sys.modules:
        if name not in kept and (name.startswith(PACKAGE) or FIRST <= name < AFTER):
            return name
    return None


def keep(kept):
    """Add to `kept` the modules that an application and a link brought: they stay, loaded once."""
    for name in list(sys.modules):
        for room in STAYING:
            if name.startswith(room) and not name.endswith(".certificate"):  # read at a boot
                kept.add(name)
