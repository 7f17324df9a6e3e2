"""A checkpoint: everything the entries before it added up to, so that a walk can begin at it.

It carries the chain's hash before it; the balance is in its record. Written where the journal goes
on after records that were lost.
"""

import struct

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import record as records

FORMAT = "<8sIIIIBHHQQ32sHIqB"
LENGTH = struct.calcsize(FORMAT)
NO_TARIFF = b"\0" * 32


class Checkpoint:
    """Energies are whole Wh, `start` (of the open interval) unix seconds, days since 2000."""

    def __init__(self):
        self.previous = b"\0" * records.HASH_LENGTH
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
        self.closings = []  # powered seconds of the last closings

    def pack(self):
        """The payload of a checkpoint record."""
        head = struct.pack(
            FORMAT,
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
            len(self.closings),
        )
        return head + b"".join([struct.pack("<I", at) for at in self.closings])


def unpack(payload):
    """The Checkpoint in a payload; RecordError when its length is not one of a checkpoint."""
    if len(payload) < LENGTH:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    fields = struct.unpack_from(FORMAT, payload, 0)
    if len(payload) != LENGTH + 4 * fields[14]:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    checkpoint = Checkpoint()
    checkpoint.previous, checkpoint.import_wh, checkpoint.export_wh = fields[:3]
    checkpoint.used_wh = fields[3]
    checkpoint.start = fields[4] | fields[5] << 32
    checkpoint.cycle_day, checkpoint.standing_day = fields[6:8]
    checkpoint.highest, checkpoint.seen, checkpoint.tariff = fields[8:11]
    checkpoint.day, checkpoint.day_wh, checkpoint.day_nano = fields[11:14]
    checkpoint.closings = [
        struct.unpack_from("<I", payload, LENGTH + 4 * index)[0] for index in range(fields[14])
    ]
    return checkpoint
