"""The link of a device from its files, and the clock it boots with."""

import binascii
import unittest

from wattledger.agent.timekeeping import Timekeeper
from wattledger.firmware import link as links
from wattledger.firmware.errors import BrokerError
from wattledger.firmware.floor import set_floor
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.vectors_certificates import LONG, SHORT

OWN, AUTHORITY = binascii.unhexlify(SHORT), binascii.unhexlify(LONG)
BUILT = 1_800_000_000


class Config:
    meter = "m1"
    tenant = "demo"


class Ssl:
    """The port's module ssl, whose contexts keep what they were given."""

    PROTOCOL_TLS_CLIENT = 2
    CERT_REQUIRED = 2

    def __init__(self):
        self.made = []
        self.fault = None

    def SSLContext(self, protocol):  # noqa: N802
        self.made.append(Context(self.fault))
        return self.made[-1]


class Context:
    verify_mode = 0  # as MicroPython makes them

    def __init__(self, fault):
        self._fault = fault

    def load_verify_locations(self, *, cadata):
        self.authority = cadata

    def load_cert_chain(self, certificate, key):
        if self._fault:
            raise self._fault
        self.own = (certificate, key)


class TestLink(unittest.TestCase):
    def setUp(self):
        self.files = {"client.der": OWN, "client.key.der": b"key", "ca.der": AUTHORITY}
        self.ssl = Ssl()

    def read(self, name):
        if name not in self.files:
            raise OSError(2)
        return self.files[name]

    def build(self):
        clock = VirtualClock(0)
        return links.build(Config, "broker.example", 8883, clock, self.read, self.ssl)

    def test_it_verifies_against_the_authority_and_shows_the_meters_own(self):
        link, ends = self.build()
        context = self.ssl.made[0]
        self.assertEqual(context.verify_mode, 2)
        self.assertEqual(context.authority, AUTHORITY)
        self.assertEqual(context.own, (OWN, b"key"))
        self.assertEqual(ends, 1_835_481_599)
        self.assertEqual((link.is_up(), link.session(), link.fault), (False, 0, ""))

    def test_the_broker_hears_who_it_is_and_what_to_say_when_it_is_gone(self):
        link, _ = self.build()
        # [3.1]: flags 0x2E (will, QoS 1, retained, clean session), 30 s, the client id, the will;
        # 10 + (2+2) + (2+21) + (2+7) = 46 bytes
        self.assertEqual(
            link._session._connect,
            b"\x10\x2e\x00\x04MQTT\x04\x2e\x00\x1e\x00\x02m1"
            b"\x00\x15wl/1/demo/m/m1/status\x00\x07offline",
        )

    def test_a_file_that_is_missing_or_wrong_is_named(self):
        for name in ("client.der", "client.key.der", "ca.der"):
            kept = self.files.pop(name)
            with self.assertRaises(BrokerError) as raised:
                self.build()
            self.assertTrue(str(raised.exception).startswith(name))
            self.files[name] = kept
        for name in ("client.der", "ca.der"):
            kept, self.files[name] = self.files[name], b"x" * 300
            with self.assertRaises(BrokerError) as raised:
                self.build()
            self.assertTrue(str(raised.exception).startswith(name + ": is no certificate"))
            self.files[name] = kept
        self.ssl.fault = ValueError("invalid key")
        with self.assertRaises(BrokerError) as raised:
            self.build()
        self.assertIn("client.key.der: the TLS files cannot be used", str(raised.exception))


class TestFloor(unittest.TestCase):
    def boot(self, journal, true_s=2_000_000_000, wall_s=946_684_800):
        """The clock after a boot with `journal` as its last time; it restarts in 2000."""
        clock = VirtualClock(true_s * 1000, wall_s=wall_s)
        set_floor(clock, BUILT)
        self.time = Timekeeper(clock)
        self.time.restore(journal, 0, 0)
        set_floor(clock, BUILT)
        return clock

    def test_a_clock_that_restarts_is_no_earlier_than_build_and_journal(self):
        for journal, wanted, trust in (
            (0, BUILT, TRUST_UNKNOWN),
            (BUILT - 9, BUILT, TRUST_RESTORED),
            (BUILT + 9, BUILT + 9, TRUST_RESTORED),
        ):
            clock = self.boot(journal)
            self.assertEqual((clock.unix_s(), clock.trust()), (wanted, trust))

    def test_a_new_meter_takes_the_time_however_old_its_image_is(self):
        # 2 000 000 000 is 2314 days after the build, far over the 31 days of a known clock
        self.boot(0)
        self.assertEqual(self.time.offered(), 2_000_000_000)

    def test_a_clock_that_somebody_set_is_left_alone(self):
        clock = VirtualClock(0)
        clock.set(BUILT - 9, TRUST_SYNCED)
        set_floor(clock, BUILT)
        self.assertEqual(clock.unix_s(), BUILT - 9)
