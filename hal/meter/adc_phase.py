"""One phase of a raw ADC: from the sums of a block to counts of energy, and to values for people.

Energy is the running integral over every pair: no window, no filter, nothing rounded away. The
voltage at the instant of a current is x times the voltage before it and y times the one after it;
with w the angle between the two voltages and a the angle wanted, y = sin a / sin w and
x = cos a - y cos w, which is exact in phase and amplitude at the mains' frequency (EmonLibCM 2).

Portable; every intermediate stays within 62 bits. On an ESP32 these allocate: a chip that meters
by itself belongs there.
"""

from wattledger.hal.meter.trigonometry import cosine, sine

COUNT_PJ_US = 3_600_000_000_000_000_000  # 1 mWh = 3.6 J, in uV x uA x us
FINE = 16  # offsets in sums are in 1/16 of a code, so sums of products in 1/256
TAP_BITS = 20  # x and y are in 2**-20
TAP_LIMIT = 4 << TAP_BITS  # |x| + |y|, which bounds what two taps may amplify
OFFSET_BITS = 20  # the running mean of an offset is kept in 2**-20 of a code
FIRST_BLOCKS = 64  # what the calibrated offset weighs at the start
MOST_BLOCKS = 1024  # and the weight at which the mean goes on
SCALE_BITS = 22


