"""Runs of one fault on one chip, for the table of vectors_faults.py. Portable."""

from wattledger.hal.errors import BusError
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    NO_ANSWER,
    OK,
    RESTARTED,
    new_sample,
)
from wattledger.tests.both.vectors_faults import EXACT, FLAG, FOUND, GAP, UNSEEN


class Wire:
    """Stands between a driver and the simulated chip: it takes the place of the chip's methods."""

    def __init__(self, chip):
        self.count = 0  # transfers so far
        self.at = -1  # the transfer that is hit
        self.mask = 0  # flipped in byte `byte` of its answer
        self.byte = 0
        self.short = False  # its last byte is not clocked
        self.fail = False  # it raises BusError
        self.level = -1  # every answer is this byte
        if hasattr(chip, "transfer"):
            self._transfer = chip.transfer
            chip.transfer = self.transfer
        self._read_into = chip.read_into if hasattr(chip, "read_into") else None
        if self._read_into:
            chip.read_into = self.read_into

    def clear(self):
        """Mend the wire."""
        self.at = -1
        self.mask = 0
        self.short = self.fail = False
        self.level = -1

    def transfer(self, out, into):
        hit = self._next()
        if hit and self.short:
            part = bytearray(len(into) - 1)
            self._transfer(out[:-1], part)
            self._copy(part, into)
        else:
            self._transfer(out, into)
        self._spoil(hit, into)

    def read_into(self, register, buffer):
        hit = self._next()
        if hit and self.short:
            part = bytearray(len(buffer) - 1)
            self._read_into(register, part)
            self._copy(part, buffer)
        else:
            self._read_into(register, buffer)
        self._spoil(hit, buffer)

    def _next(self):
        hit = self.count == self.at
        self.count += 1
        if hit and self.fail:
            raise BusError("no acknowledge")
        return hit

    def _copy(self, part, into):
        for index in range(len(part)):
            into[index] = part[index]
        into[len(part)] = 0xFF

    def _spoil(self, hit, into):
        if hit and self.byte < len(into):
            into[self.byte] ^= self.mask
        if self.level >= 0:
            for index in range(len(into)):
                into[index] = self.level


class Run:
    """One fault on one chip; `outcome()` says what became of it."""

    answer_at = 0  # where an answer begins in a frame, and its bytes
    answer_bytes = 1
    load = (230_000, 10_000, 2_300_000)
    over = (230_000, 100_000, 23_000_000)  # beyond what its board can measure
    freeze_ticks = 3

    def __init__(self, bench):
        self.bench = bench(1)
        self.bench.driver.begin()
        self.chip = self.bench.chip
        self.statuses = []
        self.handed = 0
        self.sample = new_sample()
        self.bench.mains(0, *self.load)
        self.wire = self.new_wire()
        self.tick()
        self.tick()
        self.start()

    def new_wire(self):
        """The wire that faults are put on."""
        return Wire(self.chip)

    def start(self):
        """Count from here on."""
        self.handed = 0
        self.before = self.fetched()
        self.statuses = []

    def fetched(self):
        """Counts made that the driver has been given the chance to take."""
        return self.bench.made(0) - self.bench.waiting(0)

    def tick(self, ms=1_000):
        """One reading after `ms`; its status."""
        if ms:
            self.bench.feed(ms)
        self.sample = sample = new_sample()
        status = self.bench.fetch(sample)
        self.statuses.append(status)
        # What the meter does with it: a reading after a gap is not counted.
        if not status & RESTARTED:
            self.handed += sample[ENERGY_COUNTS]
        return status

    def mended(self):
        """EXACT, GAP, or what went wrong: after the fault, whatever it was."""
        self.wire.clear()
        for _ in range(3):
            self.tick()
        told = any(status & RESTARTED for status in self.statuses)
        exact = self.handed == self.fetched() - self.before
        if told or not exact:
            # From now on every count arrives, once.
            self.start()
            for _ in range(3):
                if self.tick() != OK:
                    return "does not recover"
            if self.handed != self.fetched() - self.before or not self.handed:
                return "miscounts afterwards"
        if exact:
            return EXACT
        return GAP if told else "silent loss"

    def walk(self, spoil):
        """`spoil(wire)` at each transfer of a reading in turn."""
        wire = self.wire
        first = wire.count
        self.tick()
        length = wire.count - first
        for at in range(length):
            wire.at = wire.count + at
            spoil(wire, at)
            self.tick()
            wire.clear()
            self.tick()
        return self.mended()

    def flip(self):
        def spoil(wire, at):
            wire.mask = 1 << at % 8
            wire.byte = self.answer_at + at % self.answer_bytes

        return self.walk(spoil)

    def shorten(self):
        def spoil(wire, at):
            wire.short = True

        return self.walk(spoil)

    def fail(self):
        def spoil(wire, at):
            wire.fail = True

        return self.walk(spoil)

    def stuck(self, level):
        self.wire.level = level
        for _ in range(3):
            if not self.tick() & (NO_ANSWER | CORRUPT):
                return "believed"
        return self.mended()

    def low(self):
        return self.stuck(0x00)

    def high(self):
        return self.stuck(0xFF)

    def silence(self):
        self.bench.cut_bus(True)
        for _ in range(3):
            if not self.tick() & (NO_ANSWER | CORRUPT):
                return "believed"
        self.bench.cut_bus(False)
        return self.mended()

    def freeze(self):
        """Registers hold what they hold, and the load shows in the power."""
        for _ in range(self.freeze_ticks):
            self.tick(0)
        if self.handed:
            return "counted twice"
        found = self.statuses[-1] & (CORRUPT | NO_ANSWER)
        return FOUND if found else UNSEEN

    def reset(self):
        self.bench.feed(1_000)
        self.bench.lose_registers()
        # The load goes on, and what the second before had made may be gone.
        self.bench.mains(0, *self.load)
        self.tick()
        return self.mended()

    def saturate(self):
        self.bench.mains(0, *self.over)
        self.tick()
        return FLAG if self.sample[FLAGS] & FLAG_SATURATED else UNSEEN
