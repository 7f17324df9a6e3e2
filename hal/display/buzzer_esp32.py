"""Lamp and buzzer of a panel on an ESP32: a pin and a square wave."""

from machine import PWM, Pin

_HALF = 32768  # of 65536: a square wave


class EspSignals:
    """The lamp at pin `lamp` and the buzzer at pin `buzzer` (None: there is none)."""

    def __init__(self, lamp, buzzer):
        self._pin = Pin(lamp, Pin.OUT, value=0)
        self._wave = None
        if buzzer is not None:
            self._wave = PWM(Pin(buzzer, Pin.OUT), freq=1000, duty_u16=0)

    def lamp(self, on):
        """Light it or not."""
        self._pin.value(1 if on else 0)

    def sound(self, hertz):
        """A tone, 0 for silence."""
        if self._wave is None:
            return
        if hertz:
            self._wave.freq(hertz)
        self._wave.duty_u16(_HALF if hertz else 0)
