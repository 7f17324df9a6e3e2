"""The numbers of the page as HTML from the server, for a browser without JavaScript.

A <noscript> of index.html leads to them. What each says and how it is rounded is as in
assets/paint.js; the words are the same table's. Loaded when asked for, one section at a time, and
sent piece by piece: the whole page never lies in the heap.
"""

import json

from wattledger.hal.display import words
from wattledger.hal.display.pieces import Pieces

TITLE = "Wattledger"
REFRESH = '<meta http-equiv="refresh" content="30">\n'
SECTIONS = ("balance", "supply", "assist", "power", "rate", "notices", "people")


class Members:
    """Members of the view that `page` has, each read when it is asked for: a copy of all of it
    would lie in the heap as long as the browser takes."""

    def __init__(self, page, everything):
        self._page = page
        self._everything = everything

    def get(self, name):
        """The value of a member now; None without it."""
        text = self._page.member(name, self._everything)
        return None if text is None else json.loads(text)

    def __getitem__(self, name):
        return self.get(name)


def front(request, page, everything, state):
    """The pieces (bytes) of `/plain` with the view of `page` (page.py), all of it or what is seen
    without the PIN; `state` is Access.state()."""
    language = words.language_of(request)
    return Pieces(_front(language, Members(page, everything), state))


def _front(language, view, state):
    """One section at a time, with the words it needs."""
    yield words.opening(language, TITLE, REFRESH)
    for name in SECTIONS:
        yield from _section(language, _told(name, view, state))
    yield words.CLOSING


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
        yield '<p class="act"><a href="%s?plain=%s">%s</a></p>\n' % (
            address,
            language,
            text(label),
        )
    yield "</section>\n"
