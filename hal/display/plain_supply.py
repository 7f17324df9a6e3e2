"""The supply on the page without JavaScript: whether it is there, and what to do if it is not."""

from wattledger.hal.display import numbers, words

NOTHING = {}


def supply(view):
    now = view.get("supply") or NOTHING
    state = now.get("state")
    lines = [("big", words.named("supply", state))]
    links = []
    if state == "connected":
        lines.append(("reason", ("supply.connected.text", NOTHING)))
    elif state == "ready":
        lines.append(("reason", ("supply.ready.text", NOTHING)))
        links.append(("/form/reconnect", ("plain.reconnect", NOTHING)))
    elif state:
        lines.append(("reason", _because(now)))
        lines.append(("warn", _to_do(view, now)))
    since = now.get("since")
    if since is not None:
        lines.append(("soft", ("supply.since", {"time": numbers.moment(since, view)})))
    left = now.get("time_left_s")
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
