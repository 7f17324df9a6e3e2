"""What an application shows people: the page and the small screen. Needed at a boot only, once the
agent has recovered: both would be in the way of that.
"""

from wattledger.firmware import parts_esp32
from wattledger.firmware.errors import SiteError
from wattledger.firmware.site_esp32 import Site
from wattledger.hal.entropy_esp32 import Esp32Entropy

HTTP = 80
HOSTNAME = "wattledger"  # a browser finds it as wattledger.local


def show(meter):
    """Give an Esp32Meter what its application and its site have. Whatever is wrong with them, the
    meter measures."""
    faces = [meter.button]
    if meter.config.display is not None:
        _try(meter, "small screen", _panel, faces)
    if meter.wifi is not None:
        _try(meter, "page", _page, faces)
    if len(faces) > 1:
        from wattledger.hal.display.faces import Faces

        meter.agent.open_to_people(Faces(faces))
    elif faces[0] is not meter.button:
        meter.agent.open_to_people(faces[0])


def _try(meter, what, make, faces):
    try:
        make(meter, faces)
    except Exception as error:  # no application, no heap, no such pin
        meter.log("no %s: %s: %s" % (what, type(error).__name__, error))


def _panel(meter, faces):
    from wattledger.firmware import panel_esp32

    board = parts_esp32.board(meter.config.board)
    meter.panel = panel_esp32.make(board, meter.config.display, meter.clock, parts_esp32.PLATFORM)
    faces[0] = meter.panel.panel  # it has the button


def _page(meter, faces):
    port = meter.port
    site = Site(meter.found, port.esp32, meter.log)
    network = site.network()
    number = network.get("page_port", HTTP)
    if number == 0:
        return
    if not isinstance(number, int) or not 0 < number < 65536:
        raise SiteError("network.json: page_port must be 1 to 65535, or 0 for no page")
    from wattledger.firmware.page_esp32 import EspPage

    name = network.get("hostname", HOSTNAME)
    port.network.hostname(name)
    meter.page = EspPage(
        number,
        (name, name + ".local"),
        (site.content("display.pin") or b"").decode().strip(),
        meter.storage,
        Esp32Entropy(),
        meter.clock,
        meter.wifi.address,
    )
    faces.insert(0, meter.page)
