"""What each command does once it is verified and fresh. Each returns (result, detail).

Loaded when a command comes: between them its heap is free for other things.
"""

import binascii

from wattledger.agent import events
from wattledger.agent.billing.credit import MAX_N
from wattledger.agent.billing.debt import MAX_DEBT_MICRO, MAX_OWED, MAX_SHARE
from wattledger.agent.comms import commands
from wattledger.agent.errors import RefusalError
from wattledger.agent.supply import rules, states
from wattledger.agent.units import micro_of

MAX_SEQUENCE = 0xFFFFFFFF
MAX_KEEP_HOURS = 720
TOO_MUCH = "more than %d micro-units would be owed" % MAX_DEBT_MICRO


def find(agent, op):
    """(code, purpose of the key, needs a challenge, what does it) of an op, or None."""
    table = Actions(agent).table
    if op in table:
        return commands.OPS[op] + (table[op],)
    from wattledger.agent.comms import orders  # rarer still

    return orders.find(agent, op)


def only(arguments, *keys):
    """The arguments of a command; RefusalError when one is there that it does not have."""
    for key in arguments:
        if key not in keys:
            raise RefusalError(commands.RANGE, "a has an unknown key")
    return arguments


class Actions:
    """`table` maps an op to its function; the agent is given, never copied."""

    def __init__(self, agent):
        self._agent = agent
        self.table = {
            commands.CREDIT_ADD: self.credit_add,
            commands.RELAY_ARM: self.relay_arm,
            commands.JOURNAL_ACK: self.journal_ack,
            commands.SUPPLY_KEEP: self.supply_keep,
            commands.DEBT_SET: self.debt_set,
            commands.TAMPER_CLEAR: self.tamper_clear,
        }
        if agent.tokens:
            self.table[commands.TOKEN_ENTER] = self.token_enter

    def token_enter(self, arguments):
        """token: its digits, as if they were typed."""
        return self._agent.tokens.order(only(arguments, "token"))

    def credit_add(self, arguments):
        """n and amount (micro-units): money and its replay memory are one entry."""
        agent = self._agent
        n = commands.whole(only(arguments, "n", "amount"), "n", 1, MAX_N)
        amount = commands.whole(arguments, "amount", 1, commands.MAX_AMOUNT_MICRO)
        if agent.ledger.fault:
            raise RefusalError(commands.DENIED, "the ledger is %s" % agent.ledger.fault)
        if agent.keeper.failed:
            raise RefusalError(commands.NO_SPACE, "storage does not take writes")
        account = agent.account
        result, detail = account.credit(n, amount, agent.time.unix(), agent.time.trust())
        if result == commands.OK:
            register = agent.meter.register
            account.watch.arm(
                account.tariff, account.available(register.import_wh, register.export_wh)
            )
            agent.control.topped_up()
            if not agent.keeper.money():
                raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
        return result, detail

    def debt_set(self, arguments):
        """id, total, and the terms per_day, share (per cent) and cap (a week); micro-units."""
        agent = self._agent
        whole = commands.whole
        only(arguments, "id", "total", "per_day", "share", "cap")
        id = whole(arguments, "id", 1, MAX_SEQUENCE)
        total = whole(arguments, "total", 0, MAX_DEBT_MICRO)
        terms = []
        for key, most in (
            ("per_day", MAX_DEBT_MICRO),
            ("share", MAX_SHARE),
            ("cap", MAX_DEBT_MICRO),
        ):
            terms.append(whole(arguments, key, 0, most) if key in arguments else 0)
        if agent.ledger.fault:
            raise RefusalError(commands.DENIED, "the ledger is %s" % agent.ledger.fault)
        debt = agent.account.debt
        if id >= debt.id and debt.owed_with(id, total) > max(debt.owed, MAX_OWED):
            raise RefusalError(commands.RANGE, TOO_MUCH)
        if not debt.set(agent.account, id, total, terms, agent.time.unix(), agent.time.trust()):
            raise RefusalError(commands.RANGE, "id is below %d, the debt the meter has" % debt.id)
        if not agent.keeper.money():
            raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
        return commands.OK, "%d micro-units are owed" % micro_of(debt.owed)

    def relay_arm(self, arguments):
        """Clear a remote opening. Only arms: a person at the meter closes."""
        only(arguments)
        keeper, supply = self._agent.keeper, self._agent.supply
        remote = self._agent.control.remote
        if remote and remote.cancel() and supply.state == states.CONNECTED:
            return commands.OK, "connected; the opening that was scheduled is cancelled"
        if supply.state == states.CONNECTED:
            return commands.OK, "connected already"
        supply.hold_open(rules.REMOTE, False)
        if remote:
            remote.end()
        supply.settle()
        if not keeper.now():
            raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
        if supply.reasons:
            raise RefusalError(commands.DENIED, rules.strongest(supply.reasons))
        return commands.OK, "ready: hold the button for 3 s"

    def supply_keep(self, arguments):
        """hours of powered time in which credit cuts nothing; 0 ends it. Arms what credit cut."""
        agent = self._agent
        hours = commands.whole(only(arguments, "hours"), "hours", 0, MAX_KEEP_HOURS)
        if agent.keeper.failed:
            raise RefusalError(commands.NO_SPACE, "storage does not take writes")
        agent.control.credit.keep(hours * 3600)
        if hours and agent.control.remote:
            agent.control.remote.cancel()
        agent.control.look_again()
        if not agent.keeper.now():
            raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
        return commands.OK, ""

    def tamper_clear(self, arguments):
        """Forget the tampers that are over; one that goes on stays latched."""
        only(arguments)
        watch = self._agent.watch
        if not watch.clear():
            raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
        return commands.OK, "some go on" if watch.latched else ""

    def journal_ack(self, arguments):
        """sequence and hash: the utility holds the journal up to there. The cursor only rises."""
        agent = self._agent
        only(arguments, "sequence", "hash")
        sequence = commands.whole(arguments, "sequence", 0, MAX_SEQUENCE)
        journal = agent.journal
        if sequence > journal.durable:
            raise RefusalError(commands.RANGE, "sequence is above the journal's head")
        if sequence <= agent.sender.acknowledged:
            agent.sender.acknowledge(sequence)
            return commands.OK, ""
        held = journal.durable_hash if sequence == journal.durable else None
        if held is None:
            data = journal.read(sequence)
            held = data[len(data) - 8 :] if data else b""
        if not held or arguments.get("hash") != binascii.hexlify(held).decode():
            # Recorded ones, of a chain the meter had before, may come by the thousand.
            if agent.refuted != sequence and agent.desk.may_write():
                agent.refuted = sequence
                agent.report(events.JOURNAL_REFUTED, sequence)
            raise RefusalError(commands.DENIED, "the meter has another hash there")
        agent.sender.acknowledge(sequence)
        return commands.OK, ""
