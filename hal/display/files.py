"""The page's own files, from a folder beside this one.

An image for a microcontroller holds most of them compressed (tools/image/assets.py): `name.gz` in
place of `name`. Every browser takes gzip.
"""

import binascii
import hashlib

from microdot import Response

from wattledger.hal.display.folder import FOLDER

# A table, because a path out of a URL must never reach open().
HTML = "text/html; charset=UTF-8"
JAVASCRIPT = "text/javascript; charset=UTF-8"
CSS = "text/css; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
ASSETS = {
    "index.html": HTML,
    "app.js": JAVASCRIPT,
    "balance.js": JAVASCRIPT,
    "bars.js": JAVASCRIPT,
    "chart.js": JAVASCRIPT,
    "charts.js": JAVASCRIPT,
    "emergency.js": JAVASCRIPT,
    "format.js": JAVASCRIPT,
    "history.js": JAVASCRIPT,
    "hold.js": JAVASCRIPT,
    "language.js": JAVASCRIPT,
    "long.js": JAVASCRIPT,
    "messages.js": JAVASCRIPT,
    "page.js": JAVASCRIPT,
    "paint.js": JAVASCRIPT,
    "purchases.js": JAVASCRIPT,
    "session.js": JAVASCRIPT,
    "solar.js": JAVASCRIPT,
    "stream.js": JAVASCRIPT,
    "tariff.js": JAVASCRIPT,
    "today.js": JAVASCRIPT,
    "token.js": JAVASCRIPT,
    "cards.css": CSS,
    "charts.css": CSS,
    "layout.css": CSS,
    "plain.css": CSS,
    "supply.css": CSS,
    "theme.css": CSS,
    "token.css": CSS,
    "icon.svg": "image/svg+xml",
    "i18n/en.json": JSON,
    "i18n/zh.json": JSON,
    # Only where the folder is: not on a microcontroller.
    "vendor/uplot.js": JAVASCRIPT,
    "vendor/uplot.css": CSS,
}
PIECE = 1024


def asset(request, name, tags):
    """A file of the page, or 304 when the browser has this very content; None for no such file.

    `tags` is a dict that keeps what was computed.
    """
    if name not in ASSETS:
        return None
    path, compressed = stored(name)
    try:
        if name not in tags:
            tags[name] = content_tag(path)
    except OSError:
        return None
    headers = {"ETag": tags[name], "Cache-Control": "no-cache", "Content-Type": ASSETS[name]}
    if request.headers.get("If-None-Match") == tags[name]:
        return Response("", 304, headers)
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(open(path, "rb"), 200, headers)


def stored(name):
    """(the path of a file, True when it is compressed)."""
    try:
        open(FOLDER + name + ".gz", "rb").close()
    except OSError:
        return FOLDER + name, False
    return FOLDER + name + ".gz", True


def content_tag(path):
    """An ETag for a file: half of its SHA-256, quoted."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            block = file.read(PIECE)
            if not block:
                break
            digest.update(block)
    return '"%s"' % binascii.hexlify(digest.digest()[:16]).decode()
