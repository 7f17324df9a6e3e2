"""What a page asks for beside the view, because it changes seldom and is long: histories by span,
and the tariffs. Made a slice at a time, so that no tick is late; loaded when a page asks.
"""

from wattledger.agent.billing.calendar import EPOCH_2000
from wattledger.agent.billing.shelf import NEXT
from wattledger.agent.display import history
from wattledger.agent.errors import AgentError
from wattledger.agent.journal import record as records

TARIFF = "tariff"
SLICE_MS = 5
SLICE_RECORDS = 64  # where the clock of people is virtual and does not move in a step


class Answers:
    """`agent` is read only; `page` (hal/contract.py) takes the answers; `clock` is wall time."""

    def __init__(self, agent, page, clock):
        self._agent = agent
        self._page = page
        self._clock = clock
        self._names = []
        self._reading = None

    def ask(self, name):
        """Answer `name`, a span or "tariff", in the steps to come; another name is not heard."""
        if name not in self._names and (name == TARIFF or name in history.SPANS):
            self._names.append(name)

    def work(self):
        """One slice; False when everything asked for is answered."""
        if not self._names:
            return False
        name = self._names[0]
        try:
            text = self._tariff() if name == TARIFF else self._history(name)
        except (OSError, MemoryError, AgentError):
            text = ""  # it cannot be told now: the page asks again when a person does
        if text is not None:
            self._reading = None
            self._names.pop(0)
            self._page.answer(name, text)
        return bool(self._names)

    def _history(self, span):
        agent = self._agent
        reading = self._reading
        if reading is None:
            tariff = agent.account.tariff
            if tariff is None:
                from wattledger.agent.billing.zone import Zone  # as a statement without one

                zone = Zone(0)
            else:
                zone = tariff.zone
            first_hash = records.first_hash(agent.config.meter)
            now = max(agent.time.unix(), EPOCH_2000)
            reading = history.History(agent.storage, first_hash, zone, span, now)
            self._reading = reading
        began = self._clock.ticks_ms()
        for _ in range(SLICE_RECORDS):
            if reading.work():
                return reading.text(self._forecast(reading) if span == "month" else None)
            if self._clock.elapsed_ms(began) >= SLICE_MS:
                break
        return None

    def _forecast(self, reading):
        """What the calendar month will come to: what is posted, and the rest as foreseen."""
        found = self._agent.prospect.found
        if found is None:
            return None
        return reading.month[0] + found.month_wh, reading.month[1] - found.month_nano

    def _tariff(self):
        """The documents as they came: the set in force and the one that follows."""
        agent = self._agent
        active = agent.ledger.shelf.in_force() if agent.account.tariff else b""
        following = b""
        if agent.account.pending is not None:
            following = bytearray(agent.storage.size(NEXT))
            agent.storage.read_from(NEXT, 0, following)
        return '{"active":%s,"next":%s}' % (
            bytes(active).decode() or "null",
            bytes(following).decode() or "null",
        )
