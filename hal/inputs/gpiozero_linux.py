"""Switches of a cover and of a magnet sensor at GPIO pins (contract TamperInputs), by gpiozero.

A cover switch is closed to ground while the cover is on, so that a cut wire reads as an opened
cover. A magnet sensor (Hall or reed) pulls its pin to ground while a magnet is near.
"""

from wattledger.hal.errors import HalError

COVER = 1  # bits of read()
MAGNET = 2
BOUNCE_S = 0.05


class GpioTamperInputs:
    """The pins `cover` and `magnet`, BCM numbers, None for one that is not there; HalError."""

    def __init__(self, cover, magnet):
        self._inputs = []
        self._said = 0
        try:
            from gpiozero import DigitalInputDevice

            for bit, pin in ((COVER, cover), (MAGNET, magnet)):
                if pin is not None:
                    device = DigitalInputDevice(pin, pull_up=True, bounce_time=BOUNCE_S)
                    # With pull-up a low pin is active: the cover is on, a magnet is near.
                    self._inputs.append((bit, device, 0 if bit == COVER else 1))
        except Exception as error:  # gpiozero's pin factories raise what their libraries do
            self.close()
            raise HalError(
                "the inputs of cover and magnet cannot be used (%s); check that no other program "
                "holds GPIO%s or GPIO%s" % (error, cover, magnet)
            ) from None

    def read(self):
        """Bits that hold; what cannot be read says what it said last."""
        found = 0
        for bit, device, alarming in self._inputs:
            try:
                holds = device.value == alarming
            except Exception:  # the pin's library, whatever it raises
                holds = bool(self._said & bit)
            if holds:
                found |= bit
        self._said = found
        return found

    def close(self):
        """Give the pins back."""
        for _, device, _ in self._inputs:
            device.close()
        self._inputs = []
