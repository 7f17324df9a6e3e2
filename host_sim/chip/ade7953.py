"""A simulated ADE7953 behind its SPI or I2C pins, register by register. Portable, integers only.

Source: ADE7953 datasheet Rev. B. What the wire does:
- SPI: address high, address low, 0x80 to read or 0x00 to write, 1 to 4 bytes of data; I2C: a
  register pointer of 16 bits, then data. The width of a register is in its address, and 0x3xx is
  0x2xx sign-extended to 32 bits. A frame of another length has no effect;
- energy registers clear when read while LCYCMODE.RSTREAD is set; so do RSTIRQSTAT registers;
- LAST_OP, LAST_ADD and LAST_RWDATA (one a width) keep the last successful communication;
- WRITE_PROTECT keeps writes from the 8, 16 and 24 bit registers, but not from itself;
- CONFIG bit 15 low locks the interface that wrote it.
Choices: reading a LAST register is not itself recorded, an address without a register answers 0
and records nothing, the CRC register keeps its power-on value.
"""

from array import array

from wattledger.hal.errors import BusError
from wattledger.host_sim.chip.ade7953_metrology import ENERGY, Metrology

READ = 0x80
OP_READ = 0x35
OP_WRITE = 0xCA
SIZE = 0x302  # 0x3xx is 0x2xx; 0x702 and 0x800 stand behind
COMM_LOCK = 0x8000
SPI = 1
I2C = 2

DEFAULTS = (
    (0x004, 0x40),
    (0x100, 0xFFFF),
    (0x102, 0x8004),
    (0x103, 0x3F),
    (0x104, 0x3F),
    (0x107, 0x0300),
    (0x203, 0xE419),
    (0x204, 0xE419),
    (0x224, 0xFFFFFF),
    (0x225, 0xFFFFFF),
    (0x22C, 0x100000),
    (0x22D, 0x100000),  # RESET: the chip has come up
)
GAINS = tuple(range(0x280, 0x285)) + tuple(range(0x28C, 0x291))
WRITABLE = (
    (0x000, 0x002),
    (0x004, 0x005),
    (0x007, 0x00A),
    (0x040, 0x041),
    (0x0FE, 0x0FF),
    (0x100, 0x105),
    (0x107, 0x10A),
    (0x110, 0x111),
    (0x120, 0x121),
    (0x200, 0x202),
    (0x203, 0x206),
    (0x224, 0x226),
    (0x22C, 0x22D),
    (0x22F, 0x230),
    (0x280, 0x298),
    (0x301, 0x302),
)
READABLE = WRITABLE + (
    (0x0FD, 0x100),
    (0x10A, 0x10F),
    (0x1FE, 0x200),
    (0x210, 0x232),
    (0x2FF, 0x301),
)


def width_of(address):
    """Bytes of the register at an address."""
    page = address >> 8
    return page + 1 if page < 4 else 1


def place_of(address):
    """Where a register is kept, -1 for an address without one."""
    page = address >> 8
    if page < 3:
        return address
    if page == 3:
        return address - 0x100
    return 0x300 if address == 0x702 else 0x301 if address == 0x800 else -1


def within(ranges, place):
    """True when a place is in one of the ranges."""
    return any(first <= place < end for first, end in ranges)


