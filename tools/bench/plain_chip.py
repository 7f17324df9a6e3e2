"""An ATM90E32 in next to no heap, so that only the firmware is weighed. Portable."""

from array import array

_LAST = 0x78
_TOTAL = 0x80
_FORWARD = 0x81
_VOLTAGE = 0xD9
_CURRENT = 0xDD
_POWER = 0xB1


class PlainChip:
    """As much of an ATM90E32 as an hour at a steady load needs: registers, and energy that clears.

    330 bytes where the simulated chip takes 24 kB.
    """

    def __init__(self):
        self._registers = array("H", bytes(512))
        self.made = 0

    def transfer(self, out, into):
        registers = self._registers
        address = out[1]
        value = out[2] << 8 | out[3]
        if out[0] & 0x80:
            value = registers[address]
            if _TOTAL <= address <= _FORWARD:
                registers[address] = 0
        else:
            registers[address] = value
        registers[_LAST] = value
        into[2] = value >> 8
        into[3] = value & 0xFF

    def feed(self, ms):
        """1125 W: a hundred counts a second."""
        registers = self._registers
        registers[_VOLTAGE] = 23000
        registers[_CURRENT] = 4891
        registers[_POWER] = 53  # high word of 1125 W in units of 0.00032 W
        registers[_FORWARD] += ms // 10
        registers[_TOTAL] += ms // 10
        self.made += ms // 10

    def total_counts(self, phase):
        return self.made

    def held_counts(self, phase):
        return self._registers[_FORWARD]
