"""A matrix keypad at pins of a Raspberry Pi, through gpiozero's pins.

A row is driven low only while it is looked at and is an input else, so that two keys in a column
never short two outputs. Pins are BCM numbers.
"""

from wattledger.hal.errors import HalError


class GpioMatrix:
    """Pins of `rows` and `columns`; HalError when they cannot be had."""

    def __init__(self, rows, columns):
        self._pins = []
        try:
            from gpiozero import Device

            self._factory = Device.pin_factory
            self._factory.reserve_pins(self, *rows, *columns)
            for number in (*rows, *columns):
                pin = self._factory.pin(number)
                self._pins.append(pin)
                pin.function = "input"
                pin.pull = "up"
        except Exception as error:  # gpiozero's pin factories raise what their libraries do
            self.close()
            raise HalError(
                "the keypad's pins %s cannot be used (%s); check that no other program holds them "
                "and that this user is in the group gpio"
                % (", ".join("GPIO%d" % number for number in (*rows, *columns)), error)
            ) from None
        self.rows = len(rows)

    def read(self, row):
        """Bits of the columns that a pressed key holds to `row`."""
        pin = self._pins[row]
        pin.output_with_state(0)
        try:
            return sum(
                (not column.state) << index for index, column in enumerate(self._pins[self.rows :])
            )
        finally:
            pin.function = "input"
            pin.pull = "up"

    def close(self):
        """Give the pins back."""
        for pin in self._pins:
            pin.close()
        self._factory.release_all(self)
