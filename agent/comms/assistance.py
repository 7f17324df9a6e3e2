"""Remote assistance: what the utility's desk may read for a while, once the household has agreed.

The household sees who asks for what until when, says yes or no, and can end it; it ends at its
time and at a reboot. Each step is an event, each read a command in the journal.
"""

import json

from wattledger.agent import events
from wattledger.agent.comms import commands
from wattledger.agent.comms.actions import only
from wattledger.agent.errors import RefusalError
from wattledger.hal.sample import (
    CURRENT_MA,
    FREQUENCY_MHZ,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    QUALITY_NAMES,
    REACTIVE_MVAR,
    TEMPERATURE_DC,
    TRUST_SYNCED,
    VOLTAGE_MV,
)

SCOPES = ("live", "display")
MOST_S = 14400
ANSWER_S = 900  # of powered time, to agree in
ASKED = "asked"
ON = "on"
# Values of the events that say no or that it is over.
BY_PERSON = 0
BY_TIME = 1
BY_ANOTHER = 2
PHASE = (
    ("voltage_mv", VOLTAGE_MV),
    ("current_ma", CURRENT_MA),
    ("power_mw", POWER_MW),
    ("reactive_mvar", REACTIVE_MVAR),
    ("power_factor", POWER_FACTOR),
)


class Assistance:
    """One request: `scope` of SCOPES, `until` (unix seconds), `state` asked or on."""

    def __init__(self, agent, scope, until):
        self._agent = agent
        self.scope = scope
        self.until = until
        self.state = ASKED
        self._asked_at = agent.time.powered_s
        # In powered time too: a clock that is set back makes nothing longer.
        self._ends_at = agent.time.powered_s + until - agent.time.unix()

    def answer(self, yes):
        """What a person at the meter says: to the request, or no to one that is on."""
        if yes and self.state == ASKED:
            self.state = ON
            self._agent.report(events.ASSIST_BEGUN, SCOPES.index(self.scope) + 1)
            self._agent.keeper.now()
        elif not yes:
            self.end(BY_PERSON)

    def work(self):
        """Once a step: end what is over."""
        now = self._agent.time.powered_s
        late = now >= self._ends_at or self._agent.time.unix() >= self.until
        if late or (self.state == ASKED and now - self._asked_at >= ANSWER_S):
            self.end(BY_TIME)

    def end(self, why):
        """Nothing may be read any more."""
        over = self.state == ON
        self._agent.assistance = None
        self._agent.report(events.ASSIST_OVER if over else events.ASSIST_REFUSED, why)
        self._agent.keeper.now()

    def view(self):
        """What people are shown of it."""
        return {"scope": self.scope, "until": self.until, "state": self.state}


def start(agent, arguments):
    """scope and until (unix seconds, at most 4 hours off): ask the household. A second request
    ends the first."""
    scope = only(arguments, "scope", "until").get("scope")
    if scope not in SCOPES:
        raise RefusalError(commands.RANGE, "scope must be one of %s" % ", ".join(SCOPES))
    if agent.time.trust() != TRUST_SYNCED:
        raise RefusalError(commands.DENIED, "until needs a clock, and the meter's is not set")
    now = agent.time.unix()
    until = commands.whole(arguments, "until", now + 1, now + MOST_S)
    if agent.assistance:
        agent.assistance.end(BY_ANOTHER)
    agent.assistance = Assistance(agent, scope, until)
    agent.report(events.ASSIST_ASKED, SCOPES.index(scope) + 1)
    agent.keeper.now()
    return commands.OK, "the household is asked; it has %d s to agree" % ANSWER_S


def read_live(agent, arguments):
    """What the chip measures now, phase by phase, as JSON in the detail."""
    _demand(agent, arguments, "live")
    meter = agent.meter
    sample = meter.sample
    phases = []
    for phase in range(meter.phases):
        at = phase * PHASE_FIELDS
        found = {}
        for name, field in PHASE:
            found[name] = sample[at + field]
        phases.append(found)
    return commands.OK, json.dumps(
        {
            "time": agent.time.unix(),
            "age_ms": meter.sample_age_ms(),
            "quality": QUALITY_NAMES[meter.quality],
            "frequency_mhz": sample[FREQUENCY_MHZ] or None,
            "temperature_dc": sample[TEMPERATURE_DC],
            "phases": phases,
        }
    )


def read_display(agent, arguments):
    """What the household's display shows, as JSON in the detail."""
    _demand(agent, arguments, "display")
    view = agent.view.page()
    del view["token"]  # what somebody is typing is theirs alone
    return commands.OK, json.dumps(view)


def _demand(agent, arguments, scope):
    only(arguments)
    assistance = agent.assistance
    if assistance is None or assistance.state != ON or assistance.scope != scope:
        raise RefusalError(commands.DENIED, "the household has not agreed to it")
