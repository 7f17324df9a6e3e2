"""Allocations that fail on an ESP32, one after the other; for MicroPython alone.

After so many blocks the heap gives nothing any more. MicroPython has no hook for that, but it
collects when so much was allocated, and among what it collects is a file that was forgotten open:
to close it, its device is written to, and the device locks the heap.
"""

import gc
import json
from array import array

import micropython
import vfs

from wattledger.agent.comms.conversation import Conversation
from wattledger.firmware import main_esp32
from wattledger.firmware.forget import forget, loaded
from wattledger.host_sim.flash import NorFlash
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both import houses_esp32
from wattledger.tests.both.fixtures_agent import ScriptedLink
from wattledger.tests.both.houses_esp32 import METER, House

BLOCK = 32  # bytes of a block of the heap on a 64-bit machine
WH = 320  # counts
START_MS = 1_020_000  # the tariff comes into force at the first quarter of an hour
NANO_A_MICRO = 1000
MOST_LOST = 15 * WH  # of 10 s between two snapshots, and a tick
KEY = b"\xab" * 32  # the device key of House
TICK_MS = 5_000
PROFILE_S = 60
OPENING = 10  # units
PURCHASE_MICRO = 100_000
WATTS = 3600  # 5 Wh a tick
NANO_A_WH = 1_000_000  # of the tariff of House: 1 a kWh
FORGOTTEN = 3  # files: the collector may take one or the other for used
CELL, CELLS = 128, 16
LOOKS = 4000  # more turns than any set has
IDLE, LAID, LOCKED = range(3)


class Snare:
    """`lay(blocks)`, and once so many more blocks were taken the heap is locked until `lift()`.

    A block device too, of the file system whose files are forgotten.
    """

    def __init__(self):
        self._image = bytearray(b"\xff" * (CELL * CELLS))
        self._state = IDLE
        self.sprung = 0
        vfs.VfsLfs2.mkfs(self, readsize=16, progsize=16, lookahead=16)
        self._least = 0  # blocks that lay() itself takes
        while self._is_early():
            self._least += 1

    def _is_early(self):
        self.lay(0)
        try:
            bytearray(1)
        except MemoryError:
            pass
        return self.lift()

    def lay(self, blocks):
        """The heap is to be locked after so many blocks from here."""
        gc.threshold(-1)
        gc.collect()
        self._forget(vfs.VfsLfs2(self, readsize=16, progsize=16, lookahead=16))
        self._state = LAID
        self.watch(blocks)

    def _forget(self, files):
        for number in range(FORGOTTEN):
            files.open("file%d" % number, "w").write("forgotten")

    def watch(self, blocks):
        """Go on with lay(blocks) after a rest()."""
        gc.threshold((self._least + blocks) * BLOCK)

    def rest(self):
        """What is allocated until watch() locks nothing, and counts."""
        gc.threshold(-1)

    def unlock(self):
        """Give the heap back if it is locked."""
        if self._state == LOCKED:
            self._state = IDLE
            micropython.heap_unlock()

    def is_out(self):
        """True once the heap was locked."""
        return self._state != LAID

    def lift(self):
        """The end of lay(): True when the heap was locked meanwhile."""
        gc.threshold(-1)
        sprang = self._state != LAID
        self.unlock()
        self._state = IDLE
        return sprang

    def readblocks(self, block, buffer, offset=0):
        for at in range(len(buffer)):
            buffer[at] = self._image[block * CELL + offset + at]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        if self._state == LAID:
            self._state = LOCKED
            self.sprung += 1
            micropython.heap_lock()
            return 0
        for at in range(len(buffer)):
            self._image[block * CELL + offset + at] = buffer[at]
        return 0

    def ioctl(self, operation, argument):
        if operation == 4:
            return CELLS
        return CELL if operation == 5 else 0


class QuietFlash(NorFlash):
    """Nothing is collected within an operation: a partition of the port allocates nothing, and a
    file that the collector closed then would find littlefs in the middle of another one."""

    def readblocks(self, block, buffer, offset=0):
        gc.disable()
        try:
            return NorFlash.readblocks(self, block, buffer, offset)
        finally:
            gc.enable()

    def writeblocks(self, block, buffer, offset=0):
        gc.disable()
        try:
            return NorFlash.writeblocks(self, block, buffer, offset)
        finally:
            gc.enable()

    def ioctl(self, operation, argument):
        gc.disable()
        try:
            return NorFlash.ioctl(self, operation, argument)
        finally:
            gc.enable()


