"""Composition root of a meter in lock-step with a simulated world, the same on both interpreters.

    micropython main_bridge.py CONFIG STORAGE TARIFF KEY [TOKEN_KEY] [--heap]

CONFIG is a device.json, STORAGE the folder of the journal, TARIFF a document or `-`, KEY the
device key in hex, TOKEN_KEY that of the meter's tokens. The world answers on stdin what is asked
on stdout (hal/bus/bridge.py); people read stderr. With --heap, which needs MicroPython, the last
line there is `heap: N bytes free after an hour, N at the end` (world time, after a collection).

The world is reached through a *port*: the Bridge, or host_sim/port.py inside one process.
"""

import binascii
import gc
import sys

from wattledger.agent import events

# In the core of an image: there is always a link here.
from wattledger.agent.comms.conversation import Conversation  # noqa: F401
from wattledger.agent.errors import TariffError
from wattledger.agent.supply.rules import WARNED_S
from wattledger.firmware import documents
from wattledger.firmware.forget import forget, loaded
from wattledger.firmware.runtime import Runtime
from wattledger.firmware.simulated import build
from wattledger.hal.bus.bridge import (
    CLOCK_BUDGET,
    HAS_TARIFF,
    KEEP_POWER,
    SYNCED,
    WARNED,
    Bridge,
    BridgeRelay,
)
from wattledger.hal.clock.bridge import BridgeClock
from wattledger.hal.network.link_bridge import BridgeLink
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.bridge import BridgeStorage
from wattledger.hal.storage.vfs import VfsStorage

FIRMWARE = "bridge"
MOST_STEPS = 16  # in one turn: a step that always wants more must not stop time
PRESS_MS = 1000  # a button that is held is looked at no less often
HOUR_MS = 3600000
# What a person at the meter may want.
ACCEPT = "accept"  # the emergency credit that is offered
DOCUMENT = "document"  # the meter to take what is brought: tariff, prices or correction
TOKEN = "token"  # to enter the digits of one at the keypad
GC_BYTES = 4096
SPARE = 4  # of what is free after the boot, the part that may be garbage
REFUSED = "refused: "


class LockstepMeter:
    """A booted meter. `turn()` lets one tick of world time pass and does what is due then."""

    def __init__(
        self,
        port,
        config,
        storage,
        device_key,
        tariff,
        log,
        token_key=b"",
        checked=None,
        tidy=None,
    ):
        """Boots: greets the world, recovers from `storage`, takes `tariff` (bytes or None).

        `checked` is the Tariff in it when it was checked before. `log` is called with a line of
        text for each failure that was contained, and for each document that was refused
        (`refused: ` and why). `tidy` as of Agent.
        """
        port.start()
        self._port = port
        self._clock = BridgeClock(port)
        self._tick_ms = config.tick_ms
        self._pressed = False
        self._log = log
        self.documents = 0  # brought since the boot
        self.agent = build(
            config,
            port,
            BridgeRelay(port),
            self._clock,
            self._wait,
            BridgeStorage(port, storage),
            port,
            link_clock=self._clock,
            link=BridgeLink(port),
            device_key=device_key,
            token_key=token_key,
            firmware=FIRMWARE,
            tidy=tidy,
        )
        self.agent.start(tariff, checked)
        self.runtime = Runtime(self.agent, self._clock, None, log)

    def _wait(self, ms):
        self._port.advance(ms, True)
        self._clock.advance(ms)

    def turn(self):
        """One tick period. False, with nothing done, when the world asks for a clean end.

        One tick, then steps until one has nothing left to do: nothing else decides the order, so
        a run is the same on every interpreter.
        """
        tick_ms = self._tick_ms
        port = self._port
        passed = 0
        while passed < tick_ms:
            ms = min(PRESS_MS, tick_ms - passed) if port.button else tick_ms - passed
            port.advance(ms, passed > 0)
            if port.stopping:
                return False
            self._clock.advance(ms)
            passed += ms
            if port.button or self._pressed:
                self._hear_button()
        while port.visitor_waits:
            self._hear_visitor()
        runtime = self.runtime
        runtime.tick()
        left = MOST_STEPS
        while left and runtime.step() < tick_ms:
            left -= 1
        if port.asks:
            self._tell()
        return True

    def _tell(self):
        agent = self.agent
        register = agent.meter.register
        account = agent.account
        state = HAS_TARIFF if account.tariff else 0
        if agent.time.trust() == TRUST_SYNCED:
            state |= SYNCED
        if agent.time.budget_s > 0:
            state |= CLOCK_BUDGET
        credit = agent.control.credit
        if credit.keep_power_s:
            state |= KEEP_POWER
        warned_s = credit.warned_s
        if warned_s is not None and agent.time.powered_s - warned_s >= WARNED_S:
            state |= WARNED
        left = account.available(register.import_wh, register.export_wh) - credit.floor()
        self._port.tell(left, agent.time.unix(), state)

    def _hear_button(self):
        self._pressed = self._port.button
        self.agent.control.person(("press",) if self._pressed else ("release",))

    def _hear_visitor(self):
        wish = self._port.visit()
        if wish is None:
            return
        word, data, _ = wish
        if word == ACCEPT:
            self.agent.control.person((ACCEPT,))
        elif word == TOKEN and self.agent.keypad:
            self.agent.keypad.hear((TOKEN, data.decode()))
        elif word == DOCUMENT:
            self.documents += 1
            try:
                self.agent.accept_document(data)
            except TariffError as error:
                self.agent.report(events.TARIFF_REFUSED, 0)
                self._log(REFUSED + str(error))

    def stop(self):
        """End cleanly, everything durable."""
        self.agent.stop()


