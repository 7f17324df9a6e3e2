"""Days that could not be measured: what is charged for them, and when it is given back."""

import unittest

from wattledger.agent import events
from wattledger.agent.billing.account import Account
from wattledger.agent.billing.estimate import SLICE, Estimate
from wattledger.agent.billing.recall import replay
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.agent.supply import states
from wattledger.hal.sample import NO_ANSWER, QUALITY_OK, QUALITY_STALE, TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.fixtures_agent import House as Scripted
from wattledger.tests.both.houses_account import METER, stored
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_tariffs import data, local_2027, tariff

HEAP = "768K"
DAY = 86400
PRICE = 400000  # micro per kWh: 1 Wh moves 400 000 nano
MONDAY = local_2027(3, 1)
ESTIMATED, REVERSED = 2, 3


class Hand:
    """A journal of days written by hand: each is four intervals of six hours."""

    def __init__(self, balance=10**13):
        self.storage = MemoryStorage()
        self.journal = Journal(self.storage, METER)
        self.at = MONDAY
        self.wh = 0
        self.add(records.OPENING, balance, payloads.pack_opening(METER, 0, 0, 0))

    def add(self, kind, amount, payload):
        self.journal.append(kind, self.at, TRUST_SYNCED, amount, payload)

    def interval(self, wh, quality=QUALITY_OK, seconds=21600):
        self.wh += wh
        self.at += seconds
        parts = [payloads.Part(0, 0, wh, PRICE)] if wh else []
        interval = readers.Interval(self.wh, 0, seconds, quality, 1, parts)
        self.add(records.INTERVAL, interval.amount(), interval.pack())

    def day(self, wh):
        for _ in range(4):
            self.interval(wh // 4)

    def silence(self, hours):
        for _ in range(hours // 6):
            self.interval(0, QUALITY_STALE)

    def event(self, code, value=0):
        self.add(records.EVENT, 0, payloads.pack_event(code, value))

    def relay(self, operation):
        self.add(records.RELAY, 0, payloads.pack_relay(operation, 0, 1, 0))

    def look(self, hours=24, low=1000000):
        """As the agent looks after an interval: the account of the journal, and what it posts."""
        self.journal.flush()
        account = Account(self.journal)
        account.adopt(tariff(start=MONDAY, credit=dict(CREDIT, low=[2000000, low])))
        for entry in stored(self.storage):
            replay(account, entry)
        before = self.journal.sequence
        estimate = Estimate(self.storage, records.first_hash(METER), account, hours * 3600)
        while not estimate.work(self.at, TRUST_SYNCED):
            pass
        self.journal.flush()
        found = []
        for entry in stored(self.storage):
            if entry.sequence > before:
                reason, n, _, wh, diverted, _ = readers.unpack_adjust(entry.payload)
                assert n == 1
                found.append((reason, entry.amount, wh, diverted))
        self.account = account
        return found


CREDIT = {"reconnect_above": 0, "max": 10**9, "friendly": []}


class TestEstimate(unittest.TestCase):
    def weeks(self, count, **fields):
        """`count` weeks: 1000 Wh on Monday, 2000 on Tuesday ..., 100 more each week."""
        hand = Hand(**fields)
        for week in range(count):
            for weekday in range(7):
                hand.day(1000 * (weekday + 1) + 100 * week)
        return hand

    def test_a_whole_day_of_silence_costs_what_days_like_it_do(self):
        hand = self.weeks(3)
        hand.silence(18)
        self.assertEqual(hand.look(), [])
        hand.silence(6)
        # Mondays of 1000, 1100 and 1200 Wh: 1100 Wh.
        self.assertEqual(hand.look(), [(ESTIMATED, -1100 * PRICE, 1100, 0)])
        self.assertEqual(hand.look(), [])  # once
        self.assertTrue(hand.account.estimated)

    def test_each_day_by_its_weekday(self):
        hand = self.weeks(1)
        hand.silence(72)
        self.assertEqual(
            hand.look(), [(ESTIMATED, -wh * PRICE, wh, 0) for wh in (1000, 2000, 3000)]
        )

    def test_the_last_four_weeks_count(self):
        hand = self.weeks(6)
        hand.silence(24)
        # Mondays of 1200, 1300, 1400 and 1500 Wh.
        self.assertEqual(hand.look(), [(ESTIMATED, -1350 * PRICE, 1350, 0)])

    def test_a_later_threshold_charges_all_days_then(self):
        hand = self.weeks(1)
        hand.silence(42)
        self.assertEqual(hand.look(48), [])
        hand.silence(6)
        self.assertEqual([row[2] for row in hand.look(48)], [1000, 2000])

    def test_another_weekday_where_that_one_was_never_measured(self):
        hand = Hand()
        hand.day(1000)
        hand.day(2000)
        hand.silence(24)
        self.assertEqual(hand.look(), [(ESTIMATED, -1500 * PRICE, 1500, 0)])

    def test_nothing_to_judge_by_is_nothing_charged(self):
        hand = Hand()
        hand.interval(500)
        hand.silence(48)
        self.assertEqual(hand.look(), [])

    def test_the_supply_off_is_not_estimated(self):
        hand = self.weeks(1)
        hand.silence(18)
        hand.relay(states.DISCONNECTED)
        hand.silence(48)
        self.assertEqual(hand.look(), [])
        hand.relay(states.CONNECTED)
        hand.silence(6)
        self.assertEqual(len(hand.look()), 1)

    def test_a_house_that_uses_nothing_is_measured(self):
        hand = self.weeks(1)
        for _ in range(8):
            hand.interval(0)
        self.assertEqual(hand.look(), [])

    def test_it_never_takes_the_credit_below_low_2(self):
        # 28 000 Wh used: 11.2 units; then 1.3 left, 1.0 of them below low 2. A Monday costs 0.4.
        hand = self.weeks(1, balance=12500000000)
        hand.silence(24)
        self.assertEqual(hand.look(), [(ESTIMATED, -300000000, 1000, 100000000)])
        self.assertEqual(hand.account.debt.owed, 100000000)

    def test_where_low_2_is_0_a_micro_unit_stays(self):
        hand = self.weeks(1, balance=11600000000)  # 0.4 left, what a Monday costs
        hand.silence(24)
        self.assertEqual(hand.look(low=0), [(ESTIMATED, -399999000, 1000, 1000)])
        self.assertEqual(hand.journal.balance, 1000)

    def test_given_back_when_the_chip_had_counted_on(self):
        hand = self.weeks(1)
        hand.silence(48)
        self.assertEqual(len(hand.look()), 2)
        hand.event(events.LATE_TICK, 2 * DAY)
        hand.interval(2500, QUALITY_STALE)
        self.assertEqual(hand.look(), [(REVERSED, 3000 * PRICE, 3000, 0)])
        self.assertEqual(hand.look(), [])
        self.assertFalse(hand.account.estimated)

    def test_where_the_register_may_have_overflowed_what_came_is_given_back(self):
        # 3000 Wh were charged and 600 came: they are charged now, so a fifth goes back.
        hand = self.weeks(1)
        hand.silence(48)
        hand.look()
        hand.event(events.LATE_TICK, 2 * DAY)
        hand.event(events.COUNTS_UNCERTAIN, 2 * DAY)
        hand.interval(600, QUALITY_STALE)
        self.assertEqual(hand.look(), [(REVERSED, 600 * PRICE, 600, 0)])
        self.assertEqual(hand.look(), [])

    def test_and_no_more_than_was_charged(self):
        hand = self.weeks(1)
        hand.silence(24)
        hand.look()
        hand.event(events.LATE_TICK, DAY)
        hand.event(events.COUNTS_UNCERTAIN, DAY)
        hand.interval(1500, QUALITY_STALE)
        self.assertEqual(hand.look(), [(REVERSED, 1000 * PRICE, 1000, 0)])

    def test_what_went_to_the_debt_is_given_back_there(self):
        hand = self.weeks(1, balance=12500000000)
        hand.silence(24)
        hand.look()
        hand.event(events.LATE_TICK, DAY)
        hand.interval(700, QUALITY_STALE)
        self.assertEqual(hand.look(), [(REVERSED, 300000000, 1000, -100000000)])
        self.assertEqual(hand.account.debt.owed, 0)

    def test_it_stands_where_the_counts_were_lost_or_not_believed(self):
        for found in (
            (events.CHIP_RESTARTED,),
            (events.ENERGY_REJECTED, events.LATE_TICK),
            (),
        ):
            hand = self.weeks(1)
            hand.silence(24)
            hand.look()
            for code in found:
                hand.event(code, 1)
            hand.interval(50, QUALITY_STALE)
            self.assertEqual(hand.look(), [], found)
            self.assertFalse(hand.account.estimated)

    def test_the_next_silence_counts_from_its_own_beginning(self):
        hand = self.weeks(1)
        hand.silence(24)
        hand.look()
        hand.interval(250)
        hand.silence(18)
        self.assertEqual(hand.look(), [])
        hand.silence(6)
        # The week's Tuesday: Monday's last hours were silent, and its day not whole.
        self.assertEqual([row[:1] for row in hand.look()], [(ESTIMATED,)])

    def test_it_reads_a_few_records_a_step(self):
        hand = self.weeks(1)
        hand.journal.flush()
        account = Account(hand.journal)
        account.adopt(tariff(start=MONDAY))
        estimate = Estimate(hand.storage, records.first_hash(METER), account, DAY)
        steps = 1
        while not estimate.work(hand.at, TRUST_SYNCED):
            steps += 1
        self.assertEqual(steps, 29 // SLICE + 1)  # the opening and 28 intervals


class GivenBack:
    """An Estimate that finds 6 units to give back."""

    silent_s = 0

    def __init__(self, account):
        self.account = account

    def work(self, now, trust):
        payload = payloads.pack_adjust(REVERSED, 1, 0, 6, 0, "plain")
        self.account.post(records.ADJUST, 6 * 10**9, payload, now, trust)
        return True


class TestHouse(unittest.TestCase):
    def test_what_is_given_back_arms_the_alarms_and_repays_emergency_credit(self):
        house = Scripted(credit=1)  # low levels at 5 and 2
        house.run(1)
        watch = house.agent.account.watch
        watch.accepted = True
        self.assertEqual(watch.alarms, 3)
        house.agent.intervals._estimate = GivenBack(house.agent.account)
        house.run(1)
        self.assertEqual((watch.alarms, watch.accepted), (0, False))

    def test_a_bus_that_was_dead_for_a_day_gives_back_what_the_chip_kept(self):
        house = House(local_2027(6, 2), credit=900000000, watts=1000, tick_ms=10000)
        house.boot(data())
        house.run(8640)
        house.chip.silent = True
        house.run(8900)  # 24.7 hours in which the ladder tries in vain
        house.chip.silent = False
        house.run(180)
        estimate, back = house.entries(records.ADJUST)
        self.assertEqual(readers.unpack_adjust(estimate.payload)[0], ESTIMATED)
        reason, _, _, wh, _, _ = readers.unpack_adjust(back.payload)
        self.assertEqual(reason, REVERSED)
        # The chip's register holds 204.8 Wh, and the interval it came in at most 250 more.
        self.assertTrue(0 < wh <= 455)
        self.assertEqual(back.amount, -estimate.amount * wh // 24000)
        told = [code for code, _ in house.events()]
        self.assertIn(events.CHIP_FAULT, told)
        self.assertNotIn(events.CHIP_RESTARTED, told)
        self.assertNotIn(events.ENERGY_REJECTED, told)
        self.assertEqual(house.sum(), house.agent.journal.balance)

    def test_a_silent_chip_is_charged_after_a_day_over_cuts_of_the_power(self):
        start = local_2027(6, 2)
        house = House(start, credit=900000000, watts=1000, tick_ms=10000)
        house.boot(data())
        house.run(8640)
        read_into = house.agent.meter._chip.read_into
        for ticks in (4000, 4900):  # 24.7 hours
            house.agent.meter._chip.read_into = lambda sample: NO_ANSWER
            house.run(ticks)
            if ticks == 4000:
                house.agent.stop()
                house.cut()
                house.chip.feed(0)
                house.boot()
                read_into = house.agent.meter._chip.read_into
        adjusts = house.entries(records.ADJUST)
        # A day of 24 kWh: 10 h of valley at 333333 and 14 h of peak at 777777.
        self.assertEqual(len(adjusts), 1)
        self.assertTrue(house.agent.account.estimated)
        wanted = sum(
            entry.amount
            for entry in house.entries(records.INTERVAL)
            if start < entry.time <= start + DAY
        )
        self.assertEqual(adjusts[0].amount, wanted)
        # The chip comes back with nothing of it: the charge stands.
        house.agent.meter._chip.read_into = read_into
        house.run(400)
        self.assertFalse(house.agent.account.estimated)
        self.assertEqual(len(house.entries(records.ADJUST)), 1)
        self.assertEqual(house.sum(), house.agent.journal.balance)


if __name__ == "__main__":
    unittest.main()
