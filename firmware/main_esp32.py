"""Composition root of an ESP32. On a meter `main` never returns (firmware/start_esp32.py).

A fault that nothing contained restarts the machine, the relay where it is. Without an application
(firmware/boot.py) the core meters, enforces credit and journals; there is no link then. What only
a boot needs is in assembly_esp32.py, and leaves the heap after it.
"""

import gc
import sys

from wattledger.agent.agent import Agent
from wattledger.firmware.build import RELEASE
from wattledger.firmware.forget import forget, loaded
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
    """A meter on this chip. `found` is what the boot found, `port` the Modules; `kept` names the
    modules that stay in the heap, those that are loaded now when it is None."""

    def __init__(self, found, port, log=log, kept=None):
        self.found = found
        self.port = port
        self.log = log
        machine = port.machine
        Esp32Watchdog(machine.WDT, BOOT_MS)
        kept = loaded() if kept is None else kept

        def tidy():
            forget(kept)

        # On CPython others may hold what would go.
        self._tidy = tidy if hasattr(gc, "threshold") else None
        # What follows is for a boot only, and one after the other.
        from wattledger.firmware.site_esp32 import read

        config, tariff, checked = read(found, port, log)
        read = None
        self._let_go()
        tasks = self._build(config)
        self._let_go()
        from wattledger.firmware.begin_esp32 import begin

        begin(self, tariff, checked)
        tariff = checked = begin = None
        self._let_go()
        self.runtime = Runtime(self.agent, self.clock, Esp32Watchdog(machine.WDT), log, tasks)
        self._modules = len(sys.modules)
        if self.agent.ledger.missing:
            log("no ledger: nothing is billed or cut")

    def _build(self, config):
        """Make the agent and what it is given; the tasks beside its steps."""
        from wattledger.firmware.assembly_esp32 import Assembly

        parts = Assembly(self.found, self.port, self.log, config)
        clock, storage = parts.clock, parts.storage
        self.config, self.clock, self.storage = config, clock, storage
        self.relay = parts.relay
        self._waits = parts.waits
        self.agent = agent = Agent(
            config,
            parts.chip,
            parts.relay,
            clock=clock,
            link_clock=clock,
            storage=storage,
            tidy=self._tidy,
            **parts.others(),
        )
        self.cause = agent.cause
        tasks = []
        if parts.wifi is not None:
            tasks.append(Task("Wi-Fi", parts.wifi.work, clock, DEADLINE_MS))
        if parts.ends is not None:
            from wattledger.agent.comms.certificate import CertificateWatch

            watch = CertificateWatch(parts.ends, storage, agent.time, agent.report)
            tasks.append(Task("certificate", watch.work, clock, DEADLINE_MS))
        return tuple(tasks)

    def turn(self):
        """Tick when it is time, one step, the tasks; the milliseconds until the next turn."""
        self._tidy_up()
        wait = self.runtime.turn()
        self._tidy_up()
        if self._waits and self.clock.trust() == TRUST_SYNCED:
            from wattledger.firmware.store_esp32 import commissioned

            commissioned(self)
        if self.found.folder is None and self.found.made and not self.agent.ledger.missing:
            from wattledger.firmware.store_esp32 import renew

            renew(self)
        return wait

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
    quiet = True
    while True:
        port.time.sleep_ms(meter.turn())
        if quiet and meter.agent.meter.quality == QUALITY_OK:
            quiet = False
            log("first reading: %d mW" % meter.agent.meter.power_mw())  # `wattledger flash` waits


def is_provisioned(found, port):
    """True when there is a device.json, or a copy of one."""
    from wattledger.firmware.boot import SPACE
    from wattledger.firmware.site_esp32 import Site

    return Site(found.folder, port.esp32.NVS(SPACE)).content("device.json") is not None


def main(found, port, log=log, kept=None):
    """Run the meter; a fault restarts the machine.

    Returns, to the prompt of the serial line, for a meter that is not provisioned yet, and in
    safe mode for a build that is no release.
    """
    if hasattr(gc, "threshold"):
        # Collected often, the garbage of the imports and of each step cannot fragment the heap.
        gc.threshold(GC_BYTES)
    if not is_provisioned(found, port):
        log("no device.json: not provisioned")
        return
    if found.safe and not RELEASE:
        log("safe mode")
        return
    try:
        serve(found, port, log, kept)
    except Exception as error:
        log("restarts after %s: %s" % (type(error).__name__, error))
    port.time.sleep_ms(REST_MS)
    port.machine.reset()
