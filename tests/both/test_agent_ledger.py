"""Booting a whole meter from what storage still holds: missing, damaged, lost, half written."""

import unittest

from wattledger.agent import events
from wattledger.agent.errors import AgentError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import segment_name, segments
from wattledger.agent.ledger import commission
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_meter import METER, House, credit, running
from wattledger.tests.both.houses_storage import BreakingStorage
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "512K"

NOON = local_2027(6, 2, 12)  # peak: 777777 for each Wh
OPENING = 50000000000
CLOSED = 2


class TestCommissioning(unittest.TestCase):
    def test_opening_entry_and_first_slot(self):
        house = House(NOON, used_wh=99100)
        entries = house.entries()
        self.assertEqual([entry.kind for entry in entries], [records.OPENING])
        self.assertEqual(entries[0].amount, OPENING)
        self.assertEqual(readers.unpack_opening(entries[0].payload), (0, 0, 99100, METER))
        house.boot(data())
        self.assertEqual(house.agent.account.used_wh, 99100)
        self.assertIsNone(house.agent.ledger.fault)
        self.assertEqual(house.relay.operations, 0)

    def test_never_twice(self):
        house = House(NOON)
        before = dict(house.storage.files)
        with self.assertRaises(AgentError):
            commission(house.storage, METER, NOON, 0, 1, CLOSED)
        self.assertEqual(house.storage.files, before)

    def test_a_new_meter_has_its_24_hours_without_a_clock(self):
        house = House(NOON)
        house.online = False
        house.boot()
        self.assertEqual(house.agent.time.budget_s, 86400)


class TestMissing(unittest.TestCase):
    def test_no_journal_at_all(self):
        house = House(NOON, credit=None, tick_ms=10000)
        house.boot(data())
        self.assertEqual(house.agent.ledger.fault, "missing")
        house.run(200)
        self.assertEqual(house.agent.meter.register.import_wh, 2000)
        self.assertEqual(credit(house, 1), "denied locally")
        self.assertEqual((house.relay.operations, house.relay.contact()), (0, True))
        self.assertEqual(segments(house.storage), [])
        house.cut()
        house.boot()
        self.assertEqual(house.agent.ledger.fault, "missing")
        self.assertEqual(house.agent.meter.register.import_wh, 2000)

    def test_journal_lost_and_slots_left(self):
        house = running(NOON, data())
        balance = house.agent.journal.balance
        house.agent.stop()
        imported = house.agent.meter.register.import_wh
        house.cut()
        for first in segments(house.storage):
            house.storage.remove(segment_name(first))
        house.boot()
        self.assertIn(house.agent.ledger.fault, ("missing", "damaged"))
        self.assertEqual(house.agent.meter.register.import_wh, imported)
        house.run(200)
        self.assertGreaterEqual(house.agent.meter.register.import_wh, imported + 1990)
        self.assertEqual(credit(house, 2), "denied locally")
        self.assertEqual((house.relay.operations, house.relay.contact()), (0, True))
        # What is still known of the money is kept: never a balance of zero out of nothing.
        self.assertLessEqual(house.agent.ledger.state.balance, balance)
        self.assertGreater(house.agent.ledger.state.balance, balance - 5000 * 777777)

    def test_journal_lost_behind_the_slot(self):
        house = running(NOON, data())
        house.agent.stop()
        state = house.agent.ledger.state
        house.cut()
        last = segments(house.storage)[-1]
        name = segment_name(last)
        house.storage.commit(name, house.storage.files[name][:-20])
        for _ in range(2):
            house.boot()
            self.assertEqual(house.agent.ledger.fault, "damaged")
            # The interval that was open at the snapshot may be posted, or be lost with the rest.
            posted, rest = divmod(state.balance - house.agent.journal.balance, 777777)
            self.assertEqual(rest, 0)
            self.assertLessEqual(posted, 500)
            self.assertGreaterEqual(posted, 0)
            self.assertEqual(credit(house, 2), "denied locally")
            before = house.agent.meter.register.import_wh
            self.assertGreaterEqual(before, state.import_wh)
            house.run(50)
            self.assertEqual(house.agent.meter.register.import_wh, before + 500)
            self.assertEqual((house.relay.operations, house.relay.contact()), (0, True))
            state = house.agent.ledger.state
            self.assertGreater(state.sequence, 0)
            house.agent.stop()
            state = house.agent.ledger.state
            house.cut()

    def test_what_is_written_after_damage_stays_readable(self):
        # The utility still has to fetch it, boots later.
        house = running(NOON, data())
        house.agent.stop()
        house.cut()
        house.storage.files[segment_name(2)][5] ^= 1
        house.boot()
        house.run(5)
        written = {}
        for _ in range(3):
            house.agent.stop()
            journal = house.agent.journal
            for n in range(1, journal.durable + 1):
                found = journal.read(n)
                if n in written:
                    self.assertEqual(found, written[n], n)
                elif found:
                    written[n] = found
            house.cut()
            house.boot()
            house.run(5)

    def test_a_damaged_journal_does_not_make_energy_free(self):
        house = running(NOON, data())
        house.agent.stop()
        house.cut()
        # The first event after the opening entry, before the tariff's entry.
        house.storage.files[segment_name(2)][5] ^= 1
        house.boot()
        self.assertEqual(house.agent.ledger.fault, "damaged")
        balance = house.agent.journal.balance
        house.run(180)
        self.assertLess(house.agent.journal.balance, balance)

    def test_older_damage_is_found_by_the_audit_and_costs_no_memory(self):
        # A segment ends early, the next one does not follow it: its checkpoint carries on.
        house = running(NOON, data())
        house.cut()
        house.boot()
        house.run(1)
        house.cut()
        self.assertEqual(len(segments(house.storage)), 3)
        name = segment_name(2)
        house.storage.commit(name, house.storage.files[name][:-20])
        for slot in ("slot.a", "slot.b"):
            house.storage.remove(slot)
        for _ in range(3):
            house.boot()
            self.assertIsNone(house.agent.ledger.fault)
            self.assertEqual(credit(house, 1), "duplicate")
            house.run(30)
            self.assertIn(events.JOURNAL_DAMAGED, [code for code, _ in house.events()])
            house.cut()

    def test_files_that_cannot_be_read_do_not_stop_the_meter(self):
        for name in ("j0000000001", "j0000000002", "slot.a", "slot.b", "tariff.active"):
            house = running(NOON, data(), BreakingStorage())
            house.agent.stop()
            house.cut()
            house.storage.unreadable = name
            house.boot()
            before = house.agent.meter.register.import_wh
            house.run(3)
            self.assertEqual(house.agent.meter.register.import_wh, before + 30, name)
            self.assertEqual(house.relay.operations, 0, name)

    def test_a_segment_gone_is_found_by_the_audit(self):
        house = running(NOON, data())
        for _ in range(2):
            house.cut()
            house.boot()
            house.run(1)
        house.cut()
        firsts = segments(house.storage)
        self.assertEqual(len(firsts), 4)
        for name in (segment_name(firsts[2]), "slot.a", "slot.b"):
            house.storage.remove(name)
        house.boot()
        house.run(30)
        self.assertIn((events.JOURNAL_DAMAGED, firsts[2] - 1), house.events())
        self.assertEqual(credit(house, 1), "duplicate")


