"""The forms of the page for a browser without JavaScript: a page each, and what it answers.

    /form/session   the PIN               /form/token      the digits of a token
    /form/pin       another PIN           /form/emergency  take the emergency credit
    /form/leave     sign out              /form/reconnect  close the supply
    /form/assist-yes, /form/assist-no     the utility may read, or not

A press of the button lasts three seconds, so that no supply is closed by a touch in passing. Here
that is a page to be read, whose form is taken three seconds later at the earliest; then the meter
counts its own three seconds of a held button.
"""

import asyncio

from microdot import Response

from wattledger.hal.display import files, pin, words
from wattledger.hal.display.actions import TOKEN_MAX, two_pins
from wattledger.hal.display.forms import digits_of
from wattledger.hal.display.pieces import Pieces

NOTHING = {}
READ_S = 3  # the least time from the page to its form
VALID_S = 120  # and the most
HOLD_POLLS = 9
HOLD_POLL_S = 0.4
# name: (heading, [(class, message)], address of its POST, [(field, label, attributes)], button)
DIGITS = 'inputmode="numeric" autocomplete="off" maxlength="%d" required'
SECRET = 'type="password" inputmode="numeric" autocomplete="%s" maxlength="12" required'
# For password managers, which keep nothing without a name.
USER = '<input name="user" value="wattledger" autocomplete="username" hidden>\n'
FORMS = {
    "session": (
        "pin.enter",
        ("pin.where",),
        "/session",
        (("pin", "pin.pin", SECRET % "current-password"),),
        "pin.enter",
    ),
    "pin": (
        "pin.change",
        ("pin.rule",),
        "/pin",
        (
            ("old", "pin.old", SECRET % "current-password"),
            ("new", "pin.new", SECRET % "new-password"),
        ),
        "pin.change",
    ),
    "leave": ("pin.leave", (), "/session/end", (), "pin.leave"),
    "token": (
        "token.title",
        (),
        "/token",
        (("token", "token.label", DIGITS % 30),),
        "token.enter",
    ),
    "emergency": ("plain.emergency", (), "/accept", (), "plain.confirm"),
    "assist-yes": ("assist.yes", (), "/assist/yes", (), "plain.confirm"),
    "assist-no": ("assist.no", (), "/assist/no", (), "plain.confirm"),
    "reconnect": ("plain.reconnect", ("hold.safe", "plain.read"), "/press", (), "plain.confirm"),
}


