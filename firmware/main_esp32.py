"""Composition root of an ESP32. On a meter `main` never returns (firmware/start_esp32.py).

A fault that nothing contained restarts the machine, the relay where it is. Without an application
(firmware/boot.py) the core meters, enforces credit and journals; there is no link then. What only
a boot needs is in assembly_esp32.py, and leaves the heap after it.
"""

import gc
import sys

from wattledger.agent.agent import Agent
from wattledger.firmware.build import RELEASE
from wattledger.firmware.forget import forget, keep, loaded
from wattledger.firmware.runtime import Runtime
from wattledger.firmware.task import Task

# The classes of parts that stay are in the core's one module: a module of its own costs a table.
from wattledger.hal.clock.ds3231 import Ds3231  # noqa: F401
from wattledger.hal.clock.esp32 import Esp32Clock  # noqa: F401
from wattledger.hal.inputs.button_esp32 import Esp32Button  # noqa: F401
from wattledger.hal.relay.esp32 import Esp32LatchingRelay  # noqa: F401
from wattledger.hal.sample import QUALITY_OK, TRUST_SYNCED
from wattledger.hal.storage.vfs import VfsStorage  # noqa: F401
from wattledger.hal.watchdog.esp32 import Esp32Watchdog

GC_BYTES = 4096
BOOT_MS = 60000  # the watchdog's patience until the first tick: a journal is read
REST_MS = 5000  # before a restart after a fault, so that one that stays does not wear the flash
DEADLINE_MS = 600000  # of a task beside the steps
LOOK_MS = 100  # a person at the button or a keypad does not wait for the next tick


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
    """A meter on this chip: call turn() again and again.

    `found` is what the boot found, `port` the Modules; `kept` names the modules that stay in the
    heap, those that are loaded now when it is None. `page` and `panel` may be None, and so is
    `updates` while there is nothing to do for the application.
    """

    look_ms = LOOK_MS

    def __init__(self, found, port, log=log, kept=None):
        self.found = found
        self.port = port
        self.updates = self.page = self.panel = None
        self.floor = 0  # an update's sequence is above it
        self.log = log
        machine = port.machine
        Esp32Watchdog(machine.WDT, BOOT_MS)
        kept = loaded() if kept is None else kept
        keep(kept)  # the application's rooms, which the boot has pointed into its slot

        def tidy():
            forget(kept)
            gc.collect()  # at once: what comes next must not be put between what is gone

        # On CPython others may hold what would go.
        self._tidy = tidy if hasattr(gc, "threshold") else None
        # What follows is for a boot only, and one after the other.
        from wattledger.firmware.site_esp32 import read

        config, tariff, checked = read(found, port, log)
        read = None
        self._let_go()
        given = self._gather(config)
        keep(kept)
        self._let_go()
        if self.link is not None:
            from wattledger.agent.comms.conversation import Conversation  # noqa: F401
        self.agent = Agent(config, tidy=self._tidy, **given)
        given = None
        keep(kept)
        self._let_go()
        self.agent.start()
        self._let_go()
        from wattledger.firmware.begin_esp32 import begin

        begin(self, tariff, checked)
        tariff = checked = begin = None
        self._let_go()
        from wattledger.firmware.faces_esp32 import show

        show(self)
        show = None
        keep(kept)
        self._let_go()
        watchdog = Esp32Watchdog(machine.WDT)
        self.runtime = Runtime(self.agent, self.clock, watchdog, log, self._tasks())
        self._turned_at = self.clock.ticks_ms()
        self._wait_ms = 0
        self._is_new = True
        self._modules = len(sys.modules)
        if self.agent.ledger.missing:
            log("no ledger: nothing is billed or cut")

    def _gather(self, config):
        """What the agent is given, by name."""
        from wattledger.firmware.assembly_esp32 import Assembly

        parts = Assembly(self.found, self.port, self.log, config)
        self.config, self.clock, self.storage = config, parts.clock, parts.storage
        self.relay = parts.relay
        self._waits = parts.waits
        self.wifi = parts.wifi
        self._ends = parts.ends
        given = parts.others()
        self.link = given["link"]
        self.button = given["page"]
        self.cause = given["cause"]
        return given

    def _tasks(self):
        """What works beside the agent's steps."""
        agent = self.agent
        works = []
        if self.wifi is not None:
            works.append(("Wi-Fi", self.wifi.work))
        if self._ends is not None:
            from wattledger.agent.comms.certificate import CertificateWatch

            watch = CertificateWatch(self._ends, self.storage, agent.time, agent.report)
            works.append(("certificate", watch.work))
        if self.found.slot is not None:
            works.append(("update", self._update))
        return tuple([Task(name, work, self.clock, DEADLINE_MS) for name, work in works])

    def _update(self):
        """Look after the application; what does so is in the heap only while there is work."""
        if self.updates is None:
            desk = self.agent.documents
            if desk is None or not desk.want or desk.want.firmware <= self.floor:
                return
            from wattledger.firmware.begin_esp32 import take_updates

            take_updates(self)
        elif self.updates.work():
            self.agent.stop()
            self.port.machine.reset()
        elif self.updates.idle:
            self.floor = self.updates.floor
            self.updates = None
            self._let_go()

    def turn(self):
        """What is due: tick, step, tasks, a slice of the small screen; the milliseconds until the
        next turn."""
        self._tidy_up()
        left = self._wait_ms - self.clock.elapsed_ms(self._turned_at)
        if left <= 0:
            self._turned_at = self.clock.ticks_ms()
            left = self._wait_ms = min(self.runtime.turn(), self.look_ms)
            self._look_after()
        if self.panel is not None:
            left = min(left, self.panel.work(self.runtime.failed))
        self._tidy_up()
        return left

    def _look_after(self):
        if self._is_new and self.agent.meter.quality == QUALITY_OK:
            try:  # `wattledger flash` waits for it
                self.log("first reading: %d mW" % self.agent.meter.power_mw())
                self._is_new = False
            except MemoryError:
                pass  # at the next turn
        if self._waits and self.clock.trust() == TRUST_SYNCED:
            from wattledger.firmware.store_esp32 import commissioned

            self._waits = False
            commissioned(self)
        if self.found.folder is None and self.found.made and not self.agent.ledger.missing:
            from wattledger.firmware.store_esp32 import renew

            renew(self)

    def _tidy_up(self):
        """Let go of what a turn has loaded, before the next turn for want of heap."""
        if len(sys.modules) != self._modules:
            try:
                self._let_go()
                self._modules = len(sys.modules)
            except MemoryError:
                pass

    def _let_go(self):
        if self._tidy is not None:
            self._tidy()


