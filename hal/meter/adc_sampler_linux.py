"""The sampler of a raw ADC on a Raspberry Pi: a thread that converts into a ring of blocks.

It measures the rate instead of trusting it: each block is stamped when its last batch has come
back, and whatever held the thread up makes the next stamp later. A block for which there is no
room, or that a bus error spoilt, is counted and shows in the next stamp as well: no gap is silent.
"""

import threading
import time

from wattledger.hal.errors import BusError

RETRY_S = 0.02
STOP_S = 2


class AdcSampler:
    """hal/contract.py's AdcSampler on `batch`, an SpiBatch of `rounds` whole rounds of frames."""

    def __init__(self, batch, round_bytes, rounds, pairs=400, pair_us=250, blocks=64, now_ns=None):
        """`pairs` a block is a multiple of `rounds` a batch; ValueError when it is not.

        `now_ns` is the monotonic clock.
        """
        if pairs % rounds:
            raise ValueError("%d pairs are no whole number of batches of %d" % (pairs, rounds))
        self.pairs = pairs
        self.pair_us = pair_us
        self.blocks = blocks
        self.errors = 0
        self.overruns = 0
        self.started_us = 0
        self._batch = batch
        self._batches = pairs // rounds
        self._ring = [bytearray(pairs * round_bytes) for _ in range(blocks + 1)]
        self._stamps = [0] * (blocks + 1)
        self._step = rounds * round_bytes
        self._filled = 0  # written by the thread alone, as `_taken` is by the reader
        self._taken = 0
        self._now_ns = now_ns or time.monotonic_ns
        self._thread = None
        self._stopping = threading.Event()

    def start(self):
        """Begin to sample in a thread of its own."""
        self.stop()
        self._stopping = threading.Event()
        self._taken = self._filled
        self.started_us = self.now_us()
        self._thread = threading.Thread(
            target=self._run, args=(self._stopping,), name="adc-sampler", daemon=True
        )
        self._thread.start()

    def stop(self):
        """End the thread; returns when it is gone. BusError when it hangs in the kernel."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        thread.join(STOP_S)
        if thread.is_alive():
            raise BusError("the sampler hangs in an SPI transfer")
        self._taken = self._filled

    def alive(self):
        """True while the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def now_us(self):
        """Microseconds of the monotonic clock."""
        return self._now_ns() // 1000

    def take(self, block):
        """Copy the oldest finished block out of the ring; False when there is none."""
        if self._taken == self._filled:
            return False
        slot = self._taken % len(self._ring)
        block.raw[:] = self._ring[slot]
        block.ended_us = self._stamps[slot]
        self._taken += 1
        return True

    def _run(self, stopping):
        while not stopping.is_set():
            slot = self._filled % len(self._ring)
            try:
                self._fill(memoryview(self._ring[slot]), stopping)
            except BusError:
                self.errors += 1
                stopping.wait(RETRY_S)
                continue
            if stopping.is_set():
                break
            self._stamps[slot] = self.now_us()
            if self._filled - self._taken >= self.blocks:
                self.overruns += 1  # the block just made is given up: its slot is filled again
            else:
                self._filled += 1

    def _fill(self, ring, stopping):
        """One block, batch by batch."""
        at = 0
        for _ in range(self._batches):
            if stopping.is_set():
                return
            self._batch.transfer_into(ring[at : at + self._step])
            at += self._step
