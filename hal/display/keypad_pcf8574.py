"""A matrix keypad behind a PCF8574: rows at P0 to P3, columns at P4 to P7.

A pin written 1 is a weak pull-up and may be read, one written 0 is driven low: two keys in a
column cannot short two rows. Source: NXP PCF8574 rev 5, 7.1.
"""

ALL_LOW = 0xF0  # every row


class ExpanderMatrix:
    """`device` is an I2C device of one-byte pointers: the pointer is what stands at the pins."""

    rows = 4

    def __init__(self, device):
        self._device = device
        self._one = bytearray(1)
        self._idle = False

    def read(self, row):
        """Bits of the columns that a pressed key holds to `row`. BusError.

        Before the first row all are looked at together: a keypad that nobody touches takes one
        transfer a look from a bus that others need.
        """
        if row == 0:
            self._idle = not self._columns(ALL_LOW)
        return 0 if self._idle else self._columns(0xFF & ~(1 << row))

    def _columns(self, pins):
        self._device.read_into(pins, self._one)
        return ~self._one[0] >> 4 & 0x0F