houses_esp32.NorFlash = QuietFlash


class Collector:
    """In the place of the module gc of main_esp32: what it collects itself springs no snare."""

    threshold = gc.threshold

    def collect(self):
        pass


main_esp32.gc = Collector()


class Customer:
    """A meter with a utility that sells to it each minute, sends what is not answered again
    and says what it holds of the journal. `wrong` are texts."""

    def __init__(self):
        self.house = House(OPENING, watts=WATTS, tick_ms=TICK_MS, profile_s=PROFILE_S).boot()
        self.snare = Snare()
        self.link = ScriptedLink()
        self.asked = self.sold = 0  # purchases
        self._asks = b""
        self.wrong = []
        self._connect()

    def _connect(self):
        """As the agent does with a link that it is given."""
        agent = self.house.meter.agent
        agent._link, agent.secrets = self.link, (KEY, b"")
        talk = Conversation(
            agent, self.link, agent._link_clock, agent._entropy, agent.secrets, None
        )
        agent.talk, agent.keyring = talk, talk.keyring
        agent.sender, agent.desk = talk.sender, talk.desk

    def sell(self):
        """Send the next purchase, or the one before that was not answered."""
        if self.asked == self.sold:
            self.asked += 1
            text = '{"m":"%s","op":"credit.add","a":{"n":%d,"amount":%d}}'
            payload = text % (METER, self.asked, PURCHASE_MICRO)
            self._asks = jws.sign(payload, "credit.1", key=jws.key_of("credit.1", KEY))
        self.link.put(self._asks)

    def hear(self):
        """Take the answers; acknowledge the journal."""
        for _, data, _ in self.link.take("ack"):
            answer = json.loads(jws.unletters(data.decode().split(".")[1]))
            if answer["of"] != jws.reference(self._asks):
                continue  # of one before, which was sent twice
            if answer["result"] in ("ok", "duplicate"):
                self.sold = self.asked
            else:
                self.wrong.append("purchase %d: %s" % (self.asked, answer["result"]))
        journal = self.house.meter.agent.journal
        text = '{"m":"%s","op":"journal.ack","a":{"sequence":%d,"hash":"%s"}}'
        digest = "".join(["%02x" % byte for byte in journal.durable_hash])
        payload = text % (METER, journal.durable, digest)
        self.link.put(jws.sign(payload, "config.1", key=jws.key_of("config.1", KEY)))

    def run(self, ms, blocks=None, once=False):
        """Turns for `ms`; the heap is locked after so many blocks, until that turn is over, or
        until what failed for it is contained when it is `once`. True when it was locked."""
        house, snare = self.house, self.snare
        meter, runtime = house.meter, house.meter.runtime
        failed = runtime.failed

        def contained(what, error, *code):
            snare.unlock()
            failed(what, error, *code)

        if once:
            runtime.failed = contained
        until = house.now_ms + ms
        sprang = False
        if blocks is not None:
            snare.lay(blocks)
        while house.now_ms < until:
            try:
                wait = meter.turn()
            except Exception as error:
                snare.unlock()
                self.wrong.append("a turn ends with %r" % error)
                wait = TICK_MS
            if blocks is not None:
                snare.rest()  # the world is not the meter
                if snare.is_out():
                    sprang = snare.lift()
                    blocks = None
            house.time.sleep_ms(min(wait, until - house.now_ms))
            if blocks is not None:
                snare.watch(blocks)
        if blocks is not None:
            sprang = snare.lift()
        runtime.failed = failed
        return sprang

    def trade(self, name):
        """Sell, run three ticks and look."""
        self.sell()
        self.run(3 * TICK_MS)
        self.hear()
        self.look(name)

    def look(self, name):
        """Note what is not as it must be after as many answered purchases."""
        house, agent = self.house, self.house.meter.agent
        lost = self._count_lost(self.metered())
        balance = self._base + self.sold * PURCHASE_MICRO * NANO_A_MICRO
        balance -= (agent.account.start_import - self._base_wh) * NANO_A_WH
        found = []
        if self.asked != self.sold:
            found.append("purchase %d is not answered" % self.asked)
            self.sold = self.asked
        elif agent.journal.balance != balance:
            found.append("balance %d is %d" % (balance, agent.journal.balance))
            self._base += agent.journal.balance - balance
        if lost != self._lost:
            found.append("%d counts are lost" % (lost - self._lost))
            self._lost = lost
        if agent.ledger.missing or agent.ledger.fault:
            found.append("the ledger is %s" % agent.ledger.fault)
        if agent.account.tariff is None:
            found.append("no tariff")
        if house.relay.operations or house.coils.pulses:
            found.append("the relay moved")
        self.wrong += ["%s: %s" % (name, text) for text in found]

    def metered(self):
        """Counts in the meter's register."""
        register = self.house.meter.agent.meter.register
        return register.import_wh * WH + register.import_rest

    def _count_lost(self, metered):
        """Counts of the chip that are in no register."""
        return self.house.chip.total_counts(0) - self.house.chip.held_counts(0) - metered

    def back_to(self, metered, sold):
        """The flash is what it was with so many counts metered and purchases sold."""
        self.asked = self.sold = sold
        self._lost = self._count_lost(metered)

    def meet(self, name):
        """A meter that has just booted; what it metered since its last snapshot may be lost."""
        self._connect()
        lost = self._count_lost(self.metered())
        if not 0 <= lost - self._lost <= MOST_LOST:
            self.wrong.append("%s: %d counts are lost" % (name, lost - self._lost))
        self._lost = lost

    def begin(self):
        """Until the tariff is in force, and an interval ends with each minute from now on."""
        house = self.house
        self.run(START_MS - house.now_ms)
        agent = house.meter.agent
        self._base, self._base_wh = agent.journal.balance, agent.account.start_import
        self._lost = 0


