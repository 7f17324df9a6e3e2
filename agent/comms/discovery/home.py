"""The home's side of the link: Home Assistant's discovery, and a household that asks to reconnect.

What comes from the home is not signed, so it moves nothing: a wish to reconnect is written down
for the utility and shown, and the supply still closes by a person at the meter alone
(agent/supply/rules.py, CLOSES).
"""

from wattledger.agent import events
from wattledger.agent.comms import topics
from wattledger.agent.comms.discovery.costs import Costs
from wattledger.agent.supply import states
from wattledger.agent.units import micro_of

CONFIG_TOPIC = "homeassistant/device/%s/config"
BIRTH_TOPIC = "homeassistant/status"  # Home Assistant's birth and will
BIRTH = b"online"
ASK_MS = 600000  # between two wishes that are written down


class Home:
    """`hear(...)` takes what arrives, `work()` sends the discovery when it is due."""

    def __init__(self, agent, link, link_clock):
        self._agent = agent
        self._link = link
        self._clock = link_clock
        config = agent.config
        self._reconnect = topics.topic(config.tenant, config.meter, topics.RECONNECT)
        self._said = None  # what the discovery on the broker was made for
        self._asked_ms = None
        self.asked_at = None  # unix seconds of the last wish, None once the supply is connected
        self.costs = Costs(agent)
        link.subscribe(BIRTH_TOPIC)
        link.subscribe(self._reconnect)

    def hear(self, topic, data, retained):
        """True when the message was one for the home's side.

        What lies on the broker is dropped: a birth of long ago, and a wish that is nobody's press.
        """
        if topic != BIRTH_TOPIC and topic != self._reconnect:
            return False
        if retained:
            return True
        if topic == self._reconnect:
            self._ask()
        elif bytes(data) == BIRTH:
            self._said = None
        return True

    def _ask(self):
        agent = self._agent
        if agent.supply.state == states.CONNECTED:
            return
        if self._asked_ms is not None and self._clock.elapsed_ms(self._asked_ms) < ASK_MS:
            return
        self._asked_ms = self._clock.ticks_ms()
        self.asked_at = agent.time.unix()
        agent.report(events.RECONNECT_ASKED, agent.supply.reasons)

    def work(self):
        """Count what is new and send the discovery when it is due; True when there may be more."""
        if self._agent.supply.state == states.CONNECTED:
            self.asked_at = None
        if self.costs.work():
            return True
        if not self._link.is_up():
            return False
        tariff = self._agent.account.tariff
        config = self._agent.config
        wanted = (self._link.session(), config.state_s, tariff.currency if tariff else None)
        if self._said == wanted:
            return False
        # Once a connection: between them its tables need not stay in the heap.
        from wattledger.agent.comms.discovery import device

        data = device.build(config, self._agent.firmware, wanted[2])
        if not self._link.send(CONFIG_TOPIC % config.meter, data, True):
            return False
        self._said = wanted
        return True

    def state(self):
        """What the state topic carries, with what only a home wants to know."""
        agent = self._agent
        state = agent.view.state()
        cost, earned = self.costs.read()
        state["home"] = {
            "cost_micro": micro_of(cost),
            "earned_micro": micro_of(earned),
            "since": self.costs.since(),
            "message": agent.message["text"] if agent.message else None,
            "asked_at": self.asked_at,
        }
        return state
