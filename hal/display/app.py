"""The routes of the page: microdot, on CPython and MicroPython alike. No threads, no clock.

GET /             the page
GET /assets/...   its files, revalidated by ETag, so an update is never half old
GET /view         the view model once, JSON
GET /events       server-sent events: `view` when it changed, `heartbeat` when nothing did
POST /press       the button is held (sent again while it stays held)
POST /release     the button was let go
POST /accept      the emergency credit that is offered is taken
POST /token/1234  the digits of a token
POST /assist/yes  the household lets the utility read; no: it does not, or not any more
"""

import asyncio
import binascii
import hashlib

from microdot import Microdot, Response
from microdot.sse import sse_response

from wattledger.hal.display.guard import SECURITY_HEADERS, Guard

# The page's own files. A table, because a path out of a URL must never reach open().
HTML = "text/html; charset=UTF-8"
JAVASCRIPT = "text/javascript; charset=UTF-8"
CSS = "text/css; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
ASSETS = {
    "index.html": HTML,
    "app.js": JAVASCRIPT,
    "chart.js": JAVASCRIPT,
    "emergency.js": JAVASCRIPT,
    "format.js": JAVASCRIPT,
    "hold.js": JAVASCRIPT,
    "language.js": JAVASCRIPT,
    "paint.js": JAVASCRIPT,
    "stream.js": JAVASCRIPT,
    "today.js": JAVASCRIPT,
    "token.js": JAVASCRIPT,
    "cards.css": CSS,
    "supply.css": CSS,
    "token.css": CSS,
    "layout.css": CSS,
    "theme.css": CSS,
    "icon.svg": "image/svg+xml",
    "i18n/en.json": JSON,
    "i18n/zh.json": JSON,
}
FOLDER = __file__.replace("\\", "/").rsplit("/", 1)[0] + "/assets/"

VIEWERS_MAX = 8
POLL_S = 0.25  # at most four views a second
HEARTBEAT_POLLS = 40  # 10 s: the page calls itself offline after 15 s of silence
STALL_POLLS = 40  # 10 s with an event the browser does not take

WORDS = {"Content-Type": "text/plain; charset=UTF-8"}
NOT_FOUND = "There is nothing at this address. The page is at /\n"
TOKEN_MAX = 20
NO_TOKEN = "A token is at most 20 digits and nothing else.\n"
WRONG_METHOD = "This address takes another method: what changes something POST, the rest GET.\n"
TOO_LARGE = "The request is too large: the page sends none with a body.\n"
BAD_REQUEST = "This is not an HTTP request the meter understands.\n"
BROKEN = "The page failed inside the meter; metering is not affected.\n"


def build_app(page, allowed_hosts, viewers_max=VIEWERS_MAX):
    """A microdot app that serves `page` (hal/display/page.py) to browsers that call it by one of
    `allowed_hosts` (names without port); at most `viewers_max` watch /events at a time."""
    app = Microdot()
    app.options_handler = None  # OPTIONS is a method like any other that is not taken
    guard = Guard(allowed_hosts)
    viewers = []
    tags = {}

    @app.before_request
    async def judge(request):
        words = guard.refusal(request.method, request.headers)
        if words:
            return Response(words + "\n", 403, WORDS)
        return None

    async def secure(request, response):
        for name, value in SECURITY_HEADERS:
            response.headers[name] = value
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(secure)
    app.after_error_request(secure)

    @app.get("/")
    async def index(request):
        return asset(request, "index.html", tags)

    @app.get("/assets/<path:name>")
    async def assets(request, name):
        return asset(request, name, tags)

    @app.get("/view")
    async def view(request):
        return page.text, 200, {"Content-Type": JSON}

    @app.get("/events")
    async def events(request):
        if request.method == "HEAD":
            return "", 200, {"Content-Type": "text/event-stream"}
        if len(viewers) >= viewers_max:
            words = "%d displays are watching already; close one and reload.\n" % viewers_max
            return words, 503, WORDS
        viewers.append(request)
        keep_open(request)
        return sse_response(request, watch, page, viewers)

    @app.post("/press")
    async def press(request):
        return asked(page.ask("press"))

    @app.post("/release")
    async def release(request):
        return asked(page.ask("release"))

    @app.post("/accept")
    async def accept(request):
        return asked(page.ask("accept"))

    @app.post("/token/<digits>")
    async def token(request, digits):
        # A path of digits needs no body, and so no parser of one.
        if len(digits) > TOKEN_MAX or not is_number(digits):
            return NO_TOKEN, 400, WORDS
        return asked(page.ask("token", digits))

    @app.post("/assist/<word>")
    async def assist(request, word):
        if word not in ("yes", "no"):
            return NOT_FOUND, 404, WORDS
        return asked(page.ask("assist", word == "yes"))

    def in_words(status, words):
        @app.errorhandler(status)
        async def answer(request, *exception):
            return words, status, WORDS

    in_words(400, BAD_REQUEST)
    in_words(404, NOT_FOUND)
    in_words(405, WRONG_METHOD)
    in_words(413, TOO_LARGE)
    in_words(500, BROKEN)
    return app


def is_number(text):
    """True for digits 0 to 9 only; str.isdigit would take others."""
    return all(letter in "0123456789" for letter in text)


def asked(taken):
    """The answer to what a person asked for."""
    if taken:
        return {"result": "ok"}
    return "The meter is busy; let go and try again.\n", 503, WORDS


def asset(request, name, tags):
    """A file of the page, or 304 when the browser has this very content, or 404 in words."""
    if name not in ASSETS:
        return NOT_FOUND, 404, WORDS
    if name not in tags:
        tags[name] = content_tag(FOLDER + name)
    headers = {"ETag": tags[name], "Cache-Control": "no-cache", "Content-Type": ASSETS[name]}
    if request.headers.get("If-None-Match") == tags[name]:
        return Response("", 304, headers)
    return Response(open(FOLDER + name, "rb"), 200, headers)


def content_tag(path):
    """An ETag for a file: half of its SHA-256, quoted."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(1024)
            if not block:
                break
            digest.update(block)
    return '"%s"' % binascii.hexlify(digest.digest()[:16]).decode()


async def watch(request, sse, page, viewers):
    """Send `page` to one viewer until it leaves or stops reading.

    microdot takes an event off `sse.queue` only when the socket took the one before. While one
    waits there nothing is added, so a slow browser skips to the latest view and costs one of
    them in memory; one that stays stuck is cut off.
    """
    sent = None
    quiet = stuck = 0
    gone = getattr(request.sock[1], "gone", lambda: False)
    try:
        while stuck < STALL_POLLS and not gone():
            if sse.queue:
                stuck += 1
            elif page.text != sent:
                sent = page.text
                quiet = stuck = 0
                await sse.send(sent, event="view")
            else:
                quiet += 1
                stuck = 0
                if quiet >= HEARTBEAT_POLLS:
                    quiet = 0
                    # A comment would keep the line open too, but a page cannot see comments.
                    await sse.send("{}", event="heartbeat")
            await asyncio.sleep(POLL_S)
        cut_off(request)
    finally:
        viewers.remove(request)


# A runner may hand in connections that know more than a bare stream (page_server_linux.py): that
# the browser is gone, a deadline to lift, a way to close without flushing. All are optional.


def keep_open(request):
    """Lift the runner's deadline: this answer is not meant to end."""
    getattr(request.sock[1], "keep_open", lambda: None)()


def cut_off(request):
    """Close the connection under an answer that cannot be written."""
    writer = request.sock[1]
    (writer.abort if hasattr(writer, "abort") else writer.close)()
