"""What the ADE7953 makes of the mains: measurement registers and exact energy counts.

Everything is an integer. A power is kept in LSB of the power registers times POWER_SCALE, which
holds every gain's and error's denominator, so nothing is rounded on its way into an energy
register; the angle alone is rounded, to a whole mW and mvar.

Modelled: rms, active, reactive, apparent power, power factor, period; active, reactive and
apparent energy of both channels with gains, offsets, PHCAL (a delay, so its angle follows the
frequency), accumulation modes, no-load thresholds and line-cycle accumulation. The mains are a
pure sine in steady state.

Choices, for want of a word in the datasheet: AVGAIN is the voltage's for both channels; the levels
of sag, over-voltage and over-current are compared with the rms registers, and the peak registers,
whose scale is not given, read 0; ANGLE reads 0.
"""

from wattledger.host_sim.chip.angle import rotate

FULL_RMS = 9_032_007
FULL_POWER = 4_862_401
RATE = 206_900  # counts a second at full scale
UNITY = 0x400000
PPM = 1_000_000
POWER_SCALE = 1000 * FULL_RMS**2 * UNITY**3 * PPM**2
COUNT = POWER_SCALE * FULL_POWER * 1000  # one count, in POWER_SCALE x RATE x ms
ENERGY = 0x21E  # AENERGYA, AENERGYB, RENERGYA, RENERGYB, APENERGYA, APENERGYB
SIGN = 0x800000


def signed24(word):
    """The two's complement value of a 24-bit register."""
    return word - 2 * SIGN if word & SIGN else word


