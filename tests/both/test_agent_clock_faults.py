"""T1: a clock that jumps by a second to a century, from any side: money already spent stays."""

import unittest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.tests.both.fixtures_agent import START, WATTS_OF_A_WH_A_SECOND, House, tariff_of

HEAP = "640K"
HOUR = 3600
YEAR = 31_536_000
NANO = 1_000_000_000  # a Wh costs 1.000000
# Unix seconds that the clock jumps to.
TIMES = (
    ("a second back", START + 59),
    ("a second on", START + 61),
    ("an hour back", START + 60 - HOUR),
    ("an hour on", START + 60 + HOUR),
    ("a year back", START + 60 - YEAR),
    ("a year on", START + 60 + YEAR),
    ("1970", 0),
    ("2000", 946_684_800),
    ("2036, when NTP's 32 bits end", 2_085_978_496),
    ("2038, when signed 32 bits end", 2_147_483_648),
    ("2106, when 32 bits end", 4_294_967_296),
    ("2099", 4_070_908_800),
)


def source(house, unix):
    """The time source offers it, once."""
    house.clock.offer = lambda: (unix, "ntp")
    house.once(0)
    house.clock.offer = lambda: None


def hardware(house, unix):
    """The clock itself jumps: a crystal, or somebody at the system's clock."""
    house.clock.set(unix, TRUST_SYNCED)


def boot(house, unix):
    """Power goes, and the clock that nobody set says it after the boot."""
    house.agent.keeper.now()
    house.boot()
    house.clock.set(unix, TRUST_UNKNOWN)


class TestJumps(unittest.TestCase):
    def used(self, house):
        return house.agent.meter.register.import_wh

    def available(self, house):
        account, register = house.agent.account, house.agent.meter.register
        return account.available(register.import_wh, register.export_wh)

    def live(self, way, unix):
        """A minute at 3600 W, the jump, and a minute more."""
        house = House(credit=1000)
        house.run(60, WATTS_OF_A_WH_A_SECOND)
        house.clock.online = False
        before = self.available(house)
        self.assertEqual(before, 940 * NANO)
        way(house, unix)
        self.assertEqual(self.available(house), before)
        house.run(60, WATTS_OF_A_WH_A_SECOND)
        return house

    def test_no_jump_changes_what_is_spent_nor_cuts_the_supply(self):
        for way in (source, hardware, boot):
            for name, unix in TIMES:
                with self.subTest(way=way.__name__, to=name):
                    house = self.live(way, unix)
                    self.assertEqual(self.used(house), 120)
                    self.assertEqual(self.available(house), 880 * NANO)
                    self.assertTrue(house.relay.contact())
                    self.assertEqual(house.agent.meter.quality & ~1, 0)
                    self.chained(house, 120)

    def chained(self, house, used):
        """Every closed interval is rated once, and the sums of the journal hold."""
        house.agent.stop()
        balance, before, rated = None, 0, 0
        for entry in house.entries():
            if balance is not None:
                self.assertEqual(entry.balance, balance + entry.amount)
            balance = entry.balance
            if entry.kind == records.INTERVAL:
                interval = readers.unpack_interval(entry.payload)
                self.assertTrue(interval.import_wh >= before)
                self.assertEqual(-entry.amount, (interval.import_wh - before) * NANO)
                rated += interval.import_wh - before
                before = interval.import_wh
        self.assertTrue(rated <= used)

    def test_a_jump_there_and_back_is_no_second_charge_of_the_day(self):
        house = House(credit=1000, tariff=tariff_of(standing_day=1_000))
        house.run(60)
        spent = self.available(house)
        for _, unix in TIMES:
            house.clock.set(unix, TRUST_SYNCED)
            house.run(3)
            house.clock.set(START + 100, TRUST_SYNCED)
            house.run(3)
        days = [
            readers.unpack_standing(entry.payload)[0] for entry in house.entries(records.STANDING)
        ]
        self.assertEqual(len(days), len(set(days)))
        self.assertTrue(self.available(house) <= spent)

    def test_a_source_that_jumps_far_is_not_believed_and_the_fallback_is_not_needed(self):
        for name, unix in TIMES[4:]:
            with self.subTest(to=name):
                house = House(credit=1000)
                house.run(60)
                now = house.clock.unix_s()
                source(house, unix)
                self.assertEqual(house.clock.unix_s(), now)

    def test_without_a_clock_the_fallback_price_holds(self):
        # Two bands, 1.00 and 3.00 a Wh; the first from midnight, the second from 6 o'clock on.
        bands = {
            "bands": ["low", "high"],
            "price": [[NANO, 3 * NANO]],
            "fallback": 0,
            "days": {"w": [[0, 0], [360, 1]]},
        }
        house = House(credit=1000, tariff=tariff_of(**bands))
        house.run(60, WATTS_OF_A_WH_A_SECOND)
        self.assertEqual(self.available(house), (1000 - 180) * NANO)
        house.agent.keeper.now()
        house.go_offline()
        house.boot()
        house.clock.set(0, TRUST_UNKNOWN)  # nobody knows the time: 1970
        house.run(60, WATTS_OF_A_WH_A_SECOND)
        self.assertEqual(self.used(house), 120)
        # From then on at the lower price, and what was spent before stays spent.
        self.assertEqual(self.available(house), (1000 - 180 - 60) * NANO)
        self.assertTrue(house.relay.contact())


if __name__ == "__main__":
    unittest.main()
