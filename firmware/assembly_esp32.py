"""What an ESP32's meter is made of, from its site: needed at a boot only."""

from wattledger.firmware import constants, parts_esp32
from wattledger.firmware.build import BUILT
from wattledger.firmware.causes import cause
from wattledger.firmware.errors import SiteError
from wattledger.firmware.floor import set_floor
from wattledger.firmware.site_esp32 import Site
from wattledger.hal.entropy_esp32 import Esp32Entropy
from wattledger.hal.storage.vfs import VfsStorage

FIRMWARE = "esp32"
NTP = "pool.ntp.org"
PORT = 8883
CALIBRATION = "calibration.json"
FINAL = "final"  # of agent/decommission.py, which is loaded only then


def _not_yet():
    """No Wi-Fi is made yet."""
    return False


class Assembly:
    """`config`, `clock`, `storage`, `chip`, `relay` of the meter; `waits`: it is to be
    commissioned once the time is known. `found`, `port` and `log` as of Esp32Meter,
    `wifi` and `ends`, the last second of its certificate, may be None."""

    def __init__(self, found, port, log, config):
        self._found = found
        self._port = port
        self._log = log
        self._site = site = Site(found, port.esp32, log)
        self.config = config
        board = parts_esp32.board(self.config.board)
        self.relay = parts_esp32.relay(port.machine, port.time, board)
        self._calibration, phases = self._calibrated(board, site)
        self._entropy = Esp32Entropy()
        network = self._network(site)
        self._hardware(board, phases, network)
        set_floor(self.clock, BUILT)
        self.storage = self._storage()
        self.waits = False
        if found.folder is not None and not found.made:
            from wattledger.firmware.store_esp32 import open_ledger  # once in a meter's life

            self.waits = not open_ledger(self, found, port.esp32, site, log)
        self.wifi = self._link = None
        self.ends = None
        if network:
            self._connect(network, site)

    def others(self):
        """The agent's arguments by name, but for config and tidy."""
        site = self._site
        return {
            "chip": self.chip,
            "relay": self.relay,
            "clock": self.clock,
            "link_clock": self.clock,
            "storage": self.storage,
            "entropy": self._entropy,
            "firmware": "%s %s" % (FIRMWARE, self._found.slot or "core"),
            "link": self._link,
            "page": self._button,
            "device_key": site.secret("device.key"),
            "gate_key": site.secret("gate.key"),
            "token_key": site.secret("token.key", 0) if self.config.token else b"",
            "public_keys": site.points(),
            "cause": cause(self._port.machine, self._found),
            "calibration": constants.identity(self._calibration),
        }

    def _hardware(self, board, phases, network):
        sntp = None
        if network:
            try:
                from wattledger.hal.network.sntp_named import NamedSntp

                sntp = NamedSntp(self._port.socket, self._entropy, network.get("ntp", NTP))
                sntp.ready = _not_yet
            except ImportError:
                pass  # said by _connect
        self._sntp = sntp
        port = self._port
        self.chip, self.clock, self._button = parts_esp32.hardware(
            board, port.machine, port.time, phases, sntp, self._log
        )

    def _calibrated(self, board, site):
        """(what is the meter's calibration, the constants it makes). ChipError."""
        if site.content(CALIBRATION) is None:
            return None, constants.constants(board, None)

        def judge(read):
            data = read(CALIBRATION)
            return data, constants.constants(board, data)

        return site.kept((CALIBRATION,), judge)

    def _storage(self):
        found = self._found
        if found.folder is not None:
            storage = VfsStorage(found.folder)
            if storage.size(FINAL):
                from wattledger.firmware.store_esp32 import refuse

                refuse(storage)
            return storage
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
            # Of the application, and first: a core alone must load nothing of what needs it.
            from wattledger.hal.network.uplink import Uplink  # isort: skip
            from wattledger.firmware import link
            from wattledger.hal.network.wifi_esp32 import WifiStation

            station = port.network.WLAN(port.network.WLAN.IF_STA)
            self.wifi = Uplink(
                WifiStation(station, network["ssid"], network.get("password", ""), self.clock),
                self._log,
            )
            if self._sntp is not None:
                self._sntp.ready = self.wifi.is_up

            def judge(read):
                return link.build(
                    self.config,
                    network["broker"],
                    network.get("port", PORT),
                    self.clock,
                    read,
                    port.ssl,
                    socket=port.socket,
                    ready=self.wifi.is_up,
                )

            names = (link.AUTHORITY, link.CERTIFICATE, link.KEY)
            self._link, self.ends = site.kept(names, judge)
            self.wifi.link = self._link
        except Exception as error:
            self._log("no link: %s: %s" % (type(error).__name__, error))
