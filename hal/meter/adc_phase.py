"""One phase of a raw ADC: from the sums of a block to counts of energy, and to values for people.

Energy is the running integral over every pair: no window, no filter, nothing rounded away. The
voltage at the instant of a current is x times the voltage before it and y times the one after it;
with w the angle between the two voltages and a the angle wanted, y = sin a / sin w and
x = cos a - y cos w, which is exact in phase and amplitude at the mains' frequency (EmonLibCM 2).

Portable; every intermediate stays within 62 bits. On an ESP32 these allocate: a chip that meters
by itself belongs there.
"""

from wattledger.hal.meter.trigonometry import cosine, sine
from wattledger.hal.meter.waveform import HIGHEST, LOWEST

COUNT_PJ_US = 3_600_000_000_000_000_000  # 1 mWh = 3.6 J, in uV x uA x us
FINE = 16  # offsets in sums are in 1/16 of a code, so sums of products in 1/256
TAP_BITS = 20  # x and y are in 2**-20
TAP_LIMIT = 4 << TAP_BITS  # |x| + |y|, which bounds what two taps may amplify
OFFSET_BITS = 20  # the running mean of an offset is kept in 2**-20 of a code
FIRST_BLOCKS = 64  # what the calibrated offset weighs at the start
MOST_BLOCKS = 1024  # and the weight at which the mean goes on
SCALE_BITS = 22
SWING = 200  # mean square of a voltage, code**2: 14 codes are 1 % of the mains, and below is noise


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
        self.part = 0  # signed energy below one count: `part` of `one`
        self.live = False  # there was a voltage in the last block
        self.held = 0  # counts not yet handed on
        self._left_v = 0  # sums of the carried block that no window has yet
        self._left_i = 0
        self._left_vv = 0
        self._left_ii = 0
        self._left_vi = 0
        self._left_wi = 0
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

    def stuck(self):
        """How many of the block's two inputs stood at an end of their range; sums the block."""
        line = self.line
        pairs = self._pairs
        line.sum(0, pairs)
        if not line.saturated:
            return 0
        found = 0
        # The sums begin with the pair before the block.
        v = line.v + int(line.voltage[pairs]) - int(line.voltage[0])
        i = line.i + int(line.current[pairs]) - int(line.current[0])
        for total in (v, i):
            found += total == LOWEST * pairs or total == HIGHEST * pairs
        return found

    def carry(self, elapsed_us):
        """Count the energy of the block that was summed, which stands for `elapsed_us`."""
        line = self.line
        pairs = self._pairs
        self.live = pairs * line.vv - line.v * line.v >= SWING * pairs * pairs
        self._left_v = line.v
        self._left_i = line.i
        self._left_vv = line.vv
        self._left_ii = line.ii
        self._left_vi = line.vi
        self._left_wi = line.wi
        tapped = self._tapped(0, pairs, line.v, line.i, line.vi, line.wi) + self._below
        self._below = tapped & (1 << TAP_BITS) - 1
        energy = self.part + (tapped >> TAP_BITS) * elapsed_us
        # Towards zero: noise around no load must move by a whole count either way to be one, or it
        # would make import and export of itself.
        counts = energy // self.one if energy >= 0 else -(-energy // self.one)
        self.part = energy - counts * self.one
        self.held += counts

    def follow(self):
        """Move the offsets towards the means of the block that was carried."""
        if self._blocks < MOST_BLOCKS:
            self._blocks += 1
        self._v_mean += (
            (self._left_v << OFFSET_BITS) // self._pairs - self._v_mean
        ) // self._blocks
        self._i_mean += (
            (self._left_i << OFFSET_BITS) // self._pairs - self._i_mean
        ) // self._blocks
        half = 1 << OFFSET_BITS - 5
        self.v_offset = self._v_mean + half >> OFFSET_BITS - 4
        self.i_offset = self._i_mean + half >> OFFSET_BITS - 4

    def _tapped(self, first, last, sum_v, sum_i, sum_vi, sum_wi):
        """x PA + y PB of the sums over the pairs `first` up to `last`, no offsets, in 2**-28."""
        voltage = self.line.voltage
        v = self.v_offset
        i = self.i_offset
        sum_w = sum_v + int(voltage[last]) - int(voltage[first])  # of the voltages after
        offsets = (last - first) * v * i - FINE * v * sum_i
        before = FINE * FINE * sum_vi - FINE * i * sum_v + offsets
        after = FINE * FINE * sum_wi - FINE * i * sum_w + offsets
        return self._before * before + self._after * after

    # Values for people: over windows of whole cycles, which begin and end within a block.

    def _empty(self):
        self.gathered = 0  # pairs in the open window
        self._v = 0
        self._i = 0
        self._vv = 0
        self._ii = 0
        self._power = 0

    def gather(self, first, last):
        """Add the pairs `first` up to `last` of the block that was carried to the window.

        Parts come in order, and the block's last one takes what the others left of its sums.
        """
        v = self._left_v
        i = self._left_i
        vv = self._left_vv
        ii = self._left_ii
        vi = self._left_vi
        wi = self._left_wi
        if last < self._pairs:
            line = self.line
            line.sum(first, last)
            self._left_v = v - line.v
            self._left_i = i - line.i
            self._left_vv = vv - line.vv
            self._left_ii = ii - line.ii
            self._left_vi = vi - line.vi
            self._left_wi = wi - line.wi
            v = line.v
            i = line.i
            vv = line.vv
            ii = line.ii
            vi = line.vi
            wi = line.wi
        self.gathered += last - first
        self._v += v
        self._i += i
        self._vv += vv
        self._ii += ii
        self._power += self._tapped(first, last, v, i, vi, wi) >> TAP_BITS

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
