"""Supply relays on the pins of a Raspberry Pi, through gpiozero (contract Relay).

A latching relay has two coils, and a pulse that ends by a timer and never by waiting. Coils are
inactive before anything else, and gpiozero makes inputs of all pins when the process ends.
"""

import threading

import gpiozero

from wattledger.hal.errors import HalError

LONGEST_PULSE_MS = 1000  # what a coil of this kind bears


def _daemon_timer(seconds, function):
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
    return timer


class _Contact:
    """The auxiliary contact, or none."""

    def __init__(self, pin, active_low, pin_factory):
        self._input = None
        if pin is not None:
            self._input = gpiozero.DigitalInputDevice(
                pin, pull_up=active_low, pin_factory=pin_factory
            )

    def read(self):
        return None if self._input is None else bool(self._input.value)

    def close(self):
        if self._input is not None:
            self._input.close()


def _coil(pin, active_high, pin_factory):
    return gpiozero.DigitalOutputDevice(
        pin, active_high=active_high, initial_value=False, pin_factory=pin_factory
    )


def _pin_error(what, error):
    return HalError(
        "relay: %s (%s); check the pin numbers, that no other program holds them, and that this "
        "user may use the GPIO (group gpio)" % (what, error)
    )


class GpioLatchingRelay:
    """Pins by BCM number; `contact_active_low`: the contact closes to ground. HalError."""

    def __init__(
        self,
        open_pin,
        close_pin,
        contact_pin=None,
        pulse_ms=100,
        active_high=True,
        contact_active_low=True,
        pin_factory=None,
        start_timer=_daemon_timer,
    ):
        if not 1 <= pulse_ms <= LONGEST_PULSE_MS:
            raise HalError("relay: a pulse is 1..%d ms, not %d" % (LONGEST_PULSE_MS, pulse_ms))
        self._pulse_s = pulse_ms / 1000
        self._start_timer = start_timer
        self._lock = threading.RLock()
        self._pulse = 0  # a number for each, so that an old timer ends no new pulse
        self._timer = None
        self._active = None
        self._made = []
        try:
            self._open_coil = self._keep(_coil(open_pin, active_high, pin_factory))
            self._close_coil = self._keep(_coil(close_pin, active_high, pin_factory))
            self._contact = self._keep(_Contact(contact_pin, contact_active_low, pin_factory))
        except gpiozero.GPIOZeroError as error:
            self._release()
            raise _pin_error("the pins cannot be used", error)

    def _keep(self, device):
        self._made.append(device)
        return device

    def open(self):
        """Pulse the opening coil; a pulse of the other coil ends first. HalError."""
        self._start(self._open_coil)

    def close(self):
        """Pulse the closing coil; a pulse of the other coil ends first. HalError."""
        self._start(self._close_coil)

    def contact(self):
        """True closed, False open, None without a contact's pin."""
        try:
            return self._contact.read()
        except gpiozero.GPIOZeroError:
            return None

    def shut_down(self):
        """End a pulse and let go of the pins; the relay stays where it is."""
        with self._lock:
            self._end(self._pulse)
            self._release()

    def _start(self, coil):
        with self._lock:
            if self._active is coil:
                return  # its pulse runs
            try:
                self._end(self._pulse)
                self._pulse += 1
                pulse = self._pulse
                self._active = coil
                coil.on()
                self._timer = self._start_timer(self._pulse_s, lambda: self._end(pulse))
            except (gpiozero.GPIOZeroError, RuntimeError) as error:
                # RuntimeError: no thread for the timer. A coil left on would burn.
                self._release()
                raise _pin_error("the coil cannot be pulsed", error)

    def _end(self, pulse):
        """End the pulse of that number; a later one goes on."""
        with self._lock:
            if self._active is None or pulse != self._pulse:
                return
            if self._timer is not None:
                self._timer.cancel()
            coil, self._active, self._timer = self._active, None, None
            coil.off()

    def _release(self):
        self._active = None
        for device in self._made:
            device.close()


class GpioHoldRelay:
    """One coil that holds: closed while it is on, open without power. HalError."""

    def __init__(
        self,
        coil_pin,
        contact_pin=None,
        active_high=True,
        contact_active_low=True,
        pin_factory=None,
    ):
        self._made = []
        try:
            self._coil = _coil(coil_pin, active_high, pin_factory)
            self._made.append(self._coil)
            self._contact = _Contact(contact_pin, contact_active_low, pin_factory)
            self._made.append(self._contact)
        except gpiozero.GPIOZeroError as error:
            self.shut_down()
            raise _pin_error("the pins cannot be used", error)

    def open(self):
        """Let the coil go. HalError."""
        self._switch(self._coil.off)

    def close(self):
        """Hold the coil. HalError."""
        self._switch(self._coil.on)

    def contact(self):
        """True closed, False open, None without a contact's pin."""
        try:
            return self._contact.read()
        except gpiozero.GPIOZeroError:
            return None

    def shut_down(self):
        """Let go of the coil and the pins: the supply opens."""
        for device in self._made:
            device.close()

    def _switch(self, action):
        try:
            action()
        except gpiozero.GPIOZeroError as error:
            raise _pin_error("the coil cannot be switched", error)
