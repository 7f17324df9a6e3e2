"""The outlook: when credit will end, by the mean power of five minutes and the charges to come.

Energies are kept with the rest of a Wh (numerators over the register's denominator), so that a
tiny load has a power too. Money is nano-units; micro per kWh is nano per Wh.
"""

from wattledger.agent.billing import rating
from wattledger.agent.units import NANO_PER_MICRO, QUARTER_S
from wattledger.hal.sample import TRUST_SYNCED

WINDOW_S = 300
EVERY_S = 30  # between two energies that are kept
LEAST_S = 60  # before that the mean says nothing
HORIZON_S = 1800
KWH = 1000


class Outlook:
    """Fed with `note()`; `left_s()` says when credit will end."""

    def __init__(self, meter):
        self._register = meter.register
        self._ring = []  # (powered seconds, import, export), oldest first

    def note(self, powered_s):
        """Keep the energy of now when it is time."""
        ring = self._ring
        if ring and powered_s - ring[-1][0] < EVERY_S:
            return
        ring.append((powered_s,) + self._energies())
        if len(ring) > WINDOW_S // EVERY_S + 1:
            ring.pop(0)

    def is_known(self, powered_s):
        """True when there is a mean to go by."""
        return bool(self._ring) and powered_s - self._ring[0][0] >= LEAST_S

    def left_s(self, account, credit, unix, trust, powered_s, horizon_s=HORIZON_S):
        """Seconds until `credit` (nano above the floor) is used up, or None beyond the horizon."""
        if credit <= 0:
            return 0
        if not self.is_known(powered_s):
            return None
        since, imported, exported = self._ring[0]
        now_import, now_export = self._energies()
        window = (powered_s - since) * self._register.denominator
        taken, given = now_import - imported, now_export - exported
        if account.tariff.net:
            both = min(taken, given)
            taken, given = taken - both, given - both
        used_wh = account.used_wh + self._register.import_wh - account.start_import
        at = unix
        while at < unix + horizon_s:
            price, earned = _prices(account, at, used_wh, trust)
            if at == unix:
                # What the running Wh has taken already is not in `credit` yet.
                credit -= self._register.import_rest * price // self._register.denominator
            cost = taken * price - given * earned  # nano in the window, by denominator
            end = at // QUARTER_S * QUARTER_S + QUARTER_S
            if cost > 0 and credit * window < cost * (end - at):
                return at - unix + max(credit, 0) * window // cost
            credit -= cost * (end - at) // window
            at = end
            if trust == TRUST_SYNCED:  # else no day begins
                credit -= _charges(account, at)
            if credit <= 0:
                return at - unix
        return None

    def _energies(self):
        register = self._register
        return (
            register.import_wh * register.denominator + register.import_rest,
            register.export_wh * register.denominator + register.export_rest,
        )


def _prices(account, at, used_wh, trust):
    """(what a Wh costs, what an exported one earns), nano, at `at`."""
    dynamic = account.dynamic.price_at(at) if account.dynamic is not None else None
    imported = rating.rate(account.tariff, at, KWH, 0, used_wh, trust, dynamic)
    exported = rating.rate(account.tariff, at, 0, KWH, used_wh, trust, dynamic)
    return -rating.total(imported) // KWH, rating.total(exported) // KWH


def _charges(account, at):
    """Nano that fall due at the quarter `at`: those of a new local day."""
    zone = account.tariff.zone
    days, _ = zone.local(at)
    if zone.first_instant(days) != at:
        return 0
    charge = account.tariff.standing_day * NANO_PER_MICRO
    return charge + min(account.debt.per_day * NANO_PER_MICRO, account.debt.owed)
