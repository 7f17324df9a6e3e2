"""The pages of a small screen that a button turns: layouts out of the view, text out of `words`.

What the meter does not know stands as `--`, never as a made-up 0.
"""

from wattledger.agent.display import amounts
from wattledger.agent.display.layout import FINE_CELLS, FINE_ROWS, ROWS, Layout, wrap

LEVELS = {"low": 1, "mid": 2, "high": 3}
MID_MW = 500000
HIGH_MW = 2000000
NOTHING_MW = 500
MESSAGE_ROWS = 30


class Pages:
    """`words` is WORDS of a language; `about` names the firmware; `charts`: they can be drawn."""

    def __init__(self, words, about="", charts=True):
        self.words = words
        self._charts = charts
        self._about = about
        self.hours = None  # Wh of today's hours, once somebody has asked for them
        self.part = 0  # which part of a message that is longer than a screen; counts up

    def names(self, view):
        """The pages there are now, in the order of turning; "home" first."""
        found = ["home", "price"]
        rate = view.get("rate")
        if rate and rate["blocks"] > 1:
            found.append("block")
        found += ["power", "today"]
        if self._charts:
            found.append("chart")
        if view.get("export_wh"):
            found.append("export")
        found.append("top_ups")
        if view.get("token"):
            found.append("token")
        if view.get("messages"):
            found.append("message")
        return found + ["meter", "state"]

    def layout(self, name, view):
        """The Layout of a page."""
        return getattr(self, "_" + name)(view)

    def supply_word(self, view):
        """ON, READY or OFF."""
        return self.words[view["supply"]["state"]]

    def _home(self, view):
        words = self.words
        amount = view.get("available_micro")
        if amount is None:
            amount = view.get("balance_micro")
        title = words["owed" if amount is not None and amount < 0 else "balance"]
        messages = view.get("messages")
        corner = words["message_there"] % len(messages) if messages else self._now(view)
        left = self._days(view) if view["supply"]["state"] == "connected" else ""
        big = amounts.money(amount, view.get("currency"), amounts.DOWN)
        return Layout(title, corner, ((left, self.supply_word(view)),), big)

    def _days(self, view):
        words = self.words
        days = view.get("days_left")
        if view.get("rate") is None:
            return ""
        if days is None:
            return words["days_learning"]
        return words["day_%d" % days] if days < 2 else words["days"] % days

    def _now(self, view):
        return amounts.clock(view.get("time"), view) if view["trust"] != "unknown" else "--:--"

    def _price(self, view):
        words = self.words
        rate = view.get("rate")
        if rate is None:
            return Layout(words["price"], "", (("", amounts.NONE),))
        currency = view.get("currency")
        corner = words["block"] % (rate["block"], rate["blocks"]) if rate["blocks"] > 1 else ""
        rows = [(self._band(rate["band"]), amounts.price(rate["price_micro"], currency))]
        following = view.get("next")
        if following:
            left = amounts.duration(following["time"] - view["time"], words)
            rows.append(
                (
                    "> " + self._band(following["band"]),
                    amounts.price(following["price_micro"], currency),
                )
            )
            rows.append((words["in"] % left, amounts.clock(following["time"], view)))
        else:
            rows.append((words["fallback" if rate["fallback"] else "one_price"], ""))
        return Layout(words["price"], corner, tuple(rows))

    def _band(self, name):
        return self.words.get("band_" + name, name)

    def _block(self, view):
        words = self.words
        rate = view["rate"]
        left = rate["block_left_wh"]
        numbers = (rate["block"], rate["blocks"])
        if left is None:
            return Layout(words["tier"] % numbers, "", ((words["tier_last"], ""),))
        row = ((words["tier_left"], ""),)
        return Layout(words["tier"] % numbers, "", row, amounts.decimal(left, 3, 1, 0) + "kWh")

    def _power(self, view):
        words = self.words
        power = view.get("power_mw")
        level = view.get("power_level") or level_of(power)
        cost = view.get("cost_per_hour_micro")
        row = ""
        if cost is not None:
            sign = "+" if cost < 0 else ""
            row = sign + words["per_hour"] % amounts.money(abs(cost), view.get("currency"))
        corner = words["power_" + level] if level else ""
        if view.get("quality") not in (None, "ok"):
            corner = words[view["quality"]]
        return Layout(
            words["power"], corner, ((row, ""),), amounts.power(power), level=LEVELS.get(level)
        )

    def _today(self, view):
        words = self.words
        currency = view.get("currency")
        rows = [
            (words["used"], amounts.energy(view.get("today_wh"), 2)),
            (words["cost"], amounts.money(view.get("today_micro"), currency)),
        ]
        rest = view.get("cycle_cost_micro")
        if rest is not None:
            rows.append((words["to_cycle_end"], amounts.money(rest, currency, digits=0)))
        return Layout(words["today"], self._now(view), tuple(rows))

    def _chart(self, view):
        words = self.words
        most = max(self.hours) if self.hours else 0
        corner = ""
        if most:
            digits = 1 if most < 10000 else 0
            corner = words["chart_most"] % amounts.decimal(most, 3, digits)
        return Layout(words["chart"], corner, bars=self.hours or ())

    def _export(self, view):
        rate = view.get("rate")
        row = ()
        if rate:
            earns = amounts.price(rate["export_micro"], view.get("currency"))
            row = ((self.words["export_price"], earns),)
        big = amounts.decimal(view["export_wh"], 3, 0, 0) + "kWh"
        return Layout(self.words["export"], "", row, big)

    def _top_ups(self, view):
        currency = view.get("currency")
        rows = []
        for item in view.get("purchases") or ():
            if item.get("result", 1) == 1 and len(rows) < ROWS:
                amount = amounts.money(item["amount_micro"], currency)
                rows.append((amounts.day(item["time"], view), amount))
        return Layout(self.words["top_ups"], "", tuple(rows) or ((self.words["none_yet"], ""),))

    def _token(self, view):
        return self.token(view["token"])

    def token(self, told):
        """The page on which a token is typed: groups of four, and how many digits there are."""
        words = self.words
        typed = told["typed"]
        groups = "-".join([typed[at : at + 4] for at in range(0, len(typed), 4)])
        corner = "%d/20" % len(typed)
        if told["busy"]:
            return Layout(words["token"], "", ((words["token_busy"], ""),))
        if told["result"] and not typed:
            text = words["said_%d" % told["result"]]
            if told["wait_s"]:
                wait = amounts.duration(told["wait_s"], words)
                return Layout(words["token_wait"] % wait, "", sentence=text)
            return Layout(words["token"], "", sentence=text)
        last = words["token_keys"]
        if told["wait_s"]:
            last = words["token_wait"] % amounts.duration(told["wait_s"], words)
        return Layout(words["token"], corner, ((groups[:15], ""), (groups[15:], ""), (last, "")))

    def _message(self, view):
        newest = view["messages"][0]
        text = newest["text"] if isinstance(newest, dict) else str(newest)
        moment = newest.get("time") if isinstance(newest, dict) else None
        corner = amounts.day(moment, view) if moment else ""
        if [letter for letter in text if not " " <= letter <= "~"]:
            return Layout(self.words["message"], corner, sentence=self.words["message_elsewhere"])
        rows = wrap(text, FINE_CELLS, MESSAGE_ROWS)
        parts = -(-len(rows) // FINE_ROWS)
        at = self.part % max(parts, 1)
        if parts > 1:
            corner = "%d/%d" % (at + 1, parts)
        shown = rows[at * FINE_ROWS :][:FINE_ROWS]
        return Layout(self.words["message"], corner, fine=tuple(shown))

    def _meter(self, view):
        tariff = view.get("tariff")
        told = self.words["tariff"] % (tariff["id"], tariff["n"]) if tariff else amounts.NONE
        rows = wrap(view["meter"], FINE_CELLS, 2)
        rows += [told, amounts.energy(view.get("import_wh"), 3), self._about]
        return Layout(self.words["meter"], "", fine=tuple(rows[:FINE_ROWS]))

    def _state(self, view):
        words = self.words
        rows = (
            (words["utility"], words["linked" if view.get("link") else "not_linked"]),
            (words["clock"], words[view["trust"]]),
            (words["reading"], words[view.get("quality") or "stale"]),
        )
        return Layout(words["state"], self._now(view), rows)


def level_of(power_mw):
    """ "none", "low", "mid", "high" or "export" of a power; None where it is not known."""
    if power_mw is None:
        return None
    if abs(power_mw) < NOTHING_MW:
        return "none"
    if power_mw < 0:
        return "export"
    return "low" if power_mw < MID_MW else "mid" if power_mw < HIGH_MW else "high"
