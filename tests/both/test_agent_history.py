"""Histories for the charts, worked out by hand: hours, days and months, periods, reboots."""

import json
import unittest

from wattledger.agent.billing.zone import Zone
from wattledger.agent.display import history
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of
from wattledger.tests.both.fixtures_jws import METER

HEAP = "1024K"
LOCAL = START + 28_800  # 06:00 of 2027-01-12 on the local clock
MIDNIGHT = LOCAL - 6 * 3600
NANO = 10**9  # what 1 Wh costs


def idle(house, seconds):
    """`seconds` without energy, in ticks that are as late as an interval is long."""
    while seconds:
        step = min(seconds, 300)
        house.once(step * 1000)
        seconds -= step


class Told:
    """A page that keeps what it is told."""

    def __init__(self, house):
        self.house = house
        self.answers = {}
        house.page.answer = self.take

    def take(self, name, text):
        self.answers[name] = text

    def ask(self, name):
        """The JSON of an answer, in as many steps as it takes."""
        self.answers.pop(name, None)
        self.house.page.requests.append(("tell", name))
        for _ in range(2000):
            self.house.agent.step()
            if name in self.answers:
                return json.loads(self.answers[name])
        raise AssertionError("it is never answered")


class TestHours(unittest.TestCase):
    def test_each_hour_has_what_its_intervals_moved(self):
        # 06:00 to 06:15: 2 Wh; 06:30 to 06:45: 3 Wh back; 07:00 to 07:15: 4 Wh; then open: 5 Wh.
        house = House(credit=100, tariff=tariff_of(export=[300_000_000]))
        house.use(2)
        idle(house, 1790)
        house.use(-3)
        idle(house, 1790)
        house.use(4)
        idle(house, 890)
        house.use(5)
        found = Told(house).ask("day")
        self.assertEqual(
            found["rows"],
            [
                [LOCAL, 2, 3, -2 * NANO, 3 * 300_000_000, 0, 0],
                [LOCAL + 3600, 4, 0, -4 * NANO, 0, 0, 0],
            ],
        )
        self.assertEqual((found["unit"], found["until"]), ("hour", START + 4500))
        self.assertEqual((found["split"], found["from"]), (MIDNIGHT, MIDNIGHT - 86400))
        self.assertIsNone(found["forecast"])

    def test_a_charge_of_the_day_stands_in_its_first_hour_and_yesterday_before_it(self):
        house = House(credit=100, tariff=tariff_of(standing_day=700_000))
        house.use(1)
        idle(house, 18 * 3600)
        found = Told(house).ask("day")
        self.assertEqual(found["split"], MIDNIGHT + 86400)
        self.assertEqual(
            found["rows"],
            [
                [LOCAL, 1, 0, -NANO, 0, 0, 0],
                [MIDNIGHT + 86400, 0, 0, 0, 0, -700_000_000, 0],
            ],
        )

    def test_what_is_bought_is_no_use(self):
        house = House(credit=100)
        house.use(1)
        house.pay(5, 1)
        idle(house, 900)
        self.assertEqual(Told(house).ask("day")["rows"], [[LOCAL, 1, 0, -NANO, 0, 0, 0]])


