"""A view with what a person did since the meter made it: a finger sees its effect at once."""

DIGITS = 20
STEP_MS = 250  # of the bar while the button is held: a picture takes a while to send


def typed(view, keys):
    """The view after `keys` of the keypad; itself without any, or where no token is taken."""
    token = view.get("token")
    if not token or not keys:
        return view
    token = token.copy()
    for key in keys:
        token["result"] = None
        if key == "enter":
            token["busy"] = token["busy"] or token["typed"] != ""
            token["typed"] = ""
        elif key == "erase":
            token["typed"] = token["typed"][:-1]
        elif len(token["typed"]) < DIGITS:
            token["typed"] += key
    view = view.copy()
    view["token"] = token
    return view


def held(view, held_ms):
    """The view while the button is held for so long, which matters to a supply that is ready."""
    if view["supply"]["state"] != "ready":
        return view
    view = view.copy()
    view["supply"] = view["supply"].copy()
    view["supply"]["hold_ms"] = max(held_ms // STEP_MS, 1) * STEP_MS
    return view
