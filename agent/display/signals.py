"""Lamp and buzzer of a panel: what they do at each warning, as tables, and when they are silent.

A pattern is milliseconds on and off in turn, beginning with on. The buzzer sounds its pattern once
and again after its pause, until a person presses anything; the next level sounds anew.
"""

NOTHING, LOW_1, LOW_2, GOING_OFF, READY, OFF = range(6)
# level: (lamp pattern, tones in Hz, buzzer pattern, pause in ms before it sounds again or None)
PATTERNS = (
    ((), 0, (), None),
    ((100, 2900), 1000, (150, 150, 150), None),  # low 1: a wink; two beeps, once
    ((500, 500), 1500, (150, 150, 150, 150, 150), 60000),  # low 2: blinks; three, each minute
    ((100, 100), 2000, (400, 200, 400, 200, 400), 15000),  # off in minutes: flickers; urgent
    ((1000, 200), 1200, (80,), None),  # ready: nearly steady; one short beep
    ((60000,), 800, (600,), None),  # off: steady; one long beep
)
GOING_OFF_S = 300


def level_of(view):
    """The level that a view asks for."""
    supply = view["supply"]
    if supply["state"] == "ready":
        return READY
    if supply["state"] == "disconnected":
        return OFF
    for key in ("cut_in_s", "remote_in_s"):
        if supply.get(key) is not None and supply[key] <= GOING_OFF_S:
            return GOING_OFF
    zone = view.get("zone")
    if zone in ("low2", "zero", "emergency"):
        return LOW_2
    return LOW_1 if zone == "low1" else NOTHING


class Signals:
    """`lamp(on)` and `sound(hertz, 0 for silence)` are hal's; `clock` is the time of people."""

    def __init__(self, lamp, sound, clock):
        self._lamp = lamp
        self._sound = sound
        self._clock = clock
        self.level = NOTHING
        self.muted = False
        self._since = clock.ticks_ms()  # of the lamp's pattern
        self._sounding = None  # when the buzzer's pattern began, or its pause
        self._lit = False
        self._tone = 0

    def show(self, view):
        """The view of now: another level starts its patterns, muted or not."""
        level = level_of(view)
        if level == self.level:
            return
        self.level = level
        self.muted = False
        self._since = self._sounding = self._clock.ticks_ms()

    def mute(self):
        """A person has heard it: silent until the level changes."""
        self.muted = True

    def work(self):
        """Put lamp and buzzer to what the patterns say now."""
        lamp, hertz, beeps, pause = PATTERNS[self.level]
        passed = self._clock.elapsed_ms(self._since)
        if lamp and passed >= sum(lamp):
            passed %= sum(lamp)
            self._since = self._clock.ticks_ms()
        lit = bool(lamp) and is_on(lamp, passed)
        if lit != self._lit:
            self._lit = lit
            self._lamp(lit)
        tone = hertz if self._is_sounding(beeps, pause) else 0
        if tone != self._tone:
            self._tone = tone
            self._sound(tone)

    def _is_sounding(self, beeps, pause):
        if self._sounding is None or self.muted:
            return False
        passed = self._clock.elapsed_ms(self._sounding)
        if passed < sum(beeps):
            return is_on(beeps, passed)
        if pause is None:
            self._sounding = None
        elif passed >= pause:
            self._sounding = self._clock.ticks_ms()
            return True
        return False


def is_on(pattern, passed):
    """True in the 1st, 3rd, 5th ... part of a pattern, `passed` ms after its start."""
    for index in range(len(pattern)):
        passed -= pattern[index]
        if passed < 0:
            return index % 2 == 0
    return False
