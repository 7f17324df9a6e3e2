"""The meter that `bench heap` weighs: a root like those of firmware/, with stand-ins for hardware.

Portable. It is built into an image as a device's root is, so what it imports here is the core; the
stand-ins for chip, relay, clock, link and entropy are in it too and are counted.
"""

# mypy: disable-error-code="attr-defined"
# gc of MicroPython has more than that of CPython.

import gc

# There is always a link here.
from wattledger.agent.comms.conversation import Conversation  # noqa: F401
from wattledger.firmware.forget import forget, loaded
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.tools.bench.house import House, Sink, simulated_chip
from wattledger.tools.bench.plain_chip import PlainChip


def imported():
    """Nothing but what importing this file took."""
    return {}


def meter(seconds, with_page, simulated, document=None):
    """`seconds` of metering with a link, with the page if asked for, and the heap after it.

    With a `document` (bytes) the meter takes it in the middle of them. Stores in the working
    directory, which is empty.
    """
    page = server = None
    if with_page:
        from wattledger.hal.display.page_buffer import BufferedPage
        from wattledger.hal.display.page_server import make_server
        from wattledger.hal.display.privacy import HOME

        page = BufferedPage(HOME)
        entropy = SeededEntropy(2)
        server = make_server(
            page, ["127.0.0.1"], "12345678", VfsStorage("."), entropy, VirtualClock(0)
        )
    chip = simulated_chip() if simulated else PlainChip()
    tidy = None
    if hasattr(gc, "threshold"):
        kept = loaded()

        def tidy():
            forget(kept)

    house = House(chip, Sink(), page, VfsStorage("."), tidy)
    if tidy is not None:
        tidy()
    if document is not None:
        house.run(seconds // 2)
        house.agent.accept_document(document)
        if tidy is not None:
            tidy()
        seconds -= seconds // 2
    house.run(seconds)
    status = ""
    if server is not None:
        from wattledger.tools.bench.browser import ask

        status = ask(server, "/view") + " " + ask(server, "/")
        if status != "200 200":
            raise MemoryError("the page answers " + status)
    gc.collect()
    return {
        "drift": house.drift(),
        "import_wh": house.agent.meter.register.import_wh,
        "messages": house.link.messages,
        "journal": house.agent.journal.durable,
        "status": status,
        "heap": gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0,
    }
