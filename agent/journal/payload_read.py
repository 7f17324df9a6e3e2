"""What each kind of record carries, unpacked: the other half of payload.py, field by field in
docs/journal.md. Apart from it because a device reads its records at a boot and in rare work only.
"""

import struct

from wattledger.agent.errors import RecordError
from wattledger.agent.journal.payload import (
    CONDITION_FORMAT,
    CONDITION_LENGTH,
    INTERVAL_FORMAT,
    INTERVAL_LENGTH,
    PART_FORMAT,
    PART_LENGTH,
    Part,
    pack_interval,
)


class Interval:
    """A closed interval: cumulative registers at its end and the parts it was rated in."""

    def __init__(self, import_wh, export_wh, duration_s, quality, tariff_n, parts):
        self.import_wh = import_wh
        self.export_wh = export_wh
        self.duration_s = duration_s
        self.quality = quality
        self.tariff_n = tariff_n
        self.parts = parts

    def amount(self):
        """Sum of the parts, nano-units."""
        total = 0
        for part in self.parts:
            total += part.amount()
        return total

    def pack(self):
        """The payload of an interval record."""
        return pack_interval(
            self.import_wh,
            self.export_wh,
            self.duration_s,
            self.quality,
            self.tariff_n,
            self.parts,
        )


def unpack_interval(payload):
    """The Interval in a payload; RecordError when its length is not one of an interval."""
    count, rest = divmod(len(payload) - INTERVAL_LENGTH, PART_LENGTH)
    if len(payload) < INTERVAL_LENGTH or rest:
        raise RecordError("an interval payload cannot be %d bytes" % len(payload))
    import_wh, export_wh, duration, quality, n = struct.unpack_from(INTERVAL_FORMAT, payload, 0)
    parts = []
    for index in range(count):
        at = INTERVAL_LENGTH + index * PART_LENGTH
        band, block, wh, price = struct.unpack_from(PART_FORMAT, payload, at)
        parts.append(Part(band, block, wh, price))
    return Interval(import_wh, export_wh, duration, quality, n, parts)


def _text(payload, at):
    return bytes(payload[at:]).decode()


def fixed(format, length):
    """What unpacks a payload that always has this form; RecordError at another length."""

    def unpack(payload):
        if len(payload) != length:
            raise RecordError("payload is %d bytes, not %d" % (len(payload), length))
        return struct.unpack(format, payload)

    return unpack


def unpack_opening(payload):
    """(import Wh, export Wh, used Wh, meter id)."""
    return struct.unpack_from("<III", payload, 0) + (_text(payload, 12),)


def unpack_tariff(payload):
    """(n, SHA-256, id)."""
    return struct.unpack_from("<I32s", payload, 0) + (_text(payload, 36),)


unpack_credit = fixed("<QQQ", 24)  # (n, highest, seen bitmap)


unpack_token = fixed("<BBIqI", 18)  # (scheme, kind, TID or count, value, until)


unpack_standing = fixed("<II", 8)  # (yyyymmdd, tariff n)


unpack_emergency = fixed("<qq", 16)  # (micro-units, available nano)


def unpack_event(payload):
    """(code, value); RecordError at a length no event has."""
    if len(payload) not in (10, CONDITION_LENGTH):
        raise RecordError("payload is %d bytes, not 10 or %d" % (len(payload), CONDITION_LENGTH))
    return struct.unpack_from("<Hq", payload, 0)


def unpack_snapshot(payload):
    """(mV, mA, mW) of an event that has them, else None."""
    if len(payload) != CONDITION_LENGTH:
        return None
    return struct.unpack_from(CONDITION_FORMAT, payload, 0)[2:]


unpack_relay = fixed("<BHBI", 8)  # (operation, reasons, cause, powered seconds)


unpack_command = fixed("<8sBB", 10)  # (of, op, result)


unpack_clock = fixed("<qqB", 17)  # (before, after, source)


unpack_debt = fixed("<BQ45s", 54)  # (reason, reference, state)


def unpack_adjust(payload):
    """(reason, n, cycle, unrated Wh, diverted, id)."""
    return struct.unpack_from("<BIIIq", payload, 0) + (_text(payload, 45),)


def unpack_adjusted_cycle(payload):
    """(charged, minimum, lack) of an adjustment."""
    return struct.unpack_from("<qQq", payload, 21)


def unpack_correction(payload):
    """(n, SHA-256, start, until, standing day, id)."""
    return struct.unpack_from("<I32sQQH", payload, 0) + (_text(payload, 54),)
