"""What a home display shows beside what the state topic carries; loaded where there is one."""

from wattledger.agent.display import measures
from wattledger.agent.display.view import View


class HomeView(View):
    """The view of a meter with a display."""

    def page(self):
        """Everything a home display shows, beside what it asks for (answers.py)."""
        agent = self.agent
        account = agent.account
        tariff = account.tariff
        pending = account.pending
        unix = agent.time.unix()
        view = self.common()
        outlook = agent.prospect.found
        rate = view["rate"]
        ends_at = outlook.ends_at if outlook else None
        view["simulated"] = agent.config.board == "sim"
        view["utc_offset_s"] = tariff.zone.offset_at(unix) if tariff else 0
        view["low_micro"] = tariff.low if tariff else None
        view["power_level"] = measures.power_level(view["power_mw"])
        view["credit_wh"] = measures.credit_wh(
            agent.keeper.available, rate["price_micro"] if rate else None
        )
        view["ends_at"] = ends_at
        view["days_level"] = measures.days_level(view["days_left"], ends_at, unix)
        view["supply"]["topup_micro"] = measures.topup_micro(
            view["supply"]["restore_micro"], account.debt
        )
        if view["emergency"]:
            self._tell_emergency(view["emergency"])
        view["purchases"] = self._purchases()
        view["messages"] = self._messages(unix)
        view["token"] = self._token() if agent.keypad else None
        view["pending"] = (
            {"id": pending.id, "n": pending.n, "from": pending.start}
            if pending and tariff
            else None
        )
        view["recorded_until"] = account.start  # histories hold what the journal holds
        return view

    def _messages(self, unix):
        """What the utility has to say, while it holds."""
        message = self.agent.message
        if not message or (message["until"] and unix >= message["until"]):
            return []
        return [message]

    def _token(self):
        """What the keypad shows, and how many `digits` a token has; None where that differs."""
        token = self.agent.keypad.view()
        token["digits"] = 20 if self.agent.tokens.settings.scheme == "sts" else None
        return token

    def _tell_emergency(self, told):
        agent = self.agent
        told["state"], told["left_micro"], told["owed_micro"] = measures.emergency(
            told["offered"],
            told["accepted"],
            agent.account.watch.used,
            told["limit_micro"],
            agent.keeper.available,
        )

    def _purchases(self):
        """Purchases, and what became of the tokens entered, newest first."""
        agent = self.agent
        found = [
            {"time": time, "amount_micro": amount, "n": n, "source": "remote", "result": 1}
            for time, amount, n in agent.keeper.purchases
        ]
        return agent.tokens.attempts.among(found) if agent.tokens else found
