"""The PIN's slow hash, its tries and its lock-out; the sessions behind it."""

import asyncio
import binascii
import unittest

from wattledger.hal.display import pin as pins
from wattledger.hal.display.pin import Pin
from wattledger.hal.display.same import same
from wattledger.hal.display.sessions import Sessions
from wattledger.hal.display.stretch import Stretch
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.entropy import SeededEntropy

LABEL = "48151623"
OWN = "90210900"
WRONG = "00000000"


class Bench:
    """A PIN in a world where a pause lets nothing pass."""

    def __init__(self, label=LABEL, storage=None):
        self.now = 0
        self.pauses = 0
        self.storage = MemoryStorage() if storage is None else storage
        self.pin = Pin(label, self.storage, SeededEntropy(1), lambda: self.now, self._pause)

    async def _pause(self):
        self.pauses += 1
        await asyncio.sleep(0)

    def attempt(self, text):
        return asyncio.run(self.pin.attempt(text))

    def change(self, text):
        asyncio.run(self.pin.change(text))


class StretchTest(unittest.TestCase):
    def test_rfc_7914_vector(self):
        # RFC 7914, 11: PBKDF2-HMAC-SHA-256 (P="passwd", S="salt", c=1), its first 32 bytes.
        self.assertEqual(
            binascii.hexlify(Stretch(b"passwd", b"salt", 1).digest),
            b"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
        )

    def test_two_thousand_iterations_in_slices(self):
        # hashlib.pbkdf2_hmac("sha256", b"48151623", bytes(range(16)), 2000) of CPython.
        stretch = Stretch(b"48151623", bytes(range(16)), 2000)
        slices = 1
        while not stretch.work(25):
            slices += 1
        self.assertEqual(slices, 80)  # 1999 after the first, 25 at a time
        self.assertEqual(
            binascii.hexlify(stretch.digest),
            b"f06d9a925feb55d11158128cceacdff3aa47b9136a0a152e507e020cae6b34e5",
        )

    def test_same_is_equality(self):
        for first, second in ((b"", b""), (b"a", b"a"), (b"ab", b"ab")):
            self.assertTrue(same(first, second))
        for first, second in ((b"", b"a"), (b"a", b"b"), (b"ab", b"a"), (b"ab", b"bb")):
            self.assertFalse(same(first, second))


class PinTest(unittest.TestCase):
    def test_the_labels_pin_and_another(self):
        bench = Bench()
        self.assertTrue(bench.pin.is_labels())
        self.assertEqual(bench.attempt(LABEL), pins.RIGHT)
        bench.change(OWN)
        self.assertEqual(bench.pauses, 79)
        self.assertFalse(bench.pin.is_labels())
        self.assertEqual(bench.attempt(LABEL), pins.WRONG)
        self.assertEqual(bench.attempt(OWN), pins.RIGHT)
        again = Bench(storage=bench.storage)
        self.assertEqual(again.attempt(OWN), pins.RIGHT)

    def test_a_second_try_during_one_is_turned_away_and_does_not_count(self):
        bench = Bench()
        bench.change(OWN)

        async def both():
            first = asyncio.create_task(bench.pin.attempt(OWN))
            await asyncio.sleep(0)
            second = await bench.pin.attempt(WRONG)
            return await first, second

        self.assertEqual(asyncio.run(both()), (pins.RIGHT, pins.BUSY))

    def test_a_wrong_one_is_on_storage_before_it_is_told(self):
        bench = Bench()
        for _ in range(2):
            self.assertEqual(bench.attempt(WRONG), pins.WRONG)
        again = Bench(storage=bench.storage)  # the power went
        self.assertEqual(again.pin.wait_s(), 0)
        self.assertEqual(again.attempt(WRONG), pins.WRONG)
        self.assertEqual(again.pin.wait_s(), 10)
        third = Bench(storage=bench.storage)
        self.assertEqual(third.attempt(LABEL), pins.LOCKED)

    def test_every_damaged_byte_leads_to_the_labels_pin(self):
        bench = Bench()
        bench.change(OWN)
        whole = bytes(bench.storage.files["pin"])
        self.assertEqual(len(whole), 58)  # 1 + 1 + 4 + 16 + 32, and a CRC of 4
        for at in range(0, len(whole), 3):
            damaged = bytearray(whole)
            damaged[at] ^= 0x40
            bench.storage.files["pin"] = damaged
            self.assertTrue(Bench(storage=bench.storage).pin.is_labels())
        bench.storage.files["pin"] = bytearray(whole[:-1])
        self.assertTrue(Bench(storage=bench.storage).pin.is_labels())

    def test_without_any_pin_nothing_is_right(self):
        bench = Bench(label="")
        self.assertFalse(bench.pin.is_set())
        self.assertEqual(bench.attempt(WRONG), pins.WRONG)

    def test_two_meters_with_one_pin_keep_different_records(self):
        first, second = Bench(), Bench()
        second.pin._entropy = SeededEntropy(2)
        first.change(OWN)
        second.change(OWN)
        self.assertNotEqual(
            bytes(first.storage.files["pin"])[6:], bytes(second.storage.files["pin"])[6:]
        )

    def test_reset_is_the_labels_pin_without_a_wait(self):
        bench = Bench()
        bench.change(OWN)
        for _ in range(3):
            bench.attempt(WRONG)
        bench.pin.reset()
        self.assertEqual(bench.attempt(LABEL), pins.RIGHT)
        self.assertEqual(bench.storage.names(), [])


class SessionsTest(unittest.TestCase):
    def test_a_session_lasts_while_it_is_used(self):
        now = [0]
        sessions = Sessions(SeededEntropy(1), lambda: now[0])
        name = sessions.begin()
        self.assertEqual(len(name), 32)
        self.assertFalse(sessions.holds(""))
        self.assertFalse(sessions.holds(name[:-1]))
        now[0] = 1799
        self.assertTrue(sessions.holds(name, True))
        now[0] = 1799 + 1800
        self.assertFalse(sessions.holds(name))

    def test_end_all(self):
        sessions = Sessions(SeededEntropy(1), lambda: 0)
        names = [sessions.begin() for _ in range(3)]
        sessions.end_all()
        self.assertEqual([sessions.holds(name) for name in names], [False] * 3)


if __name__ == "__main__":
    unittest.main()
