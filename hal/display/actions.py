"""What a person asks of the meter through the page, and the PIN that opens it.

POST /press       the button is held (sent again while it stays held)
POST /release     the button was let go
POST /accept      the emergency credit that is offered is taken
POST /assist/yes  the household lets the utility read; /assist/no: it does not, or no longer
POST /token       {"token": "1234 ..."}: the digits of a token
POST /session     {"pin": "..."}: sign in; the answer sets a cookie
POST /session/end sign out
POST /pin         {"old": "...", "new": "..."}: another PIN; everybody is signed out

No secret stands in an address: addresses are kept in histories and logs. Each is also taken as the
form of a page without JavaScript (plain_forms.py), and then answered by a page.
"""

from microdot import Response

from wattledger.hal.display import pin as pins
from wattledger.hal.display.access import COOKIE, PIN
from wattledger.hal.display.forms import digits_of, fields
from wattledger.hal.display.guard import FORM, media_type
from wattledger.hal.display.sessions import LONGEST_S

PLAIN_TEXT = "text/plain; charset=UTF-8"
WORDS = {"Content-Type": PLAIN_TEXT}
TOKEN_MAX = 20

NO_FIELDS = "Send a JSON object of texts, as docs/openapi.yaml says.\n"
NO_TOKEN = "A token is at most 20 digits and nothing else.\n"
ASKS_NONE = "This page asks for no PIN.\n"
NO_PIN = "A PIN is 6 to 12 digits and nothing else.\n"
BUSY = "The meter is busy; let go and try again.\n"
WRONG_PIN = "That is not the PIN.\n"
PIN_BUSY = "Another PIN is being tried; try again in two seconds.\n"
PIN_LOCKED = "Too many wrong PINs: wait %d s.\n"
NOT_STORED = "The meter cannot store that now; try again later.\n"


class Actions:
    """`page`, `access` and `seconds` as of app.py."""

    def __init__(self, page, access, seconds):
        self._page = page
        self._access = access
        self._seconds = seconds

    async def answer(self, request, name):
        """The answer to a POST to one of the names above."""
        given = fields(request.headers, request.body)
        forms = None
        if media_type(request.headers) == FORM:
            from wattledger.hal.display.plain_forms import Forms

            forms = Forms(self._page, self._access, self._seconds)
        if name == "session":
            return await self._sign_in(request, given, forms)
        if name == "session/end":
            return self._sign_out(request, forms)
        refused = self._access.refusal(request)
        if forms:
            if refused:
                return forms.first(request)
            return await forms.answer(request, name, given, self)
        if refused:
            return said(refused)
        if name == "pin":
            return await self._change(given)
        if name in ("assist/yes", "assist/no"):
            return asked(self._page.ask("assist", name == "assist/yes"))
        if name != "token":
            return asked(self._page.ask(name))
        if given is None or "token" not in given:
            return NO_FIELDS, 400, WORDS
        digits = digits_of(given["token"])
        if digits is None or len(digits) > TOKEN_MAX:
            return NO_TOKEN, 400, WORDS
        return asked(self._page.ask("token", digits))

    async def _sign_in(self, request, given, forms):
        access = self._access
        if access.kind != PIN:
            return ASKS_NONE, 409, WORDS
        if given is None or not pins.is_pin(given.get("pin", "")):
            return forms.no_pin(request) if forms else (NO_PIN, 400, WORDS)
        try:
            found = await access.pin.attempt(given["pin"])
        except OSError:
            return NOT_STORED, 503, WORDS
        if found != pins.RIGHT:
            return forms.tried(request, "session", found) if forms else tried(found, access)
        return done(request, forms, cookie(access.sessions.begin(), LONGEST_S))

    def _sign_out(self, request, forms):
        name = request.cookies.get(COOKIE)
        if name and self._access.sessions:
            self._access.sessions.end(name)
        return done(request, forms, cookie("", 0))

    async def _change(self, given):
        if self._access.kind != PIN:
            return ASKS_NONE, 409, WORDS
        if not two_pins(given):
            return NO_PIN, 400, WORDS
        found = await self.change(given)
        if found is None:
            return NOT_STORED, 503, WORDS
        return {"result": "ok"} if found == pins.RIGHT else tried(found, self._access)

    async def change(self, given):
        """A word of pin.py; RIGHT: the PIN is another one and everybody is signed out. None: the
        meter could not store it."""
        pin = self._access.pin
        try:
            found = await pin.attempt(given["old"])
            if found == pins.RIGHT:
                await pin.change(given["new"])
                self._access.sessions.end_all()
            return found
        except OSError:
            return None


def two_pins(given):
    """True for fields that have two PINs."""
    return given is not None and all(pins.is_pin(given.get(name, "")) for name in ("old", "new"))


def cookie(value, seconds):
    """A Set-Cookie that no script reads, that no other site can send, for `seconds`.

    Not `Secure`: a browser would not send it back over plain http, which is all there is here.
    """
    return "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict" % (COOKIE, value, seconds)


def done(request, forms, set_cookie):
    """Signed in or out."""
    if forms:
        return forms.back(request, set_cookie)
    return Response({"result": "ok"}, 200, {"Set-Cookie": set_cookie})


def said(refused):
    """The answer to who may not: words and a status."""
    words, status = refused
    headers = {"Content-Type": PLAIN_TEXT}
    if status == 401:
        headers["WWW-Authenticate"] = 'PIN realm="wattledger"'
    return words, status, headers


def tried(found, access):
    """The answer to a PIN that was not taken; `found` is a word of pin.py."""
    wait = access.pin.wait_s()
    if found == pins.BUSY:
        return PIN_BUSY, 429, {"Content-Type": PLAIN_TEXT, "Retry-After": "2"}
    if wait:
        return PIN_LOCKED % wait, 429, {"Content-Type": PLAIN_TEXT, "Retry-After": str(wait)}
    return said((WRONG_PIN, 401))


def asked(taken):
    """The answer to what a person asked for."""
    return {"result": "ok"} if taken else (BUSY, 503, WORDS)
