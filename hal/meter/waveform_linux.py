"""Lines of hal/meter/waveform.py for CPython: numpy where it is installed, map() where not.

Both give the same integers as `waveform.Line`, to the bit: numpy sums in int64, and a sum of
hal/meter/waveform.py stays below 2**31.
"""

import sys
from array import array
from itertools import islice
from operator import mul

from wattledger.hal.meter import waveform
from wattledger.hal.meter.mcp3208_frames import HIGH_BITS, MIDDLE, NULL_BIT

try:
    import numpy
except ImportError:
    numpy = None  # an extra: without it the same numbers come at a few times the cost

# The upper byte of (code - MIDDLE) as 16-bit two's complement, from the second byte of an answer.
_SIGNED_HIGH = bytes((byte & HIGH_BITS) - (MIDDLE >> 8) & 0xFF for byte in range(256))
_GOOD = bytes(byte for byte in range(256) if not byte & NULL_BIT)


class MapLine(waveform.Line):
    """Passes that run in C, over slices: no Python code for each pair."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self._words = bytearray(2 * pairs)

    def _codes(self, raw, offset, stride, carry):
        high = bytes(raw[offset + 1 :: stride])
        words = self._words
        words[0::2] = raw[offset + 2 :: stride]
        words[1::2] = high.translate(_SIGNED_HIGH)
        codes = array("h", (carry,))
        codes.frombytes(words)
        if sys.byteorder != "little":
            codes.byteswap()
            codes[0] = carry
        # Each pair is looked at several times: a list hands out ready objects, an array makes new.
        return codes.tolist(), len(high.translate(None, _GOOD))

    def load(self, raw, offset, stride):
        """As waveform.Line.load."""
        pairs = self.pairs
        self.voltage, bad = self._codes(raw, offset, stride, self.voltage[pairs])
        self.current, worse = self._codes(raw, offset + 3, stride, self.current[pairs])
        self.v_low = min(islice(self.voltage, 1, None))
        self.v_high = max(islice(self.voltage, 1, None))
        self.i_low = min(islice(self.current, 1, None))
        self.i_high = max(islice(self.current, 1, None))
        return bad + worse

    def sum(self, first, last):
        """As waveform.Line.sum."""
        voltage = self.voltage[first:last]
        current = self.current[first:last]
        self.v = sum(voltage)
        self.i = sum(current)
        self.vv = sum(map(mul, voltage, voltage))
        self.ii = sum(map(mul, current, current))
        self.vi = sum(map(mul, voltage, current))
        self.wi = sum(map(mul, self.voltage[first + 1 : last + 1], current))

    def tone(self, first, count, cosines, sines):
        """As waveform.Line.tone."""
        voltage = self.voltage[first : first + count]
        current = self.current[first : first + count]
        self.v_cosine = sum(map(mul, voltage, cosines))
        self.v_sine = sum(map(mul, voltage, sines))
        self.i_cosine = sum(map(mul, current, cosines))
        self.i_sine = sum(map(mul, current, sines))


class NumpyLine(waveform.Line):
    """The same with numpy, in int64."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.voltage = numpy.zeros(pairs + 1, numpy.int64)
        self.current = numpy.zeros(pairs + 1, numpy.int64)

    def load(self, raw, offset, stride):
        """As waveform.Line.load."""
        voltage = self.voltage
        current = self.current
        voltage[0] = voltage[-1]
        current[0] = current[-1]
        answers = numpy.frombuffer(raw, numpy.uint8).reshape(-1, stride)
        bad = 0
        for codes, at in ((voltage, offset), (current, offset + 3)):
            # The two bytes that hold null bit and code, read as one big-endian word.
            word = answers[:, at + 1 : at + 3].copy().view(">u2")[:, 0]
            bad += int(numpy.count_nonzero(word & NULL_BIT << 8))
            numpy.subtract(word & 0x0FFF, MIDDLE, out=codes[1:], dtype=numpy.int64)
        self.v_low = int(voltage[1:].min())
        self.v_high = int(voltage[1:].max())
        self.i_low = int(current[1:].min())
        self.i_high = int(current[1:].max())
        return bad

    def sum(self, first, last):
        """As waveform.Line.sum."""
        voltage = self.voltage[first:last]
        current = self.current[first:last]
        self.v = int(voltage.sum())
        self.i = int(current.sum())
        self.vv = int(voltage.dot(voltage))
        self.ii = int(current.dot(current))
        self.vi = int(voltage.dot(current))
        self.wi = int(self.voltage[first + 1 : last + 1].dot(current))

    def crossing(self, first, level):
        """As waveform.Line.crossing."""
        above = self.voltage[first - 1 :] >= level
        rises = (above[1:] & ~above[:-1]).nonzero()[0]
        return first + int(rises[0]) if len(rises) else -1

    def tone(self, first, count, cosines, sines):
        """As waveform.Line.tone."""
        voltage = self.voltage[first : first + count]
        current = self.current[first : first + count]
        cosine = numpy.array(cosines[:count], numpy.int64)
        sine = numpy.array(sines[:count], numpy.int64)
        self.v_cosine = int(voltage.dot(cosine))
        self.v_sine = int(voltage.dot(sine))
        self.i_cosine = int(current.dot(cosine))
        self.i_sine = int(current.dot(sine))


def best_line():
    """The fastest line that this computer can run."""
    return MapLine if numpy is None else NumpyLine
