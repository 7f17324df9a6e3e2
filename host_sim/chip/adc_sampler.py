"""The sampler behind a simulated ADC: synchronous, deterministic, one conversion at its own time.

Has the interface of hal/contract.py's AdcSampler. It converts what the world's time allows when it
is asked, so a test needs no thread. Portable.
"""

NULL_BIT = 0x10


class SimulatedSampler:
    """Rounds of V and I of each pair of `chip`, evenly spaced, `pairs` rounds in a block."""

    def __init__(self, chip, pairs=400, pair_us=250, blocks=64):
        self.pairs = pairs
        self.pair_us = pair_us
        self.blocks = blocks
        self.errors = 0
        self.overruns = 0
        self.started_us = 0
        self.dead = False  # set: as a thread that ended
        self.drift_ppm = 0  # how much longer than `pair_us` a pair really takes
        self.null_flips = 0  # answers to come whose null bit is hit
        self._chip = chip
        self._channels = [channel for pair in chip.pairs for channel in pair]
        self._at_us = 0
        self._running = False
        # The block converted last, and the state of the chip it can serve for again.
        self._last = bytearray(3 * pairs * len(self._channels))
        self._served = -1
        self._moved = False  # blocks no longer begin where the last one of this chip did

    def start(self):
        """Begin a block now."""
        self.started_us = self._chip.now_us
        self._at_us = self.started_us
        self._running = True
        self._moved = True
        self.dead = False

    def stop(self):
        """Forget what is not finished."""
        self._running = False

    def alive(self):
        """True while sampling."""
        return self._running and not self.dead

    def now_us(self):
        """The world's time."""
        return self._chip.now_us

    def pause(self, us):
        """Sample nothing for `us` from the next block on: the processor was busy elsewhere."""
        self._at_us += us
        self._moved = True

    def take(self, block):
        """Fill `block` with the oldest finished one; False when there is none."""
        took = self.pairs * self.pair_us * (1_000_000 + self.drift_ppm) // 1_000_000
        finished = (self._chip.now_us - self._at_us) // took
        if not self.alive() or finished < 1:
            return False
        if finished > self.blocks:
            self.overruns += finished - self.blocks
            self.pause((finished - self.blocks) * took)
        block.raw = self._answer(took)
        self._at_us += took
        block.ended_us = self._at_us
        return True

    def _answer(self, took):
        """The answers of the block at hand; converted anew only when they can be others."""
        chip = self._chip
        raw = self._last
        if chip.silent:
            for index in range(len(raw)):
                raw[index] = 0xFF
            self._served = -1
        elif self._served != chip.changes or self._moved or not chip.repeats(took):
            self._convert(raw, took)
            self._served = chip.changes
            self._moved = False
        at = 1
        while self.null_flips:
            raw[at] |= NULL_BIT
            at += 3
            self.null_flips -= 1
            self._served = -1
        return raw

    def _convert(self, raw, took):
        channels = self._channels
        each = len(channels)
        total = self.pairs * each
        begun = self._at_us
        chip = self._chip  # and no bound method: on MicroPython that takes heap
        number = 0
        at = 0
        while number < total:
            code = chip.convert(channels[number % each], begun + number * took // total)
            # Before the null bit the line floats.
            raw[at] = 0xFF
            raw[at + 1] = 0xE0 | code >> 8
            raw[at + 2] = code & 0xFF
            number += 1
            at += 3
