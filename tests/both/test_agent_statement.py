"""Statements over a journal written by hand: every figure below was worked out on paper."""

import gc
import unittest

from wattledger.agent import events
from wattledger.agent.billing.calendar import day_number
from wattledger.agent.billing.statement import Reader, Statement
from wattledger.agent.billing.zone import Zone
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules, states
from wattledger.tests.both import houses_statement as houses
from wattledger.tests.both.houses_statement import MIDNIGHT, PEAK, VALLEY, Hand, read, two_days

CHINA = Zone(28800)
EXPORTED = payloads.EXPORT
FALLBACK = payloads.FALLBACK


def rows(totals):
    """(n, band byte, block, price, Wh, amount) of each line."""
    return [
        (line.n, line.code, line.block, line.price, line.wh, line.amount)
        for line in totals.lines()
    ]


def moved_by(entries):
    """The slow way: what a list of records moved."""
    total = 0
    for entry in entries:
        total += entry.amount
    return total


class TestWholeJournal(unittest.TestCase):
    def setUp(self):
        self.entries = two_days().entries()
        self.statement, self.period, self.heard = read(self.entries, CHINA)

    def test_the_balances_are_the_journals_and_the_lines_make_the_difference(self):
        self.assertEqual(self.period.opening, 0)
        self.assertEqual(self.period.closing, 960500000)
        self.assertEqual(self.period.explained(), 960500000)
        self.assertEqual((self.statement.first, self.statement.last), (1, 16))

    def test_energy_is_by_band_and_block_import_before_export(self):
        self.assertEqual(
            rows(self.period),
            [
                (1, VALLEY, 0, 500000, 95, -47500000),
                (1, VALLEY, 1, 700000, 10, -7000000),
                (1, PEAK, 0, 1000000, 60, -60000000),
                (1, PEAK | FALLBACK, 0, 1000000, 15, -15000000),
                (1, VALLEY | EXPORTED, 255, 200000, 50, 10000000),
            ],
        )
        self.assertEqual(self.period.energy(), (-129500000, 10000000))
        self.assertEqual((self.period.import_wh, self.period.export_wh), (180, 50))
        self.assertEqual(self.period.intervals, 6)

    def test_what_is_no_energy_is_by_kind(self):
        self.assertEqual(
            sorted(self.period.posted.items()),
            [
                (records.OPENING, [1, 100000000]),
                (records.CREDIT, [1, 1000000000]),
                (records.STANDING, [2, -20000000]),
            ],
        )
        self.assertEqual(
            self.heard.postings,
            [
                (records.OPENING, 100000000, 0),
                (records.STANDING, -10000000, 20270302),
                (records.CREDIT, 1000000000, 5),
                (records.STANDING, -10000000, 20270303),
            ],
        )

    def test_days_are_local_and_an_interval_that_ends_at_midnight_is_the_day_before(self):
        days = self.heard.days
        self.assertEqual(
            [totals.day for totals in days],
            [day_number(2027, 3, 1), day_number(2027, 3, 2), day_number(2027, 3, 3)],
        )
        self.assertEqual(
            [(totals.opening, totals.closing) for totals in days],
            [(0, 58000000), (58000000, 970500000), (970500000, 960500000)],
        )
        self.assertEqual([totals.import_wh for totals in days], [100, 80, 0])
        for totals in days:
            self.assertEqual(totals.explained(), totals.closing - totals.opening)

    def test_a_cut_says_why_when_and_for_how_long(self):
        self.assertEqual(len(self.heard.cuts), 1)
        cut = self.heard.cuts[0]
        self.assertEqual((cut.sequence, cut.openings, cut.balance), (9, 1, -12000000))
        self.assertEqual((cut.opened, cut.closed), (MIDNIGHT + 900, MIDNIGHT + 1800))
        self.assertEqual(rules.names(cut.reasons), ["no credit"])
        self.assertEqual(cut.cause, rules.BY_CREDIT)
        self.assertEqual(cut.exhausted, (MIDNIGHT + 900, -12000))

    def test_fallback_estimates_gaps_and_events_are_told(self):
        self.assertEqual((self.period.fallback_wh, self.period.fallback_amount), (15, -15000000))
        self.assertEqual((self.period.estimated, self.period.estimated_wh), (1, 15))
        self.assertEqual(self.heard.gaps, [(MIDNIGHT + 900, MIDNIGHT + 21600, True)])
        self.assertEqual(
            self.heard.events, [(events.CREDIT_EXHAUSTED, -12000), (events.STARTED, 2)]
        )

    def test_the_tariff_versions_billed_are_named_by_their_digests(self):
        self.assertEqual(self.statement.versions, {1: houses.DIGEST})


