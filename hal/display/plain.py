"""The numbers of the page as HTML from the server, for a browser without JavaScript.

They stand in a <noscript> of index.html, so the first page has them in any browser. What each says
and how it is rounded is as in assets/paint.js; the words are the same table's. Loaded when asked
for, and sent piece by piece: the whole page never lies in the heap.
"""

import asyncio
import json

from wattledger.hal.display import numbers, plain_notices, words
from wattledger.hal.display.folder import FOLDER

MARK = b"<!--numbers-->"
PIECE = 512
ZONES_TOLD = ("low1", "low2", "emergency", "zero", "untariffed")
NOTHING = {}


def front(request, text, state):
    """The pieces (bytes) of the page `/`; `text` is the view as JSON, `state` Access.state()."""
    language = words.language_of(request)
    return Pieces(_front(language, json.loads(text), state))


def _front(language, view, state):
    with open(FOLDER + "index.html", "rb") as file:
        for line in file:
            if MARK not in line:
                yield line
                continue
            yield from block(language, view, state)


class Pieces:
    """An answer of microdot's from small parts, put together to pieces worth a packet. Everybody
    else runs between two pieces, and wherever a part is empty."""

    def __init__(self, parts):
        self._parts = parts

    def __aiter__(self):
        return self

    async def __anext__(self):
        piece = b""
        for part in self._parts:
            piece += part if isinstance(part, bytes) else part.encode()
            if not part:
                await asyncio.sleep(0)
            elif len(piece) >= PIECE:
                break
        if not piece:
            raise StopAsyncIteration
        await asyncio.sleep(0)
        return piece

    async def aclose(self):
        """The browser has gone."""
        self._parts.close()


def block(language, view, state):
    """The HTML of the numbers, in parts: one section at a time, with the words it needs."""
    yield '<div class="plain" lang="%s">\n' % words.TAGS[language]
    for section in SECTIONS:
        yield from _section(language, section(view, state))
    yield "</div>\n"


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


def _credit(view):
    available = view.get("available_micro")
    return view.get("balance_micro") if available is None else available


# What the page says, each a section: (heading, [(class, message)], [(address, label)]).


def _balance(view, state):
    left = _credit(view)
    currency = view.get("currency")
    lines = [("big", numbers.money(left, currency, numbers.DOWN))]
    if left is not None and left < 0:
        lines.append(("tag", ("balance.owed", NOTHING)))
    if view.get("zone") in ZONES_TOLD:
        lines.append(("warn", words.named("zone", view["zone"])))
    days = view.get("days_left")
    if days is None:
        lines.append(("days", ("today.learning", NOTHING)))
    elif left is not None and left <= 0:
        pass  # the balance says it
    elif view.get("days_level") == "today" and view.get("ends_at") is not None:
        lines.append(("days", ("today.ends", {"time": numbers.moment(view["ends_at"], view)})))
    else:
        key = "today.days_%d" % days if days in (0, 1) else "today.days"
        lines.append(("days", (key, {"days": "99+" if days >= 99 else str(days)})))
    emergency = view.get("emergency") or NOTHING
    links = []
    amount = {"amount": numbers.money(emergency.get("limit_micro"), currency)}
    if emergency.get("accepted"):
        key = {"in use": "emergency.left", "used": "emergency.used"}.get(emergency.get("state"))
        left = numbers.money(emergency.get("left_micro"), currency, numbers.DOWN)
        owed = numbers.money(emergency.get("owed_micro"), currency, numbers.UP)
        values = dict(amount, left=left, owed=owed)
        lines.append(("warn", (key or "emergency.taken", values)))
    elif emergency.get("offered"):
        lines.append(("warn", ("emergency.offer", amount)))
        links.append(("/form/emergency", ("emergency.take", amount)))
    return ("balance.title", NOTHING), lines, links


