"""Debt over random top-ups, days, terms, corrections and power cuts, against plain sums."""

import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_tariffs import credit, local_2027

START = local_2027(6, 2, 12)
ZONE = datetime.timezone(datetime.timedelta(hours=8))
micro = st.integers(0, 30_000_000)
events = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 50_000_000)),
    st.tuples(st.just("wait"), st.integers(1, 5 * 96)),
    st.tuples(st.just("set"), st.integers(0, 1), micro, micro, st.integers(0, 90), micro),
    st.tuples(st.just("correct"), st.integers(0, 5000)),
    st.tuples(st.just("boot")),
)


def date_of(unix):
    return datetime.datetime.fromtimestamp(unix, ZONE).date()


class Plain:
    """What must be owed, by the words of docs/corrections.md."""

    def __init__(self):
        self.id = 1
        self.total = self.owed = 0
        self.per_day = self.share = self.cap = 0
        self.weeks = {}
        self.since = datetime.date.min

    def set(self, now, id, total, per_day, share, cap):
        self.owed = max(self.owed + (total - (self.total if id == self.id else 0)) * 1000, 0)
        self.id, self.total = id, total
        self.per_day, self.share, self.cap = per_day, share, cap
        self.since = date_of(now)

    def pay(self, amount, now):
        taken = min(amount * 10 * self.share, self.owed)
        day = date_of(now)
        week = day - datetime.timedelta(day.weekday())
        if self.cap:
            taken = max(min(taken, self.cap * 1000 - self.weeks.get(week, 0)), 0)
        self.weeks[week] = self.weeks.get(week, 0) + taken
        self.owed -= taken
        return taken


@given(st.lists(events, max_size=25))
@settings(max_examples=80, deadline=None)
def test_debt_and_balance_are_the_sums_of_what_happened(happened):
    document = {"blocks": [], "standing_day": 300000, "price": [[100000, 100000]]}
    document["credit"] = credit(max=10**15)
    books = Books(START, balance=20 * 10**9, **document)
    plain = Plain()
    balance = 20 * 10**9
    purchases = 0
    corrections = 1
    quarter = 0
    used = 0
    today = date_of(START)
    for kind, *values in happened:
        now = books.now
        if kind == "pay":
            purchases += 1
            books.account.credit(purchases, values[0], now, TRUST_SYNCED)
            balance += values[0] * 1000 - plain.pay(values[0], now)
        elif kind == "set":
            step, total, per_day, share, cap = values
            terms = (per_day, share, cap)
            books.account.debt.set(books.account, plain.id + step, total, terms, now, TRUST_SYNCED)
            plain.set(now, plain.id + step, total, *terms)
        elif kind == "wait":
            quarter += values[0]
            at = START + quarter * 900
            while today < date_of(at):
                today += datetime.timedelta(1)
                if balance > 300000000 and today > plain.since:
                    taken = min(plain.per_day * 1000, plain.owed)
                    plain.owed -= taken
                    balance -= taken
                balance -= 300000000
            books.interval(at, 50)
            quarter += 1
            used += 50
            balance -= 50 * 100000
        elif kind == "correct":
            # All energy so far at another price, the standing charge as it was.
            corrections += 1
            changed = dict(document, price=[[values[0] * 1000] * 2])
            books.correct(START, now + 900, corrections, **changed)
            debit = used * (values[0] * 1000 - 100000)
            into_debt = max(debit - max(balance - 5 * 10**9, 0), 0) if debit > 0 else 0
            balance -= debit - into_debt
            plain.owed += into_debt
        else:
            books.journal.flush()
            books.boot()
        books.journal.flush()
        assert books.account.debt.owed == plain.owed >= 0
        assert books.journal.balance == balance == books.sum()
        if kind == "correct":
            break  # one price for all that is past keeps the plain sums plain
    paid = [
        -entry.amount
        for entry in books.entries(records.DEBT)
        if readers.unpack_debt(entry.payload)[0] != payloads.DEBT_SET
    ]
    assert all(amount >= 0 for amount in paid)
