"""What each kind of record carries, packed; payload_read.py unpacks it. Field by field in
docs/journal.md.
"""

import struct

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


def pack_opening(meter, import_wh, export_wh, used_wh):
    """Registers and the cycle's block use at commissioning."""
    return struct.pack("<III", import_wh, export_wh, used_wh) + meter.encode()


def pack_tariff(n, digest, id):
    """The tariff in force from this entry on; `digest` is SHA-256 of the document."""
    return struct.pack("<I32s", n, digest) + id.encode()


def pack_credit(n, highest, seen):
    """A purchase and the replay memory after it, so that both are durable or neither is."""
    return struct.pack("<QQQ", n, highest, seen)


def pack_token(scheme, kind, id, value, until):
    """A token taken: scheme (1 STS, 2 OpenPAYGO), kind, TID or count, value; `until` is the
    powered second at which OpenPAYGO time runs out after it."""
    return struct.pack("<BBIqI", scheme, kind, id, value, until)


def pack_standing(day, n):
    """The key of a standing charge: local date as yyyymmdd, and the tariff it was charged at."""
    return struct.pack("<II", day, n)


def pack_emergency(limit_micro, available):
    """Emergency credit accepted by a person: how much, and what was available then (nano)."""
    return struct.pack("<qq", limit_micro, available)


def pack_event(code, value):
    """An event of agent/events.py and one number that belongs to it."""
    return struct.pack("<Hq", code, value)


# An event of a condition goes on with the voltage, the current and the power at that moment.
CONDITION_FORMAT = "<Hqiiq"  # code, value, mV, mA, mW
CONDITION_LENGTH = 26
ENDED = 8  # in its value: the condition is over; below it the phase, 0 for the whole meter


def pack_condition(code, value, millivolts, milliamps, milliwatts):
    """A condition began or ended: an event, and what was measured then."""
    return struct.pack(CONDITION_FORMAT, code, value, millivolts, milliamps, milliwatts)


def pack_relay(operation, reasons, cause, powered_s):
    """A relay movement: what, the open reasons then, what caused it, powered seconds."""
    return struct.pack("<BHBI", operation, reasons, cause, powered_s)


def pack_command(of, op, result):
    """A command answered: first 8 bytes of its SHA-256, op and result codes."""
    return struct.pack("<8sBB", of, op, result)


def pack_clock(before, after, source):
    """A step of the wall clock over 10 s."""
    return struct.pack("<qqB", before, after, source)


# Reasons of a debt record.
DEBT_SET = 1  # reference: its id
DEBT_SHARE = 2  # reference: purchase n
DEBT_DAY = 3  # reference: local date yyyymmdd


def pack_debt(reason, reference, state):
    """What moved the debt, and everything it stands at afterwards (Debt.pack())."""
    return struct.pack("<BQ45s", reason, reference, state)


# Reasons of an adjustment.
ADJUST_CORRECTION = 1
ADJUST_ESTIMATE = 2
ADJUST_REVERSAL = 3  # of an estimate
ADJUST_PRICES = 4  # correction of dynamic prices, whose n is that of price documents
ADJUST_ORDERED = 5  # by ledger.correct: its n, and its reason where a correction has the id
CORRECTING = (ADJUST_CORRECTION, ADJUST_PRICES)


def pack_adjust(reason, n, cycle, unrated_wh, diverted, id, charged=0, minimum=0, lack=0):
    """An adjustment for the billing cycle that began on `cycle` (yyyymmdd, 0 for none).

    A correction is (id, n); `unrated_wh` kept their charge and `diverted` nano-units went to the
    debt instead of the balance. It charged the cycle's energy and standing `charged` nano more
    and, where the cycle has ended, its minimum (now `minimum` micro) `lack` nano more.
    """
    fixed = (reason, n, cycle, unrated_wh, diverted, charged, minimum, lack)
    return struct.pack("<BIIIqqQq", *fixed) + id.encode()


def pack_correction(n, digest, start, until, standing_day, id):
    """A correction document was taken: re-rate the records before this one from `start` to before
    `until` (unix). Standing charges were posted up to `standing_day` (days since 2000-01-01); 0:
    the document corrects dynamic prices."""
    return struct.pack("<I32sQQH", n, digest, start, until, standing_day) + id.encode()


# Flags of a freeze.
CYCLE_ENDED = 1  # a billing cycle; without it only the block counter starts anew
BLOCKS_ANEW = 4
BEGINS_WHOLE = 2  # the cycle that begins is under a tariff from its first instant on
ENDED_WHOLE = 8  # the cycle that ended was: its minimum holds
