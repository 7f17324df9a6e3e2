"""The page of an ESP32, served in the event loop that the meter's turns run in.

While a browser's answer is made the next turn waits for at most one piece of it.
"""

import asyncio

from wattledger.hal.display.page_buffer import BufferedPage
from wattledger.hal.display.page_server import make_server, serve
from wattledger.hal.display.privacy import HOME

EVERYWHERE = "0.0.0.0"
RETRY_S = 5  # after the page failed


class EspPage(BufferedPage):
    """A page on `port` to who calls it by one of `names` or by `address()`; its PIN is at first
    `label_pin`."""

    def __init__(self, port, names, label_pin, storage, entropy, clock, address):
        super().__init__(HOME)
        self.port = port
        self.server = make_server(self, names, label_pin, storage, entropy, clock, address)


async def _serve(page, failed):
    while True:
        try:
            await serve(page.server, EVERYWHERE, page.port)
        except Exception as error:  # no socket, no heap: the meter goes on, and the page later
            failed("page", error)
        await asyncio.sleep(RETRY_S)


async def _run(meter):
    asyncio.create_task(_serve(meter.page, meter.runtime.failed))
    while True:
        await asyncio.sleep_ms(meter.turn())


def run(meter):
    """The meter's turns and its page, for ever. Raises what nothing contained."""
    asyncio.run(_run(meter))
