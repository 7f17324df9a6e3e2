"""What the records of a billing cycle carry: demand, minimum and freeze. Field by field in
docs/journal.md. Apart from the others because each is rare: a device loads it when one comes.
"""

import struct

from wattledger.agent.errors import RecordError
from wattledger.agent.journal.checkpoint import pack_energy, unpack_energy
from wattledger.agent.journal.payload_read import fixed


def pack_demand(cycle, watts, before, minutes, n):
    """A new highest demand of the cycle (its first date as yyyymmdd), and the highest before."""
    return struct.pack("<IIIBI", cycle, watts, before, minutes, n)


unpack_demand = fixed("<IIIBI", 17)  # (cycle, W, W before, minutes, tariff n)


def pack_minimum(cycle, minimum, energy, standing, n):
    """A cycle's minimum (micro-units) and what it was charged for energy and standing (nano)."""
    return struct.pack("<IQqqI", cycle, minimum, energy, standing, n)


unpack_minimum = fixed("<IQqqI", 32)  # (cycle, minimum, energy, standing, tariff n)

FREEZE_FORMAT = "<BIHHIIIIqqQ"
FREEZE_LENGTH = 49


class Freeze:
    """What a billing cycle came to; `cycle` is its first date as yyyymmdd, the days are those on
    which the cycle and the period of the block counter that follow began (since 2000-01-01).

    Energies are whole Wh, `energy` and `standing` what was charged (nano), `minimum` what the
    cycle's tariff asked for at least (micro), `bands` the import registers of the bands, `cells`
    the cycle's Wh of band b and block k at b * BLOCKS + k.
    """

    def __init__(self, fields, bands, cells):
        self.flags, self.cycle, self.cycle_day, self.block_day = fields[:4]
        self.import_wh, self.export_wh, self.used_wh, self.demand_w = fields[4:8]
        self.energy, self.standing, self.minimum = fields[8:]
        self.bands = bands
        self.cells = cells


def pack_freeze(flags, key, cycle_day, block_day, import_wh, export_wh, used_wh, cycle, minimum=0):
    """The Freeze of a cycle (agent/billing/cycle.py) at these registers; `minimum` is micro."""
    head = struct.pack(
        FREEZE_FORMAT,
        flags,
        key,
        cycle_day,
        block_day,
        import_wh,
        export_wh,
        used_wh,
        cycle.demand_w,
        cycle.energy,
        cycle.standing,
        minimum,
    )
    return head + pack_energy(cycle.bands, cycle.cells)


def unpack_freeze(payload):
    """The Freeze in a payload; RecordError when its length is not one of a freeze."""
    if len(payload) < FREEZE_LENGTH:
        raise RecordError("a freeze payload cannot be %d bytes" % len(payload))
    bands, cells, end = unpack_energy(payload, FREEZE_LENGTH)
    if end != len(payload):
        raise RecordError("a freeze payload cannot be %d bytes" % len(payload))
    return Freeze(struct.unpack_from(FREEZE_FORMAT, payload, 0), bands, cells)
