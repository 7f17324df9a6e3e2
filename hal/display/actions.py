"""What a person asks of the meter through the page, and the PIN that opens it.

POST /press       the button is held (sent again while it stays held)
POST /release     the button was let go
POST /accept      the emergency credit that is offered is taken
POST /token       {"token": "1234 ..."}: the digits of a token
GET /session      who may do what, and how long a lock-out still lasts
POST /session     {"pin": "..."}: sign in; the answer sets a cookie
POST /session/end sign out
POST /pin         {"old": "...", "new": "..."}: another PIN

No secret stands in an address: addresses are kept in histories and logs. Each is also taken as the
form of a page without JavaScript (plain_forms.py), and then answered by a page.
"""

from microdot import Response

from wattledger.hal.display import pin as pins
from wattledger.hal.display.forms import FORM, digits_of, fields, media_type

WORDS = {"Content-Type": "text/plain; charset=UTF-8"}
OK = {"result": "ok"}
TOKEN_MAX = 20

NO_FIELDS = 'Send a JSON object of texts, as {"%s": "..."}.\n'
NO_TOKEN = "A token is at most 20 digits and nothing else.\n"
ASKS_NONE = "This page asks for no PIN.\n"
NO_PIN = "A PIN is 6 to 12 digits and nothing else.\n"
BUSY = "The meter is busy; let go and try again.\n"
WRONG_PIN = "That is not the PIN.\n"
PIN_BUSY = "Another PIN is being tried; try again in two seconds.\n"
PIN_LOCKED = "Too many wrong PINs: wait %d s.\n"
NOT_STORED = "The meter cannot store that now; try again later.\n"


def add_routes(app, page, access, seconds):
    """Add the routes to the microdot `app`."""

    def forms():
        from wattledger.hal.display import plain_forms

        return plain_forms.Forms(page, access, seconds)

    def simple(path, word):
        @app.post(path)
        async def act(request):
            refused = access.refusal(request)
            if media_type(request.headers) == FORM:
                given = fields(request.headers, request.body)
                return forms().act(request, refused, word, given)
            return said(refused) if refused else asked(page.ask(word))

    for word in ("press", "release", "accept"):
        simple("/" + word, word)

    @app.post("/token")
    async def token(request):
        refused = access.refusal(request)
        given = fields(request.headers, request.body)
        if media_type(request.headers) == FORM:
            return forms().token(request, refused, given)
        if refused:
            return said(refused)
        if given is None or "token" not in given:
            return NO_FIELDS % "token", 400, WORDS
        digits = digits_of(given["token"])
        if digits is None or len(digits) > TOKEN_MAX:
            return NO_TOKEN, 400, WORDS
        return asked(page.ask("token", digits))

    @app.get("/session")
    async def session(request):
        return access.state(request)

    @app.post("/session")
    async def sign_in(request):
        if access.kind != "pin":
            return ASKS_NONE, 409, WORDS
        given = fields(request.headers, request.body)
        form = media_type(request.headers) == FORM
        if given is None or not pins.is_pin(given.get("pin", "")):
            return forms().no_pin(request) if form else (NO_PIN, 400, WORDS)
        try:
            found, cookie = await access.sign_in(given["pin"])
        except OSError:
            return NOT_STORED, 503, WORDS
        if form:
            return forms().signed_in(request, found, cookie)
        if cookie is None:
            return tried(found, access)
        return Response(OK, 200, {"Set-Cookie": cookie})

    @app.post("/session/end")
    async def sign_out(request):
        cookie = access.sign_out(request)
        if media_type(request.headers) == FORM:
            from wattledger.hal.display.plain_forms import back

            return back(request, cookie)
        return Response(OK, 200, {"Set-Cookie": cookie})

    @app.post("/pin")
    async def change(request):
        refused = access.refusal(request)
        given = fields(request.headers, request.body)
        form = media_type(request.headers) == FORM
        if refused or access.kind != "pin":
            return said(refused or (ASKS_NONE, 409))
        if given is None or not all(pins.is_pin(given.get(name, "")) for name in ("old", "new")):
            return forms().no_pin(request) if form else (NO_PIN, 400, WORDS)
        try:
            found = await access.change(given["old"], given["new"])
        except OSError:
            return NOT_STORED, 503, WORDS
        if form:
            return forms().changed(request, found)
        return OK if found == pins.RIGHT else tried(found, access)

    @app.get("/form/<name>")
    async def form(request, name):
        return forms().page(request, name)


def said(refused):
    """The answer to who may not: words and a status."""
    words, status = refused
    headers = dict(WORDS)
    if status == 401:
        headers["WWW-Authenticate"] = 'PIN realm="wattledger"'
    return words, status, headers


def tried(found, access):
    """The answer to a PIN that was not taken; `found` is a word of pin.py."""
    wait = access.pin.wait_s() if access.pin else 0
    if found == pins.BUSY:
        return PIN_BUSY, 429, {"Content-Type": WORDS["Content-Type"], "Retry-After": "2"}
    if wait:
        headers = {"Content-Type": WORDS["Content-Type"], "Retry-After": str(wait)}
        return PIN_LOCKED % wait, 429, headers
    return said((WRONG_PIN, 401))


def asked(taken):
    """The answer to what a person asked for."""
    return OK if taken else (BUSY, 503, WORDS)
