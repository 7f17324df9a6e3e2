"""A matrix keypad behind a PCF8574: rows at P0 to P3, columns at P4 to P7.

A pin written 1 is a weak pull-up and may be read, one written 0 is driven low: two keys in a
column cannot short two rows. Source: NXP PCF8574 rev 5, 7.1.
"""


class ExpanderMatrix:
    """`device` is an I2C device of one-byte pointers: the pointer is what stands at the pins."""

    rows = 4

    def __init__(self, device):
        self._device = device
        self._one = bytearray(1)

    def read(self, row):
        """Bits of the columns that a pressed key holds to `row`. BusError."""
        self._device.read_into(0xFF & ~(1 << row), self._one)
        return ~self._one[0] >> 4 & 0x0F
