"""A meter out of service has no readings left and all its legal registers, wherever it is cut."""

import unittest

from wattledger.agent import config as configs
from wattledger.agent.decommission import FINAL, LOG, STAY, decommission, is_decommissioned
from wattledger.agent.errors import AgentError
from wattledger.agent.journal import record as records
from wattledger.agent.journal import slots
from wattledger.agent.journal.segments import segments
from wattledger.tests.both.houses_meter import METER, House
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "640K"

NOON = local_2027(6, 2, 12)
CONFIG = b'{"v":1,"meter":"demo-0001","tenant":"demo","board":"sim"}'
PEAK = 777777
OPENING = 50 * 10**9


def entries_in(log):
    """(kind, sequence) of each record in the bytes of a log, by the length in its head."""
    found = []
    at = 0
    while at < len(log):
        length = log[at + 2] | log[at + 3] << 8
        entry = records.decode(bytes(log[at : at + length]))
        found.append((entry.kind, entry.sequence))
        at += length
    return found


class TestDecommission(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """An hour and a little at one Wh a second, then a clean end."""
        house = House(NOON, storage=BreakingStorage(), tick_ms=10000)
        house.boot(data())
        house.run(367)  # 70 s beyond the fourth interval
        house.agent.stop()
        cls.head = (house.agent.journal.sequence, house.agent.journal.hash)
        cls.kinds = [(entry.kind, entry.sequence) for entry in house.entries()]
        cls.import_wh = house.agent.meter.register.import_wh
        cls.posted = house.intervals()[-1][1].import_wh
        cls.files = house.storage.files

    def store(self):
        storage = BreakingStorage()
        for name in self.files:
            storage.commit(name, self.files[name])
        return storage

    def wipe(self, storage):
        return decommission(storage, configs.load(CONFIG))

    def check(self, storage, final, label=""):
        self.assertEqual(final["meter"], METER)
        self.assertEqual(final["import_wh"], self.import_wh, label)
        self.assertEqual(final["export_wh"], 0)
        self.assertEqual(final["balance_nano"], OPENING - self.posted * PEAK, label)
        self.assertEqual(final["sequence"], self.head[0], label)
        self.assertEqual(final["hash"], "".join(["%02x" % byte for byte in self.head[1]]))
        self.assertIsNone(final["fault"])
        self.assertEqual(segments(storage), [], label)
        self.assertEqual([name for name in storage.names() if name not in STAY], [], label)
        wanted = [found for found in self.kinds if found[0] in (1, 3, 15, 16, 17, 18, 19)]
        self.assertEqual(entries_in(storage.files[LOG]), wanted, label)
        self.assertTrue(len(wanted) >= 3)
        self.assertEqual(slots.SlotPair(storage).load().import_wh, self.import_wh)

    def test_no_reading_stays_and_every_register_does(self):
        storage = self.store()
        self.assertFalse(is_decommissioned(storage))
        self.assertEqual([kind for kind, _ in self.kinds].count(records.INTERVAL), 4)
        self.assertEqual((self.posted, self.import_wh), (3600, 3670))
        for name in ("forecast", "message", "book.json", "history"):
            storage.commit(name, b"readings of a household")
        storage.commit("kept", b"purchases")
        final = self.wipe(storage)
        self.check(storage, final)
        self.assertEqual(bytes(storage.files["kept"]), b"purchases")
        self.assertNotIn(records.INTERVAL, [kind for kind, _ in entries_in(storage.files[LOG])])
        self.assertTrue(is_decommissioned(storage))

    def test_again_is_the_same(self):
        storage = self.store()
        first = self.wipe(storage)
        self.assertEqual(self.wipe(storage), first)
        self.check(storage, first)

    def test_cut_at_every_operation(self):
        for late in (False, True):
            for cut in range(1, 60):
                storage = self.store()
                storage.operations, storage.late, storage.cut_at = 0, late, cut
                try:
                    self.wipe(storage)
                    break
                except PowerCut:
                    storage.power_cut()
                self.check(storage, self.wipe(storage), (late, cut))
            self.assertTrue(cut > 6)

    def test_storage_that_fails_is_told_and_it_is_done_again(self):
        storage = self.store()
        storage.operations, storage.fail_at = 0, 2
        self.assertRaises(OSError, self.wipe, storage)
        self.check(storage, self.wipe(storage))

    def test_a_store_without_a_ledger_is_left_alone(self):
        storage = BreakingStorage()
        storage.commit("message", b"x")
        self.assertRaises(AgentError, self.wipe, storage)
        self.assertEqual(storage.names(), ["message"])
        self.assertFalse(FINAL in storage.names())


if __name__ == "__main__":
    unittest.main()
