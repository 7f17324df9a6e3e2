"""Composition root of an ESP32. On a meter `main` never returns (firmware/start_esp32.py).

A fault that nothing contained restarts the machine, the relay where it is. Without an application
(firmware/boot.py) the core meters, enforces credit and journals; there is no link then.
"""

import gc
import sys

from wattledger.agent import events
from wattledger.agent.agent import Agent
from wattledger.agent.errors import AgentError, TariffError
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.firmware import boot, documents, parts_esp32
from wattledger.firmware.build import BUILT, RELEASE
from wattledger.firmware.errors import SiteError
from wattledger.firmware.floor import set_floor
from wattledger.firmware.forget import forget, loaded
from wattledger.firmware.runtime import Runtime
from wattledger.firmware.site_esp32 import Site
from wattledger.firmware.task import Task
from wattledger.hal.entropy_esp32 import Esp32Entropy
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.hal.watchdog.esp32 import Esp32Watchdog

FIRMWARE = "esp32"
GC_BYTES = 4096
# What reset_cause() says, and the value of the event RESTARTED_BY.
CAUSES = ("power", "reset", "watchdog", "sleep", "soft reset")
BOOT_MS = 60000  # the watchdog's patience until the first tick: a journal is read
REST_MS = 5000  # before a restart after a fault, so that one that stays does not wear the flash
WIFI_DEADLINE_MS = 600000
WATCH_DEADLINE_MS = 600000
COMMISSION = "commission"
NTP = "pool.ntp.org"
PORT = 8883


def log(line):
    """One line on the serial console."""
    print(line)


class Modules:
    """The port's modules that a meter is built on: `machine`, `esp32`, `vfs`, `time`, `network`,
    `socket`, `ssl`; the last three may be None."""

    def __init__(self, machine, esp32, vfs, time, network=None, socket=None, ssl=None):
        self.machine = machine
        self.esp32 = esp32
        self.vfs = vfs
        self.time = time
        self.network = network
        self.socket = socket
        self.ssl = ssl


