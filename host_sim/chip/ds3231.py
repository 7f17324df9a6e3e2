"""A simulated DS3231 behind its I2C pins: it counts as the chip's own logic does. Portable.

Raw side: `i2c_write` and `i2c_read` with the bytes after the address; the register pointer wraps
after 0x12. `read_into` and `write` are the same through the face of an I2C device.

What the chip does (Maxim 19-5170): date and time in BCD, 12 or 24 hours, the century bit toggles
when the year passes 99; every fourth year is a leap year; OSF is set at power-up without battery
and only software clears it; with EOSC set the oscillator stops when the supply goes.
"""

from wattledger.hal.errors import BusError

SIZE = 0x13
CONTROL = 0x0E
STATUS = 0x0F
EOSC = 0x80
OSF = 0x80
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Ds3231:
    """One chip, new: 2000-01-01 00:00:00, its oscillator flag set."""

    def __init__(self):
        self.silent = False  # set: nobody acknowledges
        self.stuck = None  # a byte that every answer is made of, or None
        self._pointer = 0
        self._flip_mask = 0
        self._flip_register = None
        self._flip_times = 0
        self._supplied = True
        self._registers = bytearray(SIZE)
        self._rest_ms = 0
        self._power_up()

    # The driver's side.

    def i2c_write(self, data):
        """The bytes of a write after the address; False: not acknowledged."""
        if self.silent or not self._supplied:
            return False
        if len(data):
            self._pointer = data[0] % SIZE
        for byte in data[1:]:
            self._write(self._pointer, byte)
            self._pointer = (self._pointer + 1) % SIZE
        return True

    def i2c_read(self, into):
        """Fill `into` from the pointer on; False: no answer."""
        if self.silent or not self._supplied:
            return False
        for index in range(len(into)):
            value = self._registers[self._pointer]
            if self._pointer == self._flip_register and self._flip_times:
                self._flip_times -= 1
                value ^= self._flip_mask
            into[index] = value if self.stuck is None else self.stuck
            self._pointer = (self._pointer + 1) % SIZE
        return True

    def read_into(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        if not self.i2c_write(bytes((register,))) or not self.i2c_read(buffer):
            raise BusError("no acknowledge")

    def write(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        if not self.i2c_write(bytes((register,)) + bytes(buffer)):
            raise BusError("no acknowledge")

    def _write(self, register, value):
        registers = self._registers
        if register == STATUS:
            # OSF and the alarm flags can only be cleared; BSY is the chip's own.
            kept = registers[STATUS] & value & 0x83
            registers[STATUS] = kept | registers[STATUS] & 0x04 | value & 0x08
        elif register < 0x11:
            registers[register] = value
            if register == 0:
                self._rest_ms = 0  # the countdown chain starts anew

    # The world's side.

    def feed(self, ms):
        """Let `ms` milliseconds pass; nothing moves while the oscillator stands."""
        if not self._supplied and self._registers[CONTROL] & EOSC:
            return
        seconds, self._rest_ms = divmod(self._rest_ms + ms, 1000)
        for _ in range(seconds):
            self._second()

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Temperature in 0.1 C from now on."""
        quarters = temperature_dc * 2 // 5
        self._registers[0x11] = quarters >> 2 & 0xFF
        self._registers[0x12] = quarters << 6 & 0xC0

    def cut_supply(self, cut):
        """The supply goes (True) or comes; the battery carries the time on meanwhile."""
        self._supplied = not cut
        if cut and self._registers[CONTROL] & EOSC:
            self._registers[STATUS] |= OSF

    def lose_battery(self):
        """Supply and battery were gone: a power-up from nothing."""
        self._power_up()

    def _power_up(self):
        self._registers[:] = bytearray(SIZE)
        for register, value in ((3, 1), (4, 1), (5, 1), (CONTROL, 0x1C), (STATUS, 0x88)):
            self._registers[register] = value
        self._registers[0x11] = 25
        self._rest_ms = 0

    def _second(self):
        registers = self._registers
        for register, limit in ((0, 0x60), (1, 0x60)):
            registers[register] = _next(registers[register])
            if registers[register] < limit:
                return
            registers[register] = 0
        if self._hour():
            self._day()

    def _hour(self):
        """One hour on; True at midnight."""
        hours = self._registers[2]
        if not hours & 0x40:
            hours = _next(hours)
            self._registers[2] = hours % 0x24
            return hours == 0x24
        # 12 comes before 1, and 11 is followed by the other half of the day.
        digits = _next(hours & 0x1F)
        half = hours & 0x20
        if digits == 0x13:
            digits = 0x01
        elif digits == 0x12:
            half ^= 0x20
        self._registers[2] = 0x40 | half | digits
        return digits == 0x12 and not half

    def _day(self):
        registers = self._registers
        registers[3] = registers[3] % 7 + 1
        month = _number(registers[5] & 0x7F)
        length = MONTHS[month - 1]
        if month == 2 and _number(registers[6]) % 4 == 0:
            length = 29
        registers[4] = _next(registers[4])
        if _number(registers[4]) <= length:
            return
        registers[4] = 0x01
        century = registers[5] & 0x80
        registers[5] = century | _next(registers[5] & 0x7F)
        if registers[5] & 0x7F <= 0x12:
            return
        registers[5] = century | 0x01
        registers[6] = _next(registers[6])
        if registers[6] == 0xA0:
            registers[6] = 0
            registers[5] ^= 0x80

    # Faults for tests.

    def corrupt_next(self, mask, register, times=1):
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

    def state(self):
        """Everything that makes it this chip, as a dict for JSON."""
        return {"registers": list(self._registers), "rest_ms": self._rest_ms}

    def restore(self, state):
        """Be the chip `state` was taken from."""
        self._registers[:] = bytes(state["registers"])
        self._rest_ms = state["rest_ms"]


def _next(bcd):
    """The BCD number after this one; 0x99 gives 0xA0."""
    return bcd + 7 if bcd & 0x0F == 9 else bcd + 1


def _number(bcd):
    return (bcd >> 4) * 10 + (bcd & 0x0F)
