"""What an ESP32's meter is made of, from its site: needed at a boot only."""

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.firmware import boot, constants, documents, parts_esp32
from wattledger.firmware.build import BUILT
from wattledger.firmware.errors import SiteError
from wattledger.firmware.floor import set_floor
from wattledger.firmware.site_esp32 import Site
from wattledger.hal.entropy_esp32 import Esp32Entropy
from wattledger.hal.storage.vfs import VfsStorage

FIRMWARE = "esp32"
# What reset_cause() says, and the value of the event RESTARTED_BY.
CAUSES = ("power", "reset", "watchdog", "sleep", "soft reset")
NTP = "pool.ntp.org"
PORT = 8883


class Assembly:
    """`config`, `clock`, `storage`, `chip`, `relay` of the meter; `waits`: it is to be
    commissioned once the time is known. `found`, `port` and `log` as of Esp32Meter."""

    def __init__(self, found, port, log):
        self._found = found
        self._port = port
        self._log = log
        nvs = port.esp32.NVS(boot.SPACE)
        self._site = site = Site(found.folder, nvs)
        self._tariff = site.content("tariff.json")
        self.config, self._checked = self._read(site.read("device.json"))
        board = parts_esp32.board(self.config.board)
        self.relay = parts_esp32.relay(port.machine, board)
        self._calibration = site.content("calibration.json")
        phases = constants.constants(board, self._calibration)
        self._entropy = Esp32Entropy()
        network = self._network(site)
        self._hardware(board, phases, network)
        set_floor(self.clock, BUILT)
        self.storage = self._storage()
        self.waits = False
        if found.folder is not None and not found.made:
            from wattledger.firmware.store_esp32 import open_ledger  # once in a meter's life

            self.waits = not open_ledger(self, found, port.esp32, site, log)
        self._wifi = self._link = None
        self._ends = None
        if network:
            self._connect(network, site)

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

    def firmware(self):
        """What runs, for people: the slot of the application, or the core alone."""
        return "%s %s" % (FIRMWARE, self._found.slot or "core")

    def others(self):
        """The agent's further arguments by name."""
        site = self._site
        return {
            "entropy": self._entropy,
            "link": self._link,
            "page": self._button,
            "device_key": site.secret("device.key"),
            "gate_key": site.secret("gate.key"),
            "token_key": site.secret("token.key", 0) if self.config.token else b"",
            "public_keys": site.points(),
            "calibration": constants.identity(self._calibration),
        }

    def start(self, agent):
        """Recover, set the chip up, take the tariff that lies in the site."""
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
        if self._found.folder is not None:
            self._site.copy()
        self._watch = None
        if self._ends is not None:
            from wattledger.agent.comms.certificate import CertificateWatch

            self._watch = CertificateWatch(self._ends, self.storage, agent.time, agent.report)

    def tasks(self):
        """(name, what is called each turn) of the work beside the agent's steps."""
        found = []
        if self._wifi is not None:
            found.append(("Wi-Fi", self._wifi.work))
        if self._watch is not None:
            found.append(("certificate", self._watch.work))
        return found

    def _hardware(self, board, phases, network):
        sntp = None
        if network:
            try:
                from wattledger.hal.network.sntp_named import NamedSntp

                sntp = NamedSntp(self._port.socket, self._entropy, network.get("ntp", NTP))
            except ImportError:
                pass  # said by _connect
        port = self._port
        self.chip, self.clock, self._button = parts_esp32.hardware(
            board, port.machine, port.time, phases, sntp, self._log
        )

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
            self._wifi = WifiStation(
                station, network["ssid"], network.get("password", ""), self.clock
            )
            self._link, self._ends = link.build(
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
