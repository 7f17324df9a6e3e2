"""A push button at a pin of an ESP32, closed to ground while pressed."""

from machine import Pin

_STEADY_MS = 40  # a level must stay so long
_REPEAT_MS = 250  # a held button is told this often, as the page's is


class EspButton:
    """The button at `pin`; `clock` has ticks_ms() and elapsed_ms(since)."""

    def __init__(self, pin, clock):
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP)
        self._clock = clock
        self._level = 1
        self._since = clock.ticks_ms()  # of the level
        self._told_at = None  # while pressed: when that was last told

    def request(self):
        """("press",) while it is held, ("release",) once when it was let go, else None."""
        level = self._pin.value()
        if level != self._level:
            self._level = level
            self._since = self._clock.ticks_ms()
        steady = self._since is None or self._clock.elapsed_ms(self._since) >= _STEADY_MS
        if not steady:
            return None
        self._since = None  # ticks wrap: an old one says nothing
        if not level:
            if self._told_at is None or self._clock.elapsed_ms(self._told_at) >= _REPEAT_MS:
                self._told_at = self._clock.ticks_ms()
                return ("press",)
        elif self._told_at is not None:
            self._told_at = None
            return ("release",)
        return None
