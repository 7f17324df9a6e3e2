"""Checkpoints, segments and retention through a whole meter: what goes, and what never does."""

import unittest

from wattledger.agent import events
from wattledger.agent.billing.cycle import Cycle
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.audit import Audit
from wattledger.agent.journal.journal import Journal, segment_name, segments
from wattledger.agent.journal.retention import Retention, split
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_meter import METER, House, credit
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "768K"

NOON = local_2027(6, 2, 12)
DAY = 8640  # ticks of 10 s


def small(start=NOON, **settings):
    """A house with 4 kB segments, 1 kW, and plenty of credit."""
    settings.setdefault("segment_kb", 4)
    house = House(start, credit=900000000, watts=1000, tick_ms=10000, **settings)
    house.boot(data())
    return house


def opens_with(house, first):
    """Kind of the record that opens a segment, from its bytes."""
    return house.storage.files[segment_name(first)][1]


class TestSegments(unittest.TestCase):
    def test_every_segment_after_the_first_opens_with_a_checkpoint(self):
        house = small()
        house.run(DAY)
        firsts = segments(house.storage)
        # 96 intervals a day of 71 B in 4 kB segments, the opening's segment and the boot's.
        self.assertGreaterEqual(len(firsts), 3)
        for first in firsts[1:]:
            self.assertEqual(opens_with(house, first), records.CHECKPOINT)
        self.assertEqual(house.sum(), house.agent.journal.balance)

    def test_a_boot_reads_the_last_segment_only(self):
        house = small()
        house.run(DAY)
        house.agent.stop()
        account = house.agent.account
        before = (
            account.used_wh,
            account.standing_day,
            account.cycle.day,
            account.day_wh,
            account.purchases.highest,
            house.agent.journal.balance,
            house.agent.meter.register.import_wh,
        )
        house.cut()
        house.boot()
        account = house.agent.account
        self.assertEqual(house.agent.journal.start, segments(house.storage)[-2])
        self.assertEqual(
            before,
            (
                account.used_wh,
                account.standing_day,
                account.cycle.day,
                account.day_wh,
                account.purchases.highest,
                house.agent.journal.balance,
                house.agent.meter.register.import_wh,
            ),
        )

    def test_purchases_of_old_segments_stay_known(self):
        house = small()
        self.assertEqual(credit(house, 3), "ok")
        house.run(DAY)
        house.cut()
        house.boot()
        self.assertEqual(credit(house, 3), "duplicate")
        self.assertEqual(house.agent.account.recent, [])  # until the audit has been there
        house.run(200)
        self.assertEqual([n for _, _, n in house.agent.account.recent], [3])

    def test_a_checkpoint_packs_and_unpacks(self):
        made = checkpoints.Checkpoint()
        made.flags = 1
        made.previous = b"12345678"
        made.import_wh, made.export_wh, made.used_wh = 0xFFFFFFFF, 7, 99100
        made.start = (1 << 33) + 5
        made.block_day, made.standing_day, made.day = 9862, 9893, 9893
        made.highest, made.seen = (1 << 53) - 1, (1 << 64) - 1
        made.tariff = bytes(range(32))
        made.day_wh, made.day_nano, made.moved_at = 1234, -(1 << 60), 1800000000
        made.closings = [1, 60, 0xFFFFFFFF]
        made.meter = "demo-0001"
        found = checkpoints.unpack(made.pack())
        for name in made.__dict__:
            self.assertEqual(getattr(found, name), getattr(made, name), name)

    def test_the_largest_checkpoint_fits_a_record(self):
        made = checkpoints.Checkpoint()
        for name in made.__dict__:
            if isinstance(getattr(made, name), int):
                setattr(made, name, 200)
        made.import_wh = made.export_wh = made.used_wh = made.demand_w = 0xFFFFFFFF
        made.start = made.moved_at = (1 << 40) - 1
        made.day_nano = made.energy = made.standing = -(1 << 63)
        made.highest = made.seen = (1 << 64) - 1
        made.closings = list(range(10))
        made.debt = b"d" * 48
        made.bands = [0xFFFFFFFF - band for band in range(8)]
        made.cells = [0xFFFFFFFF - cell for cell in range(48)]
        made.meter = "m" * 32
        data = records.encode(records.CHECKPOINT, 1, 0, 2, 0, 0, made.pack(), bytes(8))
        self.assertEqual(len(data), 510)
        found = checkpoints.unpack(records.decode(data).payload)
        for name in made.__dict__:
            self.assertEqual(getattr(found, name), getattr(made, name), name)

    def test_a_checkpoint_cut_short_is_refused(self):
        made = checkpoints.Checkpoint()
        made.debt = b"debt"
        made.closings = [1, 2]
        made.bands, made.cells = [5], [1, 2, 3, 0, 0, 0]
        whole = made.pack()
        for size in range(len(whole)):
            with self.assertRaises(RecordError):
                checkpoints.unpack(whole[:size])
        self.assertEqual(checkpoints.unpack(whole).cells, [1, 2, 3, 0, 0, 0])


