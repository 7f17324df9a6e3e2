"""What the ATM90E32 makes of the mains: measurement registers and exact energy counts.

Everything is an integer. A power is kept as a rate, in mW times SCALE, where
SCALE = needed voltage gain x needed current gain x 2**15 x 1000; so gains, PQGain, offsets and the
energy of one count (PLconst x 0.08 mW ms, which is 11 250 mWs at the default 3200 imp/kWh) are
whole numbers, and nothing is ever rounded on its way into an energy register.

Modelled: U, I, P, Q, S, PF (sum and phases), frequency, temperature; forward, reverse and apparent
energy; gains, offsets, PQGain, Phi, current PGA, start thresholds, phase enables, absolute sums,
sag, phase loss and sequence. The front end may be wrong: gain errors of both sensors and the angle
of the current's. The mains are a pure sine: peaks, angles, harmonics, the fundamental's registers
and segment compensation read 0.

Not in the datasheet, and so a choice: an energy register wraps when it overflows, and an offset is
added after the gains. Phi delays by cycles of 2.048 MHz (Atmel-46103A: G 3763.739 at 50 Hz is
40 960 cycles a period), the current, or the voltage with DelayV.
"""

from wattledger.host_sim.chip.angle import rotate
from wattledger.host_sim.chip.atm90e32_registers import (
    APPARENT,
    EMM_INT_STATE0,
    EMM_INT_STATE1,
    EMM_STATE0,
    EMM_STATE1,
    ENERGY,
    ENERGY_COUNT,
    FORWARD_ACTIVE,
    FORWARD_REACTIVE,
    FREQUENCY,
    I_RMS,
    M_MODE0,
    M_MODE1,
    MEAN_LOW,
    METER_EN,
    MODE0_ABSOLUTE_ACTIVE,
    MODE0_ABSOLUTE_REACTIVE,
    MODE0_PHASE_A,
    P_MEAN,
    P_OFFSET,
    P_PHASE_TH,
    P_START_TH,
    PF_MEAN,
    PHASE_LOSS_TH,
    PHI_DELAYS_VOLTAGE,
    PL_CONST_H,
    PL_CONST_L,
    PQ_GAIN,
    REVERSE_ACTIVE,
    REVERSE_REACTIVE,
    RMS_LOW,
    SAG_PEAK_DET_CFG,
    SAG_TH,
    STATE0_SEQUENCE,
    STATE1_LOSS_A,
    STATE1_SAG_A,
    TEMPERATURE,
    U_GAIN,
    U_RMS,
)

PQ_UNIT = 1 << 15
PPM = 1_000_000
CYCLES = 2_048_000  # a second, in which Phi counts
PEAK_SCALE = 23_170  # 0x8000 sqrt(2) / 2: volts to what a threshold is compared with


def signed16(word):
    """The two's complement value of a 16-bit register."""
    return word - 0x10000 if word & 0x8000 else word


def nearest(numerator, denominator):
    """The quotient rounded to the nearest integer, halves away from zero."""
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


