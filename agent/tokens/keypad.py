"""The keypad: digits typed one by one or sent by a page at once, and what became of them."""

from wattledger.agent.tokens import results

MOST_DIGITS = 20
TYPING_MS = 20000  # digits that nobody goes on with are forgotten
SAID_MS = 30000  # how long a result is shown
MOST_WAITING = 4


class Keypad:
    """`desk` is the TokenDesk; `link_clock` is the wall time of people."""

    def __init__(self, desk, link_clock):
        self._desk = desk
        self._clock = link_clock
        self._at = link_clock.ticks_ms()
        self.typed = ""
        self._waiting = []  # tokens entered and not answered
        self._said = None  # (result, detail)

    def hear(self, request):
        """A display's request; True for ("token", digits) and ("key", a key), which are ours."""
        if request[0] == "token":
            self.enter(request[1])
        elif request[0] == "key":
            self.press(request[1])
        else:
            return False
        return True

    def press(self, key):
        """A key: a digit, "erase" (the last digit) or "enter"."""
        self._said = None
        self._at = self._clock.ticks_ms()
        if key == "erase":
            self.typed = self.typed[:-1]
        elif key == "enter":
            typed, self.typed = self.typed, ""
            if typed:
                self.enter(typed)
        elif len(key) == 1 and "0" <= key <= "9" and len(self.typed) < MOST_DIGITS:
            self.typed += key

    def enter(self, digits):
        """A whole token. One that waits already is not taken twice."""
        if digits not in self._waiting and len(self._waiting) < MOST_WAITING:
            self._waiting.append(digits)

    def work(self):
        """One slice; True while a token is being looked for."""
        if self._waiting:
            said = self._desk.enter(self._waiting[0])
            if said is not None:
                self._waiting.pop(0)
                self._said = said
                self._at = self._clock.ticks_ms()
        elif self._said and self._clock.elapsed_ms(self._at) >= SAID_MS:
            self._said = None
        elif self.typed and self._clock.elapsed_ms(self._at) >= TYPING_MS:
            self.typed = ""
        return bool(self._waiting)

    def view(self):
        """What a display shows of it."""
        result, detail = self._said or (0, "")
        return {
            "typed": self.typed,
            "busy": bool(self._waiting),
            "result": result or None,
            "name": results.NAMES[result] or None,
            "detail": detail,
            "wait_s": self._desk.locked_s(),
        }