class TestSlotsLost(unittest.TestCase):
    def lose(self, damage=False):
        house = running(NOON, data())
        house.agent.stop()
        house.cut()
        for slot in ("slot.a", "slot.b"):
            if damage:
                house.storage.files[slot][40] ^= 8
            else:
                house.storage.remove(slot)
        return house

    def test_the_journal_alone_brings_it_back(self):
        house = self.lose()
        imported = house.intervals()[-1][1].import_wh
        house.boot()
        account = house.agent.account
        self.assertIsNone(house.agent.ledger.fault)
        self.assertEqual(house.agent.meter.register.import_wh, imported)
        self.assertEqual(account.used_wh, imported)
        self.assertEqual(house.agent.journal.balance, house.sum())
        self.assertEqual(account.tariff.n, 1)
        self.assertEqual(credit(house, 1), "duplicate")
        self.assertEqual(credit(house, 2), "ok")
        self.assertEqual(house.relay.operations, 0)

    def test_damage_is_reported(self):
        house = self.lose(True)
        house.boot()
        self.assertIn((events.SNAPSHOT_DAMAGED, 0), house.events())
        self.assertIsNone(house.agent.ledger.fault)

    def test_no_standing_charge_is_made_up(self):
        house = self.lose()
        house.boot()
        house.run(20)
        self.assertEqual(house.standing_keys(), [])
        self.assertEqual([value for code, value in house.events() if code == 17], [])

    def test_clock_budget_is_not_lost_with_them(self):
        house = self.lose()
        house.online = False
        house.boot()
        self.assertGreater(house.agent.time.budget_s, 0)

    def test_limits_of_closing_do_not_outlast_their_window(self):
        # Ten closings after a year of powered time, and the slots that knew that year are gone.
        house = self.lose()
        house.boot()
        for index in range(10):
            house.agent.journal.append(
                records.RELAY,
                NOON,
                TRUST_SYNCED,
                0,
                payloads.pack_relay(CLOSED, 0, 2, 31536000 + index),
            )
        house.agent.journal.flush()
        house.cut()
        for slot in ("slot.a", "slot.b"):
            house.storage.remove(slot)
        house.boot()
        self.assertLessEqual(house.agent.supply.wait_s(house.agent.time.powered_s), 86400)

    def test_one_slot_is_as_good_as_two(self):
        for slot in ("slot.a", "slot.b"):
            house = running(NOON, data())
            imported = house.agent.meter.register.import_wh
            house.cut()
            house.storage.files[slot][77] ^= 1
            house.boot()
            self.assertIsNone(house.agent.ledger.fault)
            # Slots are 10 s apart here.
            self.assertGreaterEqual(house.agent.meter.register.import_wh, imported - 20)
            self.assertEqual(house.agent.journal.balance, house.sum())
