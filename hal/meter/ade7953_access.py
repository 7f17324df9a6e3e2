"""Proven accesses to the ADE7953: what was read, and of which register.

Source: ADE7953 datasheet Rev. B, LAST_OP, LAST_ADD and LAST_RWDATA. An energy register clears when
read; what was read, and of which register, is still there, so a reading is believed only with
both. `_claimed` is False from the moment LAST_ADD is known to name no energy, so an energy found
there later is one that nobody has counted, whatever happened between.
"""

from wattledger.hal.errors import BusError
from wattledger.hal.meter.ade7953_registers import AENERGYA, CONFIG, LAST_ADD, LAST_OP, OP_READ
from wattledger.hal.sample import OK, UNCONFIRMED

TRIES = 4
LAST_DATA = 0xFF  # LAST_RWDATA of a width, on the page of that width
ONES = 0xFFFFFF  # of a dead SPI bus; as an energy it is one count backwards
LAST_ADD_ONES = 0xFFFF
ENERGIES = (AENERGYA, AENERGYA + 1)


class Access:
    """`held` is the energy read and not yet handed on, LSB of channel A and B."""

    def __init__(self, port):
        self._port = port
        self._claimed = True  # what LAST_ADD names, if an energy, is in `held` already
        self.held = [0, 0]
        self.status = OK  # UNCONFIRMED once an answer had to be put right; the caller clears it
        self.unconfirmed = 0

    def mark(self):
        """Make CONFIG the last access; its value as LAST_RWDATA has it. BusError."""
        for _ in range(TRIES):
            value = self._port.read(CONFIG)
            if self._port.read(LAST_ADD) == CONFIG:
                self._claimed = False
                return value
        raise BusError("the ADE7953 does not say that it heard")

    def fetch(self, register):
        """The value of a register, confirmed; an energy goes to the held counts. BusError."""
        for _ in range(TRIES):
            value = self._port.read(register)
            address = self._port.read(LAST_ADD)
            if address != register or register in ENERGIES:
                address = self._settled(LAST_ADD, address)
            if address == register:
                held = self._port.read(register & 0xF00 | LAST_DATA)
                if held != value:
                    self._note()
                    held = self._settled(register & 0xF00 | LAST_DATA, held)
                # A read that arrives as a write leaves what was sent, zeros, and clears nothing.
                if held and held == value or self._was_read():
                    if register in ENERGIES:
                        self._claim(register, held)
                    return held
                self._note()
                continue
            # Another register was read, or none: if it was an energy, that is cleared now.
            self._note()
            self.rescue()
        raise BusError("the ADE7953 hears another address")

    def rescue(self):
        """Count an energy that was read, and cleared, by an access whose answer never came."""
        if self._claimed:
            return
        address = self._settled(LAST_ADD, self._port.read(LAST_ADD))
        energy = address & ~0x100 if address >> 8 == 3 else address  # 0x3xx: the same, wider
        if energy in ENERGIES and self._was_read():
            data = energy & 0xF00 | LAST_DATA
            self._claim(energy, self._settled(data, self._port.read(data)))

    def _was_read(self):
        return self._settled(LAST_OP, self._port.read(LAST_OP)) == OP_READ

    def _claim(self, energy, value):
        """Count an energy that left its register, and make another access the last one."""
        if value == ONES and self._port.read(LAST_ADD) == LAST_ADD_ONES:
            raise BusError("the bus answers nothing but ones")
        self.held[energy - AENERGYA] += signed(value, 0x800000)
        self._claimed = True
        self.mark()

    def _note(self):
        self.status |= UNCONFIRMED
        self.unconfirmed += 1

    def _settled(self, register, value):
        """A LAST register once it reads the same twice running; reading does not change it."""
        for _ in range(TRIES):
            before = value
            value = self._port.read(register)
            if value == before:
                return value
        raise BusError("a register of the ADE7953 does not settle")


def signed(value, half):
    """The two's complement of a value, `half` its sign bit."""
    return value - 2 * half if value >= half else value