class Metrology:
    """The measuring half of the chip. Writes into `registers` (array('H') of 0x400 words).

    `voltage_gain` and `current_gain` are what the board's sensors need in Ugain and Igain: with
    them written, the chip reads true values; else true x written / needed.
    """

    def __init__(self, registers, voltage_gain, current_gain):
        self.stale = True  # calibration, mode or mains changed since the rates were worked out
        self.true_import = 0  # mW ms of the sum of the phases while positive; the meter's truth
        self.true_export = 0
        self.produced = [0] * ENERGY_COUNT  # counts ever, whoever read them
        self.remainder = [0] * ENERGY_COUNT  # energy below one count, mW ms x SCALE
        self.overflows = 0
        self._registers = registers
        self._voltage_needed = voltage_gain
        self._current_needed = current_gain
        self._phases = [(0, 0, 0, 0)] * 3  # mV, mA, mW, mvar
        self._front_ends = [(0, 0, 0)] * 3  # ppm, ppm, 1/1000 degree
        self._reversed = False
        self._low = 0  # bits of EMMState1 whose voltage is under its threshold
        self._low_ms = 0  # since they are
        self._frequency_mhz = 0
        self._temperature_dc = 250
        self._net_mw = 0
        self._flows = []  # (energy register, rate) of those that are counting
        self._count = 0  # mW ms x SCALE in one count

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar):
        """True values of phase 0..2; power is negative when the house exports."""
        self._phases[phase] = (voltage_mv, current_ma, power_mw, reactive_mvar)
        self._net_mw = self._phases[0][2] + self._phases[1][2] + self._phases[2][2]
        self.stale = True

    def set_mains(self, frequency_mhz, temperature_dc):
        """Frequency of the mains in mHz and temperature of the chip in 0.1 C."""
        self._frequency_mhz = frequency_mhz
        self._temperature_dc = temperature_dc
        self.stale = True

    def set_front_end(self, phase, voltage_ppm, current_ppm, angle_mdeg):
        """Errors of the sensors of phase 0..2; a positive angle is a current that lags more."""
        self._front_ends[phase] = (voltage_ppm, current_ppm, angle_mdeg)
        self.stale = True

    def set_sequence(self, is_reversed):
        """Whether the phases follow each other the wrong way round."""
        self._reversed = is_reversed
        self.stale = True

    def forget(self):
        """Lose what a chip without supply loses: the energy below one count."""
        for index in range(ENERGY_COUNT):
            self.remainder[index] = 0
        self.stale = True

    def feed(self, ms):
        """Let `ms` milliseconds pass with the mains as they are."""
        if self.stale:
            self.refresh()
        if self._net_mw > 0:
            self.true_import += self._net_mw * ms
        else:
            self.true_export -= self._net_mw * ms
        registers = self._registers
        for index, rate in self._flows:
            energy = self.remainder[index] + rate * ms
            if energy >= self._count:
                counts = energy // self._count
                energy -= counts * self._count
                self.produced[index] += counts
                held = registers[ENERGY + index] + counts
                self.overflows += held >> 16
                registers[ENERGY + index] = held & 0xFFFF
            self.remainder[index] = energy
        if self._low != registers[EMM_STATE1]:
            self._low_ms += ms
            if self._low_ms >= registers[SAG_PEAK_DET_CFG] & 0xFF:
                self._change_state(EMM_STATE1, EMM_INT_STATE1, self._low)
                self._low_ms = 0

    def _change_state(self, now, latched, state):
        registers = self._registers
        registers[latched] |= state & ~registers[now] & 0xFFFF
        registers[now] = state

    def refresh(self):
        """Work out rates and measurement registers from the mains and the calibration."""
        self.stale = False
        registers = self._registers
        self._flows = []
        unit = self._voltage_needed * self._current_needed * PQ_UNIT
        start_unit = 320 * unit  # 0.00032 W
        constant = registers[PL_CONST_H] << 16 | registers[PL_CONST_L]
        self._count = 80 * unit * constant
        running = registers[METER_EN] != 0
        mode = registers[M_MODE0]
        means = [[0] * 4, [0] * 4, [0] * 4]  # P, Q, S: T, A, B, C
        counted = [[0] * 4, [0] * 4, [0] * 4]
        for phase in range(3):
            rates = self._phase_rates(phase, unit) if running else (0, 0, 0)
            in_sum = mode & (MODE0_PHASE_A >> phase)
            for kind in range(3):
                rate = rates[kind]
                means[kind][phase + 1] = rate
                starts = abs(rate) >= registers[P_PHASE_TH + kind] * start_unit
                if starts:
                    counted[kind][phase + 1] = rate
                if in_sum:
                    absolute = (MODE0_ABSOLUTE_ACTIVE, MODE0_ABSOLUTE_REACTIVE, 0)[kind]
                    part = abs(rate) if mode & absolute else rate
                    means[kind][0] += part
                    counted[kind][0] += part if starts else 0
            self._set_rms(phase, running)
        self._set_state(running)
        for kind in range(3):
            if abs(counted[kind][0]) < registers[P_START_TH + kind] * start_unit:
                counted[kind][0] = 0
        if constant:
            self._plan(counted[0], FORWARD_ACTIVE, REVERSE_ACTIVE)
            self._plan(counted[1], FORWARD_REACTIVE, REVERSE_REACTIVE)
            self._plan(counted[2], APPARENT, APPARENT)
        self._set_means(means, start_unit)
        registers[FREQUENCY] = nearest(self._frequency_mhz, 10) if running else 0
        registers[TEMPERATURE] = nearest(self._temperature_dc, 10) & 0xFFFF if running else 0

    def _phase_rates(self, phase, unit):
        voltage_mv, current_ma, power_mw, reactive_mvar = self._phases[phase]
        registers = self._registers
        gain = registers[U_GAIN + 4 * phase] * self._current_gain(phase)
        pq_gain = gain * (PQ_UNIT + signed16(registers[PQ_GAIN + 2 * phase]))
        offset = 320 * unit
        power, reactive = rotate(power_mw * 1000, reactive_mvar * 1000, self._angle_mdeg(phase))
        return (
            self._sensed(phase, power) * pq_gain
            + signed16(registers[P_OFFSET + 2 * phase]) * offset,
            self._sensed(phase, reactive) * pq_gain
            + signed16(registers[P_OFFSET + 2 * phase + 1]) * offset,
            self._sensed(phase, voltage_mv * current_ma) * gain * PQ_UNIT,
        )

    def _sensed(self, phase, microwatts):
        """A power as the sensors' gain errors show it, microwatts and the like."""
        voltage_ppm, current_ppm, _ = self._front_ends[phase]
        if not voltage_ppm and not current_ppm:
            return microwatts
        return nearest(microwatts * (PPM + voltage_ppm) * (PPM + current_ppm), PPM * PPM)

    def _angle_mdeg(self, phase):
        """By how much the current lags more than it does in the mains."""
        phi = self._registers[PQ_GAIN + 2 * phase + 1]
        delay = nearest((phi & 0xFF) * self._frequency_mhz * 360, CYCLES)
        return self._front_ends[phase][2] + (-delay if phi & PHI_DELAYS_VOLTAGE else delay)

    def _current_gain(self, phase):
        amplifier = self._registers[M_MODE1] >> 2 * phase & 3  # 1x, 2x, 4x
        return self._registers[U_GAIN + 4 * phase + 1] << min(amplifier, 2)

    def _plan(self, rates, forward, reverse):
        for channel in range(4):
            if rates[channel] > 0:
                self._flows.append((forward + channel, rates[channel]))
            elif rates[channel] < 0:
                self._flows.append((reverse + channel, -rates[channel]))

    def _set_rms(self, phase, running):
        voltage_mv, current_ma, _, _ = self._phases[phase]
        voltage_ppm, current_ppm, _ = self._front_ends[phase]
        base = U_GAIN + 4 * phase
        voltage = voltage_mv * self._registers[base] * 0x10000 * (PPM + voltage_ppm)
        voltage //= 10 * self._voltage_needed * PPM
        current = current_ma * self._current_gain(phase) * 0x10000 * (PPM + current_ppm)
        current //= self._current_needed * PPM
        for register, value, offset in (
            (U_RMS + phase, voltage, base + 2),
            (I_RMS + phase, current, base + 3),
        ):
            value += signed16(self._registers[offset]) << 7
            value = min(max(value, 0), 0xFFFFFFFF) if running else 0
            self._registers[register] = value >> 16
            self._registers[register + RMS_LOW] = value & 0xFF00  # the upper byte is valid

    def _set_state(self, running):
        """Which voltages are under their threshold; told after the time of SagPeakDetCfg."""
        registers = self._registers
        low = 0
        for phase in range(3):
            gain = registers[U_GAIN + 4 * phase]
            level = registers[U_RMS + phase] * PEAK_SCALE // gain if gain else 0
            if level < registers[SAG_TH]:
                low |= STATE1_SAG_A >> phase
            if level < registers[PHASE_LOSS_TH]:
                low |= STATE1_LOSS_A >> phase
        if not running:
            low = 0
        if low != self._low:
            self._low = low
            self._low_ms = 0
        wrong = STATE0_SEQUENCE if running and self._reversed else 0
        self._change_state(EMM_STATE0, EMM_INT_STATE0, wrong)

    def _set_means(self, means, start_unit):
        registers = self._registers
        for channel in range(4):
            for kind in range(3):
                value = nearest(means[kind][channel], start_unit)
                high = P_MEAN + 4 * kind + channel
                registers[high] = value >> 16 & 0xFFFF
                registers[high + MEAN_LOW] = value & 0xFFFF
            apparent = means[2][channel]
            factor = nearest(1000 * means[0][channel], apparent) if apparent else 0
            registers[PF_MEAN + channel] = min(max(factor, -1000), 1000) & 0xFFFF

    def state(self):
        """What a restart needs, as plain lists and ints."""
        return {
            "produced": list(self.produced),
            "remainder": list(self.remainder),
            "overflows": self.overflows,
            "truth": [self.true_import, self.true_export],
            "phases": [list(phase) for phase in self._phases],
            "mains": [self._frequency_mhz, self._temperature_dc],
            "front_ends": [list(front_end) for front_end in self._front_ends],
            "reversed": self._reversed,
        }

    def restore(self, state):
        """Take up a `state()` again."""
        for index in range(ENERGY_COUNT):
            self.produced[index] = state["produced"][index]
            self.remainder[index] = state["remainder"][index]
        self.overflows = state["overflows"]
        self.true_import, self.true_export = state["truth"]
        for phase in range(3):
            self.set_phase(phase, *state["phases"][phase])
            if "front_ends" in state:  # not in a state of version 0.1
                self.set_front_end(phase, *state["front_ends"][phase])
        self.set_mains(*state["mains"])
        self.set_sequence(state.get("reversed", False))