class TestPeriods(unittest.TestCase):
    def setUp(self):
        self.entries = two_days().entries()

    def test_a_period_begins_with_what_was_posted_at_or_after_its_start(self):
        statement, period, heard = read(self.entries, CHINA, MIDNIGHT, MIDNIGHT + 1200)
        # Standing, the peak interval, the event and the cut; the top-up at 00:20 is not of it.
        self.assertEqual((statement.first, statement.last), (6, 9))
        self.assertEqual((period.opening, period.closing), (58000000, -12000000))
        self.assertEqual(period.explained(), -70000000)
        self.assertTrue(statement.over)
        self.assertIsNone(heard.cuts[0].closed)

    def test_a_period_within_an_interval_has_none_of_it(self):
        _, period, _ = read(self.entries, CHINA, MIDNIGHT - 1700, MIDNIGHT - 60)
        self.assertEqual(
            (period.opening, period.closing, period.intervals), (58000000, 58000000, 0)
        )

    def test_a_period_after_the_last_record_has_its_balance(self):
        _, period, _ = read(self.entries, CHINA, MIDNIGHT + 90000)
        self.assertEqual((period.opening, period.closing), (960500000, 960500000))

    def test_a_period_before_the_first_record_is_empty(self):
        statement, period, _ = read(self.entries, CHINA, 0, 1000)
        self.assertEqual((period.opening, period.closing, statement.first), (0, 0, None))

    def test_periods_that_meet_share_no_record_and_lose_none(self):
        for cut in range(MIDNIGHT - 3700, MIDNIGHT + 91000, 300):
            before, left, _ = read(self.entries, CHINA, None, cut)
            after, right, _ = read(self.entries, CHINA, cut)
            self.assertEqual(left.closing, right.opening)
            self.assertEqual(left.explained() + right.explained(), 960500000)
            if before.last is not None and after.first is not None:
                self.assertEqual(before.last + 1, after.first)

    def test_every_period_adds_up_to_what_a_plain_sum_gives(self):
        for start in range(MIDNIGHT - 3600, MIDNIGHT + 30000, 900):
            for length in (900, 3600, 40000):
                statement, period, heard = read(self.entries, CHINA, start, start + length)
                if statement.first is None:
                    continue
                chosen = self.entries[statement.first - 1 : statement.last]
                self.assertEqual(period.explained(), moved_by(chosen))
                self.assertEqual(period.closing, chosen[-1].balance)
                total = 0
                for day in heard.days:
                    total += day.explained()
                self.assertEqual(total, moved_by(chosen))

    def test_a_cut_of_before_that_ends_in_the_period_is_told(self):
        _, _, heard = read(self.entries, CHINA, MIDNIGHT + 1000)
        self.assertEqual([cut.opened for cut in heard.cuts], [MIDNIGHT + 900])
        _, _, heard = read(self.entries, CHINA, MIDNIGHT + 1801)
        self.assertEqual(heard.cuts, [])


