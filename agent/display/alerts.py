"""What a small screen says without being asked: why the power is off, what to do, what is near.

found() gives layouts in turn; an urgent one leaves no turn to the balance.
"""

from wattledger.agent.display import amounts
from wattledger.agent.display.layout import Layout

HOLD_MS = 3000
SOON_S = 930  # the quarter of an hour that the meter warns of, and a look
ZONES = ("low1", "low2", "zero", "emergency")


def typing(view):
    """The token desk's view while a person is at the keypad, else None."""
    token = view.get("token")
    if token and (token["typed"] or token["busy"] or token["result"]):
        return token
    return None


def found(view, words):
    """(layouts, urgent): what must be said now; urgent: nothing else may be."""
    supply = view["supply"]
    state = supply["state"]
    if state == "disconnected":
        layouts = [_off(view, supply, words)]
        return layouts + _offer(view, words), True
    if state == "ready":
        return [_ready(supply, words)], True
    layouts = []
    left = [s for s in (supply.get("cut_in_s"), supply.get("remote_in_s")) if s is not None]
    if left and min(left) <= SOON_S:
        layouts.append(_going_off(view, min(left), supply, words))
    elif view.get("zone") in ZONES:
        layouts.append(_low(view, words))
    layouts += _offer(view, words)
    for alarm in view.get("alarms") or ():
        told = words.get("alarm_" + alarm, words["call"])
        layouts.append(Layout(words["alarm"], "", sentence=told))
    return layouts, False


def _off(view, supply, words):
    reason = (supply.get("reason") or "").replace(" ", "_")
    because = words.get("because_" + reason, "")
    todo = words["call"]
    last = ""
    restore = supply.get("topup_micro") or supply.get("restore_micro")
    if restore:
        todo = words["top_up"] % amounts.money(restore, view.get("currency"), amounts.UP)
    elif reason == "time_is_up":
        todo = words["pay_token"]
    if supply.get("closes_in_s") is not None:
        last = words["back_in"] % amounts.duration(supply["closes_in_s"], words)
        todo = todo if restore else ""
    rows = [(row, "") for row in (because, todo, last) if row]
    since = supply.get("since")
    return Layout(words["off"], amounts.clock(since, view) if since else "", tuple(rows))


def _ready(supply, words):
    held = supply.get("hold_ms") or 0
    if supply.get("wait_s"):
        first = words["rest"] % amounts.duration(supply["wait_s"], words)
    else:
        first = words["hold_on" if held else "hold"]
    if held:
        rows = ((first, ""), (words["hold_for"], ""))
        return Layout(words["ready"], "", rows, progress=min(held, HOLD_MS) * 1000 // HOLD_MS)
    last = words["hold_safe"]
    if supply.get("closes_in_s") is not None:
        last = words["back_in"] % amounts.duration(supply["closes_in_s"], words)
    return Layout(words["ready"], "", ((first, ""), (words["hold_for"], ""), (last, "")))


def _going_off(view, left_s, supply, words):
    minutes = max((left_s + 30) // 60, 1) * 60
    title = words["going_off"] % amounts.duration(minutes, words)
    if supply.get("remote_in_s") == left_s:
        rows = ((words["because_remote"], ""), (words["call"], ""))
        return Layout(title, "", rows)
    if supply.get("time_left_s") is not None and supply["time_left_s"] <= left_s:
        rows = ((words["because_time_is_up"], ""), (words["pay_token"], ""))
        return Layout(title, "", rows)
    return Layout(title, "", ((words["now"], ""),), _credit(view))


def _low(view, words):
    zone = view["zone"]
    friendly = view.get("friendly") or {}
    if friendly.get("until") is not None and zone != "low1":
        last = words["safe_until"] % amounts.clock(friendly["until"], view)
    else:
        last = words["soon" if zone in ("low1", "emergency") else "now"]
    return Layout(words[zone], "", ((last, ""),), _credit(view))


def _offer(view, words):
    emergency = view.get("emergency")
    if not emergency or not emergency["offered"]:
        return []
    amount = amounts.money(emergency["limit_micro"], view.get("currency"))
    rows = ((words["offer_how"], ""), (words["offer_back"], ""))
    if view["supply"]["state"] == "ready":
        return []
    return [Layout(words["offer"], "", ((amount, ""),) + rows)]


def _credit(view):
    return amounts.money(view.get("available_micro"), view.get("currency"), amounts.DOWN)
