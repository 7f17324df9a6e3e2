"""What each kind of record carries, packed and unpacked. Field by field in docs/journal.md."""

import struct

from wattledger.agent.errors import RecordError

# A part's `band` byte: the band's index, with these bits.
EXPORT = 0x80  # energy delivered to the grid; `block` is NO_BLOCK
DYNAMIC = 0x40  # the price came from a dynamic price document
FALLBACK = 0x20  # time was not trusted: the tariff's fallback band was billed
NET = 0x10  # import and export of the interval were netted
UNPRICED = 0x08  # dynamic prices are in use and had none for this time: the band's was charged
BAND_MASK = 0x07
NO_BLOCK = 0xFF
BLOCKS = 6  # most blocks of a tariff: the width of a table by band and block

INTERVAL_FORMAT = "<IIHBI"  # import Wh, export Wh (cumulative), duration s, quality, tariff n
LONG = 0xFFFF  # a duration that is longer: the interval began where the one before it ended
INTERVAL_LENGTH = 15
PART_FORMAT = "<BBIq"  # band, block, Wh, price (micro per kWh)
PART_LENGTH = 14


class Part:
    """Energy of one interval at one price; `amount` is exact, in nano-units."""

    def __init__(self, band, block, wh, price):
        self.band = band
        self.block = block
        self.wh = wh
        self.price = price

    def amount(self):
        """What it moves on the balance: import costs, export earns. Wh x micro/kWh is nano."""
        return self.wh * self.price if self.band & EXPORT else -self.wh * self.price


def pack_interval(import_wh, export_wh, duration_s, quality, tariff_n, parts):
    """Cumulative registers at the end of an interval and the parts it was rated in."""
    data = bytearray(INTERVAL_LENGTH + PART_LENGTH * len(parts))
    duration = min(duration_s, LONG)
    struct.pack_into(INTERVAL_FORMAT, data, 0, import_wh, export_wh, duration, quality, tariff_n)
    at = INTERVAL_LENGTH
    for part in parts:
        struct.pack_into(PART_FORMAT, data, at, part.band, part.block, part.wh, part.price)
        at += PART_LENGTH
    return data


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


def pack_opening(meter, import_wh, export_wh, used_wh):
    """Registers and the cycle's block use at commissioning."""
    return struct.pack("<III", import_wh, export_wh, used_wh) + meter.encode()


def unpack_opening(payload):
    """(import Wh, export Wh, used Wh, meter id)."""
    return struct.unpack_from("<III", payload, 0) + (_text(payload, 12),)


def pack_tariff(n, digest, id):
    """The tariff in force from this entry on; `digest` is SHA-256 of the document."""
    return struct.pack("<I32s", n, digest) + id.encode()


def unpack_tariff(payload):
    """(n, SHA-256, id)."""
    return struct.unpack_from("<I32s", payload, 0) + (_text(payload, 36),)


def pack_credit(n, highest, seen):
    """A purchase and the replay memory after it, so that both are durable or neither is."""
    return struct.pack("<QQQ", n, highest, seen)


unpack_credit = fixed("<QQQ", 24)  # (n, highest, seen bitmap)


def pack_token(scheme, kind, id, value, until):
    """A token taken: scheme (1 STS, 2 OpenPAYGO), kind, TID or count, value; `until` is the
    powered second at which OpenPAYGO time runs out after it."""
    return struct.pack("<BBIqI", scheme, kind, id, value, until)


unpack_token = fixed("<BBIqI", 18)  # (scheme, kind, TID or count, value, until)


def pack_standing(day, n):
    """The key of a standing charge: local date as yyyymmdd, and the tariff it was charged at."""
    return struct.pack("<II", day, n)


unpack_standing = fixed("<II", 8)  # (yyyymmdd, tariff n)


def pack_emergency(limit_micro, available):
    """Emergency credit accepted by a person: how much, and what was available then (nano)."""
    return struct.pack("<qq", limit_micro, available)


unpack_emergency = fixed("<qq", 16)  # (micro-units, available nano)


def pack_event(code, value):
    """An event of agent/events.py and one number that belongs to it."""
    return struct.pack("<Hq", code, value)


# An event of a condition goes on with the voltage, the current and the power at that moment.
CONDITION_FORMAT = "<Hqiiq"  # code, value, mV, mA, mW
CONDITION_LENGTH = 26
ENDED = 8  # in its value: the condition is over; below it the phase, 0 for the whole meter


