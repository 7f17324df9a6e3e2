"""Lines of hal/meter/waveform.py for CPython: numpy where it is installed, map() where not.

Both give the same integers as `waveform.Line`, to the bit: numpy sums in int64, and a sum of
hal/meter/waveform.py stays below 2**31.
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
    """The same with numpy, in int64: voltage and current are the rows of one array."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self._codes = numpy.zeros((2, pairs + 1), numpy.int64)
        self.voltage, self.current = self._codes
        self._level = None  # that `_rises` are of
        self._rises = []

    def load(self, raw, offset, stride):
        """As waveform.Line.load."""
        codes = self._codes
        codes[:, 0] = codes[:, -1]
        self._level = None
        # The two bytes that hold null bit and code, as a big-endian word where they lie.
        words = numpy.ndarray((2, self.pairs), ">u2", raw, offset + 1, (3, stride))
        words = words.astype(numpy.uint16, "C")
        words &= _NULL_AND_CODE
        highest = int(words.max())
        bad = 0
        if highest >= CODES:
            bad = int(numpy.count_nonzero(words >= CODES))
            words &= CODES - 1
            highest = int(words.max())
        self.saturated = highest == CODES - 1 or int(words.min()) == 0
        signed = words.view(numpy.int16)
        signed -= MIDDLE
        codes[:, 1:] = signed
        return bad

    def sum(self, first, last):
        """As waveform.Line.sum."""
        codes = self._codes[:, first:last]
        voltage, current = codes
        self.v, self.i = numpy.add.reduce(codes, 1).tolist()
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
