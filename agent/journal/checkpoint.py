"""A checkpoint: everything the entries before it added up to, so that a walk can begin at it.

It carries the chain's hash before it; the balance is in its record. It opens every segment that a
boot or a full segment begins, so a boot reads one segment and old ones can go.
"""

import struct

from wattledger.agent.errors import RecordError

FORMAT = "<B8sIIIIBHHQQ32sHIqQB"
HAS_TOKENS = 2  # flag: the cold state exists; without it used tokens would be good again
DAMAGED = 1  # flag: records were lost before it, and purchases may be missing from its memory
LENGTH = struct.calcsize(FORMAT)
NO_TARIFF = b"\0" * 32


class Checkpoint:
    """Energies are whole Wh, `start` (of the open interval) unix seconds, days since 2000."""

    def __init__(self):
        self.flags = 0
        self.previous = b"\0" * 8
        self.import_wh = 0
        self.export_wh = 0
        self.used_wh = 0
        self.start = 0
        self.cycle_day = 0
        self.standing_day = 0
        self.highest = 0
        self.seen = 0
        self.tariff = NO_TARIFF  # SHA-256 of the document in force
        self.day = 0
        self.day_wh = 0
        self.day_nano = 0
        self.moved_at = 0  # unix seconds of the last relay movement, 0 for none
        self.closings = []  # powered seconds of the last closings
        self.meter = ""  # its id: the opening entry may be gone

    def pack(self):
        """The payload of a checkpoint record."""
        head = struct.pack(
            FORMAT,
            self.flags,
            self.previous,
            self.import_wh,
            self.export_wh,
            self.used_wh,
            self.start & 0xFFFFFFFF,
            self.start >> 32,
            self.cycle_day,
            self.standing_day,
            self.highest,
            self.seen,
            self.tariff,
            self.day,
            self.day_wh,
            self.day_nano,
            self.moved_at,
            len(self.closings),
        )
        closings = b"".join([struct.pack("<I", at) for at in self.closings])
        return head + closings + self.meter.encode()


def unpack(payload):
    """The Checkpoint in a payload; RecordError when its length is not one of a checkpoint."""
    if len(payload) < LENGTH:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    fields = struct.unpack_from(FORMAT, payload, 0)
    meter_at = LENGTH + 4 * fields[16]
    if len(payload) < meter_at:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    checkpoint = Checkpoint()
    checkpoint.flags, checkpoint.previous = fields[:2]
    checkpoint.import_wh, checkpoint.export_wh, checkpoint.used_wh = fields[2:5]
    checkpoint.start = fields[5] | fields[6] << 32
    checkpoint.cycle_day, checkpoint.standing_day = fields[7:9]
    checkpoint.highest, checkpoint.seen, checkpoint.tariff = fields[9:12]
    checkpoint.day, checkpoint.day_wh, checkpoint.day_nano = fields[12:15]
    checkpoint.moved_at = fields[15]
    checkpoint.closings = [
        struct.unpack_from("<I", payload, LENGTH + 4 * index)[0] for index in range(fields[16])
    ]
    checkpoint.meter = bytes(payload[meter_at:]).decode()
    return checkpoint
