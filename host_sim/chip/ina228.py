"""A simulated INA228 behind its I2C pins: direct current over a shunt. Portable, integers only.

Raw side: `i2c_write` and `i2c_read` with the bytes after the address, the register pointer kept in
the chip. `read_into` and `write` are the same through the face of an I2C device.

What the chip does (TI SBOS962): CURRENT is the shunt's code times 4096 / SHUNT_CAL, ENERGY adds
up magnitudes and CHARGE signed values, both of 40 bits, wrapping with a flag in DIAG_ALRT that
reading the accumulator clears; CONFIG bit 14 clears both; nothing survives a loss of supply.
Not modelled: the 202 ms between conversions (registers follow at once), alert limits.
"""

from wattledger.hal.errors import BusError

CONFIG = 0x00
ADC_CONFIG = 0x01
SHUNT_CAL = 0x02
DIAG_ALRT = 0x0B
SIZES = {0x04: 3, 0x05: 3, 0x07: 3, 0x08: 3, 0x09: 5, 0x0A: 5}  # bytes, where they are not two
WRITABLE = (0x00, 0x01, 0x02, 0x03, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11)
DEFAULTS = ((ADC_CONFIG, 0xFB68), (SHUNT_CAL, 0x1000), (DIAG_ALRT, 0x0001), (0x0E, 0x7FFF))
IDS = ((0x3E, 0x5449), (0x3F, 0x2281))
RST = 0x8000
RSTACC = 0x4000
ADCRANGE = 0x0010
WRAP = 1 << 40
MILLION = 1_000_000


