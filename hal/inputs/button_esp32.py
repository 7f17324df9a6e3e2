"""A push button at a pin of an ESP32 as a display without a picture (contract Page).

`pin_class` is machine.Pin. In hal/inputs and not in hal/display: it must work without an
application. A press of the agent's three seconds outlasts any bounce, so none is filtered here.
"""

REPEAT_MS = 250  # a held button is told this often, as the page's is


class Esp32Button:
    """The button at `pin`, closed to ground while pressed; `clock` is a Clock of wall time."""

    show = None

    def __init__(self, pin_class, pin, clock):
        self._pin = pin_class(pin, pin_class.IN, pin_class.PULL_UP)
        self._clock = clock
        self._told_at = None  # while pressed: when that was last told

    def request(self):
        """("press",) while it is held, ("release",) once when it was let go, else None."""
        if self._pin.value() == 0:
            if self._told_at is not None and self._clock.elapsed_ms(self._told_at) < REPEAT_MS:
                return None
            self._told_at = self._clock.ticks_ms()
            return ("press",)
        if self._told_at is None:
            return None
        self._told_at = None
        return ("release",)
