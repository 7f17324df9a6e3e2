"""Supply relays on the pins of an ESP32 (contract Relay).

`pin_class` is machine.Pin: nothing is imported that only a device has. Coils are set inactive as
their pins become outputs, before anything else.
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
    """A pulse is over when open() or close() returns; `sleep_ms` is the port's. A timer's callback
    would wait for what holds the interpreter: a handshake or an erased block is longer than a
    coil may be on. The contact closes to ground.
    """

    def __init__(
        self,
        pin_class,
        sleep_ms,
        open_pin,
        close_pin,
        contact_pin=None,
        pulse_ms=100,
        active_high=True,
        contact_active_low=True,
    ):
        if not 1 <= pulse_ms <= LONGEST_PULSE_MS:
            raise HalError("relay: a pulse is 1..%d ms, not %d" % (LONGEST_PULSE_MS, pulse_ms))
        self._open_coil = _Coil(pin_class, open_pin, active_high)
        self._close_coil = _Coil(pin_class, close_pin, active_high)
        self._contact = _Contact(pin_class, contact_pin, contact_active_low)
        self._sleep_ms = sleep_ms
        self._pulse_ms = pulse_ms

    def open(self):
        """Pulse the opening coil."""
        self._pulse(self._open_coil)

    def close(self):
        """Pulse the closing coil."""
        self._pulse(self._close_coil)

    def contact(self):
        """True closed, False open, None without a contact's pin."""
        return self._contact.read()

    def shut_down(self):
        """The relay stays where it is."""

    def _pulse(self, coil):
        coil.on()
        try:
            self._sleep_ms(self._pulse_ms)
        finally:
            coil.off()


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
