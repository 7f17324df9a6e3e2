"""A checkpoint: everything the entries before it added up to, so that a walk can begin at it.

It carries the chain's hash before it; the balance is in its record. It opens every segment that a
boot or a full segment begins, so a boot reads one segment and old ones can go. At its largest
(8 bands of 6 blocks, 10 closings, a debt of 48 bytes, a meter id of 32) its record has 510 bytes.
"""

import struct

from wattledger.agent.errors import RecordError
from wattledger.agent.journal.payload import BLOCKS

FORMAT = "<B8sIIIIBHHHQQ32sHIqIBqqIBBB"
DAMAGED = 1  # flag: records were lost before it, and purchases may be missing from its memory
WHOLE = 2  # flag: a tariff was in force from the first instant of the cycle on
ESTIMATED = 4  # flag: estimated charges stand that a measurement may yet reverse
HAS_TOKENS = 8  # flag: the cold state exists; without it used tokens would be good again
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
        self.block_day = 0  # first day of the period that `used_wh` belongs to
        self.cycle_day = 0  # first day of the billing cycle
        self.standing_day = 0
        self.highest = 0
        self.seen = 0
        self.tariff = NO_TARIFF  # SHA-256 of the document in force
        self.day = 0
        self.day_wh = 0
        self.day_nano = 0
        self.moved_at = 0  # unix seconds of the last relay movement, 0 for none
        self.energy = 0  # what the cycle was charged for import, nano
        self.standing = 0  # and for standing
        self.demand_w = 0  # its highest demand
        self.emergency = 0  # emergency credit and alarms, as a CreditWatch packs them
        self.debt = b""  # a packed Debt
        self.closings = []  # powered seconds of the last closings
        self.bands = []  # as in a Cycle
        self.cells = []
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
            self.block_day,
            self.cycle_day,
            self.standing_day,
            self.highest,
            self.seen,
            self.tariff,
            self.day,
            self.day_wh,
            self.day_nano,
            self.moved_at & 0xFFFFFFFF,
            self.moved_at >> 32,
            self.energy,
            self.standing,
            self.demand_w,
            self.emergency,
            len(self.debt),
            len(self.closings),
        )
        closings = b"".join([struct.pack("<I", at) for at in self.closings])
        energy = pack_energy(self.bands, self.cells)
        return head + closings + self.debt + energy + self.meter.encode()


def unpack(payload):
    """The Checkpoint in a payload; RecordError when its length is not one of a checkpoint."""
    if len(payload) < LENGTH:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    fields = struct.unpack_from(FORMAT, payload, 0)
    debt_at = LENGTH + 4 * fields[23]
    energy_at = debt_at + fields[22]
    if len(payload) < energy_at + 2:
        raise RecordError("a checkpoint payload cannot be %d bytes" % len(payload))
    checkpoint = Checkpoint()
    checkpoint.flags, checkpoint.previous = fields[:2]
    checkpoint.import_wh, checkpoint.export_wh, checkpoint.used_wh = fields[2:5]
    checkpoint.start = fields[5] | fields[6] << 32
    checkpoint.block_day, checkpoint.cycle_day, checkpoint.standing_day = fields[7:10]
    checkpoint.highest, checkpoint.seen, checkpoint.tariff = fields[10:13]
    checkpoint.day, checkpoint.day_wh, checkpoint.day_nano = fields[13:16]
    checkpoint.moved_at = fields[16] | fields[17] << 32
    checkpoint.energy, checkpoint.standing, checkpoint.demand_w = fields[18:21]
    checkpoint.emergency = fields[21]
    checkpoint.closings = [
        struct.unpack_from("<I", payload, at)[0] for at in range(LENGTH, debt_at, 4)
    ]
    checkpoint.debt = bytes(payload[debt_at:energy_at])
    checkpoint.bands, checkpoint.cells, meter_at = unpack_energy(payload, energy_at)
    checkpoint.meter = bytes(payload[meter_at:]).decode()
    return checkpoint


def pack_energy(bands, cells):
    """Registers of the bands, then Wh by band and by the blocks that are used."""
    blocks = 0
    for at, wh in enumerate(cells):
        if wh:
            blocks = max(blocks, at % BLOCKS + 1)
    values = bands[:]
    for at, wh in enumerate(cells):
        if at % BLOCKS < blocks:
            values.append(wh)
    data = bytearray(2 + 4 * len(values))
    data[0] = len(bands)
    data[1] = blocks
    for at, wh in enumerate(values):
        struct.pack_into("<I", data, 2 + 4 * at, wh)
    return bytes(data)


def unpack_energy(payload, at):
    """(registers of the bands, Wh by band and block, where they end); RecordError: cut short."""
    bands, blocks = payload[at : at + 2]
    end = at + 2 + 4 * bands * (1 + blocks)
    if end > len(payload) or blocks > BLOCKS:
        raise RecordError("%d bands of %d blocks are not all there" % (bands, blocks))
    values = [struct.unpack_from("<I", payload, place)[0] for place in range(at + 2, end, 4)]
    cells = []
    for band in range(bands):
        row = bands + band * blocks
        cells.extend(values[row : row + blocks])
        cells.extend([0] * (BLOCKS - blocks))
    return values[:bands], cells, end