class Forms:
    """`page`, `access`, `seconds` as of app.py."""

    def __init__(self, page, access, seconds):
        self._page = page
        self._access = access
        self._seconds = seconds

    def page(self, request, name):
        """GET of a form; None for none of that name."""
        form = FORMS.get(name)
        if form is None:
            return None
        if name not in ("session", "leave") and self._access.refusal(request):
            return self.first(request)
        return self._shown(request, name, [])

    def _shown(self, request, name, said, status=200):
        heading, lines, address, fields, button = FORMS[name]
        asked_at = self._seconds() if name == "reconnect" and self._seconds else None
        language = words.language_of(request)
        query = _query(request)
        body = _form(language, query, heading, said, lines, address, fields, button, asked_at)
        headers = {"Content-Type": files.HTML}
        return Response(Pieces(body), status, headers)

    def no_pin(self, request):
        """A PIN that is none was sent."""
        return self._shown(request, "session", ["pin.rule"], 400)

    def first(self, request):
        """The PIN comes first."""
        return self._shown(request, "session", ["pin.first"], 403)

    def back(self, request, cookie):
        """To the front page, with a Set-Cookie."""
        headers = {"Location": _back(_query(request)), "Set-Cookie": cookie}
        return Response("", 303, headers)

    async def answer(self, request, name, given, actions):
        """What came from a form, of somebody who may."""
        given = given or NOTHING
        if name == "token":
            return self._token(request, given)
        if name == "pin":
            return await self._change(request, given, actions)
        if name == "accept":
            if not self._page.ask("accept"):
                return self._shown(request, "emergency", ["hold.failed"], 503)
            return self._told(request)
        if name in ("assist/yes", "assist/no"):
            if not self._page.ask("assist", name == "assist/yes"):
                return self._shown(request, name.replace("/", "-"), ["hold.failed"], 503)
            return self._told(request)
        if name != "press" or not self._was_read(given.get("at", "")):
            return self._shown(request, "reconnect", ["plain.too_soon"], 400)
        asyncio.create_task(self._hold())
        return self._told(request)

    async def _change(self, request, given, actions):
        if self._access.kind != "pin" or not two_pins(given):
            return self._shown(request, "pin", ["pin.rule"], 400)
        found = await actions.change(given)
        if found == pin.RIGHT:
            return self._shown(request, "session", ["pin.changed"])
        return self.tried(request, "pin", found)

    def tried(self, request, name, found):
        """A PIN was not taken; `found` is a word of pin.py, or None."""
        wait = self._access.pin.wait_s()
        if wait:
            return self._shown(request, name, [("pin.wait", {"seconds": str(wait)})], 429)
        wrong = found == pin.WRONG
        return self._shown(request, name, ["pin.wrong" if wrong else "hold.failed"], 403)

    def _token(self, request, given):
        digits = digits_of(given.get("token", ""))
        if digits is None or len(digits) > TOKEN_MAX:
            return self._shown(request, "token", ["token_said.6"], 400)
        if not self._page.ask("token", digits):
            return self._shown(request, "token", ["token.failed"], 503)
        return self._told(request)

    def _told(self, request):
        """What became of it shows on the front page a moment later."""
        language = words.language_of(request)
        query = _query(request)
        headers = {"Content-Type": files.HTML, "Refresh": "5; url=" + _back(query)}
        body = _form(language, query, "plain.sent", [], ["plain.wait"], None, (), None, None)
        return Response(Pieces(body), 200, headers)

    def _was_read(self, at):
        if self._seconds is None or not 0 < len(at) < 12 or digits_of(at) != at:
            return False
        return READ_S <= self._seconds() - int(at) <= VALID_S

    async def _hold(self):
        """The button, held for somebody who cannot."""
        for _ in range(HOLD_POLLS):
            self._page.ask("press")
            await asyncio.sleep(HOLD_POLL_S)
        self._page.ask("release")


def _query(request):
    """The query of the next address: as of this one, the language and from where it was asked."""
    for name in (words.PLAIN, words.LANGUAGE):
        if request.args and request.args.get(name, ""):
            return "?%s=%s" % (name, words.language_of(request))
    return ""


def _back(query):
    """Where somebody came from: the page without JavaScript, or the other."""
    return "/plain" + query if query.startswith("?" + words.PLAIN) else "/"


def _form(language, query, heading, said, lines, address, fields, button, asked_at):
    """The HTML of one form, in parts."""
    told = [("warn", (each, NOTHING) if isinstance(each, str) else each) for each in said]
    told += [("soft", (key, NOTHING)) for key in lines]
    keys = {"plain.back", heading, button}
    for _, message in told:
        words.keys_of(message, keys)
    for _, label, _ in fields:
        keys.add(label)
    table = {}
    yield from words.load(language, keys, table)

    def text(message):
        return words.escaped(words.said(message, table))

    title = text((heading, NOTHING))
    yield words.opening(language, title)
    for kind, message in told:
        yield '<p class="%s">%s</p>\n' % (kind, text(message))
    if address:
        yield '<form method="post" action="%s%s">\n' % (address, query)
        if address in ("/session", "/pin"):
            yield USER
        for name, label, attributes in fields:
            yield '<p><label>%s <input name="%s" %s></label></p>\n' % (
                text((label, NOTHING)),
                name,
                attributes,
            )
        if asked_at is not None:
            yield '<input type="hidden" name="at" value="%d">\n' % asked_at
        yield '<p><button type="submit">%s</button></p>\n</form>\n' % text((button, NOTHING))
    yield '<p><a href="%s">%s</a></p>\n' % (_back(query), text(("plain.back", NOTHING)))
    yield words.CLOSING
