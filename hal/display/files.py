"""The page's own files, from a folder beside this one.

An image for a microcontroller holds most of them compressed (tools/image/assets.py): `name.gz` in
place of `name`. Every browser takes gzip.
"""

import binascii
import hashlib

from microdot import Response

from wattledger.hal.display.folder import FOLDER

HTML = "text/html; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
# Every file there is, because a path out of a URL must never reach open(): (ending, Content-Type,
# names, a blank around each). In one text, for a device keeps each text of its own. vendor/ is
# only where the folder is: not on a microcontroller.
KINDS = (
    ("html", HTML, " index "),
    (
        "js",
        "text/javascript; charset=UTF-8",
        " app assist balance bars chart charts emergency format history hold language long"
        " messages page paint purchases session solar stream tariff today token vendor/uplot ",
    ),
    (
        "css",
        "text/css; charset=UTF-8",
        " cards charts layout plain supply theme token vendor/uplot ",
    ),
    ("svg", "image/svg+xml", " icon "),
    ("json", JSON, " i18n/en i18n/zh "),
)
PIECE = 1024


def kind_of(name):
    """The Content-Type of a file of the page; None for any other name."""
    stem, _, ending = name.rpartition(".")
    for known, kind, stems in KINDS:
        if ending == known and stem and " " not in stem and " %s " % stem in stems:
            return kind
    return None


def asset(request, name):
    """A file of the page, or 304 when the browser has this very content; None for no such file.

    Its ETag is made anew each time: kept for thirty files they are 5 kB of a device's heap.
    """
    kind = kind_of(name)
    if kind is None:
        return None
    path, compressed = stored(name)
    try:
        tag = content_tag(path)
    except OSError:
        return None
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Type": kind}
    if request.headers.get("If-None-Match") == tag:
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
