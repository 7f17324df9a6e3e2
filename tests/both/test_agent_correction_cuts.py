"""A correction on a whole meter, with the power cut at every storage operation: posted once."""

import unittest

from wattledger.agent import events
from wattledger.agent.billing.credit import ALARM_LOW_1
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tariffs import data, local_2027, prices_data

HEAP = "640K"

EVENING = local_2027(6, 30, 23, 30)
JULY = local_2027(7, 1)
BEFORE = {"blocks": [], "price": [[1000000, 1000000]], "standing_day": 200000}
AFTER = dict(BEFORE, price=[[700000, 700000]], standing_day=150000)
CORRECT = {"from": EVENING + 900, "until": JULY + 900}
SETTINGS = {"tick_ms": 10000, "snapshot_s": 900, "snapshot_wh": 1000}


class TestWholeMeter(unittest.TestCase):
    """1 Wh a second from 23:30 to 00:20: intervals of 900 Wh; a third is given back."""

    def house(self, **settings):
        house = House(EVENING, storage=BreakingStorage(), **dict(SETTINGS, **settings))
        house.boot(data(**BEFORE))
        house.run(300)
        return house

    def correct(self, house, document):
        house.agent.accept_document(document)
        for _ in range(20):
            house.run(1)

    def adjusted(self, house):
        found = []
        for entry in house.entries(records.ADJUST):
            _, n, cycle, unrated_wh, diverted, id = readers.unpack_adjust(entry.payload)
            found.append((n, cycle, entry.amount, unrated_wh, diverted, id))
        return found

    # 900 Wh from 23:45 at 0.3 less; the same from midnight, and 0.05 of its standing charge.
    WANTED = [
        (2, 20270601, 270000000, 0, 0, "demo-cn"),
        (2, 20270701, 320000000, 0, 0, "demo-cn"),
    ]

    def check(self, house, label):
        self.assertEqual(self.adjusted(house), self.WANTED, label)
        self.assertEqual(house.agent.journal.balance, house.sum(), label)
        waiting = [name for name in house.storage.names() if name.startswith("correct.")]
        self.assertEqual(waiting, [], label)
        self.assertIsNone(house.agent.ledger._corrections, label)

    def test_it_runs_in_the_background_and_arms_the_alarms_again(self):
        # 23.10 less 2.90 are 20.20: below low 1 (20.00) a little later, above it once corrected.
        house = self.house(credit=23100000)
        while not house.agent.account.watch.alarms & ALARM_LOW_1:
            house.run(1)
        self.correct(house, data(n=2, **AFTER, correct=CORRECT))
        self.check(house, "")
        self.assertEqual(house.agent.account.watch.alarms, 0)
        house.cut()
        house.boot()
        self.assertEqual(house.agent.account.watch.alarms, 0)
        self.assertEqual(house.agent.accept_document(data(n=2, **AFTER, correct=CORRECT)), "held")
        house.run(5)
        self.check(house, "again")

    def test_cut_at_every_operation(self):
        self.cut_everywhere(data(n=2, **AFTER, correct=CORRECT))

    def cut_everywhere(self, document):
        for late in (False, True):
            cuts = 0
            while True:
                house = self.house()
                house.agent.keeper.now()
                house.storage.late = late
                house.storage.cut_at = house.storage.operations + cuts + 1
                try:
                    self.correct(house, document)
                    break
                except PowerCut:
                    cuts += 1
                label = (late, cuts)
                house.cut()
                house.boot()
                self.correct(house, document)  # the utility had no answer and sends it again
                self.check(house, label)
                house.cut()
                house.boot()
                house.run(10)
                self.check(house, label)
            # File, entry (2), adjustments (2), new name, old name, slots between them.
            self.assertGreaterEqual(cuts, 7)

    # The slots from 23:45 and from midnight, 900 Wh each: 0.3 less, and 0.1 more.
    PRICES = prices_data(EVENING + 900, [700000, 1100000], n=7, step=900, correct=True)
    WANTED_PRICES = [
        (7, 20270601, 270000000, 0, 0, "demo-cn"),
        (7, 20270701, -90000000, 0, 0, "demo-cn"),
    ]

    def test_prices_cut_at_every_operation(self):
        self.WANTED = self.WANTED_PRICES
        self.cut_everywhere(self.PRICES)

    def test_storage_that_fails_once_at_every_operation(self):
        document = data(n=2, **AFTER, correct=CORRECT)
        fails = 0
        while True:
            house = self.house()
            house.agent.keeper.now()
            house.storage.fail_at = house.storage.operations + fails + 1
            try:
                self.correct(house, document)
            except TariffError:  # could not be stored; send it again
                self.correct(house, document)
            if house.storage.operations < house.storage.fail_at:
                break
            fails += 1
            house.run(20)
            self.check(house, fails)
        self.assertGreaterEqual(fails, 7)

    def test_a_document_that_cannot_be_read_any_more_posts_nothing(self):
        house = self.house()
        house.agent.accept_document(data(n=2, **AFTER, correct=CORRECT))
        (name,) = [name for name in house.storage.names() if name.startswith("correct.")]
        kept = house.storage.files[name]
        kept[-1:] = b"?"
        house.run(20)
        self.assertEqual(self.adjusted(house), [])
        self.assertIn((events.CORRECTION_FAILED, 2), house.events())
        self.assertIsNone(house.agent.ledger._corrections)
