"""What the token desk does with OpenPAYGO tokens: time in a register of its own, or units."""

from wattledger.agent.tokens import openpaygo, results
from wattledger.agent.tokens.memory import UNLOCKED
from wattledger.agent.tokens.openpaygo import ADD_TIME, COUNTER_SYNC, DISABLE_PAYG, SET_TIME
from wattledger.agent.tokens.results import TokenError
from wattledger.agent.units import NANO_PER_MICRO

SCHEME = 2
HASHES = 16  # a step: a chain is as long as the device is old
LAST_SECOND = 0xFFFFFFFF


class PaygoDesk:
    """`desk` is the TokenDesk; the memory is its. With `paygo_unit` set, values are units of
    money; otherwise they are time."""

    def __init__(self, desk):
        self._desk = desk
        self._search = None
        self._digits = None
        self._left = False  # another token has waited since its own last came back
        if not desk.settings.paygo_unit:
            from wattledger.agent.supply.paid_time import PaidTime  # no other meter needs it

            desk.agent.control.credit.paid_time = PaidTime(desk, desk.agent.supply)

    def is_free(self, digits):
        """Every OpenPAYGO token may be a guess."""
        return False

    def take(self, digits):
        """(result, detail), None while the search goes on, or TokenError."""
        if digits == self._digits:
            self._left = False
        elif self._search is not None:
            if not self._left:
                self._left = True
                return None  # another keypad's token is being looked for
            self._search = None  # and nobody comes back for it
        if self._search is None:
            self._search = self._begin(digits)
            self._digits = digits
            self._left = False
        search = self._search
        if not search.work(HASHES):
            return None
        self._search = None
        return self._do(search)

    def stop(self):
        """Forget the search: its token was answered."""
        self._search = None

    def _begin(self, digits):
        settings, memory = self._desk.settings, self._desk.memory
        start = settings.start
        if start < 0:
            start = openpaygo.starting_code(memory.key)
        return openpaygo.Search(memory.key, start, digits, settings.restricted, memory.counts)

    def _do(self, found):
        desk = self._desk
        settings, memory = desk.settings, desk.memory
        kind, value = found.kind, found.value
        until = memory.until
        amount = 0
        if kind == DISABLE_PAYG:
            if not settings.allow_unlock or settings.paygo_unit:
                raise TokenError(results.FUNCTION, "this meter is never unlocked for good")
        elif kind == COUNTER_SYNC:
            value = 0
        elif settings.paygo_unit:
            if kind == SET_TIME:
                raise TokenError(results.FUNCTION, "money is added, never set")
            amount = value * settings.paygo_unit * NANO_PER_MICRO
            desk.check_credit(amount)
        else:
            now = desk.agent.time.powered_s
            value *= settings.step_s
            until = value + (max(until, now) if kind == ADD_TIME else now)
            if until > LAST_SECOND:
                raise TokenError(results.OVERFLOW, "more time than the meter can count")
        return results.ACCEPT, desk.post(SCHEME, kind, found.count, value, until, amount)

    def remember(self, kind, id, value, until):
        """Do what an entry says to the memory: now, and again at a boot whose cold state is
        older."""
        memory = self._desk.memory
        memory.counts.add(id, kind == ADD_TIME)
        memory.until = until
        if kind == DISABLE_PAYG:
            memory.flags |= UNLOCKED
