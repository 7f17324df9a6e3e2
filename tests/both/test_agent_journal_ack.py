"""journal.ack: the cursor of what the utility holds."""

import unittest

from wattledger.agent import events
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "512K"
NO_SPACE = 28


class TestJournalAck(Linked):
    def setUp(self):
        Linked.setUp(self)
        self.house.run(12)
        self.entry = self.house.entries()[-1]

    def hash_of(self, entry):
        return "".join(["%02x" % byte for byte in entry.hash])

    def test_it_moves_the_cursor_and_is_neither_answered_nor_written(self):
        message = jws.journal_ack(self.entry.sequence, self.hash_of(self.entry))
        self.assertEqual(self.ask(message), [])
        self.assertEqual(self.house.agent.sender.acknowledged, self.entry.sequence)
        self.assertEqual(self.written(), [])

    def test_the_cursor_is_kept_over_a_reboot(self):
        self.send(jws.journal_ack(self.entry.sequence, self.hash_of(self.entry)))
        self.house.run(12)
        self.house.agent.stop()
        self.house.boot()
        self.assertEqual(self.house.agent.sender.acknowledged, self.entry.sequence)

    def test_an_entry_in_the_middle_is_acknowledged_by_its_own_hash(self):
        first = self.house.entries()[0]
        self.send(jws.journal_ack(first.sequence, self.hash_of(first)))
        self.assertEqual(self.house.agent.sender.acknowledged, 1)

    def test_another_hash_is_refused_and_reported_once(self):
        wrong = jws.journal_ack(self.entry.sequence, "0011223344556677")
        self.assertEqual(self.result(wrong), "denied locally")
        self.assertEqual(self.house.agent.sender.acknowledged, 0)
        message = jws.sign(
            body("journal.ack", '{"sequence":%d,"hash":7}' % self.entry.sequence), "config.1"
        )
        self.assertEqual(self.result(message), "denied locally")
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.JOURNAL_REFUTED), [self.entry.sequence])

    def test_recorded_ones_of_another_chain_do_not_fill_the_journal(self):
        for number in range(40):
            self.ask(jws.journal_ack(2 + number % 2, "0011223344556677"))
        self.house.agent.keeper.now()
        told = self.house.told(events.JOURNAL_REFUTED)
        # Sixteen entries in all, of events and of commands in turn.
        self.assertEqual((told, len(self.written())), ([2, 3] * 4, 8))
        self.house.coast(1200)  # two entries more
        for sequence in (2, 3, 2, 3):
            self.send(jws.journal_ack(sequence, "0011223344556677"))
        self.house.agent.keeper.now()
        self.assertEqual(len(self.house.told(events.JOURNAL_REFUTED)) + len(self.written()), 18)

    def test_above_the_head_is_out_of_range(self):
        durable = self.house.agent.journal.durable
        self.assertEqual(self.result(jws.journal_ack(durable + 1, "00" * 8)), "range")
        self.assertEqual(self.result(jws.journal_ack(0xFFFFFFFF, "00" * 8)), "range")

    def test_what_is_not_durable_cannot_be_acknowledged(self):
        self.house.storage.fail = NO_SPACE
        self.house.agent.report(events.LATE_TICK, 1)
        journal = self.house.agent.journal
        self.assertGreater(journal.sequence, journal.durable)
        pending = "".join(["%02x" % byte for byte in journal.hash])
        self.assertEqual(self.result(jws.journal_ack(journal.sequence, pending)), "range")

    def test_below_the_cursor_changes_nothing(self):
        self.send(jws.journal_ack(self.entry.sequence, self.hash_of(self.entry)))
        first = self.house.entries()[0]
        self.assertEqual(self.ask(jws.journal_ack(1, self.hash_of(first))), [])
        self.assertEqual(self.house.agent.sender.acknowledged, self.entry.sequence)

    def test_numbers_that_are_none(self):
        for arguments in ("{}", '{"sequence":-1,"hash":""}', '{"sequence":true,"hash":""}'):
            message = jws.sign(body("journal.ack", arguments), "config.1")
            self.assertEqual(self.result(message), "range")


if __name__ == "__main__":
    unittest.main()
