"""One journal record: bytes in, bytes out. The layout is docs/journal.md.

    magic u8 | kind u8 | length u16 | sequence u32 | time u40 | trust u8
    | amount i64 | balance i64 | payload | crc32 u32 | hash 8

Little-endian. `length` counts the whole record. The CRC covers all before it; the hash is the
first 8 bytes of SHA-256 over the hash before and the record up to and including its CRC.
"""

import binascii
import hashlib
import struct

from wattledger.agent.errors import RecordError

MAGIC = 0xA7
HEAD_FORMAT = "<BBHIIBBqq"
HEAD_LENGTH = 30
TAIL_LENGTH = 12
HASH_LENGTH = 8
MIN_LENGTH = HEAD_LENGTH + TAIL_LENGTH
MAX_LENGTH = 512

OPENING = 1
CHECKPOINT = 2
TARIFF = 3
INTERVAL = 4
CREDIT = 5
TOKEN = 6
STANDING = 7
DEMAND = 8
MINIMUM = 9
DEBT = 10
ADJUST = 11
REFUND = 12
EMERGENCY = 13
CORRECTION = 14
EVENT = 15
RELAY = 16
COMMAND = 17
CLOCK = 18
FREEZE = 19
MESSAGE = 20

# For people; nothing on the device reads it, so its image has no such table.
KINDS = {
    OPENING: "opening",
    CHECKPOINT: "checkpoint",
    TARIFF: "tariff",
    INTERVAL: "interval",
    CREDIT: "credit",
    TOKEN: "token",
    STANDING: "standing",
    DEMAND: "demand",
    MINIMUM: "minimum",
    DEBT: "debt",
    ADJUST: "adjust",
    REFUND: "refund",
    EMERGENCY: "emergency",
    CORRECTION: "correction",
    EVENT: "event",
    RELAY: "relay",
    COMMAND: "command",
    CLOCK: "clock",
    FREEZE: "freeze",
    MESSAGE: "message",
}

# Kinds that are money a person paid in; every other amount is a charge or a credit for export.
MONEY_IN = (OPENING, CREDIT, TOKEN, REFUND)


class Record:
    """A decoded record; `payload` is bytes, `hash` the chain after it, `size` its length."""

    def __init__(self, kind, sequence, time, trust, amount, balance, payload, hash, size):
        self.kind = kind
        self.sequence = sequence
        self.time = time
        self.trust = trust
        self.amount = amount
        self.balance = balance
        self.payload = payload
        self.hash = hash
        self.size = size


def first_hash(meter):
    """The hash before sequence 1: that of the meter id."""
    return hashlib.sha256(meter.encode()).digest()[:HASH_LENGTH]


def link(previous, body):
    """The 8-byte hash of a record whose bytes up to and including the CRC are `body`."""
    digest = hashlib.sha256(previous)
    digest.update(body)
    return digest.digest()[:HASH_LENGTH]


def chain(previous, data):
    """The hash a whole record (its own hash included in `data`) must carry after `previous`."""
    return link(previous, memoryview(data)[: len(data) - HASH_LENGTH])


class Writer:
    """Encodes records in one buffer of its own; `hash` is that of the last."""

    def __init__(self):
        self._data = bytearray(MAX_LENGTH)
        self._view = memoryview(self._data)
        self.hash = None

    def encode(self, kind, sequence, time, trust, amount, balance, payload, previous):
        """A whole record as bytes. Raises RecordError when the payload is too long."""
        size = MIN_LENGTH + len(payload)
        if size > MAX_LENGTH:
            raise RecordError(
                "a record of kind %d has %d bytes; at most %d fit" % (kind, size, MAX_LENGTH)
            )
        data = self._data
        struct.pack_into(
            HEAD_FORMAT,
            data,
            0,
            MAGIC,
            kind,
            size,
            sequence,
            time & 0xFFFFFFFF,
            time >> 32,
            trust,
            amount,
            balance,
        )
        end = size - TAIL_LENGTH
        data[HEAD_LENGTH:end] = payload
        struct.pack_into("<I", data, end, binascii.crc32(self._view[:end]))
        self.hash = link(previous, self._view[: size - HASH_LENGTH])
        data[size - HASH_LENGTH : size] = self.hash
        return bytes(self._view[:size])


def encode(kind, sequence, time, trust, amount, balance, payload, previous):
    """One record on its own, as Writer.encode makes it."""
    return Writer().encode(kind, sequence, time, trust, amount, balance, payload, previous)


def length_of(head):
    """The length a record claims from its first 4 bytes; 0 when they cannot start a record."""
    if len(head) < 4 or head[0] != MAGIC:
        return 0
    size = head[2] | head[3] << 8
    return size if MIN_LENGTH <= size <= MAX_LENGTH else 0


def decode(data):
    """The Record in `data` (exactly one); RecordError says what is wrong with the bytes.

    The chain is not checked here: compare `record.hash` with `chain(previous, data)`.
    """
    size = length_of(data[:4])
    if size == 0:
        raise RecordError("no record starts here")
    if len(data) != size:
        raise RecordError("record says %d bytes, %d are here" % (size, len(data)))
    end = size - TAIL_LENGTH
    if struct.unpack_from("<I", data, end)[0] != binascii.crc32(memoryview(data)[:end]):
        raise RecordError("record fails its CRC")
    _, kind, _, sequence, low, high, trust, amount, balance = struct.unpack_from(
        HEAD_FORMAT, data, 0
    )
    if not OPENING <= kind <= MESSAGE:
        raise RecordError("unknown record kind %d" % kind)
    return Record(
        kind,
        sequence,
        low | high << 32,
        trust,
        amount,
        balance,
        bytes(data[HEAD_LENGTH:end]),
        bytes(data[size - HASH_LENGTH :]),
        size,
    )
