"""The numbers of the page as HTML from the server, for a browser without JavaScript.

They stand in a <noscript> of index.html, so the first page has them in any browser. What each says
and how it is rounded is as in assets/paint.js; the words are the same table's. Loaded when asked
for, one section at a time, and sent piece by piece: the whole page never lies in the heap.
"""

import json

from wattledger.hal.display import words
from wattledger.hal.display.folder import FOLDER
from wattledger.hal.display.pieces import Pieces

MARK = b"<!--numbers-->"
SECTIONS = ("balance", "supply", "assist", "power", "rate", "notices", "people")


class Members:
    """Members of a view in the JSON `parts` of page.py, each read when it is asked for."""

    def __init__(self, parts):
        self._parts = parts

    def get(self, name):
        """The value of a member; None without it."""
        mark = '"%s": ' % name
        for part in self._parts:
            at = part.find(mark)
            if at >= 0:
                at += len(mark)
                end = part.find(', "', at)
                value = part[at:end] if end >= 0 else part[at:-1].rstrip(",")
                return json.loads(value)
        return None

    def __getitem__(self, name):
        return self.get(name)


def front(request, parts, state):
    """The pieces (bytes) of the page `/`; `parts` of the view, `state` is Access.state()."""
    language = words.language_of(request)
    return Pieces(_front(language, Members(parts), state))


def _front(language, view, state):
    with open(FOLDER + "index.html", "rb") as file:
        for line in file:
            if MARK not in line:
                yield line
                continue
            yield from block(language, view, state)


def block(language, view, state):
    """The HTML of the numbers, in parts: one section at a time, with the words it needs."""
    yield '<div class="plain" lang="%s">\n' % words.TAGS[language]
    for name in SECTIONS:
        yield from _section(language, _told(name, view, state))
    yield "</div>\n"


def _told(name, view, state):
    """A section: (heading, [(class, message)], [(address, label)]). Who says it is loaded for it,
    and may leave the heap before the next."""
    if name == "notices":
        from wattledger.hal.display import plain_notices

        return ("plain.notices", {}), plain_notices.lines(view), []
    if name == "supply":
        from wattledger.hal.display import plain_supply

        return plain_supply.supply(view)
    if name in ("assist", "people"):
        from wattledger.hal.display import plain_people

        return plain_people.assist(view) if name == "assist" else plain_people.people(view, state)
    from wattledger.hal.display import plain_money

    if name == "balance":
        return plain_money.balance(view)
    return plain_money.power(view) if name == "power" else plain_money.rate(view)


def _section(language, found):
    """The HTML of (heading, [(class, message)], [(address, label)])."""
    heading, lines, links = found
    if not lines and not links:
        return
    keys = set()
    words.keys_of(heading, keys)
    for _, message in lines + links:
        words.keys_of(message, keys)
    table = {}
    yield from words.load(language, keys, table)

    def text(message):
        return words.escaped(words.said(message, table))

    yield "<section><h2>%s</h2>\n" % text(heading)
    for kind, message in lines:
        yield '<p class="%s">%s</p>\n' % (kind, text(message))
    for address, label in links:
        yield '<p class="act"><a href="%s?lang=%s">%s</a></p>\n' % (
            address,
            language,
            text(label),
        )
    yield "</section>\n"
