"""When a restart harms nobody: is this a good moment for one?

A restart takes seconds, in which nothing is metered and no limit is watched. Loaded where an
update waits.
"""

from wattledger.agent.metering import conditions
from wattledger.agent.supply import states
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import MAX_PHASES, PHASE_FIELDS, QUALITY_OK, VOLTAGE_MV

CUT_S = 3600  # no credit cut may be so near
MOVED_S = 60  # since the relay's last movement
QUIET_S = 600  # a storm of events has to be over for so long
MOST_ENTRIES = 30  # in that time; a profile of a minute writes ten
LEAST_PERCENT = 80  # of the nominal voltage: no relay is switched below it either
_LOW = conditions.LOW_VOLTAGE | conditions.SAG | conditions.PHASE_LOSS | conditions.NO_POTENTIAL
_LOW_KINDS = sum(1 << conditions.kind_of(bit) for bit in range(conditions.BITS) if _LOW >> bit & 1)


class Moment:
    """`why_not()` once in a while, at least each ten minutes."""

    def __init__(self, agent):
        self._agent = agent
        self._marks = [self._mark()]  # (powered seconds, sequence), oldest first

    def _mark(self):
        return self._agent.time.powered_s, self._agent.journal.sequence

    def why_not(self):
        """What forbids a restart (chip, relay, voltage, events, storage or credit); empty when it
        harms nobody."""
        agent = self._agent
        if agent.meter.missed or agent.meter.quality != QUALITY_OK:
            return "chip"
        if self._moves():
            return "relay"
        if self._is_low():
            return "voltage"
        if self._is_stormy():
            return "events"
        if agent.keeper.failed:
            return "storage"
        return "credit" if self._cut_is_near() else ""

    def _moves(self):
        control, supply = self._agent.control, self._agent.supply
        now = self._agent.time.powered_s
        if supply.last_move_s is not None and 0 <= now - supply.last_move_s < MOVED_S:
            return True
        if control.remote and control.remote.opens_at is not None:
            return True
        return control.restoring or control.closes_in_s() is not None or not control.agrees()

    def _is_low(self):
        meter, config = self._agent.meter, self._agent.config
        if self._agent.watch.kinds() & _LOW_KINDS:
            return True
        least = config.nominal_volts * 10 * LEAST_PERCENT
        for phase in range(min(meter.phases, MAX_PHASES)):
            if meter.sample[phase * PHASE_FIELDS + VOLTAGE_MV] < least:
                return True
        return False

    def _is_stormy(self):
        """More entries than an ordinary life in the last ten minutes, or not known yet."""
        now, sequence = self._mark()
        marks = self._marks
        if now - marks[-1][0] >= MOVED_S:
            marks.append((now, sequence))
        while len(marks) > 1 and now - marks[1][0] >= QUIET_S:
            marks.pop(0)
        since, first = marks[0]
        return now - since < QUIET_S or sequence - first > MOST_ENTRIES

    def _cut_is_near(self):
        """By the same outlook as the warnings, further ahead; what friendly hours, keep-power or
        a clock that is not set hold back counts as near too."""
        agent = self._agent
        credit, account = agent.control.credit, agent.account
        if agent.supply.state != states.CONNECTED or agent.config.never_cut:
            return False
        if credit.paid_time is not None:
            left = credit.paid_time.sooner(None)
            if left is not None and left < CUT_S:
                return True
        if account.tariff is None or agent.config.payment_mode != "prepay":
            return False
        above = credit.available - credit.floor()
        if above < NANO_PER_MICRO or not credit.outlook.is_known(agent.time.powered_s):
            return True
        left = credit.outlook.left_s(
            account, above, agent.time.unix(), agent.time.trust(), agent.time.powered_s, CUT_S
        )
        return left is not None and left < CUT_S
