"""Journal records byte by byte, against the layout of docs/journal.md."""

import binascii
import hashlib
import unittest

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED


def little(value, size):
    """Two's complement, little-endian, by hand."""
    value &= (1 << 8 * size) - 1
    return bytes([value >> 8 * index & 255 for index in range(size)])


def by_hand(kind, sequence, time, trust, amount, balance, payload, previous):
    """A record built from the table in docs/journal.md."""
    body = (
        bytes([0xA7, kind])
        + little(42 + len(payload), 2)
        + little(sequence, 4)
        + little(time, 5)
        + bytes([trust])
        + little(amount, 8)
        + little(balance, 8)
        + payload
    )
    body += little(binascii.crc32(body), 4)
    return body + hashlib.sha256(previous + body).digest()[:8]


class TestRecord(unittest.TestCase):
    CASES = (
        (1, 1, 1799704800, 0, 2000000000, 2000000000, b"", b"\0" * 8),
        (5, 0xFFFFFFFF, (1 << 40) - 1, 2, (1 << 63) - 1, (1 << 63) - 1, b"x", b"\xff" * 8),
        (4, 77, 1 << 32, 1, -(1 << 63), -1, bytes(range(200)), b"previous"),
        (15, 2, 0, 2, 0, 0, b"\0" * 470, b"12345678"),
    )

    def test_bytes_as_written_down(self):
        for case in self.CASES:
            self.assertEqual(records.encode(*case), by_hand(*case))

    def test_round_trip(self):
        for kind, sequence, time, trust, amount, balance, payload, previous in self.CASES:
            data = records.encode(kind, sequence, time, trust, amount, balance, payload, previous)
            entry = records.decode(data)
            self.assertEqual(
                (entry.kind, entry.sequence, entry.time, entry.trust),
                (kind, sequence, time, trust),
            )
            self.assertEqual((entry.amount, entry.balance), (amount, balance))
            self.assertEqual((entry.payload, entry.size), (payload, len(data)))
            self.assertEqual(entry.hash, data[-8:])
            self.assertEqual(records.chain(previous, data), entry.hash)
            self.assertNotEqual(records.chain(b"otherwise", data), entry.hash)

    def test_first_hash_is_of_the_meter_id(self):
        self.assertEqual(
            records.first_hash("demo-0001"), hashlib.sha256(b"demo-0001").digest()[:8]
        )

    def test_longest_payload(self):
        data = records.encode(15, 1, 0, 0, 0, 0, b"\0" * 470, b"\0" * 8)
        self.assertEqual(len(data), 512)
        with self.assertRaises(RecordError):
            records.encode(15, 1, 0, 0, 0, 0, b"\0" * 471, b"\0" * 8)

    def test_every_flipped_bit_is_found(self):
        previous = b"previous"
        data = records.encode(5, 9, 1799704800, 2, 10**10, 5 * 10**10, b"payload", previous)
        for bit in range(len(data) * 8):
            altered = bytearray(data)
            altered[bit // 8] ^= 1 << bit % 8
            altered = bytes(altered)
            try:
                entry = records.decode(altered)
            except RecordError:
                continue
            self.assertNotEqual(records.chain(previous, altered), entry.hash, bit)

    def test_every_truncation_is_found(self):
        data = records.encode(5, 9, 1799704800, 2, 1, 1, b"payload", b"previous")
        for size in range(len(data)):
            with self.assertRaises(RecordError):
                records.decode(data[:size])
        with self.assertRaises(RecordError):
            records.decode(data + b"\0")

    def test_lengths_that_cannot_be(self):
        for head in (
            b"",
            b"\xa7\x05\x2a",
            b"\xa6\x05\x2a\x00",
            b"\xa7\x05\x29\x00",  # 41
            b"\xa7\x05\x01\x02",  # 513
            b"\xa7\x05\xff\xff",
        ):
            self.assertEqual(records.length_of(head), 0)
        self.assertEqual(records.length_of(b"\xa7\x05\x2a\x00"), 42)
        self.assertEqual(records.length_of(b"\xa7\x05\x00\x02more"), 512)

    def test_unknown_kinds_are_refused(self):
        for kind in (0, 21, 255):
            with self.assertRaises(RecordError):
                records.decode(by_hand(kind, 1, 0, 0, 0, 0, b"", b"\0" * 8))


class TestPayloads(unittest.TestCase):
    def test_interval_with_one_part_is_71_bytes(self):
        part = payloads.Part(1, 0, 257, 333333)
        interval = readers.Interval(4398, 1501, 900, 1, 7, [part])
        packed = bytes(interval.pack())
        self.assertEqual(
            packed,
            little(4398, 4)
            + little(1501, 4)
            + little(900, 2)
            + b"\x01"
            + little(7, 4)
            + b"\x01\x00"
            + little(257, 4)
            + little(333333, 8),
        )
        data = records.encode(4, 1, 0, TRUST_SYNCED, 0, 0, packed, b"\0" * 8)
        self.assertEqual(len(data), 71)

    def test_interval_round_trip(self):
        parts = [
            payloads.Part(2 | payloads.DYNAMIC, 5, 0xFFFFFFFF, -54321),
            payloads.Part(1 | payloads.EXPORT, payloads.NO_BLOCK, 3, 10000000000),
        ]
        packed = readers.Interval(0xFFFFFFFF, 0, 0xFFFF, 3, 0xFFFFFFFF, parts).pack()
        found = readers.unpack_interval(packed)
        self.assertEqual((found.import_wh, found.export_wh), (0xFFFFFFFF, 0))
        self.assertEqual((found.duration_s, found.quality), (65535, 3))
        self.assertEqual(found.tariff_n, 0xFFFFFFFF)
        self.assertEqual(
            [(part.band, part.block, part.wh, part.price) for part in found.parts],
            [(0x42, 5, 0xFFFFFFFF, -54321), (0x81, 255, 3, 10000000000)],
        )
        self.assertEqual(found.amount(), 4294967295 * 54321 + 30000000000)

    def test_interval_lengths_that_cannot_be(self):
        for size in (0, 14, 16, 28, 30):
            with self.assertRaises(RecordError):
                readers.unpack_interval(b"\0" * size)
        self.assertEqual(readers.unpack_interval(b"\0" * 15).parts, [])

    def test_a_long_interval_keeps_a_duration_that_fits(self):
        packed = readers.Interval(0, 0, 1000000, 0, 0, []).pack()
        self.assertEqual(readers.unpack_interval(packed).duration_s, 65535)

    def test_the_others(self):
        digest = bytes(range(32))
        self.assertEqual(
            readers.unpack_opening(payloads.pack_opening("demo-0001", 1, 2, 3)),
            (1, 2, 3, "demo-0001"),
        )
        self.assertEqual(
            readers.unpack_tariff(payloads.pack_tariff(9, digest, "demo-cn")),
            (9, digest, "demo-cn"),
        )
        n = (1 << 53) - 1
        self.assertEqual(
            readers.unpack_credit(payloads.pack_credit(n, n, (1 << 64) - 1)),
            (n, n, (1 << 64) - 1),
        )
        self.assertEqual(
            readers.unpack_standing(payloads.pack_standing(20270201, 2)), (20270201, 2)
        )
        self.assertEqual(readers.unpack_event(payloads.pack_event(17, -9)), (17, -9))
        self.assertIsNone(readers.unpack_snapshot(payloads.pack_event(17, -9)))
        # Three phases at the end of an int32 add up to more.
        extremes = ((1 << 31) - 1, -(1 << 31), -3 << 31)
        condition = payloads.pack_condition(107, 9, *extremes)
        self.assertEqual(len(condition), 26)
        self.assertEqual(readers.unpack_event(condition), (107, 9))
        self.assertEqual(readers.unpack_snapshot(condition), extremes)
        self.assertEqual(
            readers.unpack_relay(payloads.pack_relay(2, 10, 1, 86400)), (2, 10, 1, 86400)
        )
        self.assertEqual(
            readers.unpack_clock(payloads.pack_clock(1 << 33, -1, 1)), (1 << 33, -1, 1)
        )
        with self.assertRaises(RecordError):
            readers.unpack_credit(b"\0" * 23)
        for length in (9, 11, 25, 27):
            with self.assertRaises(RecordError):
                readers.unpack_event(b"\0" * length)