class Phase:
    """State of one phase over blocks of `pairs` pairs; `line` is what sums them."""

    def __init__(self, line, constants):
        """`constants` is (uV a code, uA a code, mdeg, and the offsets in 1/16 code)."""
        self.line = line
        self._pairs = line.pairs
        self._voltage_gain, self._current_gain, self.angle_mdeg, v_offset, i_offset = constants
        gain = self._voltage_gain * self._current_gain
        # One count in units of block sum x us: the tapped sum is 256 x N times a mean product.
        self.one = (2 * COUNT_PJ_US * FINE * FINE * self._pairs + gain) // (2 * gain)
        self._milliwatt = (gain << SCALE_BITS) // (FINE * FINE * 1_000_000_000)
        self._v_mean = v_offset << OFFSET_BITS - 4
        self._i_mean = i_offset << OFFSET_BITS - 4
        self._blocks = FIRST_BLOCKS
        self._before = 0  # the taps, and sine and cosine of the angle, in 2**-20
        self._after = 0
        self._sine = 0
        self._cosine = 0
        self._below = 0  # rests of the exact divisions
        self.part = 0  # energy below one count: `part` of `one`
        self.held = 0  # counts not yet handed on
        self.v_offset = v_offset  # in use, 1/16 code
        self.i_offset = i_offset
        self._empty()
        self.voltage_mv = 0
        self.current_ma = 0
        self.power_mw = 0
        self.reactive_mvar = 0

    def tune(self, tap_udeg, delay_udeg):
        """Taps for voltages `tap_udeg` apart and a current `delay_udeg` after the first.

        True when they amplify no more than TAP_LIMIT.
        """
        angle = delay_udeg + self.angle_mdeg * 1000
        after = (sine(angle) << TAP_BITS) // sine(tap_udeg)
        before = (sine(tap_udeg - angle) << TAP_BITS) // sine(tap_udeg)
        if abs(after) + abs(before) > TAP_LIMIT:
            return False
        self._after = after
        self._before = before
        self._sine = sine(angle) >> 30 - TAP_BITS
        self._cosine = cosine(angle) >> 30 - TAP_BITS
        return True

    def level(self):
        """The voltage's offset as a whole code from the middle."""
        return self.v_offset + FINE // 2 >> 4

    def rest(self):
        """Let the pair before the next block be at rest: after a gap there is none."""
        self.line.forget(self.level(), self.i_offset + FINE // 2 >> 4)

    def carry(self, elapsed_us):
        """Count the energy of the block in `line`, which stands for `elapsed_us`.

        Leaves the block's sums in the line.
        """
        line = self.line
        line.sum(0, self._pairs)
        tapped = self._tapped(self._pairs, 0, self._pairs) + self._below
        self._below = tapped & (1 << TAP_BITS) - 1
        energy = self.part + (tapped >> TAP_BITS) * elapsed_us
        counts = energy // self.one
        self.part = energy - counts * self.one
        self.held += counts

    def follow(self):
        """Move the offsets towards the means of the block whose sums the line has."""
        line = self.line
        if self._blocks < MOST_BLOCKS:
            self._blocks += 1
        self._v_mean += ((line.v << OFFSET_BITS) // self._pairs - self._v_mean) // self._blocks
        self._i_mean += ((line.i << OFFSET_BITS) // self._pairs - self._i_mean) // self._blocks
        half = 1 << OFFSET_BITS - 5
        self.v_offset = self._v_mean + half >> OFFSET_BITS - 4
        self.i_offset = self._i_mean + half >> OFFSET_BITS - 4

    def _tapped(self, count, first, last):
        """x PA + y PB of the line's sums over `count` pairs, without the offsets, in 2**-28."""
        line = self.line
        v = self.v_offset
        i = self.i_offset
        after = line.v + line.voltage[last] - line.voltage[first]  # the sum of the voltages after
        product = FINE * FINE
        offsets = count * v * i - FINE * v * line.i
        before_sum = product * line.vi - FINE * i * line.v + offsets
        after_sum = product * line.wi - FINE * i * int(after) + offsets
        return self._before * before_sum + self._after * after_sum

    # Values for people: over windows of whole cycles, which begin and end within a block.

    def _empty(self):
        self.gathered = 0  # pairs in the open window
        self._v = 0
        self._i = 0
        self._vv = 0
        self._ii = 0
        self._power = 0

    def gather(self, first, last):
        """Add the pairs `first` up to `last` to the window. The line's sums are those pairs'."""
        line = self.line
        if first or last < self._pairs:
            line.sum(first, last)
        self.gathered += last - first
        self._v += line.v
        self._i += line.i
        self._vv += line.vv
        self._ii += line.ii
        self._power += self._tapped(last - first, first, last) >> TAP_BITS

    def show(self, length):
        """Close the window of `length` (2**-16 pairs) and show its values; 0: forget it.

        It begins and ends where the voltage is zero, and so are its square and the power: their
        sums are those of the exact length, and not of the whole pairs in it.
        """
        if length:
            count = self.gathered
            voltage = (self._vv - self._v * self._v // count << 24) // length << 12
            current = (self._ii - self._i * self._i // count << 20) // count
            self.voltage_mv = _milli_rms(voltage, self._voltage_gain)
            self.current_ma = _milli_rms(current, self._current_gain)
            self.power_mw = self._milli((self._power << 16) // length * FINE)
        self._empty()

    def _milli(self, fine):
        """mW or mvar of a mean product in 1/(256 x 16) of a code squared, to the nearest."""
        shift = SCALE_BITS + 4
        return fine * self._milliwatt + (1 << shift - 1) >> shift

    def show_reactive(self, first, count, cosines, sines):
        """Reactive power of the fundamental (IEC 62053-24) over `count` pairs: whole cycles.

        `cosines` and `sines` are one wave of the mains' frequency in 2**-14.
        """
        line = self.line
        line.tone(first, count, cosines, sines)
        v_cosine = line.v_cosine >> 10
        v_sine = line.v_sine >> 10
        i_cosine = line.i_cosine >> 10
        i_sine = line.i_sine >> 10
        area = count * count
        real = 32 * (v_cosine * i_cosine + v_sine * i_sine) // area
        imaginary = 32 * (v_cosine * i_sine - v_sine * i_cosine) // area
        # The current was looked at later, or leads in its sensor: it lags by that much more.
        turned = imaginary * self._cosine + real * self._sine >> TAP_BITS
        self.reactive_mvar = self._milli(turned)


def _milli_rms(square, gain):
    """Milli-units of the root of a mean square in 2**-20, at `gain` micro-units a code."""
    return (isqrt(square << 16) * gain // 1000 + (1 << 17)) >> 18


def isqrt(value):
    """The whole root of an integer below 2**62, rounded down (Newton's, from above)."""
    root = 1 << 31
    while root:
        better = root + value // root >> 1
        if better >= root:
            return root
        root = better
    return 0