class TestOddJournals(unittest.TestCase):
    def test_a_clock_set_back_parts_no_period(self):
        at = MIDNIGHT
        hand = Hand(at - 3600, 1000000)
        hand.interval(at - 900, at + 60, [(VALLEY, 0, 1, 1000)])
        hand.add(records.CLOCK, at - 300, 0, payloads.pack_clock(at + 60, at - 300, 1))
        hand.interval(at - 300, at, [(VALLEY, 0, 2, 1000)])
        hand.interval(at, at + 900, [(VALLEY, 0, 4, 1000)])
        entries = hand.entries()
        before, left, _ = read(entries, CHINA, None, at)
        after, right, heard = read(entries, CHINA, at)
        self.assertEqual((before.last, after.first), (1, 2))
        self.assertEqual((left.closing, right.explained()), (1000000, -7000))
        # The local date does not go back either.
        self.assertEqual([totals.day for totals in heard.days], [day_number(2027, 3, 2)])
        self.assertEqual(heard.gaps, [])

    def test_a_hole_that_a_clock_setting_made_is_not_told_as_a_restart(self):
        at = MIDNIGHT
        hand = Hand(at, 0)
        hand.interval(at, at + 900, [(VALLEY, 0, 1, 1000)])
        hand.interval(at + 909, at + 1800, [(VALLEY, 0, 1, 1000)])
        hand.interval(at + 5400, at + 6300, [(VALLEY, 0, 1, 1000)])
        _, _, heard = read(hand.entries(), CHINA)
        self.assertEqual(heard.gaps, [(at + 1800, at + 5400, False)])

    def test_several_prices_of_one_block_are_one_line_of_a_period_and_lines_of_a_day(self):
        hand = Hand(MIDNIGHT, 0)
        code = PEAK | payloads.DYNAMIC
        hand.interval(MIDNIGHT, MIDNIGHT + 900, [(code, 0, 10, 300)])
        hand.interval(MIDNIGHT + 900, MIDNIGHT + 1800, [(code, 0, 20, -100)])
        hand.interval(MIDNIGHT + 1800, MIDNIGHT + 2700, [(code, 0, 5, 300)])
        _, period, heard = read(hand.entries(), CHINA)
        self.assertEqual(rows(period), [(1, code, 0, None, 35, -2500)])
        self.assertEqual(
            rows(heard.days[0]), [(1, code, 0, -100, 20, 2000), (1, code, 0, 300, 15, -4500)]
        )

    def test_a_journal_that_begins_with_a_checkpoint_opens_with_its_balance(self):
        checkpoint = checkpoints.Checkpoint()
        checkpoint.import_wh = 1000
        checkpoint.tariff = houses.DIGEST
        hand = two_days()
        hand.registers[0] = 1000
        entries = hand.entries()[:1]
        made = records.encode(
            records.CHECKPOINT, 9, MIDNIGHT, 2, 0, 5000000, checkpoint.pack(), bytes(8)
        )
        late = Hand(MIDNIGHT, 5000000)
        late.registers[0] = 1000
        late.interval(MIDNIGHT, MIDNIGHT + 900, [(VALLEY, 0, 3, 1000)], n=4)
        entries = [records.decode(made), late.entries()[1]]
        statement, period, _ = read(entries, CHINA)
        self.assertEqual((period.opening, period.closing), (5000000, 4997000))
        self.assertEqual((period.import_wh, statement.versions), (3, {4: houses.DIGEST}))

    def test_what_lost_records_moved_is_a_line_of_its_own(self):
        entries = two_days().entries()
        # The peak interval (-60 000 000) and the two after it are gone.
        _, period, heard = read(entries[:6] + entries[9:], CHINA)
        self.assertEqual(period.lost, -60000000)
        self.assertEqual(period.explained(), period.closing - period.opening)
        self.assertEqual([day.lost for day in heard.days], [0, -60000000, 0])

    def test_energy_without_a_tariff_is_metered_and_not_charged(self):
        hand = Hand(MIDNIGHT, 0)
        hand.interval(MIDNIGHT, MIDNIGHT + 900, [(VALLEY, 0, 77, 1)], n=0)
        _, period, _ = read(hand.entries(), CHINA)
        self.assertEqual((period.uncharged_wh, period.import_wh, period.closing), (77, 77, 0))
        self.assertEqual(period.lines(), [])

    def test_a_closing_that_was_not_done_leaves_the_cut_open(self):
        hand = Hand(MIDNIGHT, 0)
        hand.relay(MIDNIGHT + 10, states.DISCONNECTED, rules.BY_CREDIT, rules.NO_CREDIT)
        hand.relay(MIDNIGHT + 20, states.DISCONNECTED, rules.BY_CREDIT, rules.NO_CREDIT)
        hand.relay(MIDNIGHT + 90, states.CONNECTED, rules.BY_PERSON)
        hand.relay(MIDNIGHT + 90, states.READY, rules.BY_WITHDRAWAL)
        _, _, heard = read(hand.entries(), CHINA)
        self.assertEqual(
            [(cut.opened, cut.closed, cut.openings) for cut in heard.cuts],
            [(MIDNIGHT + 10, None, 2)],
        )

    def test_a_damaged_payload_is_an_error(self):
        hand = Hand(MIDNIGHT, 0)
        hand.add(records.INTERVAL, MIDNIGHT, 0, b"123")
        with self.assertRaises(RecordError):
            read(hand.entries(), CHINA)


def intervals(days):
    """Records of `days` with 96 intervals each, made as they are taken: 10 Wh at 0.50, in turns of
    two bands and two blocks."""
    balance = 0
    for index in range(days * 96):
        part = payloads.Part(index % 2, index // 7 % 2, 10, 500000)
        interval = readers.Interval(10 * (index + 1), 0, 900, 0, 1, [part])
        balance += part.amount()
        time = MIDNIGHT + 900 * (index + 1)
        payload = bytes(interval.pack())
        yield records.Record(
            records.INTERVAL, index + 1, time, 2, part.amount(), balance, payload, bytes(8), 71
        )


class TestMemory(unittest.TestCase):
    def test_a_longer_period_needs_no_more_memory(self):
        free = getattr(gc, "mem_free", lambda: 0)  # CPython does not say
        statement = Statement(CHINA, None, None, Reader())
        at = []
        for entry in intervals(40):
            statement.take(entry)
            if entry.sequence % 960 == 0:
                gc.collect()
                at.append(free())
        period = statement.finish()
        self.assertEqual(len(at), 4)
        self.assertLess(at[0] - at[3], 512)
        # 3840 intervals of 10 Wh at 500 000 micro per kWh.
        self.assertEqual((period.import_wh, period.closing), (38400, -19200000000))
        self.assertEqual(period.explained(), period.closing)
        self.assertEqual(len(period.lines()), 4)
