"""A panel on a table: button, keypad, lamp, buzzer and glass, and time that a test passes."""

from wattledger.agent.display.panel import Panel
from wattledger.agent.display.screens import Screens
from wattledger.agent.display.signals import Signals
from wattledger.hal.display.glass import Glass
from wattledger.hal.display.keypad import LAYOUT_4X4, Keypad
from wattledger.hal.display.keypad_pcf8574 import ExpanderMatrix
from wattledger.host_sim.chip.oled import Oled
from wattledger.host_sim.chip.pcf8574 import KeyMatrix, Pcf8574
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.fixtures_canvas import WORDS, canvas, rows_of, wide_of
from wattledger.tests.both.fixtures_oled import Wired

REPEAT_MS = 250  # a held button is told again so often, as hal's is


class Button:
    """A button as hal/display/button_linux.py tells of it."""

    def __init__(self, clock):
        self._clock = clock
        self.down = False
        self._told_at = None

    def request(self):
        if self.down:
            if self._told_at is not None and self._clock.elapsed_ms(self._told_at) < REPEAT_MS:
                return None
            self._told_at = self._clock.ticks_ms()
            return ("press",)
        if self._told_at is None:
            return None
        self._told_at = None
        return ("release",)


class Recording(Screens):
    """Screens that keep the last layout drawn."""

    last = None

    def draw(self, layout):
        self.last = layout
        return Screens.draw(self, layout)


class Table:
    """`panel` with everything on it; `asked` are the requests that somebody took."""

    def __init__(self, language="en", clock=None):
        self.clock = clock or VirtualClock(0)
        self.oled = Oled("ssd1306")
        self.port = Wired(self.oled)
        self.frame, drawn = canvas()
        self.screens = Recording(drawn, rows_of, wide_of(language))
        self.button = Button(self.clock)
        self.keys = KeyMatrix().down
        self.lit = False
        self.tones = []  # (ms, hertz) at each change
        keys = KeyMatrix()
        self.keys = keys.down
        self.keypad = Keypad(ExpanderMatrix(Pcf8574(keys)), LAYOUT_4X4)
        self.panel = Panel(
            self.screens,
            Glass(self.port, self.frame, "ssd1306"),
            self.clock,
            WORDS[language],
            self.button,
            self.keypad,
            Signals(self._lamp, self._sound, self.clock),
            "pi 0.1.0",
        )
        self.asked = []

    def _lamp(self, on):
        self.lit = on

    def _sound(self, hertz):
        self.tones.append((self.clock.ticks_ms(), hertz))

    def run(self, ms, take=True):
        """Let the panel work for so long; `take` its requests as an agent does."""
        until = self.clock.ticks_ms() + ms
        while self.clock.ticks_ms() < until:
            self.clock.advance(max(self.panel.work(), 1))
            if take:
                self.take()

    def take(self):
        request = self.panel.request()
        while request is not None:
            self.asked.append(request)
            request = self.panel.request()

    def press(self, ms):
        """Hold the button for `ms`."""
        self.button.down = True
        self.run(ms)
        self.button.down = False
        self.run(60)

    def type(self, letters, take=True):
        """Keys of the pad, one after the other."""
        for letter in letters:
            at = LAYOUT_4X4.index(letter)
            self.keys.add((at // 4, at % 4))
            self.run(60, take)
            self.keys.clear()
            self.run(60, take)

    def title(self):
        """What stands on top of the screen."""
        return self.screens.last.title
