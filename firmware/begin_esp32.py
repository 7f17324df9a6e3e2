"""The beginning of an ESP32's agent: needed at a boot only, once it has recovered."""

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.firmware.boot import APP
from wattledger.firmware.build import BUILT
from wattledger.firmware.causes import number
from wattledger.firmware.floor import set_floor
from wattledger.firmware.mirror_esp32 import NvsMirror
from wattledger.firmware.site_esp32 import Site, nvs

HW_CLASS = "esp32"
PIN = "pin"  # of hal/display/pin.py: who held the button wants the label's again


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
        Site(meter.found, port.esp32, meter.log).copy()
        if meter.found.safe:
            try:
                meter.storage.remove(PIN)
            except OSError as error:
                meter.log("the page's PIN stays: %s" % error)
        _look_at_application(meter)


def _look_at_application(meter):
    """What is to be done for it is loaded now only where it cannot wait."""
    from wattledger.firmware import app_state, slots

    found = meter.found
    selection = slots.load(meter.storage)
    running = found.slot
    is_proven = selection.tries == slots.PROVEN or selection.slot != running
    if running is not None and (not is_proven or selection.before is not None):
        take_updates(meter, found.damaged)
        return
    app_state.tell_lost(meter.agent, meter.storage, selection, found.damaged)
    if running is not None:  # a core alone has no link that could bring another
        mirror = NvsMirror(nvs(meter.port.esp32))
        meter.floor = app_state.floor(mirror, selection)
        meter.agent.application = app_state.told(selection, running, True)


def take_updates(meter, damaged=()):
    """The application's trial, and its updates. `damaged` slots are told of once in a start."""
    from wattledger.firmware.slot_files import SlotFiles
    from wattledger.firmware.updates import Updates

    found, port = meter.found, meter.port
    meter.updates = Updates(
        meter.agent,
        meter.storage,
        SlotFiles(found.folder.rstrip("/") + "/" + APP),
        Site(found, port.esp32, meter.log).points() or {},
        HW_CLASS,
        found.slot,
        damaged,
        NvsMirror(nvs(port.esp32)),
        meter.link,
        meter.clock,
    )
