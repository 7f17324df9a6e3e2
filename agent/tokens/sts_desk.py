"""What the token desk does with STS-format tokens: whether one is good here, and its function."""

from wattledger.agent.errors import AgentError
from wattledger.agent.tokens import keychange, results, sts
from wattledger.agent.tokens.replay import IS_OLD, IS_USED
from wattledger.agent.tokens.results import TokenError
from wattledger.agent.units import DAY_S, NANO_PER_MICRO

SCHEME = 1
KEY_CHANGE = sts.MANAGEMENT << 4 | keychange.FIRST  # the kind of the entry that makes it
DDTK = 1
STAGED_S = DAY_S  # sections of a change that was given up must not end up in the next one's key
MONEY_REGISTERS = (0, 4, 0xFFFF)  # kWh, currency, all: we have the one balance


class StsDesk:
    """`desk` is the TokenDesk; the memory is its."""

    def __init__(self, desk):
        self._desk = desk

    def is_free(self, digits):
        """True for a test token, which a lock-out does not hold up: it is no guess."""
        if len(digits) != sts.DIGITS or not sts.are_digits(digits):
            return False
        return int(digits) >> 27 & 3 == sts.TEST

    def stop(self):
        """Nothing goes on between two tokens."""

    def take(self, digits):
        """(result, detail), or TokenError."""
        token = sts.decode(digits, self._decrypt, self._desk.memory.key)
        if token.cls == sts.TEST:
            from wattledger.agent.tokens.checkup import answer  # rarely wanted

            return results.ACCEPT, answer(token, self._desk)
        if token.is_section():
            return self._section(token)
        self._judge(token)
        if token.cls == sts.CREDIT:
            return self._credit(token)
        return self._manage(token)

    def _decrypt(self, key, block):
        # One of the two is ever loaded; which one the key's length says.
        if len(key) == keychange.LONG_KEY:
            from wattledger.agent.tokens.misty1 import decrypt
        else:
            from wattledger.agent.tokens.ea07 import decrypt
        return decrypt(key, block)

    def _judge(self, token):
        memory = self._desk.memory
        if token.cls == sts.CREDIT and memory.kt == DDTK:
            raise TokenError(results.DDTK, "the meter holds a default key; change it first")
        if token.tid >> 16 > memory.ken:
            raise TokenError(results.KEY_EXPIRED, "the key has expired; a key change is due")
        found = memory.tids.check(token.tid)
        if found == IS_OLD:
            raise TokenError(results.OLD, "older than any token the meter remembers")
        if found == IS_USED:
            raise TokenError(results.USED, "this token was used before")

    def _credit(self, token):
        desk = self._desk
        commodity = token.subclass % sts.CURRENCY
        if token.subclass >= 2 * sts.CURRENCY or commodity != sts.ELECTRICITY:
            name = sts.COMMODITIES[commodity] if token.subclass < 2 * sts.CURRENCY else "unknown"
            raise TokenError(results.FUNCTION, "not for electricity: %s" % name)
        if token.is_currency():
            value = token.micro()
            amount = value * NANO_PER_MICRO
        else:
            value = token.wh()
            tariff = desk.agent.account.tariff
            price = tariff.kwh_credit if tariff else 0
            if not price:
                raise TokenError(results.FUNCTION, "the tariff has no price for kWh tokens")
            amount = value * price  # Wh x micro per kWh is nano
        desk.check_credit(amount)
        return results.ACCEPT, self._post(token, value, amount)

    def _manage(self, token):
        desk = self._desk
        subclass = token.subclass
        value = token.scaled()
        amount = 0
        if subclass == sts.CLEAR_CREDIT:
            value = token.field()
            if value not in MONEY_REGISTERS:
                raise TokenError(results.FUNCTION, "there is no register %d" % value)
            amount = -max(desk.agent.journal.balance, 0)
        elif subclass == sts.POWER_LIMIT:
            if not value:
                raise TokenError(results.RANGE, "a limit of 0 W would leave no supply")
        elif subclass == sts.UNBALANCE_LIMIT:
            if desk.phases == 1:
                raise TokenError(results.FUNCTION, "a meter of one phase has no unbalance")
        elif subclass == sts.CLEAR_TAMPER:
            value = 0
        elif subclass == sts.TARIFF_RATE:
            raise TokenError(results.FUNCTION, "prices come signed, not by token")
        else:
            raise TokenError(results.FUNCTION, "function %d is not for this meter" % subclass)
        return results.ACCEPT, self._post(token, value, amount)

    def _post(self, token, value, amount):
        kind = token.cls << 4 | token.subclass
        return self._desk.post(SCHEME, kind, token.tid, value, 0, amount)

    def _section(self, token):
        desk = self._desk
        memory = desk.memory
        now = desk.agent.time.powered_s
        if now > memory.staged_until:
            memory.sections = {}
        held = memory.sections.get(token.subclass)
        keychange.stage(memory.sections, token, len(memory.key))
        # One that is held already is not stored each time that somebody sends it again.
        kept = held == token.data and memory.staged_until - now > STAGED_S // 2 and not desk.due
        if not kept:
            memory.staged_until = now + STAGED_S
        if not (kept or desk.keep()):
            raise TokenError(results.NOT_READY, "not stored; enter it again later")
        missing = keychange.missing(memory.sections, len(memory.key))
        if missing:
            first = token.subclass == keychange.FIRST
            words = ", ".join([str(number) for number in missing])
            return (
                results.FIRST_SECTION if first else results.SECOND_SECTION,
                "sections still to come: %s" % words,
            )
        new = keychange.NewKey(memory.sections, len(memory.key))
        value = new.krn | new.kt << 8 | new.ken << 16 | new.ti << 24 | new.rollover << 32
        desk.post(SCHEME, KEY_CHANGE, 0, value, 0, 0)
        return results.ACCEPT, "key revision %d" % new.krn

    def remember(self, kind, id, value, until):
        """Do what an entry says to the memory: now, and again at a boot whose cold state is
        older."""
        memory = self._desk.memory
        if kind == KEY_CHANGE:
            try:
                memory.change_key(keychange.NewKey(memory.sections, len(memory.key)))
            except (AgentError, KeyError):
                self._desk.lost = True  # the sections were in a cold state that is gone
            return
        memory.tids.add(id)
        if kind == sts.MANAGEMENT << 4 | sts.POWER_LIMIT:
            memory.power_limit_w = value
        elif kind == sts.MANAGEMENT << 4 | sts.UNBALANCE_LIMIT:
            memory.unbalance_limit_w = value
        elif kind == sts.MANAGEMENT << 4 | sts.CLEAR_TAMPER:
            self._desk.clears_tamper = True
