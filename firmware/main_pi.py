"""Composition root of a Raspberry Pi: the script `wattledger-meter`.

    wattledger-meter /etc/wattledger --state /var/lib/wattledger --broker mqtts://HOST --page :8080

The first start of a new meter is made with --commission AMOUNT, which opens its ledger and ends.
Logs go to stderr, for the journal of systemd. SIGTERM ends cleanly: everything durable, nothing
moved.
"""

import argparse
import faulthandler
import os
import signal
import sys

from wattledger.agent import events
from wattledger.agent.agent import Agent
from wattledger.agent.comms.certificate import CertificateWatch
from wattledger.agent.errors import AgentError, TariffError
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.firmware import (
    alerts_linux,
    broker_linux,
    constants,
    parts_linux,
    retire_linux,
)
from wattledger.firmware.errors import FirmwareError
from wattledger.firmware.log_linux import Log
from wattledger.firmware.runtime import Runtime
from wattledger.firmware.site import Site
from wattledger.firmware.stop_linux import Stop
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.display.faces import Faces
from wattledger.hal.entropy_linux import OsEntropy
from wattledger.hal.errors import HalError
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.hal.watchdog.systemd_linux import SystemdWatchdog

FIRMWARE = "pi"
FAILED = 1
LOOK_S = 0.1  # a person at a button or keypad does not wait for the next tick
log = Log()


