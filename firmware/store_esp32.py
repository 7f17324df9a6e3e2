"""The two moments when an ESP32's store begins: commissioning, and after it was lost."""

from wattledger.agent import events
from wattledger.agent.decommission import is_decommissioned
from wattledger.agent.errors import AgentError
from wattledger.agent.journal.segments import segments
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.firmware import boot
from wattledger.firmware.errors import FirmwareError
from wattledger.firmware.site_esp32 import Site
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.vfs import VfsStorage

COMMISSION = "commission"


def open_ledger(parts, found, esp32, site, log):
    """Open the ledger of a new meter, once in its life; False while the time is not known: what
    is written down at a time that nobody knows would bind the clock to it.

    `parts` has config, clock, storage and relay.
    """
    amount = site.content(COMMISSION)
    if amount is None:
        if segments(parts.storage):  # an order opened it
            _mark(found, esp32, log)
        return True
    try:
        credit = int(amount)
    except ValueError:
        log("%s: is no number, so there is no ledger; provision the meter again" % COMMISSION)
        return True
    clock = parts.clock
    if clock.trust() != TRUST_SYNCED:
        offer = clock.offer()
        if offer is None:
            return False
        clock.set(offer[0], TRUST_SYNCED)
    supply = DISCONNECTED if parts.relay.contact() is False else CONNECTED
    unix, trust = clock.unix_s(), clock.trust()
    try:
        commission(parts.storage, parts.config.meter, unix, trust, credit, supply)
    except AgentError as error:  # the power went between the ledger and the mark
        log(str(error))
    if _mark(found, esp32, log):
        site.remove(COMMISSION)
    return True


def refuse(storage):
    """FirmwareError for a store whose meter is out of service: it never runs again, and begins no
    new ledger, whatever else lies in its flash."""
    if is_decommissioned(storage):
        raise FirmwareError(
            "final: this meter is decommissioned; erase the flash and provision a new one"
        )


def _mark(found, esp32, log):
    """False when the NVS does not take the mark: at the next start once more."""
    try:
        boot.set_made(esp32)
        found.made = True
    except OSError as error:
        log("commissioned, but the NVS takes no mark of it: %s" % error)
    return found.made


def commissioned(meter):
    """The time is known now: open the ledger, and start again with it. One that has a ledger, and
    lacks the mark of it alone, goes on: an NVS that takes none must not restart it for ever."""
    port, found = meter.port, meter.found
    site = Site(found, port.esp32, meter.log)
    open_ledger(meter, found, port.esp32, site, meter.log)
    if meter.agent.ledger.missing:
        port.machine.reset()


def renew(meter):
    """The root key's order opened a ledger: a new file system takes what is in memory."""
    meter.agent.report(events.STORE_LOST, 0)
    meter.agent.keeper.now()
    port, found = meter.port, meter.found
    place = found.folder = found.place
    boot.make(port.esp32, port.vfs, place)
    Site(found, port.esp32, meter.log).restore()
    store = VfsStorage(place)
    for name in meter.storage.names():
        store.commit(name, meter.storage.files[name])
    port.machine.reset()