class TestAudit(unittest.TestCase):
    def audit(self, house):
        made = Audit(house.storage, records.first_hash(METER), house.agent.journal.durable, 5)
        while made.sound is None:
            made.work()
        return made

    def test_a_whole_journal_is_sound(self):
        house = small()
        house.run(DAY)
        self.assertTrue(self.audit(house).sound)

    def test_any_flipped_byte_of_an_old_segment_is_found(self):
        house = small()
        house.run(DAY // 2)
        name = segment_name(segments(house.storage)[1])
        size = len(house.storage.files[name])
        for at in range(0, size, 97):
            house.storage.files[name][at] ^= 4
            self.assertFalse(self.audit(house).sound, at)
            house.storage.files[name][at] ^= 4
        self.assertTrue(self.audit(house).sound)


class TestRetention(unittest.TestCase):
    def test_acknowledged_segments_go_after_their_time_and_money_is_kept(self):
        house = small(retention_days=1)
        self.assertEqual(credit(house, 1), "ok")
        house.run(DAY)
        house.agent.keeper.acknowledged = house.agent.journal.durable
        balance = house.agent.journal.balance
        first = segments(house.storage)[0]
        self.assertEqual(first, 1)
        house.run(2 * DAY)
        firsts = segments(house.storage)
        self.assertGreater(firsts[0], 1)
        self.assertLess(house.agent.journal.balance, balance)
        entries = house.entries()
        self.assertEqual(entries[0].kind, records.CHECKPOINT)
        # The sum starts at the oldest checkpoint kept.
        self.assertEqual(entries[0].balance + sum(entry.amount for entry in entries[1:]),
                         house.agent.journal.balance)  # fmt: skip
        kept = split(house.storage.files["kept"])
        self.assertEqual([records.decode(data).kind for data in kept], [records.CREDIT])
        house.cut()
        house.boot()
        self.assertIsNone(house.agent.ledger.fault)
        self.assertEqual(credit(house, 1), "duplicate")

    def test_thirteen_freezes_of_cycles_are_kept_beside_the_money(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        for number in range(42):
            journal.rotate()
            opening = checkpoints.Checkpoint()
            opening.previous = journal.hash
            journal.append(records.CHECKPOINT, number, 2, 0, opening.pack())
            # A cycle in every second segment, else a season in which the blocks start anew.
            flags = payloads.BLOCKS_ANEW if number % 2 else payloads.CYCLE_ENDED
            frozen = cycle_payload.pack_freeze(flags, number, 0, 0, 0, 0, 0, Cycle())
            journal.append(records.FREEZE, number, 2, 0, frozen)
            journal.append(records.CREDIT, number, 2, 1, payloads.pack_credit(1, 1, 1))
            journal.flush()
        retention = Retention(storage, 1, 1 << 20, 4096)
        while retention.crowded(True):
            pass
        kept = [records.decode(data) for data in split(storage.files["kept"])]
        frozen = [row.payload for row in kept if row.kind == records.FREEZE]
        # 41 segments went, the cycles 0, 2 .. 40 with them: the last thirteen stay.
        cycles = [cycle_payload.unpack_freeze(payload).cycle for payload in frozen]
        self.assertEqual(cycles, list(range(16, 41, 2)))
        self.assertEqual(len(kept), 41 + 13)

    def test_what_the_utility_does_not_hold_stays(self):
        house = small(retention_days=1)
        house.run(3 * DAY)
        self.assertEqual(segments(house.storage)[0], 1)

    def test_a_full_store_drops_the_oldest_with_an_event(self):
        house = small(journal_kb=24)
        house.run(6 * DAY)
        firsts = segments(house.storage)
        self.assertGreater(firsts[0], 1)
        held = sum(len(house.storage.files[segment_name(first)]) for first in firsts)
        self.assertLessEqual(held, 24 * 1024)
        dropped = [value for code, value in house.events() if code == events.JOURNAL_DROPPED]
        self.assertEqual(dropped[-1], firsts[0] - 1)
        house.cut()
        house.boot()
        self.assertIsNone(house.agent.ledger.fault)
        self.assertEqual(
            house.agent.journal.balance,
            house.entries()[0].balance + sum(entry.amount for entry in house.entries()[1:]),
        )


if __name__ == "__main__":
    unittest.main()
