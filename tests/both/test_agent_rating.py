"""Rating against a slow engine that charges one Wh at a time, and at the edges by hand."""

import unittest

from wattledger.agent.billing.rating import NO_SLOT, counted, rate, total
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.tests.both.houses_tariffs import local_2027, tariff

NIGHT = local_2027(6, 2, 3)
NOON = local_2027(6, 2, 12)
EXPORTED, DYNAMIC, FALLBACK, NETTED, UNPRICED = 0x80, 0x40, 0x20, 0x10, 0x08


def rows(parts):
    return [(part.band, part.block, part.wh, part.price, part.amount()) for part in parts]


def slow(limits_kwh, prices, used_wh, import_wh, export_wh, export_price):
    """Nano-units of one interval, a Wh at a time; `prices` is the price of each block."""
    nano = 0
    for wh in range(used_wh, used_wh + import_wh):
        block = 0
        for limit in limits_kwh:
            if wh >= limit * 1000:
                block += 1
        nano -= prices[block]
    for _ in range(export_wh):
        nano += export_price
    return nano


class Numbers:
    """The same pseudo-random numbers at every run (a 31-bit linear congruential generator)."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % limit


class TestRate(unittest.TestCase):
    def test_one_part_in_one_block(self):
        self.assertEqual(
            rows(rate(tariff(), NIGHT, 7, 0, 0, TRUST_SYNCED)), [(0, 0, 7, 333333, -2333331)]
        )
        self.assertEqual(
            rows(rate(tariff(), NOON, 7, 0, 0, TRUST_SYNCED)), [(1, 0, 7, 777777, -5444439)]
        )

    def test_nothing_moved_is_no_part(self):
        self.assertEqual(rate(tariff(), NOON, 0, 0, 0, TRUST_SYNCED), [])
        self.assertEqual(total([]), 0)

    def test_block_edge_at_the_exact_wh(self):
        # 100 kWh in the first block: the Wh that begins at 99 999 is its last.
        first = (1, 0, 1, 777777, -777777)
        second = (1, 1, 1, 999999, -999999)
        edge = tariff()
        self.assertEqual(rows(rate(edge, NOON, 1, 0, 99999, TRUST_SYNCED)), [first])
        self.assertEqual(rows(rate(edge, NOON, 1, 0, 100000, TRUST_SYNCED)), [second])
        self.assertEqual(rows(rate(edge, NOON, 2, 0, 99999, TRUST_SYNCED)), [first, second])

    def test_six_blocks_crossed_in_one_interval(self):
        steps = tariff(
            blocks=[1, 2, 3, 4, 5],
            price=[[10, 1], [10, 2], [10, 3], [10, 4], [10, 5], [10, 6]],
        )
        parts = rate(steps, NOON, 6000, 0, 500, TRUST_SYNCED)
        self.assertEqual(
            rows(parts),
            [
                (1, 0, 500, 1, -500),
                (1, 1, 1000, 2, -2000),
                (1, 2, 1000, 3, -3000),
                (1, 3, 1000, 4, -4000),
                (1, 4, 1000, 5, -5000),
                (1, 5, 1500, 6, -9000),
            ],
        )
        self.assertEqual(total(parts), -23500)

    def test_eight_bands(self):
        # Band b from 3 b o'clock, at 100 + b.
        eight = tariff(
            bands=["b%d" % band for band in range(8)],
            price=[[100 + band for band in range(8)]],
            blocks=[],
            days={"all": [[band * 180, band] for band in range(8)]},
            export=list(range(8)),
        )
        for band in range(8):
            for minute in (0, 179):
                at = local_2027(6, 2, band * 3) + minute * 60
                self.assertEqual(
                    rows(rate(eight, at, 10, 3, 0, TRUST_SYNCED)),
                    [
                        (band, 0, 10, 100 + band, -10 * (100 + band)),
                        (band | EXPORTED, 255, 3, band, 3 * band),
                    ],
                )

    def test_export_earns_and_comes_last(self):
        parts = rate(tariff(), NOON, 2, 3, 99999, TRUST_SYNCED)
        self.assertEqual(
            rows(parts),
            [
                (1, 0, 1, 777777, -777777),
                (1, 1, 1, 999999, -999999),
                (1 | EXPORTED, 255, 3, 123457, 370371),
            ],
        )
        self.assertEqual(total(parts), -1407405)

    def test_export_without_a_price_is_counted_and_earns_nothing(self):
        self.assertEqual(
            rows(rate(tariff(export=None), NOON, 0, 9, 0, TRUST_SYNCED)),
            [(1 | EXPORTED, 255, 9, 0, 0)],
        )

    def test_fallback_band_without_synced_time(self):
        cheap = tariff(fallback=0)
        for trust in (TRUST_UNKNOWN, TRUST_RESTORED):
            self.assertEqual(
                rows(rate(cheap, NOON, 5, 2, 0, trust)),
                [
                    (FALLBACK, 0, 5, 333333, -1666665),
                    (FALLBACK | EXPORTED, 255, 2, 123457, 246914),
                ],
            )

    def test_dynamic_price_in_every_block(self):
        self.assertEqual(
            rows(rate(tariff(), NOON, 2, 1, 99999, TRUST_SYNCED, 42)),
            [
                (1 | DYNAMIC, 0, 1, 42, -42),
                (1 | DYNAMIC, 1, 1, 42, -42),
                (1 | EXPORTED, 255, 1, 123457, 123457),
            ],
        )

    def test_a_missing_dynamic_price_is_the_band_s_and_says_so(self):
        self.assertEqual(
            rows(rate(tariff(), NOON, 2, 1, 99999, TRUST_SYNCED, NO_SLOT)),
            [
                (1 | UNPRICED, 0, 1, 777777, -777777),
                (1 | UNPRICED, 1, 1, 999999, -999999),
                (1 | UNPRICED | EXPORTED, 255, 1, 123457, 123457),
            ],
        )
        # Without synced time no slot can be asked for.
        self.assertEqual(
            rows(rate(tariff(), NOON, 1, 0, 0, TRUST_RESTORED, NO_SLOT)),
            [(1 | FALLBACK, 0, 1, 777777, -777777)],
        )

    def test_blocks_of_the_season_and_its_own_limits_without_synced_time(self):
        summer = tariff(
            seasons=[["0101", "all", "all"], ["0601", "all", "all", {"blocks": [1]}]],
        )
        winter = local_2027(5, 31, 12)
        for at, trust, blocks in (
            (winter, TRUST_SYNCED, [0]),
            (NOON, TRUST_SYNCED, [0, 1]),
            (NOON, TRUST_RESTORED, [0]),
        ):
            parts = rate(summer, at, 500, 0, 700, trust)
            self.assertEqual([part.block for part in parts], blocks)

    def test_net_rates_what_is_left_once(self):
        net = tariff(net=True)
        wanted = {
            (900, 100): [(1 | NETTED, 0, 800, 777777, -800 * 777777)],
            (100, 900): [
                (1 | NETTED, 0, 0, 777777, 0),
                (1 | NETTED | EXPORTED, 255, 800, 123457, 800 * 123457),
            ],
            (0, 800): [(1 | NETTED | EXPORTED, 255, 800, 123457, 800 * 123457)],
            (5, 5): [(1 | NETTED, 0, 0, 777777, 0)],
            (0, 0): [],
        }
        for moved in wanted:
            self.assertEqual(
                rows(rate(net, NOON, moved[0], moved[1], 0, TRUST_SYNCED)), wanted[moved]
            )
        dynamic = rate(net, NOON, 9, 4, 0, TRUST_SYNCED, -7)
        self.assertEqual(rows(dynamic), [(1 | NETTED | DYNAMIC, 0, 5, -7, 35)])
        self.assertEqual(counted(dynamic), 5)

    def test_price_zero_and_negative(self):
        free = tariff(price=[[0, -54321], [1, -7]], export=[-5])
        self.assertEqual(total(rate(free, NIGHT, 99, 0, 0, TRUST_SYNCED)), 0)
        self.assertEqual(total(rate(free, NOON, 777, 0, 0, TRUST_SYNCED)), 42207417)
        self.assertEqual(total(rate(free, NOON, 0, 3, 0, TRUST_SYNCED)), -15)
        zero = rate(tariff(), NOON, 3, 0, 0, TRUST_SYNCED, 0)
        self.assertEqual(rows(zero), [(1 | DYNAMIC, 0, 3, 0, 0)])

    def test_large_numbers_are_exact(self):
        # 4 294 967 295 Wh at 10 000 a kWh: 42 949 672.95 million micro-units, to the nano-unit.
        dear = tariff(blocks=[], price=[[9999999999, 9999999999]])
        parts = rate(dear, NOON, 4294967295, 0, 0, TRUST_SYNCED)
        self.assertEqual(total(parts), -42949672945705032705)


class TestSlicing(unittest.TestCase):
    PRICES = [[3, 333333], [5, 555557], [7, -77777], [11, 999999]]

    def test_any_slicing_is_the_same_sum(self):
        steps = tariff(blocks=[1, 2, 3], price=self.PRICES)
        numbers = Numbers(7)
        for _ in range(20):
            used = numbers.below(3500)
            energy = numbers.below(1500) + 1
            exported = numbers.below(90)
            wanted = slow(
                [1, 2, 3], [row[1] for row in self.PRICES], used, energy, exported, 123457
            )
            whole = total(rate(steps, NOON, energy, exported, used, TRUST_SYNCED))
            self.assertEqual(whole, wanted)
            sliced = 0
            left, left_export, at = energy, exported, used
            while left or left_export:
                wh = min(numbers.below(400), left)
                export = min(numbers.below(30), left_export)
                sliced += total(rate(steps, NOON, wh, export, at, TRUST_SYNCED))
                at += wh
                left -= wh
                left_export -= export
            self.assertEqual(sliced, wanted)

    def test_one_wh_at_a_time(self):
        steps = tariff(blocks=[1, 2, 3], price=self.PRICES)
        summed = 0
        for used in range(900, 1100):
            summed += total(rate(steps, NOON, 1, 0, used, TRUST_SYNCED))
        # 100 Wh below the edge, 100 above it.
        self.assertEqual(summed, -100 * 333333 - 100 * 555557)