class Ina228:
    """One chip over a shunt of `shunt_micro_ohm`."""

    def __init__(self, shunt_micro_ohm):
        self.silent = False  # set: nobody acknowledges
        self.stuck = None  # a byte that every answer is made of, or None
        self._shunt = shunt_micro_ohm
        self._pointer = 0
        self._one = bytearray(1)
        self._flip_mask = 0
        self._flip_register = None
        self._flip_times = 0
        self._truth = (0, 0, 0, 250)  # mV, signed mA, signed mW, 0.1 C
        self._seen = (0, 0)  # ppm of the front end
        self.true_import = 0  # mW ms
        self.true_export = 0
        self._made_import = 0  # energy LSBs ever
        self._made_export = 0
        self._registers = {}
        self._reset()

    # The driver's side.

    def i2c_write(self, data):
        """The bytes of a write after the address; False: not acknowledged."""
        if self.silent:
            return False
        if len(data):
            self._pointer = data[0]
        if len(data) == 3 and data[0] in WRITABLE:
            self._write(data[0], data[1] << 8 | data[2])
        return True

    def i2c_read(self, into):
        """Fill `into` from the pointer's register; further bytes read 0xFF. False: no answer."""
        if self.silent:
            return False
        register = self._pointer
        size = SIZES.get(register, 2)
        value = self._registers.get(register, 0)
        if register == self._flip_register and self._flip_times:
            self._flip_times -= 1
            value ^= self._flip_mask
        index = 0
        while index < len(into):
            if self.stuck is not None:
                into[index] = self.stuck
            elif index < size:
                into[index] = value >> 8 * (size - 1 - index) & 0xFF
            else:
                into[index] = 0xFF
            index += 1
        if register == 0x09:
            self._registers[DIAG_ALRT] &= ~0x0800
        elif register == 0x0A:
            self._registers[DIAG_ALRT] &= ~0x0400
        return True

    def read_into(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        self._one[0] = register
        if not self.i2c_write(self._one) or not self.i2c_read(buffer):
            raise BusError("no acknowledge")

    def write(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        if not self.i2c_write(bytes((register,)) + bytes(buffer)):
            raise BusError("no acknowledge")

    def _write(self, register, value):
        registers = self._registers
        if register == CONFIG:
            if value & RST:
                self._reset()
                return
            if value & RSTACC:
                self._clear()
                value &= ~RSTACC
        elif register == SHUNT_CAL:
            value &= 0x7FFF
        elif register == DIAG_ALRT:
            value = registers[DIAG_ALRT] & 0x0FFF | value & 0xF000
        registers[register] = value
        self._follow()

    def _reset(self):
        registers = self._registers
        for register in range(0x12):
            registers[register] = 0
        for register, value in DEFAULTS + IDS:
            registers[register] = value
        self._clear()
        self._follow()

    def _clear(self):
        self._registers[0x09] = 0
        self._registers[0x0A] = 0
        self._energy_rest = 0
        self._charge_rest = 0

    # The world's side. These may allocate.

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar=0):
        """True values from now on; the current takes the sign of the power."""
        signed = -abs(current_ma) if power_mw < 0 else abs(current_ma)
        self._truth = (voltage_mv, signed, power_mw, self._truth[3])
        self._follow()

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Chip temperature in 0.1 C; a direct current has no frequency."""
        self._truth = self._truth[:3] + (temperature_dc,)
        self._follow()

    def set_front_end(self, phase, voltage_ppm=0, current_ppm=0, angle_mdeg=0):
        """Gain errors; a direct current has no phase for `angle_mdeg` to turn."""
        self._seen = (voltage_ppm, current_ppm)
        self._follow()

    def _measured(self):
        """(voltage mV, current mA, power mW) as the front end sees them, each over 1e6 or 1e12."""
        voltage, current, power, _ = self._truth
        by_voltage = MILLION + self._seen[0]
        by_current = MILLION + self._seen[1]
        return voltage * by_voltage, current * by_current, power * by_voltage * by_current

    def _scale(self):
        """(numerator, denominator) of codes of current in an ampere times 1e7/131072."""
        fine = 4 if self._registers[CONFIG] & ADCRANGE else 1
        return self._shunt * fine, self._registers[SHUNT_CAL]

    def _follow(self):
        """Work the measurement registers out anew."""
        registers = self._registers
        voltage, current, power = self._measured()
        ohms, cal = self._scale()
        math_overflow = 0
        if cal:
            code = _over(current * 131_072 * ohms, cal * 10_000 * MILLION)
            watts = abs(power) * 131_072 * ohms // (cal * 32_000 * MILLION * MILLION)
        else:
            code = watts = 0
        if not -0x80000 <= code <= 0x7FFFF or watts > 0xFFFFFF:
            math_overflow = 0x0200
            code = max(-0x80000, min(code, 0x7FFFF))
            watts = min(watts, 0xFFFFFF)
        fine = 4 if registers[CONFIG] & ADCRANGE else 1
        # nV are mA times micro-ohm; 312.5 nV a code.
        drop = _over(current * self._shunt * fine * 2, 625 * MILLION)
        registers[0x04] = (max(-0x80000, min(drop, 0x7FFFF)) & 0xFFFFF) << 4
        registers[0x05] = min(voltage * 128 // (25 * MILLION), 0x7FFFF) << 4
        registers[0x06] = _over(self._truth[3] * 64, 5) & 0xFFFF
        registers[0x07] = (code & 0xFFFFF) << 4
        registers[0x08] = watts
        registers[DIAG_ALRT] = registers[DIAG_ALRT] & ~0x0200 | math_overflow

    def feed(self, ms):
        """Let `ms` milliseconds pass: energy and charge add up."""
        _, current, power = self._measured()
        if self._truth[2] >= 0:
            self.true_import += self._truth[2] * ms
        else:
            self.true_export -= self._truth[2] * ms
        registers = self._registers
        ohms, cal = self._scale()
        if not cal:
            return
        # An energy LSB is cal / (256 ohms) joules, a charge LSB 10 cal / (131072 ohms) coulombs.
        unit = cal * MILLION * MILLION * MILLION
        moved, self._energy_rest = divmod(self._energy_rest + abs(power) * ms * 256 * ohms, unit)
        if power >= 0:
            self._made_import += moved
        else:
            self._made_export += moved
        registers[0x09] += moved
        if registers[0x09] >= WRAP:
            registers[0x09] %= WRAP
            registers[DIAG_ALRT] |= 0x0800
        unit = cal * 10 * MILLION * MILLION
        moved, self._charge_rest = divmod(self._charge_rest + current * ms * 131_072 * ohms, unit)
        charge = registers[0x0A]
        charge = (charge - WRAP if charge >= WRAP // 2 else charge) + moved
        if not -WRAP // 2 <= charge < WRAP // 2:
            registers[DIAG_ALRT] |= 0x0400
        registers[0x0A] = charge % WRAP

    def brown_out(self):
        """The supply dipped: every register has its default."""
        self._reset()

    # Faults and truth, for tests.

    def corrupt_next(self, mask, register=0x09, times=1):
        """Flip the bits of `mask` in the next `times` answers of `register`."""
        self._flip_mask = mask
        self._flip_register = register
        self._flip_times = times

    def peek(self, register):
        """The content of a register, without a transfer."""
        return self._registers[register]

    def poke(self, register, value):
        """Change a register behind the host's back."""
        self._registers[register] = value

    def total_counts(self, phase):
        """Energy LSBs ever made, forward less reverse; resets leave it."""
        return self._made_import - self._made_export

    def made(self):
        """(forward, reverse) energy LSBs ever made."""
        return self._made_import, self._made_export

    def held_counts(self, phase):
        """0: reading takes nothing out, so nothing waits in the chip."""
        return 0

    def state(self):
        """Everything that makes it this chip, as a dict for JSON."""
        return {
            "registers": sorted(self._registers.items()),
            "rests": [self._energy_rest, self._charge_rest],
            "truth": list(self._truth),
            "seen": list(self._seen),
            "made": [self._made_import, self._made_export],
            "true": [self.true_import, self.true_export],
        }

    def restore(self, state):
        """Be the chip `state` was taken from."""
        self._registers = dict(state["registers"])
        self._energy_rest, self._charge_rest = state["rests"]
        self._truth = tuple(state["truth"])
        self._seen = tuple(state["seen"])
        self._made_import, self._made_export = state["made"]
        self.true_import, self.true_export = state["true"]


def _over(value, divisor):
    """value / divisor towards zero."""
    return -(-value // divisor) if value < 0 else value // divisor
