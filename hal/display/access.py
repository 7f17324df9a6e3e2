"""Who may see and do what at the page: anybody, who has signed in with the PIN, or nobody.

To look at the numbers of a home display needs no PIN (privacy.py says which). To ask the meter for
anything does: a token, the reconnect button, emergency credit, another PIN. Only a page that
no other machine can reach, and that was given no PIN, is free to everybody who sits at it.
"""

COOKIE = "wattledger"
FREE = "free"
PIN = "pin"
SHUT = "shut"

SIGN_IN = "Sign in with the PIN first: the page /form/session takes it.\n"
NO_PIN = "This meter was given no PIN, so its page only shows: provision it with a PIN.\n"


class Access:
    """`pin` is a Pin or None, `sessions` a Sessions or None with it; `free`: no PIN is asked for
    where there is none."""

    def __init__(self, pin=None, sessions=None, free=False):
        self.pin = pin
        self.sessions = sessions
        self._free = free

    @property
    def kind(self):
        """FREE to everybody, PIN to who signs in, SHUT to all."""
        if self.pin is not None and self.pin.is_set():
            return PIN
        return FREE if self._free else SHUT

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