def _log(line):
    sys.stderr.write(line + "\n")


def _content(path):
    with open(path, "rb") as file:
        return file.read()


def _free():
    gc.collect()
    return gc.mem_free()


def run(meter, tick_ms, heap, tidy=None):
    """Turns until the world ends them; (bytes free after an hour, at the end) when `heap`.

    The hour begins again with each document, for what the meter holds of one is no leak. A module
    that a turn needed leaves the heap after it, by `tidy`.
    """
    early = None
    turns = documents = 0
    count = len(sys.modules)
    while meter.turn():
        turns += 1
        if tidy is not None and len(sys.modules) != count:
            tidy()
            count = len(sys.modules)
        if meter.documents != documents:
            documents = meter.documents
            turns = 0
            early = None
        if heap and turns == HOUR_MS // tick_ms:
            early = _free()
    meter.stop()
    return (early, _free()) if heap else None


def _boot(words, port):
    """(meter, tidy) from the command line's words. A function of its own: in its frame stands the
    first tariff, which leaves the heap when another one follows."""
    config_path, folder, tariff_path, key = words[:4]
    token_key = binascii.unhexlify(words[4]) if len(words) > 4 else b""
    tariff = None if tariff_path == "-" else _content(tariff_path)
    config, checked = documents.read(_content(config_path), tariff)
    kept = loaded()

    def tidy():
        forget(kept)

    if not hasattr(gc, "threshold"):
        tidy = None  # CPython has room
    meter = LockstepMeter(
        port,
        config,
        VfsStorage(folder),
        binascii.unhexlify(key),
        tariff,
        _log,
        token_key,
        checked,
        tidy,
    )
    return meter, tidy


def main(arguments):
    """Run a meter until the world has enough of it; 1 when the world goes without a word."""
    if hasattr(gc, "threshold"):
        # Collected often, the garbage of the imports and of each step cannot fragment the heap.
        gc.threshold(GC_BYTES)
    heap = "--heap" in arguments
    words = [word for word in arguments if word != "--heap"]
    port = Bridge(sys.stdin.buffer, sys.stdout.buffer)
    try:
        meter, tidy = _boot(words, port)
        if tidy is not None:
            tidy()
            # Booted, it collects as its heap allows: every 4 KiB would be two thirds of a run.
            gc.threshold(max(GC_BYTES, gc.mem_free() // SPARE))
        free = run(meter, meter.agent.config.tick_ms, heap, tidy)
    except (EOFError, OSError) as error:  # OSError: nobody reads our requests any more
        _log("ended without its world: %r" % error)
        return 1
    if free:
        _log("heap: %s bytes free after an hour, %d at the end" % free)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
