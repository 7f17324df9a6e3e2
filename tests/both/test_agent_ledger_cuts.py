"""Power cut at random instants and around midnight: nothing that counts is lost."""

import unittest

from wattledger.agent.billing.credit import ALARM_LOW_1
from wattledger.tests.both.houses_meter import House, credit
from wattledger.tests.both.houses_tariffs import DAY, data, local_2027

HEAP = "512K"

NOON = local_2027(6, 2, 12)
OPENING = 50000000000
PEAK = 777777
STANDING = 1500000  # micro-units a day


class Numbers:
    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % limit


class TestRandomInstants(unittest.TestCase):
    def test_registers_money_and_purchases(self):
        for watts, tick_ms, bound in ((3600, 1000, 10), (360, 1000, 2), (21600, 1000, 16)):
            numbers = Numbers(watts)
            house = House(NOON, watts=watts, tick_ms=tick_ms)
            house.boot(data())
            n = 0
            durable = 0
            for _ in range(12):
                house.run(numbers.below(50) + 1)
                if numbers.below(2):
                    n += 1
                    self.assertEqual(credit(house, n), "ok")
                    if numbers.below(2):
                        house.run(1)
                register = house.agent.meter.register
                seen = register.import_wh
                durable = max(durable, house.agent.ledger.state.import_wh)
                house.cut(numbers.below(100))
                house.boot()
                register = house.agent.meter.register
                self.assertGreaterEqual(register.import_wh, durable)
                self.assertLessEqual(seen - register.import_wh, bound)
                self.assertLessEqual(register.import_wh, seen)
                self.assertIsNone(house.agent.ledger.fault)
                for old in range(1, n + 1):
                    self.assertEqual(credit(house, old), "duplicate")
                self.assertEqual(house.agent.journal.balance, house.sum())
                # All energy is of one band and block: what was posted is known to the nano-unit.
                posted = house.intervals()[-1][1].import_wh if house.intervals() else 0
                self.assertEqual(house.sum(), OPENING + n * 10**10 - posted * PEAK)
                self.assertEqual(posted, register.import_wh)
                self.assertEqual(house.agent.account.used_wh, posted)
            self.assertEqual(house.agent.ledger.state.boots, 13)
            self.assertEqual(house.relay.operations, 0)

    def test_true_energy_less_the_losses_of_the_cuts(self):
        numbers = Numbers(5)
        house = House(NOON)
        house.boot(data())
        cuts = 8
        for _ in range(cuts):
            house.run(numbers.below(60) + 1)
            house.cut()
            house.boot()
        house.run(20)
        true_wh = house.chip.total_counts(0) // 320
        lost = true_wh - house.agent.meter.register.import_wh
        self.assertGreaterEqual(lost, 0)
        # 10 s or 10 Wh, one tick, and what the chip held.
        self.assertLessEqual(lost, cuts * 12)


class TestAfterAPurchase(unittest.TestCase):
    def test_a_cut_before_the_slot_keeps_the_money_and_arms_its_alarms_again(self):
        # 15.00 is below low 1 (20.00) and above low 2 (5.00).
        house = House(NOON, credit=15000000)
        house.boot(data())
        house.run(20)
        self.assertEqual(house.agent.account.watch.alarms, ALARM_LOW_1)
        house.run(10)  # the alarm is in the slot
        generation = house.agent.ledger.state.generation
        self.assertEqual(credit(house, 1), "ok")
        self.assertEqual(house.agent.ledger.state.generation, generation)
        house.cut()
        house.boot()
        self.assertEqual(house.agent.account.watch.alarms, 0)
        posted = house.intervals()[-1][1].import_wh
        self.assertEqual(house.agent.journal.balance, 25 * 10**9 - posted * PEAK)
        self.assertEqual(credit(house, 1), "duplicate")


class TestDays(unittest.TestCase):
    def test_standing_once_a_date_over_cuts_at_midnight(self):
        house = House(local_2027(6, 2, 23, 40), tick_ms=10000)
        house.boot(data(standing_day=STANDING))
        for ticks in (119, 1, 1, 1, 30):
            house.run(ticks)
            house.cut()
            house.boot()
        self.assertEqual(house.standing_keys(), [20270603])
        house.cut(DAY)
        house.boot()
        house.run(2)
        house.cut(60)
        house.boot()
        house.run(2)
        house.agent.stop()
        self.assertEqual(house.standing_keys(), [20270603, 20270604])

    def test_three_days_off(self):
        house = House(NOON, tick_ms=10000)
        house.boot(data(standing_day=STANDING))
        house.run(5)
        house.cut(3 * DAY)
        house.boot()
        house.run(5)
        house.cut()
        house.boot()
        self.assertEqual(house.standing_keys(), [20270603, 20270604, 20270605])
        self.assertEqual(house.agent.journal.balance, house.sum())

    def test_forty_days_off(self):
        house = House(NOON, tick_ms=10000)
        house.boot(data(standing_day=STANDING))
        house.run(5)
        house.cut(40 * DAY)  # to the 12th of July; more than a network time may step
        house.boot(clock_set=True)
        house.run(5)
        house.cut()
        house.boot(clock_set=True)
        keys = house.standing_keys()
        self.assertEqual((len(keys), keys[0], keys[-1]), (31, 20270612, 20270712))
        self.assertEqual([value for code, value in house.events() if code == 17], [9])
        self.assertEqual(house.agent.account.standing_day, 10054)  # 9862 + 151 + 30 + 11

    def test_forty_days_off_and_only_the_network_knows(self):
        house = House(NOON, tick_ms=10000)
        house.boot(data(standing_day=STANDING))
        house.run(5)
        house.cut(40 * DAY)
        house.boot()
        house.run(5)
        self.assertEqual(house.agent.time.refused, 1)
        self.assertEqual(house.standing_keys(), [])

    def test_never_twice_after_the_clock_goes_back(self):
        house = House(local_2027(6, 2, 23, 44), tick_ms=10000)
        house.boot(data(standing_day=STANDING))
        house.run(12)
        # The wall clock is nine minutes ahead over midnight, then set right, then midnight is.
        house.clock.set(house.clock.unix_s() + 540, 2)
        house.run(60)
        self.assertEqual(house.standing_keys(), [20270603])
        house.clock._next_fix_ms = 0
        house.run(3)
        house.cut()
        house.boot()
        house.run(60)
        self.assertEqual(house.standing_keys(), [20270603])

    def test_cycle_turns_once_over_cuts(self):
        house = House(local_2027(1, 31, 23, 40), used_wh=99100, tick_ms=10000)
        house.boot(data())
        turned = None
        for ticks in (60, 59, 1, 1, 1, 100, 5):
            house.run(ticks)
            house.cut()
            house.boot()
            account = house.agent.account
            if account.cycle.day == 9893 and turned is None:  # 2027-02-01
                turned = house.agent.meter.register.import_wh - account.used_wh
            posted = house.intervals()[-1][1].import_wh
            wanted = 99100 + posted if turned is None else posted - turned
            self.assertEqual(account.used_wh, wanted)
        # 1200 s at 1 Wh a second to midnight, less what five cuts before it lost.
        self.assertLessEqual(turned, 1200)
        self.assertGreaterEqual(turned, 1200 - 5 * 20)