def serve(found, port, log=log, kept=None):
    """Run the meter for ever. Raises what nothing contained."""
    meter = Esp32Meter(found, port, log, kept)
    if meter.page is not None:
        from wattledger.firmware.page_esp32 import run

        run(meter)
    while True:
        port.time.sleep_ms(meter.turn())


def is_provisioned(found, port):
    """True when there is a device.json, or a copy of one."""
    from wattledger.firmware.site_esp32 import DEVICE, Site

    site = Site(found, port.esp32, log)
    return (site.content(DEVICE) or site.copied(DEVICE)) is not None


def main(found, port, log=log, kept=None):
    """Run the meter; a fault restarts the machine.

    Returns, to the prompt of the serial line, for a meter that is not provisioned yet, and in
    safe mode; from a release only for one that was never commissioned.
    """
    if hasattr(gc, "threshold"):
        # Collected often, the garbage of the imports and of each step cannot fragment the heap.
        gc.threshold(GC_BYTES)
    if not is_provisioned(found, port):
        log("no device.json: not provisioned")
        if not found.made or not RELEASE:
            return
    elif found.safe and not RELEASE:
        log("safe mode")
        return
    else:
        try:
            serve(found, port, log, kept)
        except Exception as error:
            log("restarts after %s: %s" % (type(error).__name__, error))
    port.time.sleep_ms(REST_MS)
    port.machine.reset()