class TestLonger(unittest.TestCase):
    def test_days_and_months_over_a_reboot_and_small_segments(self):
        house = House(credit=100, segment_kb=4, profile_s=300)
        for _ in range(3):
            house.use(7)
            idle(house, 86390)
        house.boot()
        house.use(1)
        idle(house, 900)
        told = Told(house)
        days = [[MIDNIGHT + n * 86400, 7, 0, -7 * NANO, 0, 0, 0] for n in range(3)]
        days.append([MIDNIGHT + 3 * 86400, 1, 0, -NANO, 0, 0, 0])
        week = told.ask("week")
        self.assertEqual(week["rows"], days)
        self.assertEqual(week["split"], MIDNIGHT - 3 * 86400)  # the last seven days
        first = MIDNIGHT - 11 * 86400
        year = told.ask("year")
        self.assertEqual(year["rows"], [[first, 22, 0, -22 * NANO, 0, 0, 0]])
        # The last twelve months begin with February 2026, 334 days before.
        self.assertEqual(first - year["split"], 334 * 86400)

    def test_only_the_segments_of_the_span_are_read(self):
        house = House(credit=100, segment_kb=4, profile_s=300)
        for _ in range(4):
            house.use(7)
            idle(house, 86390)
        read = set()
        read_from = house.storage.read_from

        def counted(name, offset, into):
            if offset:  # beyond the first bytes, by which a segment is judged
                read.add(name)
            return read_from(name, offset, into)

        house.storage.read_from = counted
        rows = Told(house).ask("day")["rows"]
        # Local 06:00 of yesterday; what is open since 06:00 today is in no interval yet.
        self.assertEqual(rows, [[LOCAL + 3 * 86400, 7, 0, -7 * NANO, 0, 0, 0]])
        names = [name for name in house.storage.names() if name.startswith("j0")]
        self.assertTrue(len(names) > 8, names)
        self.assertTrue(0 < len(read) < len(names) // 2 + 2, (read, names))

    def test_an_unknown_name_is_not_heard(self):
        house = House(credit=10)
        told = Told(house)
        house.page.requests += [("tell", "week-and-a-bit"), ("tell", "day")]
        for _ in range(200):
            house.agent.step()
        self.assertEqual(list(told.answers), ["day"])

    def test_storage_that_cannot_be_read_is_told_as_nothing(self):
        house = House(credit=10)
        house.run(2)
        told = Told(house)

        def names():
            raise OSError(5)

        house.storage.names = names
        house.page.requests.append(("tell", "day"))
        house.agent.step()
        self.assertEqual(told.answers, {"day": ""})

    def test_no_step_reads_more_than_a_slice(self):
        house = House(credit=100)
        idle(house, 40 * 900)
        told = Told(house)
        house.page.requests.append(("tell", "week"))
        steps = 0
        while not told.answers:
            house.agent.step()
            steps += 1
        # Opening, tariff, events and 40 intervals or more are above a slice and a half.
        self.assertTrue(house.agent.journal.sequence > 42)
        self.assertTrue(steps >= 1 + house.agent.journal.sequence // 64, steps)


class TestBigNumbers(unittest.TestCase):
    def test_what_no_browser_reads_exactly_is_text(self):
        self.assertEqual(history._number(-(2**53) + 1), "-9007199254740991")
        self.assertEqual(history._number(2**53), '"9007199254740992"')


class TestClockSetBack(unittest.TestCase):
    def test_what_comes_after_belongs_to_no_earlier_hour(self):
        # 10:00 to 10:15 2 Wh; the clock is set back; 09:00 to 09:15 3 Wh: both are of 10:00.
        storage = MemoryStorage()
        commission(storage, METER, START, TRUST_SYNCED, UNIT, CONNECTED)
        journal = Journal(storage, METER)
        journal.open(lambda entry: None)
        for hour, wh in ((10, 2), (9, 5)):
            end = START + (hour - 6) * 3600 + 900
            part = payloads.Part(0, 0, 3 if wh == 5 else 2, NANO)
            data = payloads.pack_interval(wh, 0, 900, 0, 1, [part])
            journal.append(records.INTERVAL, end, TRUST_SYNCED, part.amount(), data)
        journal.flush()
        made = history.History(storage, records.first_hash(METER), Zone(28_800), "day", START)
        while not made.work():
            pass
        rows = json.loads(made.text(None))["rows"]
        self.assertEqual(rows, [[LOCAL + 4 * 3600, 5, 0, -5 * NANO, 0, 0, 0]])


class TestTariff(unittest.TestCase):
    def test_the_documents_are_told_as_they_came(self):
        document = tariff_of()
        house = House(credit=10, tariff=document)
        house.run(2)
        told = Told(house)
        found = told.ask("tariff")
        self.assertEqual((found["active"], found["next"]), (json.loads(document), None))
        later = tariff_of(n=2, price=[[PRICE_NEXT]], **{"from": START + 90_000})
        house.agent.accept_document(later)
        self.assertEqual(told.ask("tariff")["next"], json.loads(later))
        pending = house.agent.view.page()["pending"]
        self.assertEqual(pending, {"id": "plain", "n": 2, "from": START + 90_000})


PRICE_NEXT = 1_200_000_000


class TestPeriods(unittest.TestCase):
    def test_a_month_has_the_one_before_it(self):
        # Days since 2000-01-01: 2027-01-01 is 9862, 2026-12-01 9831; 2028-03-01 is 10287 and
        # 2028-02-01, of a leap year, 29 days before.
        self.assertEqual(history.periods("month", 9873), (9831, 9862))
        self.assertEqual(history.periods("month", 10287), (10258, 10287))
        self.assertEqual(history.periods("week", 9873), (9860, 9867))
        self.assertEqual(history.periods("day", 9873), (9872, 9873))
        # 2025-02-01 is 9163, 2026-02-01 9528.
        self.assertEqual(history.periods("year", 9873), (9163, 9528))


if __name__ == "__main__":
    unittest.main()