class Ade7953:
    """One chip. `volt_lsb`, `amp_lsb`, `amp_b_lsb`: rms LSB per V and A of its board."""

    def __init__(self, volt_lsb=26_000, amp_lsb=100_000, amp_b_lsb=100_000):
        self.framing_faults = 0
        self.silent = False
        self.changed = False
        self._registers = array("i", [0] * SIZE)
        self._kinds = bytearray(SIZE)  # 1 readable, 2 writable
        for place in range(SIZE):
            self._kinds[place] = within(READABLE, place) + 2 * within(WRITABLE, place)
        self._metrology = Metrology(self._registers, volt_lsb, (amp_lsb, amp_b_lsb))
        self._pointer = 0
        self._locked = 0
        self._optimum_open = False
        self._flip_mask = 0
        self._flip_address = -1
        self._reset()

    # The driver's side.

    def transfer(self, out, into):
        """One SPI select: clock `out` in and the answer into `into` (of the same length)."""
        for index in range(len(into)):
            into[index] = 0xFF if self.silent else 0
        if self.silent or self._locked == I2C or len(out) < 3:
            return
        address = out[0] << 8 | out[1]
        if len(out) != 3 + width_of(address):
            self.framing_faults += 1
            return
        if out[2] & READ:
            self._answer(address, into, 3)
        else:
            self._take(address, out, 3, SPI)

    def i2c_write(self, data):
        """The bytes after the address byte of a write; True when they are acknowledged."""
        if self.silent or self._locked == SPI or len(data) < 2:
            return False
        self._pointer = data[0] << 8 | data[1]
        if len(data) > 2:
            if len(data) != 2 + width_of(self._pointer):
                self.framing_faults += 1
            else:
                self._take(self._pointer, data, 2, I2C)
        return True

    def i2c_read(self, into):
        """The bytes after the address byte of a read; True when the address is acknowledged."""
        if self.silent or self._locked == SPI:
            return False
        for index in range(len(into)):
            into[index] = 0
        if len(into) == width_of(self._pointer):
            self._answer(self._pointer, into, 0)
        else:
            self.framing_faults += 1
        return True

    def read_into(self, register, buffer):
        """Pointer, repeated start, read; BusError when it is not acknowledged."""
        if self.silent or self._locked == SPI:
            raise BusError("no acknowledge from 0x38")
        self._pointer = register
        self.i2c_read(buffer)

    def write(self, register, buffer):
        """Pointer and data in one message; BusError when it is not acknowledged."""
        if not self.i2c_write(bytes((register >> 8, register & 0xFF)) + bytes(buffer)):
            raise BusError("no acknowledge from 0x38")

    def _answer(self, address, into, at):
        place = place_of(address)
        if place < 0 or place >= SIZE or not self._kinds[place] & 1:
            return
        registers = self._registers
        value = registers[place]
        if place in (0x22E, 0x231):
            value = registers[place - 1]
            registers[place - 1] = 0
            self.changed = True
        elif ENERGY <= place < ENERGY + 6 and registers[0x004] & 0x40:
            registers[place] = 0
            self.changed = True
        size = len(into) - at
        if place not in (0x0FD, 0x0FF, 0x1FE, 0x1FF, 0x2FF):
            self._record(OP_READ, address, value, size)
        if self._flip_mask and self._flip_address in (-1, place):
            value ^= self._flip_mask
            self._flip_mask = 0
        if size == 4:
            into[at] = 0xFF if value & 0x800000 else 0
            at += 1
            size = 3
        while size:
            size -= 1
            into[at] = value >> 8 * size & 0xFF
            at += 1

    def _record(self, operation, address, value, size):
        registers = self._registers
        registers[0x0FD] = operation
        registers[0x1FE] = address
        registers[(0x0FF, 0x1FF, 0x2FF, 0x2FF)[size - 1]] = value

    def _take(self, address, data, at, bus):
        place = place_of(address)
        if place < 0 or place >= SIZE or not self._kinds[place]:
            return
        size = len(data) - at
        value = 0
        for index in range(at, len(data)):
            value = (value << 8 | data[index]) & 0xFFFFFF
        if place not in (0x0FD, 0x0FF, 0x1FE, 0x1FF, 0x2FF):
            self._record(OP_WRITE, address, value, size)
        registers = self._registers
        optimum = self._optimum_open
        self._optimum_open = False
        if not self._kinds[place] & 2:
            return
        if place != 0x040 and registers[0x040] >> min(size - 1, 2) & 1:
            return
        if place == 0x120 and not optimum:
            return
        if place == 0x0FE:
            self._optimum_open = value == 0xAD
            return
        self.changed = True
        if place == 0x102 and value & 0x80:
            self._reset()
            return
        registers[place] = value & (7 if place == 0x040 else 0xFFFFFF)
        if place == 0x102:
            self._locked = 0 if value & COMM_LOCK else bus
        self._metrology.stale = True

    def _reset(self):
        registers = self._registers
        for place in range(SIZE):
            registers[place] = 0
        for place, value in DEFAULTS:
            registers[place] = value
        for place in GAINS:
            registers[place] = 0x400000
        registers[0x300] = 0x41
        self._locked = 0
        self._optimum_open = False
        self._metrology.forget()

    # The world's side. These may allocate.

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar=0):
        """True values of channel 0 or 1 from now on; power is negative on export."""
        self._metrology.set_phase(phase, voltage_mv, current_ma, power_mw, reactive_mvar)

    def set_neutral(self, current_ma):
        """Current of the second sensor, where it is not a circuit of its own."""
        self._metrology.set_neutral(current_ma)

    def set_front_end(self, phase, voltage_ppm=0, current_ppm=0, angle_mdeg=0):
        """Errors of the board's sensors: gains in ppm, the current's lag in 1/1000 degree."""
        self._metrology.set_front_end(phase, voltage_ppm, current_ppm, angle_mdeg)

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Frequency in mHz from now on; the chip has no thermometer."""
        self._metrology.set_mains(frequency_mhz)

    def feed(self, ms):
        """Let `ms` milliseconds of these mains pass."""
        self._metrology.feed(ms)

    def brown_out(self):
        """The supply dipped: set-up and uncollected energy are gone."""
        self._reset()
        self.changed = True

    def corrupt_next(self, mask, address=None):
        """Flip the bits of `mask` in the next answer (of `address`): on the wire only."""
        self._flip_mask = mask
        self._flip_address = -1 if address is None else place_of(address)

    def peek(self, address):
        """The content of a register, without a transfer."""
        return self._registers[place_of(address)]

    def poke(self, address, value):
        """Change a register behind the host's back."""
        self._registers[place_of(address)] = value
        # A measurement that is poked stays until the mains change.
        if place_of(address) < 0x210 or place_of(address) >= 0x280:
            self._metrology.stale = True

    @property
    def true_import(self):
        """Energy that entered through both channels together, in mW ms."""
        return self._metrology.true_import

    @property
    def true_export(self):
        """Energy that left, in mW ms."""
        return self._metrology.true_export

    @property
    def overflows(self):
        """Times an energy register wrapped."""
        return self._metrology.overflows

    def total_counts(self, phase):
        """Signed counts of active energy ever made on channel 0 or 1."""
        return self._metrology.produced[phase]

    def held_counts(self, phase):
        """Signed counts of channel 0 or 1 that wait in its register."""
        value = self._registers[ENERGY + phase]
        return value - 0x1000000 if value & 0x800000 else value

    def state(self):
        """Everything that makes it this chip, as a dict of ints and lists for JSON."""
        state = self._metrology.state()
        state["registers"] = list(self._registers)
        state["wire"] = [self._locked, self._pointer]
        return state

    def restore(self, state):
        """Be the chip `state` was taken from."""
        for place in range(SIZE):
            self._registers[place] = state["registers"][place]
        self._locked, self._pointer = state["wire"]
        self._metrology.restore(state)
        self._metrology.refresh()
