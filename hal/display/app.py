"""What the page answers: microdot, on CPython and MicroPython alike. No threads.

GET /             the page
GET /assets/...   its files, revalidated by ETag as the page is, so an update is never half old
GET /plain        the numbers for who has no JavaScript
GET /view         the view model once, JSON
GET /events       server-sent events: `view` when it changed, `heartbeat` when nothing did
GET /history      ?span=day, week, month or year: energy and money by hour, day or month (told.py)
GET /tariff       the tariff documents, the one in force and the next
GET /session      who may do what
GET /metrics      the numbers in Prometheus' text format
GET /form/...     the forms for who has no JavaScript (plain_forms.py)
POST              what a person asks for (actions.py)

docs/openapi.yaml describes all of it for programs. Rare answers are loaded when they are asked
for.
"""

from microdot import Microdot, Request, Response

from wattledger.hal.display import files
from wattledger.hal.display.access import Access
from wattledger.hal.display.forms import BODY_MAX
from wattledger.hal.display.guard import NO_SNIFFING, SECURITY_HEADERS, Guard
from wattledger.hal.display.pieces import Pieces
from wattledger.hal.display.stream import Stream

VIEWERS_MAX = 8
FRONT = "index.html"
SHOWN = ("", "plain", "view", "events", "session", "metrics")
TOLD = ("history", "tariff")
ASKED = ("press", "release", "accept", "token", "session", "session/end", "pin")
ASKED += ("assist/yes", "assist/no")
JSON = {"Content-Type": files.JSON}
HTML = {"Content-Type": files.HTML}
WORDS = {"Content-Type": "text/plain; charset=UTF-8"}
METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
EVENTS = {"Content-Type": "text/event-stream"}

IN_WORDS = (
    (400, "This is not an HTTP request the meter understands.\n"),
    (404, "There is nothing at this address. The page is at /\n"),
    (405, "This address takes another method: what changes something POST, the rest GET.\n"),
    (413, "The request is too large: what the page sends is a line or two.\n"),
    (500, "The page failed inside the meter; metering is not affected.\n"),
)


def build_app(
    page, allowed_hosts, viewers_max=VIEWERS_MAX, access=None, seconds=None, address=None
):
    """A microdot app that serves `page` (hal/display/page.py) to browsers that call it by one of
    `allowed_hosts` (names without port), or by `address()`, if any; at most `viewers_max` watch
    /events at a time.

    Without an `access` (hal/display/access.py) everybody may do everything; `seconds()` only
    rises, and is needed where people without JavaScript may close the supply.
    """
    Request.max_content_length = Request.max_body_length = BODY_MAX
    answers = Answers(
        page, Guard(allowed_hosts, address), viewers_max, access or Access(free=True), seconds
    )
    app = App(answers)
    app.after_request(secure)
    app.after_error_request(secure)
    for status, words in IN_WORDS:
        app.errorhandler(status)(Said(words, status).answer)
    return app


class App(Microdot):
    """One function answers every method at every address: each route of microdot takes half a
    kilobyte of a heap, and its patterns twice that."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def find_route(self, req):
        """As of Microdot: (the function, the prefix, the app below)."""
        path = req.path
        req.url_args = {"name": path[1:] if path.startswith("/") else "/" + path}
        return self.answers.answer, "", None


class Said:
    """An answer that is always the same words."""

    def __init__(self, words, status):
        self._words = words
        self._status = status

    async def answer(self, request, *exception):
        return self._words, self._status, WORDS


async def secure(request, response):
    """What every answer carries; a file of the page only what counts for a file, for thirty of
    them are on the wire before the page shows."""
    headers = response.headers
    is_part = "ETag" in headers and headers.get("Content-Type") != files.HTML
    for name, value in NO_SNIFFING if is_part else SECURITY_HEADERS:
        headers[name] = value
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response


class Answers:
    """Wired by build_app."""

    def __init__(self, page, guard, viewers_max, access, seconds):
        self._page = page
        self._guard = guard
        self._viewers_max = viewers_max
        self._access = access
        self._seconds = seconds
        self._viewers = []

    async def answer(self, request, name):
        """The answer to any request, as microdot takes them."""
        shown = name in SHOWN + TOLD or name.startswith(("assets/", "form/"))
        looks = shown and request.method in (("GET",) if name in TOLD else ("GET", "HEAD"))
        asks = request.method == "POST" and name in ASKED
        if not looks and not asks:
            return _elsewhere(shown, name in ASKED)
        refused = self._guard.refusal(request.method, request.headers)
        if refused:
            return refused + "\n", 403, WORDS
        if looks and name in TOLD:
            return await self._tell(request, name)
        if looks:
            return self._show(request, name)
        from wattledger.hal.display.actions import Actions

        return await Actions(self._page, self._access, self._seconds).answer(request, name)

    async def _tell(self, request, name):
        # A history says how a household lives; what a kilowatt-hour costs is no secret.
        refused = name == "history" and self._access.refusal(request)
        if refused:
            from wattledger.hal.display.actions import said

            return said(refused)
        from wattledger.hal.display import told

        return await told.answer(self._page, request, name)

    def parts_for(self, request):
        """The view as JSON in parts, as who asks may see it."""
        return self._page.parts(self._access.knows(request))

    def _show(self, request, name):
        if name.startswith("assets/"):
            found = files.asset(request, name[7:])
            return found or (IN_WORDS[1][1], 404, WORDS)
        if name == "view":
            parts = self.parts_for(request)
            return parts[0] if len(parts) == 1 else Pieces(parts), 200, JSON
        if name == "events":
            return self._events(request)
        access = self._access
        if name == "session":
            return access.state(request)
        if name == "metrics":
            from wattledger.hal.display import metrics

            return metrics.lines("".join(self.parts_for(request))), 200, METRICS
        if not name:
            access.knows(request, True)  # a person looks
            return files.asset(request, FRONT)
        if name != "plain":
            from wattledger.hal.display.plain_forms import Forms

            found = Forms(self._page, access, self._seconds).page(request, name[5:])
            return found or (IN_WORDS[1][1], 404, WORDS)
        from wattledger.hal.display import plain

        knows = access.knows(request, True)
        return Response(plain.front(request, self._page, knows, access.state(request)), 200, HTML)

    def _events(self, request):
        if request.method == "HEAD":
            return "", 200, EVENTS
        if len(self._viewers) >= self._viewers_max:
            words = "%d displays are watching already; close one and reload.\n"
            return words % self._viewers_max, 503, WORDS
        return Stream(request, self._page, self.parts_for, self._viewers), 200, EVENTS


def _elsewhere(shown, asked):
    """The answer to an address that is none, or that takes another method."""
    if not shown and not asked:
        return IN_WORDS[1][1], 404, WORDS
    methods = [word for word, holds in (("GET, HEAD", shown), ("POST", asked)) if holds]
    headers = {"Content-Type": WORDS["Content-Type"], "Allow": ", ".join(methods)}
    return IN_WORDS[2][1], 405, headers
