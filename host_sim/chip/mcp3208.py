"""MCP3208 with a voltage adaptor and current transformers before it, clock by clock.

Source: DS21298E, sections 5.0 and 6.1, figure 5-1 and 5-2, equation 4-2 (code = 4096 Vin / Vref).
Written from the datasheet and not from the driver. Portable, integers only.

Modelled: start bit wherever it comes, single-ended and pseudo-differential inputs, the null bit,
MSB first and then LSB first, zeros after that; an output that floats (ones) before the null bit;
12-bit quantisation, clipping, bias, noise of up to a given part of an LSB. Sines of the mains with
odd or even harmonics, each conversion at its own time. Not modelled: INL, DNL, settling of the
sampling capacitor, noise of the reference.
"""

from array import array

from wattledger.host_sim.chip.angle import rotate

CODES = 4096
TABLE_BITS = 10
TURN_BITS = 30  # angles are in 2**-30 of a turn
FINE_BITS = 16  # amplitudes are in 2**-16 of a code
SINE_BITS = 20
ROOT_2 = 92_682  # in 2**-16
SPAN = 1_000_000_000  # mHz x us in one cycle


class Mcp3208:
    """One chip; `pairs` are the (voltage, current) channels its board wired, phase by phase.

    A code is `voltage_gain` uV of the mains or `current_gain` uA.
    """

    def __init__(self, pairs=((0, 1),), voltage_gain=195_312, current_gain=49_718, seed=1):
        self.pairs = pairs
        self.silent = False  # set: the bus is dead, every answer is ones
        self.now_us = 0  # the world's time
        self.changes = 0  # rises whenever the waves become others
        self.noise_permille = 0  # peak of the noise, in 1/1000 LSB; 500 is good dither
        self.true_import = 0  # mW ms of the sum of the phases while positive
        self.true_export = 0
        self._gains = (voltage_gain, current_gain)
        self._seed = seed
        self._frequency_mhz = 50_000
        self._turn = 0  # angle at _turn_us
        self._turn_us = 0
        self._phases = [(0, 0, 0, 0)] * len(pairs)
        self._front = [(0, 0, 0)] * len(pairs)
        self._energy = [0] * len(pairs)
        self._offsets = [0] * 8  # of each channel, 1/1000 code
        self._harmonics = []
        self._mask = 0
        self._stuck = {}  # channel: the code it always reads
        self._sines = array("i", [0] * ((1 << TABLE_BITS) + 1))
        for index in range(len(self._sines)):
            # In 1/1000 degree, and what is left of it along the slope (1/1000 degree in 1e-9).
            angle = index * 360_000 >> TABLE_BITS
            rest = index * 360_000 - (angle << TABLE_BITS)
            slope, value = rotate(1_000_000_000, 0, angle)
            value += (slope * rest >> TABLE_BITS) * 17_453 // 1_000_000_000
            self._sines[index] = ((value << SINE_BITS) + 500_000_000) // 1_000_000_000
        self._waves = [None] * 8
        self._rebuild()

    # The driver's side.

    def transfer(self, out, into):
        """One select: the bits of `out` clocked in, the answer's into `into`, any length."""
        for index in range(len(into)):
            into[index] = 0xFF
        if self.silent:
            return
        start = 0
        clocks = 8 * len(out)
        while start < clocks and not _bit(out, start):
            start += 1
        null = start + 6
        if null >= clocks:
            return
        channel = _bit(out, start + 2) << 2 | _bit(out, start + 3) << 1 | _bit(out, start + 4)
        if _bit(out, start + 1):
            code = self.convert(channel, self.now_us)
        else:
            plus = self.convert(channel, self.now_us)
            code = max(plus - self.convert(channel ^ 1, self.now_us), 0)
        code ^= self._mask
        self._mask = 0
        for clock in range(null, clocks):
            after = clock - null  # 0 the null bit, 1..12 B11..B0, 13..23 B1..B11
            if 1 <= after <= 12:
                bit = code >> 12 - after & 1
            elif 13 <= after <= 23:
                bit = code >> after - 12 & 1
            else:
                bit = 0
            if not bit:
                into[clock >> 3] &= ~(0x80 >> (clock & 7)) & 0xFF

    def convert(self, channel, at_us):
        """The code 0..4095 of a channel at `at_us` of the world's time."""
        if channel in self._stuck:
            return self._stuck[channel]
        wave = self._waves[channel]
        value = (CODES // 2 << FINE_BITS) + (self._offsets[channel] << FINE_BITS) // 1000
        if wave is not None:
            turn = (at_us - self._turn_us) * self._frequency_mhz % SPAN
            turn = self._turn + (turn << TURN_BITS) // SPAN
            shift = TURN_BITS - TABLE_BITS
            sines = self._sines
            for order, active, reactive in wave:
                angle = turn * order & (1 << TURN_BITS) - 1
                at = angle >> shift
                low = sines[at]
                part = angle & (1 << shift) - 1
                total = active * (low + ((sines[at + 1] - low) * part >> shift))
                if reactive:
                    # A current that lags is minus the cosine.
                    angle = angle + (1 << TURN_BITS - 2) & (1 << TURN_BITS) - 1
                    at = angle >> shift
                    low = sines[at]
                    part = angle & (1 << shift) - 1
                    total -= reactive * (low + ((sines[at + 1] - low) * part >> shift))
                value += total >> SINE_BITS
        if self.noise_permille:
            self._seed = (self._seed * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
            noise = (self._seed >> 8) - (1 << 23)
            value += (noise * self.noise_permille // 1000) >> 7
        code = value + (1 << FINE_BITS - 1) >> FINE_BITS
        return 0 if code < 0 else CODES - 1 if code >= CODES else code

    def repeats(self, us):
        """True when the codes of any moment come again `us` later: whole cycles, no noise."""
        return us * self._frequency_mhz % SPAN == 0 and not self.noise_permille

    # The world's side. These may allocate.

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar=0):
        """True values from now on; power is negative when the house exports.

        The current is that of power and reactive power at this voltage, whatever `current_ma`.
        """
        self._phases[phase] = (voltage_mv, current_ma, power_mw, reactive_mvar)
        self._rebuild()

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Frequency in mHz from now on, without a jump of the waves; no temperature effect."""
        passed = (self.now_us - self._turn_us) * self._frequency_mhz % SPAN
        self._turn = self._turn + (passed << TURN_BITS) // SPAN & (1 << TURN_BITS) - 1
        self._turn_us = self.now_us
        self._frequency_mhz = frequency_mhz
        self.changes += 1

    def set_harmonic(self, order, voltage_permille, current_permille):
        """Add a harmonic to all phases, in phase at the zero crossing; 0 and 0 take it away."""
        self._harmonics = [kept for kept in self._harmonics if kept[0] != order]
        if voltage_permille or current_permille:
            self._harmonics.append((order, voltage_permille, current_permille))
        self._rebuild()

    def set_front_end(self, phase, voltage_ppm=0, current_ppm=0, angle_mdeg=0):
        """Gain errors of the sensors, and the angle by which the sensed current lags."""
        self._front[phase] = (voltage_ppm, current_ppm, angle_mdeg)
        self._rebuild()

    def set_offset(self, channel, millicodes):
        """Move a channel's bias from the middle, in 1/1000 code."""
        self._offsets[channel] = millicodes
        self.changes += 1

    def stick(self, channel, code):
        """From now on the channel reads `code`, as with a broken wire; None mends it."""
        if code is None:
            self._stuck.pop(channel, None)
        else:
            self._stuck[channel] = code
        self.changes += 1

    def feed(self, ms):
        """Let `ms` milliseconds pass. Nothing is kept of them: only a sampler sees the waves."""
        self.now_us += 1000 * ms
        net = 0
        for phase in range(len(self.pairs)):
            power = self._true_power(phase)
            self._energy[phase] += power * ms
            net += power
        if net > 0:
            self.true_import += net * ms
        else:
            self.true_export -= net * ms

    def brown_out(self):
        """The supply dipped: there is nothing to lose."""

    def corrupt_next(self, mask):
        """Flip the bits of `mask` (12) in the code of the next transfer."""
        self._mask = mask

    def total_counts(self, phase):
        """True energy of a phase in whole mWh, signed: what a perfect meter would have counted."""
        return self._energy[phase] // 3_600_000

    def held_counts(self, phase):
        """0: a converter holds nothing."""
        return 0

    def state(self):
        """Everything that a restart needs, as a dict of ints and lists for JSON."""
        return {
            "now": self.now_us,
            "mains": [self._frequency_mhz, self._turn, self._turn_us],
            "phases": [list(phase) for phase in self._phases],
            "front": [list(front) for front in self._front],
            "harmonics": [list(harmonic) for harmonic in self._harmonics],
            "offsets": list(self._offsets),
            "energy": list(self._energy),
            "truth": [self.true_import, self.true_export],
            "noise": [self.noise_permille, self._seed],
        }

    def restore(self, state):
        """Be the chip `state` was taken from."""
        self.now_us = state["now"]
        self._frequency_mhz, self._turn, self._turn_us = state["mains"]
        self._phases = [tuple(phase) for phase in state["phases"]]
        self._front = [tuple(front) for front in state["front"]]
        self._harmonics = [tuple(harmonic) for harmonic in state["harmonics"]]
        self._offsets = list(state["offsets"])
        self._energy = list(state["energy"])
        self.true_import, self.true_export = state["truth"]
        self.noise_permille, self._seed = state["noise"]
        self._rebuild()

    def _true_power(self, phase):
        """mW with the harmonics: each adds its product to the fundamental's active part."""
        power = self._phases[phase][2]
        total = power * 1_000_000
        for _, voltage, current in self._harmonics:
            total += power * voltage * current
        return total // 1_000_000

    def _rebuild(self):
        """The amplitudes of each channel's waves: (order, sine, minus cosine) in 2**-16 code."""
        self.changes += 1
        voltage_gain, current_gain = self._gains
        voltages = {}
        for phase, (voltage_channel, current_channel) in enumerate(self.pairs):
            voltage_mv, _, power, reactive = self._phases[phase]
            voltage_ppm, current_ppm, angle_mdeg = self._front[phase]
            if angle_mdeg:
                power, reactive = rotate(power, reactive, angle_mdeg)
            if voltage_channel not in voltages:
                voltages[voltage_channel] = voltage_mv
                peak = voltage_mv * ROOT_2 * (1_000_000 + voltage_ppm) // (1000 * voltage_gain)
                self._waves[voltage_channel] = self._wave(peak, 0, 1)
            if voltage_mv:
                scale = ROOT_2 * (1_000_000 + current_ppm)
                divisor = current_gain * voltage_mv
                active = power * scale // divisor
                self._waves[current_channel] = self._wave(active, reactive * scale // divisor, 2)
            else:
                self._waves[current_channel] = None

    def _wave(self, active, reactive, kind):
        wave = [(1, active, reactive)]
        for harmonic in self._harmonics:
            wave.append((harmonic[0], active * harmonic[kind] // 1000, 0))
        return tuple(wave)


def _bit(data, number):
    """Bit `number` of the bytes, the first sent being 0; 0 beyond their end."""
    index = number >> 3
    return data[index] >> 7 - (number & 7) & 1 if index < len(data) else 0
