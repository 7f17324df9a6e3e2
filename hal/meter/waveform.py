"""Sums over the samples of one phase of a raw ADC, in exact integers. Portable.

A line holds one block of N pairs, and before it the last pair of the block before, so that no
pair is left out between blocks: pair k is current k with the voltage before it and the voltage
after it. `waveform_linux.py` has faster lines that give the same numbers to the bit.

Bounds: codes are within 2**11 of the middle and N at most 512, so a sum is below 2**31.
"""

from array import array

from wattledger.hal.meter.mcp3208_frames import HIGH_BITS, MIDDLE, NULL_BIT

MAX_PAIRS = 512
LOWEST = -MIDDLE
HIGHEST = MIDDLE - 1
ENDS = (LOWEST, HIGHEST)


class Line:
    """Voltage and current of one phase; `load` a block, then ask for sums over parts of it."""

    def __init__(self, pairs):
        """`pairs` in a block, at most MAX_PAIRS."""
        self.pairs = pairs
        self.voltage = array("h", [0] * (pairs + 1))
        self.current = array("h", [0] * (pairs + 1))
        # Sums of the last `sum`: voltage, current, their squares, current times the voltage
        # before it and times the voltage after it.
        self.v = 0
        self.i = 0
        self.vv = 0
        self.ii = 0
        self.vi = 0
        self.wi = 0
        # Sums of the last `tone`: voltage and current with a cosine and a sine.
        self.v_cosine = 0
        self.v_sine = 0
        self.i_cosine = 0
        self.i_sine = 0
        self.saturated = False  # a code of the block is the lowest or the highest there is

    def forget(self, voltage, current):
        """After a gap: the pair before the block is at rest at these codes from the middle."""
        self.voltage[self.pairs] = voltage
        self.current[self.pairs] = current

    def load(self, raw, offset, stride):
        """Take N pairs from answers `raw`: V at `offset`, I 3 bytes on, the next at `stride`.

        Returns how many answers had a null bit that was not 0; the block is then not to be used.
        """
        voltage = self.voltage
        current = self.current
        pairs = self.pairs
        voltage[0] = voltage[pairs]
        current[0] = current[pairs]
        saturated = False
        bad = 0
        at = offset
        index = 1
        while index <= pairs:
            high = raw[at + 1]
            low = raw[at + 4]
            if (high | low) & NULL_BIT:
                bad += (high & NULL_BIT) + (low & NULL_BIT)
            v = ((high & HIGH_BITS) << 8 | raw[at + 2]) - MIDDLE
            i = ((low & HIGH_BITS) << 8 | raw[at + 5]) - MIDDLE
            voltage[index] = v
            current[index] = i
            if v in ENDS or i in ENDS:
                saturated = True
            at += stride
            index += 1
        self.saturated = saturated
        return bad // NULL_BIT

    def sum(self, first, last):
        """Sums over the pairs `first` up to and without `last` (0..N)."""
        voltage = self.voltage
        current = self.current
        sum_v = sum_i = sum_vv = sum_ii = sum_vi = sum_wi = 0
        v = voltage[first]
        for index in range(first, last):
            i = current[index]
            sum_v += v
            sum_i += i
            sum_vv += v * v
            sum_ii += i * i
            sum_vi += v * i
            v = voltage[index + 1]
            sum_wi += v * i
        self.v = sum_v
        self.i = sum_i
        self.vv = sum_vv
        self.ii = sum_ii
        self.vi = sum_vi
        self.wi = sum_wi

    def crossing(self, first, level):
        """The first index >= `first` (1..N) at which the voltage has risen to `level`; or -1."""
        voltage = self.voltage
        index = first
        before = voltage[index - 1] if index <= self.pairs else level
        while index <= self.pairs:
            now = voltage[index]
            if before < level and now >= level:
                return index
            before = now
            index += 1
        return -1

    def tone(self, first, count, cosines, sines):
        """Correlate `count` pairs from `first` with the arrays of a reference wave."""
        voltage = self.voltage
        current = self.current
        v_cosine = v_sine = i_cosine = i_sine = 0
        for index in range(count):
            v = voltage[first + index]
            i = current[first + index]
            cosine = cosines[index]
            sine = sines[index]
            v_cosine += v * cosine
            v_sine += v * sine
            i_cosine += i * cosine
            i_sine += i * sine
        self.v_cosine = v_cosine
        self.v_sine = v_sine
        self.i_cosine = i_cosine
        self.i_sine = i_sine