def _supply(view, state):
    supply = view.get("supply") or NOTHING
    state = supply.get("state")
    lines = [("big", words.named("supply", state))]
    links = []
    if state == "connected":
        lines.append(("reason", ("supply.connected.text", NOTHING)))
    elif state == "ready":
        lines.append(("reason", ("supply.ready.text", NOTHING)))
        links.append(("/form/reconnect", ("plain.reconnect", NOTHING)))
    elif state:
        lines.append(("reason", _because(supply)))
        lines.append(("warn", _to_do(view, supply)))
    since = supply.get("since")
    if since is not None:
        lines.append(("soft", ("supply.since", {"time": numbers.moment(since, view)})))
    left = supply.get("time_left_s")
    if left is not None:
        key = "supply.time" if left > 0 else "supply.time_none"
        lines.append(("soft", (key, {"duration": numbers.duration(left)})))
    return ("supply.title", NOTHING), lines, links


def _because(supply):
    strongest = supply.get("reason")
    reasons = [strongest] + [name for name in supply.get("reasons") or [] if name != strongest]
    joined = words.named("reason", reasons[0])
    for name in reasons[1:]:
        joined = (
            "plain.both",
            {"one": joined, "comma": ("reason.separator", NOTHING), "two": _reason(name)},
        )
    return "supply.because", {"reasons": joined}


def _to_do(view, supply):
    """What a person without power has to do."""
    needed = supply.get("topup_micro") or supply.get("restore_micro") or 0
    if needed <= 0:
        return words.named("todo", supply.get("reason"))
    return "supply.topup", {"amount": numbers.money(needed, view.get("currency"), numbers.UP)}


def _reason(name):
    return words.named("reason", name)


def _power(view, state):
    mw = view.get("power_mw")
    lines = [("big", numbers.power(mw))]
    cost = view.get("cost_per_hour_micro")
    if mw is not None:
        lines.append(("level", words.named("power", view.get("power_level"))))
    if cost is not None:
        amount = {"amount": numbers.money(abs(cost), view.get("currency"))}
        lines.append(("cost", ("power.earn" if cost < 0 else "power.cost", amount)))
    return ("power.title", NOTHING), lines, []


def _rate(view, state):
    rate = view.get("rate") or NOTHING
    currency = view.get("currency")
    lines = [
        ("big", numbers.price(rate.get("price_micro"), currency)),
        ("tag", words.named("band", rate.get("band"))),
    ]
    if rate.get("blocks", 1) > 1:
        values = {"block": str(rate["block"]), "blocks": str(rate["blocks"])}
        left = rate.get("block_left_wh")
        key = "rate.block" if left is None else "rate.block_left"
        values["energy"] = numbers.energy(left, 1)
        lines.append(("soft", (key, values)))
    following = view.get("next")
    if following:
        values = {
            "band": words.named("band", following.get("band")),
            "price": numbers.price(following.get("price_micro"), currency),
        }
        lines.append(("next", ("rate.next", values)))
        at = following["time"]
        values = {
            "duration": numbers.duration(at - view["time"]),
            "time": numbers.moment(at, view),
        }
        lines.append(("soft", ("rate.change", values)))
    return ("rate.title", NOTHING), lines, []


def _notices(view, state):
    return ("plain.notices", NOTHING), plain_notices.lines(view), []


def _people(view, state):
    """Who may do what, and where."""
    time = {"time": numbers.moment(view.get("time"), view), "meter": view.get("meter") or ""}
    lines = [("soft", ("plain.as_of", time))]
    links = []
    if state["access"] == "free":
        lines.append(("warn", ("pin.none", NOTHING)))
    elif state["access"] == "shut":
        lines.append(("warn", ("pin.shut", NOTHING)))
    elif state["signed_in"]:
        if state["label_pin"]:
            lines.append(("warn", ("pin.label", NOTHING)))
        links += [
            ("/form/pin", ("pin.change", NOTHING)),
            ("/form/leave", ("pin.leave", NOTHING)),
        ]
    else:
        links.append(("/form/session", ("pin.enter", NOTHING)))
    token = view.get("token")
    if token:
        lines += _token(token)
        links.insert(0, ("/form/token", ("token.title", NOTHING)))
    return ("plain.act", NOTHING), lines, links


def _token(token):
    """What became of the last token."""
    found = []
    if token.get("busy"):
        found.append(("warn", ("token.busy", NOTHING)))
    elif token.get("result"):
        found.append(("warn", ("token_said.%d" % token["result"], NOTHING)))
    if token.get("wait_s"):
        found.append(("warn", ("pin.wait", {"seconds": str(token["wait_s"])})))
    return found


SECTIONS = (_balance, _supply, _power, _rate, _notices, _people)
