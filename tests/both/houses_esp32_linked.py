"""An ESP32's meter on real sockets, for MicroPython alone: told by lines of JSON what to do.

The site is a folder that `wattledger provision` made. Wall time passes while a socket is open; in
between, as in the pause before a next attempt, time flies (tests/host/esp32_linked_bench.py).
"""

import gc
import json
import os
import select
import socket as port_socket
import ssl
import sys
import time

import esp32
import machine
import network
import vfs

from wattledger.firmware import boot as boots
from wattledger.firmware.main_esp32 import Modules
from wattledger.host_sim import machine as sim_machine
from wattledger.host_sim.ticks import TICKS_PERIOD, PortTime
from wattledger.tests.both import houses_esp32 as houses
from wattledger.tests.both.houses_root import host

FLIGHT = 200  # virtual milliseconds for one of the wall's while no socket is open
# Of the wall, in which a time server answers: one that is silent is not waited for.
ANSWER_MS = 100
SNTP_PORT = 123
UNREACHABLE = 118  # EHOSTUNREACH of lwIP


class Radio:
    """The port's module socket behind the simulated station: without an address nothing begins.

    What is for a time server's port goes to `sntp_port`, where a test may listen.
    """

    def __init__(self, sntp_port):
        for name in dir(port_socket):
            if name.isupper():
                setattr(self, name, getattr(port_socket, name))
        self._sntp_port = sntp_port
        self._made = {}  # descriptor: (socket, when, whether it is of a connection)

    def getaddrinfo(self, host, port, *more):
        self._need_an_address()
        port = self._sntp_port if port == SNTP_PORT else port
        return port_socket.getaddrinfo(host, port, *more)

    def socket(self, family, kind):
        self._need_an_address()
        made = port_socket.socket(family, kind)
        self._made[made.fileno()] = (made, time.ticks_ms(), kind == port_socket.SOCK_STREAM)
        return made

    def is_open(self):
        """True while something may come."""
        now = time.ticks_ms()
        for number, (made, when, is_stream) in list(self._made.items()):
            try:  # a socket keeps its number when it is closed
                made.setsockopt(port_socket.SOL_SOCKET, port_socket.SO_KEEPALIVE, 0)
            except OSError:
                del self._made[number]
                continue
            if is_stream or time.ticks_diff(now, when) < ANSWER_MS:
                return True
        return False

    def _need_an_address(self):
        station = network.air.station
        if station is None or not station.isconnected():
            raise OSError(UNREACHABLE)


class PacedTime(PortTime):
    """Sleeps until the time is over or somebody speaks, and flies while no socket is open."""

    def __init__(self, passes, radio, poll):
        super().__init__(passes)
        self._radio = radio
        self._poll = poll
        self._wall = time.ticks_ms()

    def sleep_ms(self, ms):
        ms = max(ms, 1)
        if not self._radio.is_open():
            self._poll.poll(max(ms // FLIGHT, 1))
            passed = ms
        else:
            self._poll.poll(ms)
            passed = max(time.ticks_diff(time.ticks_ms(), self._wall), 1)
        self._wall = time.ticks_ms()
        self._ticks = (self._ticks + passed) % TICKS_PERIOD
        self._ms += passed
        self._passes(passed)


class LinkedHouse(houses.House):
    """The board in reach of an access point; `files` are pairs of (source, place)."""

    def __init__(self, files, sntp_port, has_battery):
        self._files = files
        self.radio = Radio(sntp_port)
        self.poll = select.poll()
        self.poll.register(sys.stdin, select.POLLIN)
        self.boots = 0
        super().__init__()
        if not has_battery:
            self.rtc.lose_battery()
            self.rtc.cut_supply(True)
            self.rtc.cut_supply(False)

    def _provision(self, *others):
        vfs.VfsLfs2.mkfs(self.flash)
        self.mount()
        os.mkdir("/site")
        for source, place in self._files:
            with open(host(source), "rb") as old, open("/" + place, "wb") as new:
                new.write(old.read())
        self._close_page()
        self.umount()

    def _close_page(self):
        """The page's server is not among the modules here (tests/host/test_esp32_page.py)."""
        place = "/site/network.json"
        with open(place) as file:
            settings = json.load(file)
        settings["page_port"] = 0
        with open(place, "w") as file:
            json.dump(settings, file)

    def new_time(self):
        return PacedTime(self.pass_ms, self.radio, self.poll)

    def modules(self):
        return Modules(machine, esp32, vfs, self.time, network, self.radio, ssl)

    def boot(self, cause=sim_machine.PWRON_RESET):
        self.boots += 1
        return super().boot(cause)

    def live(self):
        """Turns for ever, resets too; a line from outside is heard between two of them."""
        cause = sim_machine.PWRON_RESET
        while True:
            try:
                self.boot(cause)
                while self.heard():
                    self.time.sleep_ms(self.meter.turn())
                return
            except sim_machine.Reset:
                cause = machine.reset_cause()

    def heard(self):
        """False when nobody is there any more."""
        while self.poll.poll(0):
            line = sys.stdin.readline()
            if not line:
                return False
            words = json.loads(line)
            for name, value in words.items():
                if name == "air":
                    network.air.name, network.air.password = value
                elif name == "watts":
                    self.watts = value
                elif name == "rot":
                    self.rot(value)
            print(json.dumps(self.told()))
            if "rot" in words:
                machine.reset()
        return True

    def rot(self, name):
        """Half of a file of the site is left."""
        with open("/site/" + name, "rb") as file:
            data = file.read()
        with open("/site/" + name, "wb") as file:
            file.write(data[: len(data) // 2])

    def told(self):
        agent = self.meter.agent
        gc.collect()
        return {
            "boots": self.boots,
            "cause": self.meter.cause,
            "made": boots.is_made(esp32),
            "missing": agent.ledger.missing,
            "linked": agent.is_linked(),
            "balance": agent.journal.balance,
            "sequence": agent.journal.durable,
            "acknowledged": agent.keeper.acknowledged,
            "import_wh": agent.meter.register.import_wh,
            "power": agent.meter.power_mw(),
            "trust": agent.time.trust(),
            "unix": agent.time.unix(),
            "failures": self.meter.runtime.failures,
            "operations": self.relay.operations,
            "asked": network.air.asked,
            "lines": self.lines,
            "heap": gc.mem_alloc(),
            "ms": self.now_ms,
        }


def main():
    """The first line says what there is."""
    words = json.loads(sys.stdin.readline())
    network.air.clear()
    network.air.name, network.air.password = words["air"]
    LinkedHouse(words["files"], words["sntp_port"], words["battery"]).live()
