"""The routes of the page: microdot, on CPython and MicroPython alike. No threads.

GET /             the page, with the numbers in it for who has no JavaScript
GET /assets/...   its files, revalidated by ETag, so an update is never half old
GET /view         the view model once, JSON
GET /events       server-sent events: `view` when it changed, `heartbeat` when nothing did
GET /metrics      the numbers in Prometheus' text format
GET /form/...     the forms for who has no JavaScript (plain_forms.py)
What they and the page send is taken by actions.py; docs/openapi.yaml
describes all of it for programs.
"""

from microdot import Microdot, Request, Response

from wattledger.hal.display import actions, files
from wattledger.hal.display.access import Access
from wattledger.hal.display.forms import BODY_MAX
from wattledger.hal.display.guard import SECURITY_HEADERS, Guard
from wattledger.hal.display.stream import Stream

VIEWERS_MAX = 8
JSON = {"Content-Type": "application/json; charset=UTF-8"}
WORDS = {"Content-Type": "text/plain; charset=UTF-8"}
METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}

NOT_FOUND = "There is nothing at this address. The page is at /\n"
WRONG_METHOD = "This address takes another method: what changes something POST, the rest GET.\n"
TOO_LARGE = "The request is too large: what the page sends is a line or two.\n"
BAD_REQUEST = "This is not an HTTP request the meter understands.\n"
BROKEN = "The page failed inside the meter; metering is not affected.\n"


def build_app(page, allowed_hosts, viewers_max=VIEWERS_MAX, access=None, seconds=None):
    """A microdot app that serves `page` (hal/display/page.py) to browsers that call it by one of
    `allowed_hosts` (names without port); at most `viewers_max` watch /events at a time.

    Without an `access` (hal/display/access.py) everybody may do everything; `seconds()` only
    rises, and is needed where people without JavaScript may close the supply.
    """
    Request.max_content_length = Request.max_body_length = BODY_MAX
    app = Microdot()
    app.options_handler = None  # OPTIONS is a method like any other that is not taken
    guard = Guard(allowed_hosts)
    access = access or Access(free=True)
    viewers = []
    tags = {}

    def text_for(request):
        return page.text if access.knows(request) else page.public

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
        from wattledger.hal.display import plain

        knows = access.knows(request, True)
        body = plain.front(request, page.text if knows else page.public, access.state(request))
        return Response(body, 200, {"Content-Type": files.HTML})

    @app.get("/assets/<path:name>")
    async def assets(request, name):
        return files.asset(request, name, tags) or (NOT_FOUND, 404, WORDS)

    @app.get("/view")
    async def view(request):
        return text_for(request), 200, JSON

    @app.get("/metrics")
    async def metrics(request):
        from wattledger.hal.display import metrics

        return metrics.lines(text_for(request)), 200, METRICS

    @app.get("/events")
    async def events(request):
        if request.method == "HEAD":
            return "", 200, {"Content-Type": "text/event-stream"}
        if len(viewers) >= viewers_max:
            words = "%d displays are watching already; close one and reload.\n" % viewers_max
            return words, 503, WORDS
        return Stream(request, text_for, viewers), 200, {"Content-Type": "text/event-stream"}

    actions.add_routes(app, page, access, seconds)

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
