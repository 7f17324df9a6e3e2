"""A push button at a GPIO pin as a display without a picture (contract Page), through gpiozero.

Source: gpiozero 2, `Button`: pull-up on, so a pressed button reads low; its pins are BCM numbers.
"""

import time

from wattledger.hal.errors import HalError

BOUNCE_S = 0.05
REPEAT_S = 0.25  # a held button is told this often, as the page's is


class GpioButton:
    """The button at `pin`, closed to ground while pressed; HalError when the pin cannot be had."""

    show = None

    def __init__(self, pin, monotonic=time.monotonic):
        """`monotonic()` gives seconds that only rise."""
        try:
            from gpiozero import Button

            self._button = Button(pin, pull_up=True, bounce_time=BOUNCE_S)
        except Exception as error:  # gpiozero's pin factories raise what their libraries do
            raise HalError(
                "the button at GPIO%d cannot be used (%s); check that no other program holds the "
                "pin and that this user is in the group gpio" % (pin, error)
            ) from None
        self._monotonic = monotonic
        self._told_at = None  # while pressed: when that was last told

    def request(self):
        """("press",) while it is held, ("release",) once when it was let go, else None."""
        if self._button.is_pressed:
            now = self._monotonic()
            if self._told_at is not None and now - self._told_at < REPEAT_S:
                return None
            self._told_at = now
            return ("press",)
        if self._told_at is None:
            return None
        self._told_at = None
        return ("release",)

    def close(self):
        """Give the pin back."""
        self._button.close()
