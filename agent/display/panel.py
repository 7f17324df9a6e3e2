"""The small screen with its button, keypad, lamp and buzzer, as one display (contract Page).

show() and request() only hand over and return; all that takes time is done by work(), a slice of
a few milliseconds at a time, which the root calls from where no tick can wait for it. A display
that fails is counted and tried again; metering never knows of it.
"""

import json

from wattledger.agent.display import alerts, echo
from wattledger.agent.display.pages import Pages

WORK_MS = 20  # between two looks at keys
TURN_MS = 4000  # an alert and the balance in turn
IDLE_MS = 30000  # after a page was turned, until it shows what matters again
SHORT_MS = 800  # a press below this turns the page
HOLD_MS = 3000
GAP_MS = 1500  # a press that is not renewed so long has ended
RETRY_MS = 5000
HOURS_MS = 900000
WAITING_MAX = 30  # keys that the agent has not taken yet: a token and what ends it
DAY = "day"
SAID_MS = 6000  # what became of a token; a lock-out as long as it lasts


class Panel:
    """`screen` draws layouts (Screens, Lines), `display` puts them on the glass (hal), `clock` is
    the time of people; `button` and `keypad` are asked for requests, `signals` lamp and buzzer;
    each may be None. `words` is WORDS of a language, `about` names the firmware."""

    def __init__(
        self, screen, display, clock, words, button=None, keypad=None, signals=None, about=""
    ):
        self._screen = screen
        self._display = display
        self._clock = clock
        self._button = button
        self._keypad = keypad
        self._signals = signals
        self.pages = Pages(words, about, screen.charts)
        self._view = None
        self._waiting = []
        self._taken = []  # keys that the agent has and the view does not show yet
        self._page = None  # None: what matters; else the name of the page a person turned to
        self._turned_at = 0
        self._looked_at = self._step_at = clock.ticks_ms()
        self._step = 0
        self._pressed_at = None
        self._heard_at = 0
        self._meant = False  # the press began while emergency credit was offered
        self._taking = False  # the rest of a press that took emergency credit is nobody's
        self._asked_at = None
        self._said_at = None
        self._shown = None
        self._drawing = None
        self._begun = False
        self._lost_at = None
        self.faults = 0

    # --- the agent's side: never waits ---

    def show(self, view):
        """Take the view model; drawn by work()."""
        self._view = view
        self._taken = []  # it knows of them now

    def request(self):
        """The oldest of what a person asked for, or None."""
        if not self._waiting:
            return None
        request = self._waiting.pop(0)
        if request[0] == "key":
            self._taken = self._taken + [request[1]]
        return request

    def answer(self, name, text):
        """The hours of today, asked for by the chart; other answers are for other displays."""
        if name != DAY or not text:
            return
        told = json.loads(text)
        hours = [0] * 24
        last = -1
        for row in told["rows"]:
            at = (row[0] - told["split"]) // 3600
            if 0 <= at < 24:
                hours[at] = row[1]
                last = max(last, at)
        self.pages.hours = tuple(hours[: last + 1])

    # --- the panel's own side ---

    def work(self):
        """One slice: keys, lamp, and a piece of a picture; ms until the next is wanted."""
        view = self._view
        # Not between the pieces of a picture: looks so close would take bounces for keys.
        if self._clock.elapsed_ms(self._looked_at) >= WORK_MS:
            self._looked_at = self._clock.ticks_ms()
            self._hear()
            if self._signals:
                if view is not None:
                    self._signals.show(view)
                self._signals.work()
        if view is None:
            return WORK_MS
        if self._drawing is None and not self._draw(view):
            return self._send()
        try:
            next(self._drawing)
        except StopIteration:
            self._drawing = None
        return 0

    def _hear(self):
        if self._button:
            request = self._button.request()
            if request is not None:
                self._button_told(request)
        if self._pressed_at is not None and self._clock.elapsed_ms(self._heard_at) > GAP_MS:
            self._released(GAP_MS)
        if self._keypad:
            key = self._keypad.read()
            if key is not None:
                self._key(key)

    def _button_told(self, request):
        if self._signals:
            self._signals.mute()
        if request[0] == "press":
            if self._pressed_at is None:
                self._pressed_at = self._clock.ticks_ms()
                self._taking = False
                self._meant = self._offers()
            self._heard_at = self._clock.ticks_ms()
            if self._taking:
                return
            held = self._clock.elapsed_ms(self._pressed_at) >= HOLD_MS
            if held and self._meant and self._offers():
                self._ask("accept")
                self._ask("release")
                self._taking = True
                return
        elif self._pressed_at is not None:
            self._released(self._clock.elapsed_ms(self._pressed_at))
            return
        self._ask(*request)

    def _released(self, held_ms):
        self._pressed_at = None
        if not self._taking:
            self._ask("release")
        self._taking = False
        if held_ms < SHORT_MS:
            self._turn()

    def _offers(self):
        """True while emergency credit may be taken and the button has nothing to close."""
        view = self._view
        if view is None or view["supply"]["state"] == "ready":
            return False
        emergency = view.get("emergency")
        return bool(emergency and emergency["offered"])

    def _key(self, key):
        if self._signals:
            self._signals.mute()
        if key == "turn":
            self._turn()
        else:
            self._ask("key", key)

    def _turn(self):
        if self._view is None:
            return
        names = self.pages.names(self._view)
        at = names.index(self._page) + 1 if self._page in names else 0
        if self._page is None and not alerts.found(self._view, self.pages.words)[0]:
            at = 1  # the balance is what is there already
        self._page = names[at] if at < len(names) else None
        self._turned_at = self._step_at = self._clock.ticks_ms()
        self._asked_at = None
        self.pages.part = 0

    def _ask(self, *item):
        if item[0] != "key" and self._waiting[-1:] == [item]:
            return  # a press behind a press says nothing new
        if len(self._waiting) < WAITING_MAX or item[0] == "release":
            self._waiting.append(item)

    def _layout(self, view):
        """What is to be seen now."""
        if self._clock.elapsed_ms(self._step_at) >= TURN_MS:
            self._step_at = self._clock.ticks_ms()
            self._step += 1
            self.pages.part += 1
        keys = self._taken + [item[1] for item in self._waiting[:] if item[0] == "key"]
        view = echo.typed(view, keys)
        if self._pressed_at is not None:
            view = echo.held(view, self._clock.elapsed_ms(self._pressed_at))
        typing = alerts.typing(view)
        if typing is None:
            self._said_at = None
        if typing and not self._is_read(typing):
            return self.pages.token(typing)
        if self._page is not None:
            if self._clock.elapsed_ms(self._turned_at) >= IDLE_MS:
                self._page = None
            elif self._page in self.pages.names(view):
                if self._page == "chart":
                    self._want_hours()
                return self.pages.layout(self._page, view)
        layouts, urgent = alerts.found(view, self.pages.words)
        if not urgent:
            layouts.append(self.pages.layout("home", view))
        return layouts[self._step % len(layouts)]

    def _is_read(self, token):
        """True when what became of a token has stood there long enough."""
        if not token["result"] or token["typed"] or token["busy"]:
            self._said_at = None
            return False
        if self._said_at is None:
            self._said_at = self._clock.ticks_ms()
        return token["wait_s"] == 0 and self._clock.elapsed_ms(self._said_at) >= SAID_MS

    def _want_hours(self):
        asked = self._asked_at is not None and (self._clock.elapsed_ms(self._asked_at) < HOURS_MS)
        if not asked:
            self._asked_at = self._clock.ticks_ms()
            self._ask("tell", DAY)

    def _draw(self, view):
        """Begin a new picture when there is something new to be seen."""
        layout = self._layout(view)
        if layout.same(self._shown):
            return False
        self._shown = layout
        self._drawing = self._screen.draw(layout)
        return True

    def _send(self):
        if self._lost_at is not None:
            if self._clock.elapsed_ms(self._lost_at) < RETRY_MS:
                return WORK_MS
            self._lost_at = None
        try:
            if not self._begun:
                self._display.begin()
                self._begun = True
            wait = self._display.work()
        except Exception:  # whatever a display's driver raises
            self.faults += 1
            self._begun = False
            self._lost_at = self._clock.ticks_ms()
            return WORK_MS
        return WORK_MS if wait is None else min(wait, WORK_MS)
