"""A journal written by hand for statements, and what it must say. Portable.

Two bands (0 valley, 1 peak), one price a block, tariff n 1 of UTC+8. 1 Wh at 500 000 micro per kWh
moves 500 000 nano.
"""

from wattledger.agent import events
from wattledger.agent.billing.statement import Reader, Statement
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.agent.supply import rules, states
from wattledger.hal.sample import QUALITY_ESTIMATED, QUALITY_OK, TRUST_RESTORED, TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_account import METER, stored
from wattledger.tests.both.houses_tariffs import local_2027

DIGEST = b"d" * 32
VALLEY, PEAK = 0, 1
MIDNIGHT = local_2027(3, 2)


class Heard(Reader):
    """Keeps everything a statement tells."""

    def __init__(self):
        self.days = []
        self.postings = []
        self.cuts = []
        self.gaps = []
        self.events = []

    def day(self, totals):
        self.days.append(totals)

    def posting(self, entry, reference):
        self.postings.append((entry.kind, entry.amount, reference))

    def cut(self, cut):
        self.cuts.append(cut)

    def gap(self, start, end, restarted):
        self.gaps.append((start, end, restarted))

    def event(self, entry, code, value):
        self.events.append((code, value))


class Hand:
    """A journal in memory, written entry by entry."""

    def __init__(self, start, opening_nano):
        self.storage = MemoryStorage()
        self.journal = Journal(self.storage, METER)
        self.registers = [0, 0]
        self.add(records.OPENING, start, opening_nano, payloads.pack_opening(METER, 0, 0, 0))

    def add(self, kind, time, amount, payload, trust=TRUST_SYNCED):
        self.journal.append(kind, time, trust, amount, payload)

    def interval(self, start, end, parts, quality=QUALITY_OK, trust=TRUST_SYNCED, n=1):
        """`parts`: (band byte, block, Wh, price)."""
        made = [payloads.Part(*part) for part in parts]
        for part in made:
            self.registers[1 if part.band & payloads.EXPORT else 0] += part.wh
        interval = readers.Interval(
            self.registers[0], self.registers[1], end - start, quality, n, made if n else []
        )
        self.add(records.INTERVAL, end, interval.amount(), interval.pack(), trust)

    def event(self, time, code, value):
        self.add(records.EVENT, time, 0, payloads.pack_event(code, value))

    def relay(self, time, operation, cause, reasons=0):
        self.add(records.RELAY, time, 0, payloads.pack_relay(operation, reasons, cause, 7))

    def entries(self):
        self.journal.flush()
        return stored(self.storage)


def two_days():
    """1 March 23:00 to 3 March: peak, export, a cut for credit, a top-up, a gap, the fallback.

    seq  time           what                                   amount        balance
      1  1 Mar 23:00    opening                           100 000 000    100 000 000
      2  1 Mar 23:00    tariff n 1                                  0
      3  23:00-23:15    valley  40 Wh at 0.50             -20 000 000     80 000 000
      4  23:15-23:30    valley  30 Wh at 0.50 + 10 at 0.70 -22 000 000    58 000 000
      5  23:30-00:00    valley  20 Wh, export 50 at 0.20            0     58 000 000
      6  2 Mar 00:00    standing                          -10 000 000     48 000 000
      7  00:00-00:15    peak    60 Wh at 1.00             -60 000 000    -12 000 000
      8  00:15          credit exhausted: -12 000 micro             0
      9  00:15          relay opens: no credit                      0
     10  00:20          credit 1 000 000 000                            988 000 000
     11  00:30          a person closes                             0
     12  06:00          started                                     0
     13  06:00-06:10    fallback 15 Wh at 1.00, estimated -15 000 000   973 000 000
     14  06:10          clock set
     15  06:10-06:15    valley   5 Wh at 0.50              -2 500 000   970 500 000
     16  3 Mar 00:00    standing                          -10 000 000   960 500 000
    """
    at = MIDNIGHT
    hand = Hand(at - 3600, 100000000)
    hand.add(records.TARIFF, at - 3600, 0, payloads.pack_tariff(1, DIGEST, "demo"))
    hand.interval(at - 3600, at - 2700, [(VALLEY, 0, 40, 500000)])
    hand.interval(at - 2700, at - 1800, [(VALLEY, 0, 30, 500000), (VALLEY, 1, 10, 700000)])
    hand.interval(
        at - 1800, at, [(VALLEY, 0, 20, 500000), (VALLEY | payloads.EXPORT, 255, 50, 200000)]
    )
    hand.add(records.STANDING, at, -10000000, payloads.pack_standing(20270302, 1))
    hand.interval(at, at + 900, [(PEAK, 0, 60, 1000000)])
    hand.event(at + 900, events.CREDIT_EXHAUSTED, -12000)
    hand.relay(at + 900, states.DISCONNECTED, rules.BY_CREDIT, rules.NO_CREDIT)
    hand.add(records.CREDIT, at + 1200, 1000000000, payloads.pack_credit(5, 5, 1))
    hand.relay(at + 1800, states.CONNECTED, rules.BY_PERSON)
    at += 6 * 3600
    hand.event(at, events.STARTED, 2)
    hand.interval(
        at,
        at + 600,
        [(PEAK | payloads.FALLBACK, 0, 15, 1000000)],
        QUALITY_ESTIMATED,
        TRUST_RESTORED,
    )
    hand.add(records.CLOCK, at + 600, 0, payloads.pack_clock(at + 590, at + 600, 1))
    hand.interval(at + 600, at + 900, [(VALLEY, 0, 5, 500000)])
    hand.add(records.STANDING, MIDNIGHT + 86400, -10000000, payloads.pack_standing(20270303, 1))
    return hand


def read(entries, zone, start=None, until=None):
    """(Statement, its period's Totals, Heard)."""
    heard = Heard()
    statement = Statement(zone, start, until, heard)
    for entry in entries:
        statement.take(entry)
    return statement, statement.finish(), heard
