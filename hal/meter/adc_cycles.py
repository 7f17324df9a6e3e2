"""Where the cycles of the mains begin in a raw ADC's blocks: frequency, and windows for display.

Values for people come from windows of whole cycles of about half a second, each beginning where
the one before ended. Energy does not depend on them.
"""

from array import array

from wattledger.hal.meter.trigonometry import cosine, sine

HIGHEST_MHZ = 70_000  # no second crossing sooner than its cycle: noise near zero is none
LOWEST_MHZ = 40_000
WINDOW_US = 500_000
GIVE_UP_US = 700_000  # without a crossing the window ends all the same
POSITION_BITS = 16  # positions in a block are in 2**-16 of a pair
TABLE_BITS = 10
NEVER = 4096  # a level above every code
RETUNE = 256  # the taps follow when pair and mains have moved by 1/256 against each other


class Cycles:
    """Follows the first phase's voltage through blocks of `pairs` pairs of all `phases`."""

    def __init__(self, phases, pairs, block_us, nominal_mhz):
        """`block_us` is a block's nominal time. See `tuned` for whether the taps can be had."""
        self._phases = phases
        self._pairs = pairs
        self._block_us = block_us
        self.frequency_mhz = 0
        self._tap_udeg = 0
        self.tuned = self._tune(nominal_mhz)
        self._next = 1  # from here on in the block a crossing counts
        self._start = -1  # position of the crossing that began the window; -1 none
        self._open = False
        self._cycles = 0
        self._window_us = 0  # of whole blocks since a measured window began
        self._window_blocks = 0
        quarter = 1 << TABLE_BITS - 2
        table = [0] * (4 * quarter)
        for index in range(4 * quarter):
            turn = index * 360_000_000 >> TABLE_BITS
            half = turn % 180_000_000
            value = sine(half) if half <= 90_000_000 else cosine(half - 90_000_000)
            table[index] = (value if turn < 180_000_000 else -value) >> 16
        self._sines = array("h", table)
        self._wave_period = 0  # that the wave below was made for
        self._wave_cosine = array("h", [0] * pairs)
        self._wave_sine = array("h", [0] * pairs)

    def add(self, elapsed_us):
        """Take the block that every line has loaded and summed; a block's time as measured."""
        phases = self._phases
        for phase in phases:
            phase.follow()
        self._window_us += elapsed_us
        self._window_blocks += 1
        pairs = self._pairs
        line = phases[0].line
        level = phases[0].level()
        if not phases[0].live:
            level = NEVER
        skip = pairs * 1_000_000_000 // (self._block_us * HIGHEST_MHZ)
        shortest = (WINDOW_US * pairs // self._block_us << POSITION_BITS) + self._start
        done = 0
        at = self._next
        while True:
            index = line.crossing(at, level)
            if index < 0:
                break
            at = index + skip
            self._cycles += 1
            if self._open and index << POSITION_BITS < shortest:
                continue
            before = int(line.voltage[index - 1])
            rise = int(line.voltage[index]) - before
            place = (index - 1 << POSITION_BITS) + (level - before << POSITION_BITS) // rise
            self._gather(done, index)
            if self._open:
                self._close(place - self._start)
            else:
                for phase in phases:
                    phase.show(0)
            shortest += place - self._start
            self._open = True
            self._start = place
            self._cycles = 0
            done = index
        self._next = max(at - pairs, 1)
        self._start -= pairs << POSITION_BITS
        self._gather(done, pairs)
        if self._since() > GIVE_UP_US:
            self._lost()
        return self._block_us

    def _since(self):
        """Microseconds gathered into the open window."""
        return self._phases[0].gathered * self._block_us // self._pairs

    def _gather(self, first, last):
        if last > first:
            for phase in self._phases:
                phase.gather(first, last)

    def _close(self, length):
        """End a window of `length` (2**-16 pairs) and `_cycles` cycles: show it."""
        if self._window_blocks:
            self._block_us = self._window_us // self._window_blocks
        self._window_us = 0
        self._window_blocks = 0
        period = length // self._cycles
        pair_ns = self._block_us * 1000 // self._pairs
        # 10**12 ns x mHz, times 2**16 for the period's unit.
        self.frequency_mhz = (65_536_000_000_000_000 // period + pair_ns // 2) // pair_ns
        for phase in self._phases:
            phase.show(length)
        if not LOWEST_MHZ <= self.frequency_mhz <= HIGHEST_MHZ:
            return
        self._tune(self.frequency_mhz)
        self._show_reactive(period)

    def _lost(self):
        """No crossing in a whole window: the voltage is away."""
        self._open = False
        self.frequency_mhz = 0
        for phase in self._phases:
            phase.show(phase.gathered << POSITION_BITS)
            phase.reactive_mvar = 0

    def _show_reactive(self, period):
        cycles = 2 if 2 * period <= self._pairs << POSITION_BITS else 1
        count = cycles * period + (1 << POSITION_BITS - 1) >> POSITION_BITS
        if count > self._pairs:
            return  # a block is shorter than a cycle
        if abs(period - self._wave_period) << TABLE_BITS > period:
            self._make_wave(period)
        for phase in self._phases:
            phase.show_reactive(0, count, self._wave_cosine, self._wave_sine)

    def _make_wave(self, period):
        """One wave for voltage and current alike, so it may be a little off the mains."""
        self._wave_period = period
        mask = (1 << TABLE_BITS) - 1
        quarter = 1 << TABLE_BITS - 2
        for index in range(self._pairs):
            angle = (index << POSITION_BITS + TABLE_BITS + 1) // period + 1 >> 1
            self._wave_sine[index] = self._sines[angle & mask]
            self._wave_cosine[index] = self._sines[angle + quarter & mask]

    def _tune(self, mhz):
        """Set the taps when mains and sampling have moved; False when that is not possible."""
        pair_ns = self._block_us * 1000 // self._pairs
        tap_udeg = mhz * pair_ns * 36 // 100_000
        if abs(tap_udeg - self._tap_udeg) * RETUNE <= tap_udeg:
            return True
        if tap_udeg > 90_000_000:
            return False
        self._tap_udeg = tap_udeg
        tuned = True
        for phase in self._phases:
            # The conversions of a round are evenly spaced, a current right after its voltage.
            if not phase.tune(tap_udeg, tap_udeg // (2 * len(self._phases))):
                tuned = False
        return tuned
