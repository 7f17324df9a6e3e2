"""What a person may do on the page without JavaScript, and what the utility asks to read."""

from wattledger.hal.display import numbers, words

NOTHING = {}


def assist(view):
    """What the utility asks to read, and the household's word on it."""
    assist = view.get("assist")
    if not assist:
        return ("assist.title", NOTHING), [], []
    values = {
        "what": words.named("assist_scope", assist["scope"]),
        "time": numbers.moment(assist["until"], view),
    }
    said = ("assist.on", values)
    links = [("/form/assist-no", ("assist.end", NOTHING))]
    if assist["state"] == "asked":
        said = ("assist.asked", values)
        links = [
            ("/form/assist-yes", ("assist.yes", NOTHING)),
            ("/form/assist-no", ("assist.no", NOTHING)),
        ]
    return ("assist.title", NOTHING), [("warn", said)], links


def people(view, state):
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
