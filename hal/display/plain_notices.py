"""What a home must be told beside the numbers, in the order and words of assets/paint.js."""

from wattledger.hal.display import numbers, words

NOTHING = {}
CUT_TOLD_S = 930  # from the quarter of an hour on that the meter warns of


def lines(view):
    """[(class, message)] of a view."""
    supply = view.get("supply") or NOTHING
    found = []
    cut = supply.get("cut_in_s")
    if supply.get("state") == "connected" and cut is not None and cut <= CUT_TOLD_S:
        left = supply.get("time_left_s")
        by_time = left is not None and left <= cut
        found.append(("bad", ("cut.time" if by_time else "cut.soon", _minutes(cut))))
    if supply.get("remote_in_s") is not None:
        found.append(("bad", ("remote.soon", _minutes(supply["remote_in_s"]))))
    for alarm in view.get("alarms") or ():
        found.append(("bad", words.named("alarm", alarm)))
    if view.get("quality") not in (None, "ok"):
        found.append(("warn", words.named("quality", view["quality"])))
    if view.get("trust") not in (None, "synced"):
        found.append(("warn", words.named("trust", view["trust"])))
    if (view.get("rate") or NOTHING).get("fallback"):
        found.append(("warn", ("rate.fallback", NOTHING)))
    if view.get("link") is False:
        found.append(("warn", ("link.down", NOTHING)))
    # To a home without power these would be untrue: neither closes what is open.
    if supply.get("state") != "disconnected":
        _calm(view, supply, found)
    debt = view.get("debt") or NOTHING
    if (debt.get("owed_micro") or 0) > 0:
        currency = view.get("currency")
        values = {
            "amount": numbers.money(debt["owed_micro"], currency, numbers.UP),
            "day": numbers.money(debt["per_day_micro"], currency),
            "share": str(debt["share"]),
        }
        found.append(("calm", ("debt", values)))
    for message in view.get("messages") or ():
        found.append(("calm", str(message.get("text", ""))))
    return found


def _calm(view, supply, found):
    friendly = view.get("friendly") or NOTHING
    until = friendly.get("until")
    if friendly.get("now") and until is not None:
        found.append(("calm", ("friendly", {"time": numbers.moment(until, view)})))
    elif friendly.get("now"):
        found.append(("calm", ("friendly.open", NOTHING)))
    if supply.get("keep_power_s"):
        left = {"duration": numbers.duration(supply["keep_power_s"])}
        found.append(("calm", ("keep_power", left)))


def _minutes(seconds):
    return {"duration": numbers.duration(max((seconds + 30) // 60, 1) * 60)}
