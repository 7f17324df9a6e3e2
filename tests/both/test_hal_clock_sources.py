"""Clocks of real boards: the battery clock and SNTP become offers, and a set reaches the chip."""

import unittest

from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.clock.esp32 import Esp32Clock
from wattledger.hal.clock.wall import Wall
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.host_sim.chip.ds3231 import Ds3231 as Chip

NOON = 1_795_867_200  # 2026-11-28 12:00:00, a Saturday
EPOCH_2000 = 946_684_800
HOUR_MS = 3_600_000


class World:
    """Ticks, a DS3231, and the port's time module of a board that counts from `epoch_s`."""

    def __init__(self, ticks=0, rtc_at=NOON, epoch_s=EPOCH_2000):
        self.ticks = ticks
        self.chip = Chip()
        self.rtc = Ds3231(self.chip)
        self.epoch_s = epoch_s
        self.fixes = []
        self.set_to = []
        if rtc_at is not None:
            self.rtc.set(rtc_at)

    def pass_ms(self, ms):
        self.ticks = (self.ticks + ms) & 0x3FFFFFFF
        self.chip.feed(ms)

    def ticks_ms(self):
        return self.ticks

    # The port's time module, machine.RTC and an SNTP client.

    def time(self):
        return 100

    def gmtime(self, seconds):
        days, second = divmod(seconds, 86_400)
        if seconds == 0:
            return (2000 if self.epoch_s else 1970, 1, 1, 0, 0, 0, 5, 1)
        # Only 2026-11-28 is asked for: day 9828 since 2000-01-01.
        assert days + (self.epoch_s - EPOCH_2000) // 86_400 == 9_828
        return (2026, 11, 28, second // 3600, second // 60 % 60, second % 60, 5, 332)

    def datetime(self, fields):
        self.set_to.append(fields)

    def poll(self, now_ms):
        return self.fixes.pop(0) if self.fixes else None


class TestWall(unittest.TestCase):
    def test_time_goes_on_over_the_wrap_of_the_ticks(self):
        world = World(ticks=0x3FFFFFFF)
        wall = Wall(world.ticks_ms, NOON * 1000)
        for _ in range(30):
            world.ticks = (world.ticks + 86_400_000) & 0x3FFFFFFF
            wall.now_ms()
        self.assertEqual(wall.now_ms(), (NOON + 30 * 86_400) * 1000)
        self.assertEqual(wall.up_ms(), 30 * 86_400_000)

    def test_an_offer_taken_later_keeps_its_fraction_and_the_time_since(self):
        world = World()
        wall = Wall(world.ticks_ms, 0)
        self.assertEqual(wall.offer_server(NOON * 1000 + 600), (NOON, "ntp"))
        world.pass_ms(300)
        wall.set(NOON, TRUST_SYNCED)
        self.assertEqual(wall.now_ms(), NOON * 1000 + 900)

    def test_a_signed_set_is_taken_as_it_is(self):
        world = World()
        wall = Wall(world.ticks_ms, 0)
        wall.offer_server(NOON * 1000 + 600)
        wall.set(NOON + 5, TRUST_SYNCED)
        self.assertEqual(wall.now_ms(), (NOON + 5) * 1000)

    def test_the_battery_clock_is_set_by_a_server_and_rounded(self):
        world = World(rtc_at=None)
        wall = Wall(world.ticks_ms, 0, world.rtc)
        wall.offer_server(NOON * 1000 + 600)
        wall.set(NOON, TRUST_SYNCED)
        self.assertEqual(world.rtc.read(), NOON + 1)

    def test_the_battery_clock_is_not_set_from_itself_or_from_the_journal(self):
        world = World()
        wall = Wall(world.ticks_ms, 0, world.rtc)
        self.assertEqual(wall.offer_rtc(), (NOON, "rtc"))
        world.pass_ms(400)
        wall.set(NOON, TRUST_SYNCED)
        world.pass_ms(600)  # had it been set anew, its second would not be over yet
        self.assertEqual(world.rtc.read(), NOON + 1)
        wall.set(NOON + 86_400, TRUST_RESTORED)
        self.assertEqual(world.rtc.read(), NOON + 1)

    def test_a_stopped_battery_clock_offers_nothing_until_it_is_set(self):
        world = World()
        world.chip.lose_battery()
        wall = Wall(world.ticks_ms, 0, world.rtc)
        self.assertEqual(wall.offer_rtc(), None)
        wall.set(NOON, TRUST_SYNCED)
        world.pass_ms(60_000)
        self.assertEqual(wall.offer_rtc(), (NOON + 60, "rtc"))

    def test_the_battery_clock_offers_at_the_boot_and_hourly_without_a_server(self):
        world = World()
        wall = Wall(world.ticks_ms, 0, world.rtc)
        self.assertEqual(wall.offer_rtc(), (NOON, "rtc"))
        world.pass_ms(HOUR_MS - 1)
        self.assertEqual(wall.offer_rtc(), None)
        world.pass_ms(1)
        self.assertEqual(wall.offer_rtc(), (NOON + 3_600, "rtc"))
        world.pass_ms(HOUR_MS)
        wall.offer_server((NOON + 7_200) * 1000)
        self.assertEqual(wall.offer_rtc(), None)
        world.pass_ms(2 * HOUR_MS)
        self.assertEqual(wall.offer_rtc(), (NOON + 14_400, "rtc"))

    def test_a_set_that_does_not_reach_the_chip_is_counted(self):
        world = World()
        wall = Wall(world.ticks_ms, 0, world.rtc)
        world.chip.silent = True
        wall.set(NOON, TRUST_SYNCED)
        self.assertEqual(wall.rtc_failures, 1)


class TestEsp32Clock(unittest.TestCase):
    def test_an_epoch_of_2000_is_made_1970(self):
        for epoch_s in (EPOCH_2000, 0):
            world = World(epoch_s=epoch_s)
            clock = Esp32Clock(world)
            self.assertEqual(clock.unix_s(), 100 + epoch_s)
            self.assertEqual(clock.trust(), TRUST_UNKNOWN)

    def test_the_ports_clock_is_set_in_its_own_epoch(self):
        for epoch_s in (EPOCH_2000, 0):
            world = World(epoch_s=epoch_s)
            clock = Esp32Clock(world, world)
            clock.set(NOON, TRUST_SYNCED)
            self.assertEqual(clock.trust(), TRUST_SYNCED)
            # year, month, day, weekday (Monday 0), hours, minutes, seconds, subseconds
            self.assertEqual(world.set_to, [(2026, 11, 28, 5, 12, 0, 0, 0)])

    def test_the_battery_clock_speaks_before_the_server(self):
        world = World()
        world.fixes = [(NOON + 2) * 1000]
        clock = Esp32Clock(world, None, world, world.rtc)
        self.assertEqual(clock.offer(), (NOON, "rtc"))
        self.assertEqual(clock.offer(), (NOON + 2, "ntp"))
        self.assertEqual(clock.offer(), None)

    def test_ticks_wrap(self):
        world = World(ticks=0x3FFFFFFF)
        clock = Esp32Clock(world)
        since = clock.ticks_ms()
        world.pass_ms(10)
        self.assertEqual(clock.ticks_ms(), 9)
        self.assertEqual(clock.elapsed_ms(since), 10)

    def test_without_sources_nothing_is_offered(self):
        self.assertEqual(Esp32Clock(World()).offer(), None)


if __name__ == "__main__":
    unittest.main()