def turns(first, step):
    """A turn with an interval that ends, a purchase and a journal that is kept: its allocations
    fail from each `step`th block on, for the rest of the turn and once; until they do not.

    A dict of counts and of what was wrong.
    """
    customer = Customer()
    customer.begin()
    found = {"failed": 0, "blocks": 0}
    heap = array("i", bytes(4 * LOOKS))  # before each turn; made now, for it lies in the heap
    looks = 0
    for once in (False, True):
        blocks, sprang = first, True
        while sprang:
            if customer.asked != customer.sold:
                customer.sell()
            customer.run(PROFILE_S * 1000 - TICK_MS)
            customer.hear()
            customer.look("%d blocks%s" % (blocks - step, ", once" * once))
            heap[looks] = _used()
            looks += 1
            customer.sell()
            sprang = customer.run(TICK_MS, blocks, once)
            customer.hear()
            found["failed"] += sprang
            blocks += step
        found["blocks"] = max(found["blocks"], blocks)
    house = customer.house
    found["contained"] = house.meter.runtime.failures
    customer.run(PROFILE_S * 1000 - TICK_MS)
    customer.hear()
    found["grown"] = _used() - heap[0]
    # Of the last quarter: by then each list and table has grown to the size that it keeps.
    found["leaked"] = _used() - heap[looks * 3 // 4]
    house.boot()
    customer.meet("after a reset")
    customer.trade("after a reset")
    found["purchases"] = customer.sold
    found["wrong"] = customer.wrong[:10]
    return found


def boots(first, step):
    """A boot, whose allocations fail from each `step`th block on until they do not, and the boot
    after that. A dict of counts and of what was wrong."""
    customer = Customer()
    customer.begin()
    customer.trade("before")
    house, snare = customer.house, customer.snare
    image = bytes(house.flash.image)
    kept, sold = customer.metered(), customer.sold
    found = {"failed": 0, "refused": 0, "blocks": first}
    sprang = True
    modules = loaded()
    while sprang:
        name = "%d blocks" % found["blocks"]
        forget(modules)  # as a reset does with what the boot before has loaded
        house.wake()
        snare.lay(found["blocks"])
        try:
            house.start()
        except Exception:  # main_esp32.main() restarts the machine
            house.meter = None
            found["refused"] += 1
        sprang = snare.lift()
        found["failed"] += sprang
        found["blocks"] += step
        if house.meter is not None:
            customer.meet(name)
            customer.trade(name)
        forget(modules)
        house.boot()
        customer.meet(name + ", and again")
        customer.trade(name + ", and again")
        # From the same again: each boot makes the journal longer.
        house.off()
        house.flash.image[:] = image
        customer.back_to(kept, sold)
    found["wrong"] = customer.wrong[:10]
    return found


def _used():
    gc.collect()
    return gc.mem_alloc()
