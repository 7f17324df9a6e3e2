"""One view model for every display and for the state topic. Registers and money are those of the
last durable snapshot; power is live. What is not known is None.
"""

from wattledger.agent.supply import rules, states
from wattledger.agent.units import micro_of
from wattledger.hal.sample import (
    CURRENT_MA,
    FREQUENCY_MHZ,
    POWER_FACTOR,
    QUALITY_NAMES,
    TRUST_NAMES,
    TRUST_SYNCED,
    VOLTAGE_MV,
)

MW_PER_KW = 1000000


class View:
    """Reads the agent; changes nothing. What only a page shows is home.py."""

    def __init__(self, agent):
        self.agent = agent

    def state(self):
        """What the state topic carries."""
        view = self.common()
        desk = self.agent.desk
        view["failures"] = self.agent.failures
        view["refused_commands"] = desk.refused if desk else 0
        return view

    def common(self):
        """What displays and the state topic have in common."""
        agent = self.agent
        account = agent.account
        tariff = account.tariff
        unix = agent.time.unix()
        view = self._live()
        view.update(self._durable())
        rate = self._rate(tariff)
        view["meter"] = agent.config.meter
        view["time"] = unix
        view["trust"] = TRUST_NAMES[agent.time.trust()]
        view["currency"] = tariff.currency if tariff else None
        view["rate"] = rate
        view["cost_per_hour_micro"] = self._cost_per_hour(tariff, rate, view["power_mw"])
        view["next"] = self._next(tariff, unix)
        view["supply"] = self._supply()
        view["emergency"] = self._emergency(tariff)
        view["friendly"] = self._friendly(tariff, unix)
        view["today_wh"] = agent.keeper.today_wh if tariff else None
        view["today_micro"] = -micro_of(agent.keeper.today_nano) if tariff else None
        view["link"] = agent.is_linked()
        outlook = agent.prospect.found
        view["days_left"] = outlook.days if outlook else None
        view["days_range"] = outlook.days_range if outlook else None
        view["cycle_cost_micro"] = outlook.cost_micro if outlook else None
        view["cycle_cost_range"] = outlook.cost_range if outlook else None
        view["debt"] = self._debt(account.debt)
        view["assist"] = agent.assistance.view() if agent.assistance else None
        view["tariff"] = {"id": tariff.id, "n": tariff.n} if tariff else None
        view["alarms"] = self._alarms()
        # Sets of kinds: bit 0 is event 100 of agent/events.py.
        view["tamper"] = agent.watch.latched
        view["conditions"] = agent.watch.kinds()
        return view

    def hello(self):
        """What the meter says of itself at each connect; the sender adds challenge and head."""
        agent = self.agent
        tariff = agent.account.tariff
        return {
            "boots": agent.ledger.state.boots,
            "firmware": agent.firmware,
            "board": agent.config.board,
            "tariff": {"id": tariff.id, "n": tariff.n} if tariff else None,
            "documents": self._documents(),
            "trust": TRUST_NAMES[agent.time.trust()],
            "cause": agent.cause,
        }

    def _documents(self):
        """What has arrived of what the utility pushes: its want, the next set, prices."""
        agent = self.agent
        pending = agent.account.pending
        desk = agent.documents
        want = desk.want if desk else None
        return {
            "want": want.version if want else None,
            "next": {"id": pending.id, "n": pending.n} if pending else None,
            "prices": [prices.n for prices in agent.ledger.shelf.dynamic.held if prices],
            "refused": desk.why if desk else None,
        }

    def said(self):
        """Changes of this make a state message due at once."""
        agent = self.agent
        tariff = agent.account.tariff
        return (
            agent.supply.state,
            agent.supply.reasons,
            agent.account.watch.alarms,
            agent.account.watch.accepted,
            agent.control.credit.warned_s,
            agent.watch.latched,
            agent.control.remote and agent.control.remote.opens_at,
            agent.assistance and agent.assistance.state,
            agent.journal.balance if agent.journal.durable == agent.journal.sequence else None,
            tariff.n if tariff else 0,
        )

    def _live(self):
        meter = self.agent.meter
        sample = meter.sample
        known = meter.answered
        return {
            "power_mw": meter.power_mw() if known else None,
            "voltage_mv": sample[VOLTAGE_MV] if known else None,
            "current_ma": sample[CURRENT_MA] if known else None,
            "power_factor": sample[POWER_FACTOR] if known else None,
            "frequency_mhz": sample[FREQUENCY_MHZ] or None,
            "quality": QUALITY_NAMES[meter.quality],
            "sample_age_ms": meter.sample_age_ms(),
        }

    def _durable(self):
        agent = self.agent
        state = agent.ledger.state
        known = not agent.ledger.missing
        return {
            "import_wh": state.import_wh,
            "export_wh": state.export_wh,
            "balance_micro": micro_of(state.balance) if known else None,
            "available_micro": micro_of(agent.keeper.available) if known else None,
            "zone": agent.account.watch.zone(agent.account.tariff, agent.keeper.available),
        }

    def _debt(self, debt):
        """What is owed beside the balance and how it is paid off, None without."""
        owed = self.agent.keeper.owed
        if not owed:
            return None
        return {
            "owed_micro": micro_of(owed),
            "per_day_micro": debt.per_day,
            "share": debt.share,
            "cap_micro": debt.cap,
        }

    def _rate(self, tariff):
        if tariff is None:
            return None
        agent = self.agent
        account = agent.account
        synced = agent.time.trust() == TRUST_SYNCED
        band = tariff.band_at(agent.time.unix()) if synced else tariff.fallback
        used = account.used_wh + agent.meter.register.import_wh - account.start_import
        unix = agent.time.unix()
        block = tariff.block_of(used, unix)
        dynamic = account.dynamic.price_at(unix) if synced else None
        return {
            "band": tariff.bands[band],
            "block": block + 1,
            "blocks": len(tariff.price),
            "price_micro": tariff.price[block][band] if dynamic is None else dynamic,
            "export_micro": tariff.export[band],
            "block_left_wh": tariff.block_left(used, unix),
            "fallback": not synced,
        }

    def _cost_per_hour(self, tariff, rate, power_mw):
        if rate is None or power_mw is None:
            return None
        price = rate["price_micro"] if power_mw >= 0 else rate["export_micro"]
        return power_mw * price // MW_PER_KW

    def _next(self, tariff, unix):
        if tariff is None or self.agent.time.trust() != TRUST_SYNCED:
            return None
        account = self.agent.account
        band_change = tariff.next_change(unix)
        changes = [band_change[0] if band_change else None, account.dynamic.next_change(unix)]
        changes = [at for at in changes if at is not None]
        if not changes:
            return None
        used = account.used_wh + self.agent.meter.register.import_wh - account.start_import
        at = min(changes)
        band = tariff.band_at(at)
        dynamic = account.dynamic.price_at(at)
        if tariff.block_day(at) != tariff.block_day(unix):
            used = 0
        return {
            "time": at,
            "band": tariff.bands[band],
            "price_micro": tariff.price[tariff.block_of(used, at)][band]
            if dynamic is None
            else dynamic,
        }

    def _supply(self):
        agent = self.agent
        supply = agent.supply
        control = agent.control
        armed = supply.state == states.READY
        closes_in_s = control.closes_in_s()
        who = rules.RESTORING if control.restoring else rules.PERSON
        if closes_in_s is not None:
            who = rules.METER
        return {
            "state": states.NAMES[supply.state],
            "reasons": rules.names(supply.reasons),
            "reason": rules.strongest(supply.reasons),
            "since": supply.moved_at,
            "restore_micro": control.credit.restore_micro(),
            "accrued_micro": control.credit.accrued_micro,
            "cut_in_s": control.credit.left_s,
            "keep_power_s": control.credit.keep_power_s,
            "time_left_s": agent.tokens.time_left_s() if agent.tokens else None,
            "load_limit_w": control.limits.load_limit_w,
            "remote_in_s": control.remote.opens_in_s() if control.remote else None,
            "hold_ms": control.button.held_ms(),
            "wait_s": supply.wait_s(agent.time.powered_s) if armed else 0,
            "closes": rules.CLOSES[who][0],
            "closes_in_s": closes_in_s,
        }

    def _emergency(self, tariff):
        if tariff is None or not tariff.emergency:
            return None
        agent = self.agent
        credit = agent.control.credit
        return {
            "offered": credit.is_offered(),
            "accepted": agent.account.watch.accepted,
            "limit_micro": tariff.emergency,
        }

    def _friendly(self, tariff, unix):
        synced = self.agent.time.trust() == TRUST_SYNCED
        until = tariff.friendly_until(unix) if tariff and synced else None
        return {"now": until is not None, "until": until}

    def _alarms(self):
        agent = self.agent
        alarms = []
        for holds, name in (
            (agent.ledger.fault is not None, "ledger"),
            (agent.keeper.failed != 0, "storage"),
            (agent.meter.faulty or agent.meter.missed > 0, "meter"),
            (agent.control.contact.welded, "relay"),
            (agent.watch.latched != 0, "tamper"),
        ):
            if holds:
                alarms.append(name)
        return alarms