def parse(words):
    """The command line; argparse ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="wattledger-meter", description="A prepaid meter on this Raspberry Pi."
    )
    parser.add_argument("site", help="folder with device.json, device.key, calibration.json")
    parser.add_argument("--state", required=True, help="folder of the meter's own files")
    parser.add_argument("--broker", help="mqtts://HOST:PORT, or mqtt://127.0.0.1:PORT")
    parser.add_argument("--ca", help="the broker's authority, PEM; else the folder's ca.pem")
    parser.add_argument("--cert", help="the meter's certificate, PEM; else client.pem")
    parser.add_argument("--key", help="the key of that certificate, PEM; else client.key")
    parser.add_argument("--page", metavar="HOST:PORT", help="serve the display there")
    parser.add_argument(
        "--page-name", action="append", default=[], help="a name browsers call the page by"
    )
    parser.add_argument(
        "--page-shows",
        choices=("all", "home", "supply"),
        default="home",
        help="what the page shows without the PIN",
    )
    parser.add_argument(
        "--commission",
        metavar="MICRO",
        type=int,
        help="open the ledger of a new meter with this credit in micro-units, and end",
    )
    parser.add_argument(
        "--decommission",
        action="store_true",
        help="wipe the readings and secrets of a meter that is out of service, and end",
    )
    parser.add_argument(
        "--releases", metavar="ROOT", help="take applications there (docs/update.md)"
    )
    return parser.parse_args(words)


def state_folder(path):
    """The storage in the folder `path`; FirmwareError when there is none."""
    if not os.path.isdir(path):
        raise FirmwareError(
            "%s: no such folder; create it for the user the meter runs as, mode 0700" % path
        )
    return PosixStorage(path)


class PiMeter:
    """A meter on this computer. `parts` makes its hardware (parts_linux), replaced in tests."""

    def __init__(self, options, parts=parts_linux):
        self._page = None
        self._alerts = None
        self._link = None
        self._runtime = None
        self._hardware = None
        self._certificate = None
        self._updates = None
        self.watchdog = SystemdWatchdog()
        try:
            self._make(options, parts)
        except BaseException:
            self.stop()
            raise

    def _make(self, options, parts):
        self._state = options.state
        self._storage = storage = state_folder(options.state)
        retire_linux.refuse(storage, options.state)
        site = Site(options.site)
        self._config = config = site.config
        self._site = site
        self._tariff = site.tariff
        self._releases = options.releases
        self._hardware = hardware = parts.Hardware(config.board, site.calibration, log.warning)
        certificate = options.cert or site.certificate
        if options.broker:
            self._link = broker_linux.connect(
                options.broker,
                config,
                options.ca or site.ca,
                certificate,
                options.key or site.key,
            )
        self.agent = Agent(
            config,
            hardware.chip,
            hardware.relay,
            clock=hardware.clock,
            link_clock=HostClock(),
            entropy=OsEntropy(),
            storage=storage,
            link=self._link,
            page=self._faces(options, hardware, site.display_pin, storage),
            device_key=site.device_key,
            gate_key=site.gate_key,
            token_key=site.token_key,
            public_keys=site.public_keys,
            firmware=FIRMWARE,
            book=self._book(options.state),
            inputs=hardware.inputs,
            calibration=constants.identity(site.calibration),
        )
        if self._alerts is not None:
            self._alerts.report = self.agent.report
        self._clock = hardware.clock
        if options.broker and certificate:
            self._certificate = CertificateWatch(
                broker_linux.certificate_ends(certificate),
                storage,
                self.agent.time,
                self.agent.report,
            )

    def _faces(self, options, hardware, label_pin, storage):
        faces = []
        self._alerts = alerts_linux.face(options.site, self._config, storage, log)
        if self._alerts is not None:
            faces.append(self._alerts)
        if options.page:
            from wattledger.hal.display import access, privacy, reset_linux
            from wattledger.hal.display.page_server_linux import LOCAL_HOSTS, PageServer

            host, _, port = options.page.rpartition(":")
            if not (port.isascii() and port.isdigit() and int(port) < 65536):
                raise FirmwareError("--page %r: write it as 127.0.0.1:8080" % options.page)
            self._page = PageServer(
                host,
                int(port),
                [*LOCAL_HOSTS, *options.page_name],
                label_pin,
                storage,
                OsEntropy(),
                privacy.LEVELS[options.page_shows],
            )
            pin = self._page.access.pin
            if reset_linux.is_held(hardware.button):
                pin.reset()
                log("the button was held: the page's PIN is the label's again")
            if self._page.access.kind == access.SHUT:
                log("no display.pin in the site and no PIN set: the page only shows")
            log("display %s" % self._page.start())
            faces.append(self._page)
        # After the page, which asks the button whether its PIN shall be the label's again.
        if self._config.display is not None:
            faces.append(hardware.panel(self._config.display, FIRMWARE, log))
        elif hardware.button is not None:
            faces.append(hardware.button)
        return Faces(faces) if faces else None

    def _book(self, folder):
        try:
            from wattledger.hal.storage.book_tinydb import NAME, TinyBook
        except ImportError:
            return None  # a Pi without TinyDB queries the journal
        return TinyBook("%s/%s" % (folder, NAME))

    def start(self):
        """Recover, set the chip up, take the tariff that lies in the site."""
        self.agent.start()
        if self._tariff is not None:
            try:
                self.agent.accept_document(self._tariff)
            except TariffError as error:
                self.agent.report(events.TARIFF_REFUSED, 0)
                log.warning("tariff.json is refused: %s" % error)
        self._runtime = Runtime(self.agent, self._clock, self.watchdog, log.error)
        if self._releases is not None:
            from wattledger.firmware.updates_linux import PiUpdates

            self._updates = PiUpdates(
                self.agent,
                self._storage,
                self._site.public_keys,
                self._releases,
                self._link,
                log,
            )
        self.watchdog.ready()
        if self.agent.ledger.missing:
            log.warning(
                "no ledger in %s: nothing is billed or cut; open it with --commission MICRO, or "
                "restore the meter's files" % self._state
            )
        log("meter %s measures" % self._config.meter)

    def wants_restart(self):
        """True when another release is to be started: the service ends, and systemd starts it."""
        return self._updates is not None and self._updates.work()

    def turn(self):
        """Tick when it is time, one step; the seconds until the next turn."""
        wait_ms = self._runtime.turn()
        if self._certificate is not None:
            self._certificate.work()
        if self._updates is not None and self._updates.more:
            return 0
        return wait_ms / 1000

    def stop(self):
        """End cleanly: everything durable, the relay where it is."""
        self.watchdog.stopping()
        if self._alerts is not None:
            self._alerts.close()
        if self._runtime is not None:
            self.agent.stop()
        if self._link is not None:
            self._link.close()
        if self._page is not None:
            self._page.stop()
        if self._hardware is not None:
            self._hardware.close()


def open_ledger(options, parts=parts_linux):
    """Open the ledger of a new meter; AgentError when it has one already."""
    site = Site(options.site)
    storage = state_folder(options.state)
    retire_linux.refuse(storage, options.state)
    hardware = parts.Hardware(site.config.board, site.calibration, log.warning)
    try:
        closed = hardware.relay.contact()
        unix, trust = hardware.clock.unix_s(), hardware.clock.trust()
        offer = hardware.clock.offer()
    finally:
        hardware.close()
    supply = DISCONNECTED if closed is False else CONNECTED
    if offer is not None:
        unix = offer[0]
    commission(storage, site.config.meter, unix, trust, options.commission, supply)
    log("the ledger of %s is open with %d micro-units" % (site.config.meter, options.commission))


def serve(options, stopped, parts=parts_linux):
    """Run the meter until `stopped` is set."""
    meter = PiMeter(options, parts)
    try:
        meter.start()
        while not stopped.is_set() and not meter.wants_restart():
            stopped.wait(min(meter.turn(), LOOK_S))
    finally:
        meter.stop()


def main(words=None):
    """Entry point of `wattledger-meter`; the exit code."""
    options = parse(words)
    try:
        faulthandler.enable()  # where it hung, when systemd's watchdog ends it by SIGABRT
    except (OSError, ValueError):
        pass  # whoever runs this has no file there
    stopped = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        if options.decommission:
            storage = state_folder(options.state)
            retire_linux.retire(options.site, storage, options.state, log, options.releases)
        elif options.commission is not None:
            open_ledger(options)
        else:
            serve(options, stopped)
    except (FirmwareError, AgentError, HalError, OSError) as error:
        log.error("wattledger-meter: %s" % error)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
