"""Who may see and do what at the page: anybody, who has signed in with the PIN, or nobody.

To look at the numbers of a home display needs no PIN (privacy.py says which). To ask the meter for
anything does: a token, the reconnect button, emergency credit, another PIN. Only a page that
no other machine can reach, and that was given no PIN, is free to everybody who sits at it.
"""

from wattledger.hal.display import pin as pins
from wattledger.hal.display.sessions import COOKIE, LONGEST_S

FREE = "free"
PIN = "pin"
SHUT = "shut"

SIGN_IN = "Sign in with the PIN first: the page /sign-in takes it.\n"
NO_PIN = "This meter was given no PIN, so its page only shows: provision it with a PIN.\n"


class Access:
    """`pin` is a Pin or None, `sessions` a Sessions or None with it; `free`: no PIN is asked for
    where there is none."""

    def __init__(self, pin=None, sessions=None, free=False):
        self.pin = pin
        self.sessions = sessions
        if pin is not None and pin.is_set():
            self.kind = PIN
        else:
            self.kind = FREE if free else SHUT

    def knows(self, request, use=False):
        """True when the request comes from who may see and do everything; `use`: a person."""
        if self.kind == FREE:
            return True
        name = request.cookies.get(COOKIE)
        return self.kind == PIN and bool(name) and self.sessions.holds(name, use)

    def refusal(self, request):
        """(words, status) for who may not ask the meter for anything, or None."""
        if self.knows(request, True):
            return None
        return (SIGN_IN, 401) if self.kind == PIN else (NO_PIN, 403)

    def state(self, request):
        """What GET /session tells."""
        known = self.knows(request)
        asks = self.kind == PIN
        return {
            "access": self.kind,
            "signed_in": known and asks,
            "label_pin": self.pin.is_labels() if known and asks else None,
            "wait_s": self.pin.wait_s() if asks else 0,
        }

    async def sign_in(self, text):
        """("right", the value of a Set-Cookie) or (another word of pin.py, None). OSError."""
        if self.kind != PIN:
            return pins.WRONG, None
        found = await self.pin.attempt(text)
        if found != pins.RIGHT:
            return found, None
        return found, cookie(self.sessions.begin(), LONGEST_S)

    def sign_out(self, request):
        """End the session; the value of a Set-Cookie that takes its name away."""
        name = request.cookies.get(COOKIE)
        if name and self.sessions:
            self.sessions.end(name)
        return cookie("", 0)

    async def change(self, old, new):
        """A word of pin.py; RIGHT: `new` is the PIN and everybody is signed out. OSError."""
        found = await self.pin.attempt(old)
        if found == pins.RIGHT:
            await self.pin.change(new)
            self.sessions.end_all()
        return found


def cookie(value, seconds):
    """A Set-Cookie that no script reads, that no other site can send, for `seconds`.

    Not `Secure`: a browser would not send it back over plain http, which is all there is here.
    """
    return "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict" % (COOKIE, value, seconds)
