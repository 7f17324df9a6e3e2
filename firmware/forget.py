"""Modules that only the boot or one turn needed leave the heap: a tariff's checks are 9 kB, wanted
again only with the next set. What needs one later imports it again, from flash.
"""

import sys

PACKAGE = "wattledger."


def loaded():
    """Names of the modules that are loaded now."""
    return set(sys.modules)


def forget(kept):
    """Let go of every module of ours that is not among the names `kept`.

    For MicroPython. An object made meanwhile keeps its class; nothing here holds global state.
    """
    for name in [name for name in sys.modules if name not in kept and name.startswith(PACKAGE)]:
        del sys.modules[name]
        # A package holds its modules as attributes too.
        package, _, last = name.rpartition(".")
        holder = sys.modules.get(package)
        if holder is not None and hasattr(holder, last):
            delattr(holder, last)
