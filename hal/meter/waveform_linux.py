"""Lines of hal/meter/waveform.py for CPython: numpy where it is installed, map() where not.

Both give the same integers as `waveform.Line`, to the bit.
"""

from array import array
from bisect import bisect_left
from operator import mul

from wattledger.hal.meter import waveform
from wattledger.hal.meter.mcp3208_frames import CODES, HIGH_BITS, MIDDLE, NULL_BIT
from wattledger.hal.meter.waveform import HIGHEST, LOWEST

try:
    import numpy
except ImportError:
    numpy = None  # an extra: without it the same numbers come at a few times the cost

# The upper byte of (code - MIDDLE) as 16-bit two's complement, from the second byte of an answer.
_SIGNED_HIGH = bytes((byte & HIGH_BITS) - (MIDDLE >> 8) & 0xFF for byte in range(256))
_LOWEST_HIGH = LOWEST >> 8 & 0xFF
_HIGHEST_HIGH = HIGHEST >> 8
_NULL_AND_CODE = NULL_BIT << 8 | CODES - 1
_GOOD = bytes(byte for byte in range(256) if not byte & NULL_BIT)


class MapLine(waveform.Line):
    """Passes that run in C, over slices: no Python code for each pair. Little-endian computers."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self._words = bytearray(2 * pairs)

    def _codes(self, raw, offset, stride, carry):
        high = bytes(raw[offset + 1 :: stride])
        words = self._words
        words[0::2] = raw[offset + 2 :: stride]
        words[1::2] = signed = high.translate(_SIGNED_HIGH)
        if _LOWEST_HIGH in signed or _HIGHEST_HIGH in signed:  # seldom, so look closer
            own = array("h", words)
            self.saturated |= LOWEST in own or HIGHEST in own
        codes = array("h", (carry,))
        codes.frombytes(words)
        # Each pair is looked at several times: a list hands out ready objects, an array makes new.
        return codes.tolist(), len(high.translate(None, _GOOD))

    def load(self, raw, offset, stride):
        """As waveform.Line.load."""
        pairs = self.pairs
        self.saturated = False
        self.voltage, bad = self._codes(raw, offset, stride, self.voltage[pairs])
        self.current, worse = self._codes(raw, offset + 3, stride, self.current[pairs])
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
    """The same with numpy, whose products of doubles are twice as fast as those of integers.

    Codes and sums are integers far below 2**53, so that each is exact in whatever order it is
    summed.
    """

    def __init__(self, pairs):
        super().__init__(pairs)
        self._rows = numpy.zeros((2, pairs + 1))
        self.voltage, self.current = self._rows
        self._ones = numpy.ones(pairs)
        self._block = self._rows[:, 1:]
        self._words = numpy.zeros((2, pairs), numpy.uint16)
        self._flat = self._words.reshape(-1)
        self._signed = self._words.view(numpy.int16)
        # As arrays: a number of Python is made one at each use, which costs as much as the use.
        self._mask = numpy.array(_NULL_AND_CODE, numpy.uint16)
        self._one = numpy.array(1, numpy.uint16)
        self._middle = numpy.array(MIDDLE - 1, numpy.int16)
        self._level = None  # that `_rises` are of
        self._rises = []

    def load(self, raw, offset, stride):
        """As waveform.Line.load."""
        self._rows[:, 0] = self._rows[:, -1]
        self._level = None
        words = self._words
        # The two bytes that hold null bit and code, as a big-endian word where they lie.
        answers = numpy.ndarray((2, self.pairs), ">u2", raw, offset + 1, (3, stride))
        words[:] = answers
        words &= self._mask
        # One less, and without sign: the lowest code is then the highest of all words.
        words -= self._one
        bad = 0
        self.saturated = False
        if numpy.maximum.reduce(self._flat) >= CODES - 2:
            words += self._one
            bad = int(numpy.count_nonzero(words >= CODES))
            words &= CODES - 1
            self.saturated = int(words.max()) == CODES - 1 or int(words.min()) == 0
            words -= self._one
        signed = self._signed
        signed -= self._middle
        self._block[:] = signed
        return bad

    def sum(self, first, last):
        """As waveform.Line.sum."""
        voltage = self.voltage[first:last]
        current = self.current[first:last]
        ones = self._ones[first:last]
        self.v = int(voltage.dot(ones))
        self.i = int(current.dot(ones))
        self.vv = int(voltage.dot(voltage))
        self.ii = int(current.dot(current))
        self.vi = int(voltage.dot(current))
        self.wi = int(self.voltage[first + 1 : last + 1].dot(current))

    def crossing(self, first, level):
        """As waveform.Line.crossing."""
        if level != self._level:
            above = self.voltage >= level
            self._rises = (above[1:] > above[:-1]).nonzero()[0].tolist()
            self._level = level
        at = bisect_left(self._rises, first - 1)  # a rise is named by the sample before it
        return self._rises[at] + 1 if at < len(self._rises) else -1

    def tone(self, first, count, cosines, sines):
        """As waveform.Line.tone."""
        rows = self._rows[:, first : first + count]
        cosine = numpy.array(cosines[:count], float)
        sine = numpy.array(sines[:count], float)
        self.v_cosine, self.i_cosine = map(int, rows.dot(cosine).tolist())
        self.v_sine, self.i_sine = map(int, rows.dot(sine).tolist())


def best_line():
    """The fastest line that this computer can run."""
    return MapLine if numpy is None else NumpyLine