def unpack_event(payload):
    """(code, value); RecordError at a length no event has."""
    if len(payload) not in (10, CONDITION_LENGTH):
        raise RecordError("payload is %d bytes, not 10 or %d" % (len(payload), CONDITION_LENGTH))
    return struct.unpack_from("<Hq", payload, 0)


def pack_condition(code, value, millivolts, milliamps, milliwatts):
    """A condition began or ended: an event, and what was measured then."""
    return struct.pack(CONDITION_FORMAT, code, value, millivolts, milliamps, milliwatts)


def unpack_snapshot(payload):
    """(mV, mA, mW) of an event that has them, else None."""
    if len(payload) != CONDITION_LENGTH:
        return None
    return struct.unpack_from(CONDITION_FORMAT, payload, 0)[2:]


def pack_relay(operation, reasons, cause, powered_s):
    """A relay movement: what, the open reasons then, what caused it, powered seconds."""
    return struct.pack("<BHBI", operation, reasons, cause, powered_s)


unpack_relay = fixed("<BHBI", 8)  # (operation, reasons, cause, powered seconds)


def pack_command(of, op, result):
    """A command answered: first 8 bytes of its SHA-256, op and result codes."""
    return struct.pack("<8sBB", of, op, result)


unpack_command = fixed("<8sBB", 10)  # (of, op, result)


def pack_clock(before, after, source):
    """A step of the wall clock over 10 s."""
    return struct.pack("<qqB", before, after, source)


unpack_clock = fixed("<qqB", 17)  # (before, after, source)


# Reasons of a debt record.
DEBT_SET = 1  # reference: its id
DEBT_SHARE = 2  # reference: purchase n
DEBT_DAY = 3  # reference: local date yyyymmdd


def pack_debt(reason, reference, state):
    """What moved the debt, and everything it stands at afterwards (Debt.pack())."""
    return struct.pack("<BQ45s", reason, reference, state)


unpack_debt = fixed("<BQ45s", 54)  # (reason, reference, state)

# Reasons of an adjustment.
ADJUST_CORRECTION = 1
ADJUST_ESTIMATE = 2
ADJUST_REVERSAL = 3  # of an estimate
ADJUST_PRICES = 4  # correction of dynamic prices, whose n is that of price documents
CORRECTING = (ADJUST_CORRECTION, ADJUST_PRICES)


def pack_adjust(reason, n, cycle, unrated_wh, diverted, id, charged=0, minimum=0, lack=0):
    """An adjustment for the billing cycle that began on `cycle` (yyyymmdd, 0 for none).

    A correction is (id, n); `unrated_wh` kept their charge and `diverted` nano-units went to the
    debt instead of the balance. It charged the cycle's energy and standing `charged` nano more
    and, where the cycle has ended, its minimum (now `minimum` micro) `lack` nano more.
    """
    fixed = (reason, n, cycle, unrated_wh, diverted, charged, minimum, lack)
    return struct.pack("<BIIIqqQq", *fixed) + id.encode()


def unpack_adjust(payload):
    """(reason, n, cycle, unrated Wh, diverted, id)."""
    return struct.unpack_from("<BIIIq", payload, 0) + (_text(payload, 45),)


def unpack_adjusted_cycle(payload):
    """(charged, minimum, lack) of an adjustment."""
    return struct.unpack_from("<qQq", payload, 21)


def pack_correction(n, digest, start, until, standing_day, id):
    """A correction document was taken: re-rate the records before this one from `start` to before
    `until` (unix). Standing charges were posted up to `standing_day` (days since 2000-01-01); 0:
    the document corrects dynamic prices."""
    return struct.pack("<I32sQQH", n, digest, start, until, standing_day) + id.encode()


def unpack_correction(payload):
    """(n, SHA-256, start, until, standing day, id)."""
    return struct.unpack_from("<I32sQQH", payload, 0) + (_text(payload, 54),)


# Flags of a freeze.
CYCLE_ENDED = 1  # a billing cycle; without it only the block counter starts anew
BLOCKS_ANEW = 4
BEGINS_WHOLE = 2  # the cycle that begins is under a tariff from its first instant on
ENDED_WHOLE = 8  # the cycle that ended was: its minimum holds
