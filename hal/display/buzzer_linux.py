"""Lamp and buzzer of a panel on a Raspberry Pi, through gpiozero's LED and TonalBuzzer."""

from wattledger.hal.errors import HalError

MIDDLE_HZ = 1000  # two octaves up and down
OCTAVES = 2


class GpioSignals:
    """The lamp at pin `lamp` and the buzzer at pin `buzzer` (None: there is none), BCM numbers."""

    def __init__(self, lamp, buzzer):
        self._lamp = self._buzzer = None
        try:
            from gpiozero import LED, TonalBuzzer
            from gpiozero.tones import Tone

            self._tone = Tone
            self._lamp = LED(lamp)
            if buzzer is not None:
                self._buzzer = TonalBuzzer(buzzer, mid_tone=Tone(MIDDLE_HZ), octaves=OCTAVES)
        except Exception as error:  # gpiozero's pin factories raise what their libraries do
            self.close()
            raise HalError(
                "lamp and buzzer at GPIO%s and GPIO%s cannot be used (%s); check that no other "
                "program holds the pins and that this user is in the group gpio"
                % (lamp, buzzer, error)
            ) from None

    def lamp(self, on):
        """Light it or not."""
        if on:
            self._lamp.on()
        else:
            self._lamp.off()

    def sound(self, hertz):
        """A tone, 0 for silence."""
        if self._buzzer is None:
            return
        if hertz:
            self._buzzer.play(self._tone(hertz))
        else:
            self._buzzer.stop()

    def close(self):
        """Dark, silent, and the pins given back."""
        for device in (self._lamp, self._buzzer):
            if device is not None:
                device.close()
