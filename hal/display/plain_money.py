"""The numbers of the page without JavaScript: what is left, what it costs, what it takes."""

from wattledger.hal.display import numbers, words

NOTHING = {}
ZONES_TOLD = ("low1", "low2", "emergency", "zero", "untariffed")


def _credit(view):
    available = view.get("available_micro")
    return view.get("balance_micro") if available is None else available


def balance(view):
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


def power(view):
    mw = view.get("power_mw")
    lines = [("big", numbers.power(mw))]
    cost = view.get("cost_per_hour_micro")
    if mw is not None:
        lines.append(("level", words.named("power", view.get("power_level"))))
    if cost is not None:
        amount = {"amount": numbers.money(abs(cost), view.get("currency"))}
        lines.append(("cost", ("power.earn" if cost < 0 else "power.cost", amount)))
    return ("power.title", NOTHING), lines, []


def rate(view):
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
