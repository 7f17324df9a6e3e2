"""The account against the worked example of the design, line by line."""

import unittest

from wattledger.agent.billing.account import Account
from wattledger.agent.billing.recall import replay
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_account import METER, open_account, stored
from wattledger.tests.both.houses_tariffs import local_2027, tariff

SECOND_PRICES = [[300001, 700003], [500009, 900007]]
VALLEY, PEAK = 0, 1
EXPORTED, NO_BLOCK, DYNAMIC = 0x80, 255, 0x40

# month, day, hour, minute; import Wh, export Wh; dynamic price
INTERVALS = (
    (1, 31, 7, 30, 101, 0, None),
    (1, 31, 7, 45, 257, 0, None),
    (1, 31, 8, 0, 199, 0, None),
    (1, 31, 8, 15, 734, 0, None),
    (1, 31, 9, 0, 777, 0, -54321),
    (1, 31, 12, 0, 3, 1501, None),
    (1, 31, 19, 45, 411, 0, None),
    (1, 31, 20, 0, 389, 0, None),
    (1, 31, 23, 45, 1003, 0, None),
    (2, 1, 0, 0, 523, 0, None),
)

# The table of the design, section 4: interval, tariff n, band byte, block, Wh, price, amount,
# balance after the line. A standing charge has no interval.
TABLE = (
    (0, 1, VALLEY, 0, 101, 333333, -33666633, 49966333367),
    (1, 1, VALLEY, 0, 257, 333333, -85666581, 49880666786),
    (2, 1, PEAK, 0, 199, 777777, -154777623, 49725889163),
    (3, 1, PEAK, 0, 343, 777777, -266777511, 49459111652),
    (3, 1, PEAK, 1, 391, 999999, -390999609, 49068112043),
    (4, 1, PEAK | DYNAMIC, 1, 777, -54321, 42207417, 49110319460),
    (5, 1, PEAK, 1, 3, 999999, -2999997, 49107319463),
    (5, 1, PEAK | EXPORTED, NO_BLOCK, 1501, 123457, 185308957, 49292628420),
    (6, 1, PEAK, 1, 411, 999999, -410999589, 48881628831),
    (7, 2, PEAK, 1, 389, 900007, -350102723, 48531526108),
    (8, 2, VALLEY, 1, 1003, 500009, -501509027, 48030017081),
    (None, 2, None, None, None, None, -260003000, 47770014081),
    (9, 2, VALLEY, 0, 523, 300001, -156900523, 47613113558),
)


class Slot:
    """Dynamic prices with one slot, from `start` on."""

    def __init__(self, start, price):
        self.start = start
        self.price = price

    def price_at(self, unix):
        return self.price if self.start <= unix < self.start + 1800 else None

    def is_expected(self):
        return True


class TestWorkedExample(unittest.TestCase):
    def play(self):
        start = local_2027(1, 31, 7, 30)
        storage, journal, account = open_account(50000000000, 99100, start)
        # In force in the middle of the 31st: that day's standing is not this set's to charge.
        account.pending = tariff(start=start)
        self.assertTrue(account.switch(start, TRUST_SYNCED))
        account.pending = tariff(
            n=2, start=local_2027(1, 31, 20), price=SECOND_PRICES, standing_day=260003
        )
        imported = exported = 0
        for month, day, hour, minute, import_wh, export_wh, dynamic in INTERVALS:
            at = local_2027(month, day, hour, minute)
            account.switch(at, TRUST_SYNCED)
            account.charge_standing(at, TRUST_SYNCED)
            account.dynamic = None if dynamic is None else Slot(at, dynamic)
            account.begin(at, imported, exported, TRUST_SYNCED)
            imported += import_wh
            exported += export_wh
            before = journal.balance
            available = account.available(imported, exported)
            account.close(at + 900, imported, exported)
            self.assertEqual(available, journal.balance)
            self.assertNotEqual(before, journal.balance)
        journal.flush()
        return stored(storage)

    def test_every_line_of_the_table(self):
        lines = []
        number = -1
        balance = 0
        for entry in self.play():
            if entry.kind == records.INTERVAL:
                number += 1
                interval = readers.unpack_interval(entry.payload)
                for part in interval.parts:
                    balance += part.amount()
                    lines.append(
                        (
                            number,
                            interval.tariff_n,
                            part.band,
                            part.block,
                            part.wh,
                            part.price,
                            part.amount(),
                            balance,
                        )
                    )
            elif entry.kind == records.STANDING:
                balance += entry.amount
                key, n = readers.unpack_standing(entry.payload)
                self.assertEqual(key, 20270201)
                lines.append((None, n, None, None, None, None, entry.amount, balance))
            else:
                balance += entry.amount
            self.assertEqual(entry.balance, balance)
        self.assertEqual(len(lines), len(TABLE))
        for number, wanted in enumerate(TABLE):
            self.assertEqual(lines[number], wanted)
        self.assertEqual(balance, 47613113558)

    def test_net_rated_energy(self):
        rated = 0
        for entry in self.play():
            if entry.kind == records.INTERVAL:
                rated -= entry.amount
        self.assertEqual(rated, 2126883442)

    def test_replayed_account_is_the_same(self):
        entries = self.play()
        account = Account(Journal(MemoryStorage(), METER))
        account.tariff = tariff(n=2, price=SECOND_PRICES, standing_day=260003)
        for entry in entries:
            replay(account, entry)
        self.assertEqual(account.used_wh, 523)
        self.assertEqual(account.cycle.day, 9893)  # 2027-02-01: 27 * 365 + 7 leap days + 31
        self.assertEqual(account.standing_day, 9893)
        self.assertEqual((account.start_import, account.start_export), (4397, 1501))
        self.assertEqual(account.start, local_2027(2, 1, 0, 15))
