"""The beginning of an ESP32's agent: needed at a boot only, once it has recovered."""

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.firmware.boot import SPACE
from wattledger.firmware.build import BUILT
from wattledger.firmware.causes import number
from wattledger.firmware.floor import set_floor
from wattledger.firmware.site_esp32 import Site


def begin(meter, tariff, checked):
    """The agent has started: take the document `tariff`, whose Tariff is `checked`, or None."""
    agent, port = meter.agent, meter.port
    set_floor(meter.clock, BUILT)
    cause = number(port.machine)
    if cause > 1:
        agent.report(events.RESTARTED_BY, cause)
    if tariff is not None:
        try:
            agent.ledger.shelf.offer(tariff, agent.time.unix(), checked)
        except (TariffError, OSError) as error:
            agent.report(events.TARIFF_REFUSED, 0)
            meter.log("tariff.json is refused: %s" % error)
    if meter.found.folder is not None:
        Site(meter.found.folder, port.esp32.NVS(SPACE)).copy()