class Esp32Meter:
    """A meter on this chip. `found` is what the boot found, `port` the Modules."""

    def __init__(self, found, port, log=log):
        self._found = found
        self._port = port
        self._log = log
        machine = port.machine
        Esp32Watchdog(machine.WDT, BOOT_MS)
        self._nvs = port.esp32.NVS(boot.SPACE)
        self._site = site = Site(found.folder, self._nvs)
        self._tariff = site.content("tariff.json")
        self.config, self._checked = config, _ = self._read(site.read("device.json"))
        kept = loaded()

        def tidy():
            forget(kept)

        # On CPython others may hold what would go.
        self._tidy = tidy if hasattr(gc, "threshold") else None
        board = parts_esp32.board(config.board)
        relay = parts_esp32.relay(machine, board)
        calibration = site.content("calibration.json")
        from wattledger.firmware import constants  # at a boot only

        phases = constants.constants(board, calibration)
        entropy = Esp32Entropy()
        network = self._network(site)
        self.clock, chip, button = self._hardware(board, phases, network, entropy)
        set_floor(self.clock, BUILT)
        self.storage = self._storage()
        self._waits = None  # the relay of a meter to be commissioned
        self._commission(relay)
        self.wifi = self.link = None
        self._ends = None
        if network:
            self._connect(network, site)
        self.agent = Agent(
            config,
            chip,
            relay,
            clock=self.clock,
            link_clock=self.clock,
            entropy=entropy,
            storage=self.storage,
            link=self.link,
            page=button,
            device_key=site.secret("device.key"),
            gate_key=site.secret("gate.key"),
            token_key=site.secret("token.key", 0) if config.token else b"",
            public_keys=site.points(),
            firmware="%s %s" % (FIRMWARE, found.slot or "core"),
            cause=self.cause(),
            calibration=constants.identity(calibration),
            tidy=self._tidy,
        )
        self._let_go()

    def _read(self, device):
        """(Config, Tariff or None) of the site's files, before an agent takes its heap."""
        try:
            return documents.read(device, self._tariff)
        except TariffError as error:
            self._log("tariff.json is refused: %s" % error)
            self._tariff = None
        return documents.read(device, None)

    def cause(self):
        """Why the meter started, for people."""
        word = CAUSES[self._cause_number() - 1]
        return word + ", store lost" if self._found.folder is None else word

    def _cause_number(self):
        cause = self._port.machine.reset_cause()
        return cause if 1 <= cause <= len(CAUSES) else 1

    def _hardware(self, board, phases, network, entropy):
        sntp = None
        if network:
            try:
                from wattledger.hal.network.sntp_named import NamedSntp

                sntp = NamedSntp(self._port.socket, entropy, network.get("ntp", NTP))
            except ImportError:
                pass  # said by _connect
        port = self._port
        chip, clock, button = parts_esp32.hardware(
            board, port.machine, port.time, phases, sntp, self._log
        )
        return clock, chip, button

    def _storage(self):
        found = self._found
        if found.folder is not None:
            return VfsStorage(found.folder)
        self._log("no store: %s; it is kept in memory" % found.fault)
        from wattledger.hal.storage.memory import MemoryStorage

        return MemoryStorage()

    def _network(self, site):
        try:
            return site.network()
        except SiteError as error:
            self._log("no link: %s" % error)
            return {}

    def _connect(self, network, site):
        """Wi-Fi and the broker. Whatever is wrong with them, the meter measures."""
        port = self._port
        try:
            from wattledger.firmware import link
            from wattledger.hal.network.wifi_esp32 import WifiStation

            station = port.network.WLAN(port.network.WLAN.IF_STA)
            self.wifi = WifiStation(
                station, network["ssid"], network.get("password", ""), self.clock
            )
            self.link, self._ends = link.build(
                self.config,
                network["broker"],
                network.get("port", PORT),
                self.clock,
                site.read,
                port.ssl,
                socket=port.socket,
            )
        except Exception as error:
            self._log("no link: %s: %s" % (type(error).__name__, error))

    def _commission(self, relay):
        """Open the ledger of a new meter, once in its life, as soon as the time is known: what is
        written down at a time that nobody knows would bind the clock to it."""
        found = self._found
        amount = self._site.content(COMMISSION)
        if found.folder is None or found.made or amount is None:
            return
        clock = self.clock
        offer = clock.offer()
        if clock.trust() != TRUST_SYNCED:
            if offer is None:
                self._waits = relay
                return
            clock.set(offer[0], TRUST_SYNCED)
        supply = DISCONNECTED if relay.contact() is False else CONNECTED
        unix, trust = clock.unix_s(), clock.trust()
        try:
            commission(self.storage, self.config.meter, unix, trust, int(amount), supply)
        except AgentError as error:  # the power went between the ledger and the mark
            self._log(str(error))
        boot.set_made(self._port.esp32)
        found.made = True
        self._site.remove(COMMISSION)

    def start(self):
        """Recover, set the chip up, take the tariff that lies in the site."""
        agent = self.agent
        agent.start()
        set_floor(self.clock, BUILT)
        number = self._cause_number()
        if number > 1:
            agent.report(events.RESTARTED_BY, number)
        if self._tariff is not None:
            try:
                agent.ledger.shelf.offer(self._tariff, agent.time.unix(), self._checked)
            except (TariffError, OSError) as error:
                agent.report(events.TARIFF_REFUSED, 0)
                self._log("tariff.json is refused: %s" % error)
            self._tariff = self._checked = None
        if self._found.folder is not None:
            self._site.copy()
        self._let_go()
        self.runtime = Runtime(
            agent, self.clock, Esp32Watchdog(self._port.machine.WDT), self._log, self._tasks()
        )
        self._modules = len(sys.modules)
        if agent.ledger.missing:
            self._log("no ledger: nothing is billed or cut")

    def _tasks(self):
        tasks = []
        if self.wifi is not None:
            tasks.append(Task("Wi-Fi", self.wifi.work, self.clock, WIFI_DEADLINE_MS))
        if self._ends is not None:
            from wattledger.agent.comms.certificate import CertificateWatch

            watch = CertificateWatch(self._ends, self.storage, self.agent.time, self.agent.report)
            tasks.append(Task("certificate", watch.work, self.clock, WATCH_DEADLINE_MS))
        return tuple(tasks)

    def turn(self):
        """Tick when it is time, one step, the tasks; the milliseconds until the next turn."""
        wait = self.runtime.turn()
        if len(sys.modules) != self._modules:
            self._let_go()
            self._modules = len(sys.modules)
        if self._waits is not None and self.clock.trust() == TRUST_SYNCED:
            self._commission(self._waits)
            self._port.machine.reset()
        if self._found.folder is None and self._found.made and not self.agent.ledger.missing:
            self._renew()
        return wait

    def _let_go(self):
        if self._tidy is not None:
            self._tidy()

    def _renew(self):
        """The root key's order opened a ledger: a new file system takes what is in memory."""
        self.agent.report(events.STORE_LOST, 0)
        self.agent.keeper.now()
        port = self._port
        place = self._found.place
        boot.make(port.esp32, port.vfs, place)
        Site(place, self._nvs).restore()
        store = VfsStorage(place)
        for name in self.storage.names():
            store.commit(name, self.storage.files[name])
        port.machine.reset()


def serve(found, port, log=log):
    """Run the meter for ever. Raises what nothing contained."""
    meter = Esp32Meter(found, port, log)
    meter.start()
    while True:
        port.time.sleep_ms(meter.turn())


def main(found, port, log=log):
    """Run the meter; a fault restarts the machine.

    Returns, to the prompt of the serial line, for a meter that is not provisioned yet, and in
    safe mode for a build that is no release.
    """
    if hasattr(gc, "threshold"):
        # Collected often, the garbage of the imports and of each step cannot fragment the heap.
        gc.threshold(GC_BYTES)
    site = Site(found.folder, port.esp32.NVS(boot.SPACE))
    if site.content("device.json") is None:
        log("no device.json: not provisioned")
        return
    if found.safe and not RELEASE:
        log("safe mode")
        return
    try:
        serve(found, port, log)
    except Exception as error:
        log("restarts after %s: %s" % (type(error).__name__, error))
    port.time.sleep_ms(REST_MS)
    port.machine.reset()