def square_root(value):
    """The whole part of a square root, by Newton's method."""
    if value <= 0:
        return 0
    root = 1 << (len(bin(value)) - 1) // 2
    while True:
        better = (root + value // root) // 2
        if better >= root:
            return root
        root = better


class Metrology:
    """The measuring half of the chip; writes into `registers` (array of 0x302, alias folded)."""

    def __init__(self, registers, volt_lsb, amp_lsb):
        self.stale = True
        self.true_import = 0
        self.true_export = 0
        self.produced = [0] * 6  # counts ever, signed, whoever read them
        self.remainder = [0] * 6
        self.window = [0] * 6  # counts of the line-cycle window that runs
        self.window_ms = 0
        self.overflows = 0
        self._registers = registers
        self._volt_lsb = volt_lsb
        self._amp_lsb = amp_lsb
        self._phases = [[0, 0, 0, 0], [0, 0, 0, 0]]
        self._front = [[0, 0, 0], [0, 0, 0]]
        self._frequency_mhz = 50_000
        self._rates = [0] * 6

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar):
        """True values of channel 0 (A) or 1 (B); the voltage is that of both."""
        self._phases[phase] = [voltage_mv, current_ma, power_mw, reactive_mvar]
        self._phases[1 - phase][0] = voltage_mv
        self.stale = True

    def set_neutral(self, current_ma):
        """The current of channel B alone."""
        self._phases[1] = [self._phases[0][0], current_ma, 0, 0]
        self.stale = True

    def set_front_end(self, phase, voltage_ppm, current_ppm, angle_mdeg):
        """Errors of the board's sensors."""
        self._front[phase] = [voltage_ppm, current_ppm, angle_mdeg]
        self.stale = True

    def set_mains(self, frequency_mhz):
        """Frequency of the mains in mHz."""
        self._frequency_mhz = frequency_mhz
        self.stale = True

    def forget(self):
        """What a chip without supply loses."""
        for index in range(6):
            self.remainder[index] = self.window[index] = 0
        self.window_ms = 0
        self.stale = True

    def feed(self, ms):
        """Let `ms` pass with the mains as they are."""
        if self.stale:
            self.refresh()
        net = self._phases[0][2] + self._phases[1][2]
        if net > 0:
            self.true_import += net * ms
        else:
            self.true_export -= net * ms
        registers = self._registers
        line_cycle = self._line_cycle()
        for index in range(6):
            energy = self.remainder[index] + self._rates[index] * RATE * ms
            counts = abs(energy) // COUNT
            if energy < 0:
                counts = -counts
            self.remainder[index] = energy - counts * COUNT
            self.produced[index] += counts
            if line_cycle >> index & 1:
                self.window[index] += counts
            elif counts:
                self._add(index, counts)
        if line_cycle:
            self.window_ms += ms
            length = registers[0x101] * 500_000 // self._frequency_mhz
            if length and self.window_ms >= length:
                self.window_ms = 0
                for index in range(6):
                    if line_cycle >> index & 1:
                        registers[ENERGY + index] = self.window[index] & 0xFFFFFF
                        self.window[index] = 0

    def _line_cycle(self):
        """Bits by energy index: the chip's order is the same, A and B of each kind."""
        return self._registers[0x004] & 0x3F

    def _add(self, index, counts):
        registers = self._registers
        value = signed24(registers[ENERGY + index]) + counts
        # AEHF and AEOF; reactive and apparent energy one and two bits up.
        status = 0x22D if not index & 1 else 0x230
        if not -0x400000 <= value < 0x400000:
            registers[status] |= 1 << index // 2
        if not -SIGN <= value < SIGN:
            registers[status] |= 8 << index // 2
            self.overflows += 1
        registers[ENERGY + index] = value & 0xFFFFFF

    def refresh(self):
        """Work out rates and measurement registers from the mains and the calibration."""
        self.stale = False
        registers = self._registers
        registers[0x10E] = max(0, (2 * 223_750_000 // max(self._frequency_mhz, 1) - 1) // 2)
        for channel in range(2):
            self._channel(channel)

    def _channel(self, channel):
        registers = self._registers
        base = 0x280 + 12 * channel
        voltage_mv, current_ma, power_mw, reactive_mvar = self._phases[channel]
        voltage_ppm, current_ppm, angle = self._front[channel]
        volts = self._volt_lsb * registers[0x281] * (PPM + voltage_ppm)
        amps = self._amp_lsb[channel] * registers[base] * (PPM + current_ppm)
        power_mw, reactive_mvar = rotate(power_mw, reactive_mvar, angle + self._delay(channel))
        power = power_mw * volts * amps * FULL_POWER * registers[base + 2]
        reactive = reactive_mvar * volts * amps * FULL_POWER * registers[base + 3]
        apparent = voltage_mv * current_ma * volts * amps * FULL_POWER * registers[base + 4]
        apparent //= 1000
        offset = POWER_SCALE // 512
        power += signed24(registers[base + 9]) * offset
        reactive += signed24(registers[base + 10]) * offset
        apparent += signed24(registers[base + 11]) * offset
        for kind, value in enumerate((power, reactive, apparent)):
            address = (0x212, 0x214, 0x210)[kind] + channel
            whole = abs(value) // POWER_SCALE
            registers[address] = (-whole if value < 0 else whole) & 0xFFFFFF
            self._rates[2 * kind + channel] = self._counted(kind, channel, value)
        if channel == 0:
            self._set_rms(0x21C, voltage_mv * volts, 0x288)
            self._alarm(0x22D, 16, registers[0x21C] > registers[0x224])
            self._alarm(0x22D, 19, registers[0x000] and registers[0x21C] < registers[0x200])
        self._set_rms(0x21A + channel, current_ma * amps, base + 6)
        status = 0x22D if channel == 0 else 0x230
        self._alarm(status, 13, registers[0x21A + channel] > registers[0x225])
        factor = min(abs(power) * 32768 // apparent, 32767) if apparent else 0
        registers[0x10A + channel] = (-factor if reactive < 0 else factor) & 0xFFFF

    def _delay(self, channel):
        """PHCAL as an angle in 1/1000 degree: 1/895 kHz each, bit 9 the sign, 1 an advance."""
        word = self._registers[0x108 + channel]
        size = min(word & 0x1FF, 383)
        angle = size * self._frequency_mhz * 360 // 895_000
        return -angle if word & 0x200 else angle

    def _counted(self, kind, channel, value):
        registers = self._registers
        threshold = registers[(0x203, 0x204, 0x205)[kind]]
        # Register = 65536 - Y / 1.4, Y the ratio of full scale to the threshold; 0 is none.
        ratio = (65536 - threshold) * 7
        enabled = threshold and not registers[0x001] >> kind & 1
        if enabled and abs(value) * ratio < FULL_POWER * POWER_SCALE * 5:
            return 0
        mode = registers[0x201] >> 4 * min(kind, 1) + 2 * channel & 3
        if kind == 0 and mode == 1:
            return max(value, 0)
        if kind == 0 and mode == 2:
            return abs(value)
        return value

    def _set_rms(self, address, scaled, offset):
        value = scaled // (1000 * UNITY * PPM)
        square = value * value + signed24(self._registers[offset]) * 4096
        if signed24(self._registers[offset]):
            value = square_root(square)
        self._registers[address] = min(value, 0xFFFFFF)

    def _alarm(self, status, bit, raised):
        if raised:
            self._registers[status] |= 1 << bit

    def state(self):
        """What a restart needs, as plain lists and ints."""
        return {
            "produced": list(self.produced),
            "remainder": list(self.remainder),
            "window": list(self.window) + [self.window_ms],
            "overflows": self.overflows,
            "truth": [self.true_import, self.true_export],
            "phases": [list(phase) for phase in self._phases],
            "front": [list(front) for front in self._front],
            "mains": self._frequency_mhz,
        }

    def restore(self, state):
        """Take up a `state()` again."""
        self.produced = list(state["produced"])
        self.remainder = list(state["remainder"])
        self.window = list(state["window"][:6])
        self.window_ms = state["window"][6]
        self.overflows = state["overflows"]
        self.true_import, self.true_export = state["truth"]
        self._phases = [list(phase) for phase in state["phases"]]
        self._front = [list(front) for front in state["front"]]
        self._frequency_mhz = state["mains"]
        self.stale = True
