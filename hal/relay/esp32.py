"""Supply relays on the pins of an ESP32 (contract Relay).

`pin_class` and `timer_class` are machine.Pin and machine.Timer: nothing is imported that only a
device has. Coils are set inactive as their pins become outputs, before anything else.
"""

from wattledger.hal.errors import HalError

LONGEST_PULSE_MS = 1000  # what a coil of this kind bears


class _Coil:
    def __init__(self, pin_class, pin, active_high):
        self._on = 1 if active_high else 0
        self._pin = pin_class(pin, pin_class.OUT, value=1 - self._on)

    def on(self):
        self._pin.value(self._on)

    def off(self):
        self._pin.value(1 - self._on)


class _Contact:
    def __init__(self, pin_class, pin, active_low):
        self._closed = 0 if active_low else 1
        self._pin = None
        if pin is not None:
            pull = pin_class.PULL_UP if active_low else pin_class.PULL_DOWN
            self._pin = pin_class(pin, pin_class.IN, pull)

    def read(self):
        return None if self._pin is None else self._pin.value() == self._closed


class Esp32LatchingRelay:
    """`timer` is the number of a hardware timer of its own; the contact closes to ground."""

    def __init__(
        self,
        pin_class,
        timer_class,
        open_pin,
        close_pin,
        contact_pin=None,
        pulse_ms=100,
        active_high=True,
        contact_active_low=True,
        timer=0,
    ):
        if not 1 <= pulse_ms <= LONGEST_PULSE_MS:
            raise HalError("relay: a pulse is 1..%d ms, not %d" % (LONGEST_PULSE_MS, pulse_ms))
        self._open_coil = _Coil(pin_class, open_pin, active_high)
        self._close_coil = _Coil(pin_class, close_pin, active_high)
        self._contact = _Contact(pin_class, contact_pin, contact_active_low)
        self._one_shot = timer_class.ONE_SHOT
        self._timer = timer_class(timer)
        self._pulse_ms = pulse_ms
        self._active = None
        self._ended = self._end  # bound once: the callback runs where little may allocate

    def open(self):
        """Pulse the opening coil; a pulse of the other coil ends first."""
        self._start(self._open_coil)

    def close(self):
        """Pulse the closing coil; a pulse of the other coil ends first."""
        self._start(self._close_coil)

    def contact(self):
        """True closed, False open, None without a contact's pin."""
        return self._contact.read()

    def shut_down(self):
        """End a pulse; the relay stays where it is."""
        self._timer.deinit()
        self._end()

    def _start(self, coil):
        if self._active is coil:
            return  # its pulse runs
        self._timer.deinit()  # or the old pulse's end could fall between on() and init()
        self._end()
        self._active = coil
        coil.on()
        try:
            self._timer.init(mode=self._one_shot, period=self._pulse_ms, callback=self._ended)
        except Exception as error:  # whatever the port raises: a coil left on would burn
            self._end()
            raise HalError("relay: no timer for the pulse (%s)" % error)

    def _end(self, timer=None):
        # Both, whichever was on: a callback that comes late must not depend on what it was for.
        self._open_coil.off()
        self._close_coil.off()
        self._active = None


class Esp32HoldRelay:
    """One coil that holds: closed while it is on, open without power."""

    def __init__(
        self, pin_class, coil_pin, contact_pin=None, active_high=True, contact_active_low=True
    ):
        self._coil = _Coil(pin_class, coil_pin, active_high)
        self._contact = _Contact(pin_class, contact_pin, contact_active_low)

    def open(self):
        """Let the coil go."""
        self._coil.off()

    def close(self):
        """Hold the coil."""
        self._coil.on()

    def contact(self):
        """True closed, False open, None without a contact's pin."""
        return self._contact.read()

    def shut_down(self):
        """Let go of the coil: the supply opens."""
        self._coil.off()
