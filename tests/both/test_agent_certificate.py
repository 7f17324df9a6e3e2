"""The end of the meter's certificate is told at 90, 30 and 7 days and when it is there, once."""

import unittest

from wattledger.agent import events
from wattledger.agent.comms.certificate import CertificateWatch
from wattledger.hal.errors import StorageError
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.hal.storage.memory import MemoryStorage

DAY = 86_400
ENDS = 1_900_000_000


class Time:
    """What the watch asks of the Timekeeper."""

    def __init__(self, left, trust=TRUST_SYNCED):
        self.now = ENDS - left
        self.powered_s = 0
        self.kept = trust

    def unix(self):
        return self.now

    def trust(self):
        return self.kept

    def pass_s(self, seconds):
        self.now += seconds
        self.powered_s += seconds


class Bench:
    def __init__(self, left, trust=TRUST_SYNCED):
        self.time = Time(left, trust)
        self.storage = MemoryStorage()
        self.told = []
        self.boot()

    def boot(self, ends=ENDS):
        self.storage.power_cut()
        self.time.powered_s = 0
        self.watch = CertificateWatch(
            ends, self.storage, self.time, lambda code, value: self.told.append((code, value))
        )
        self.watch.work()

    def days(self, count):
        """Hour by hour."""
        for _ in range(count * 24):
            self.time.pass_s(3600)
            self.watch.work()


class TestCertificateWatch(unittest.TestCase):
    def test_each_date_is_told_once(self):
        bench = Bench(100 * DAY)
        bench.days(110)
        self.assertEqual(
            bench.told,
            [
                (events.CERTIFICATE_ENDS, 90),
                (events.CERTIFICATE_ENDS, 30),
                (events.CERTIFICATE_ENDS, 7),
                (events.CERTIFICATE_ENDED, 0),
            ],
        )

    def test_a_boot_tells_nothing_again(self):
        bench = Bench(29 * DAY)
        self.assertEqual(bench.told, [(events.CERTIFICATE_ENDS, 29)])
        for _ in range(6):
            bench.boot()
            bench.days(4)
        self.assertEqual(bench.told[1:], [(events.CERTIFICATE_ENDS, 7)])

    def test_a_meter_that_was_off_tells_the_nearest_alone(self):
        self.assertEqual(Bench(5 * DAY + 60).told, [(events.CERTIFICATE_ENDS, 5)])
        self.assertEqual(Bench(-1).told, [(events.CERTIFICATE_ENDED, 0)])

    def test_a_new_certificate_begins_anew(self):
        bench = Bench(-DAY)
        bench.boot(ENDS + 400 * DAY)
        bench.days(20)
        self.assertEqual(len(bench.told), 1)
        bench.boot(ENDS + 100 * DAY)  # 21 days of them are gone
        self.assertEqual(bench.told[1:], [(events.CERTIFICATE_ENDS, 79)])

    def test_a_clock_nobody_set_tells_nothing(self):
        bench = Bench(DAY, TRUST_UNKNOWN)
        bench.days(1)
        self.assertEqual(bench.told, [])
        bench.time.kept = TRUST_RESTORED  # no earlier than that: what has ended has ended
        bench.days(1)
        self.assertEqual(len(bench.told), 1)

    def test_a_store_that_fails_is_no_end(self):
        bench = Bench(91 * DAY)

        def fail(name, data):
            raise StorageError(28)

        bench.storage.commit = fail
        bench.days(10)
        self.assertEqual(bench.told, [(events.CERTIFICATE_ENDS, 90)])
