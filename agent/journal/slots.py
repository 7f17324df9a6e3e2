"""The hot state: two small files written in turn, so that one whole copy always exists.

110 bytes, within the 128 that littlefs keeps inline (above it each write costs a block erase).
"""

import binascii
import struct

from wattledger.agent.units import DAY_S

VERSION = 1
NEVER = 0xFFFFFFFF
NAMES = ("slot.a", "slot.b")
FORMAT = "<BHBBIIIIBIIIII8sqIIBBIHHIIIIIIIBB"
CRC_AT = struct.calcsize(FORMAT)
LENGTH = CRC_AT + 4


class HotState:
    """Everything a power cut must not cost. Times are unix seconds, energies Wh, money nano-units.

    `import_rest` and `export_rest` are numerators over the denominator of the chip's calibration.
    The fields of demand, keep-power, remote opens, warnings and load trips are kept in the layout
    and are 0 until the rooms that use them write them.
    """

    def __init__(self):
        self.supply = 0
        self.reasons = 0
        self.alarms = 0
        self.generation = 0
        self.boots = 0
        self.powered_s = 0
        self.unix = 0
        self.import_wh = 0
        self.import_rest = 0
        self.export_wh = 0
        self.export_rest = 0
        self.sequence = 0
        self.hash = b"\0" * 8
        self.balance = 0
        self.acknowledged = 0
        self.start = 0
        self.quality = 0
        self.trust = 0
        self.used_wh = 0
        self.cycle_day = 0
        self.standing_day = 0
        self.clock_budget_s = DAY_S
        self.last_move_s = None  # powered seconds; None when the relay never moved

    def pack(self):
        """110 bytes with their CRC."""
        data = bytearray(LENGTH)
        fields = (
            VERSION,
            self.supply,
            self.reasons,
            self.alarms,
            self.generation,
            self.boots,
            self.powered_s,
            self.unix & 0xFFFFFFFF,
            self.unix >> 32,
            self.import_wh,
            self.import_rest,
            self.export_wh,
            self.export_rest,
            self.sequence,
            self.hash,
            self.balance,
            self.acknowledged,
            self.start & 0xFFFFFFFF,
            self.start >> 32,
            self.quality | self.trust << 4,
            self.used_wh,
            self.cycle_day,
            self.standing_day,
            0,  # demand maximum
            0,  # demand window
            self.clock_budget_s,
            0,  # keep-power
            0,  # remote opens
            NEVER if self.last_move_s is None else self.last_move_s,
            0,  # warning
            0,  # load tries
            0,  # lock-out
        )
        struct.pack_into(FORMAT, data, 0, *fields)
        struct.pack_into("<I", data, CRC_AT, binascii.crc32(memoryview(data)[:CRC_AT]))
        return data


def unpack(data):
    """HotState from bytes, or None when they are not a whole, unchanged slot of our version."""
    if len(data) != LENGTH or data[0] != VERSION:
        return None
    if struct.unpack_from("<I", data, CRC_AT)[0] != binascii.crc32(memoryview(data)[:CRC_AT]):
        return None
    fields = struct.unpack_from(FORMAT, data, 0)
    state = HotState()
    state.supply, state.reasons, state.alarms = fields[1:4]
    state.generation, state.boots, state.powered_s = fields[4:7]
    state.unix = fields[7] | fields[8] << 32
    state.import_wh, state.import_rest, state.export_wh, state.export_rest = fields[9:13]
    state.sequence, state.hash, state.balance, state.acknowledged = fields[13:17]
    state.start = fields[17] | fields[18] << 32
    state.quality, state.trust = fields[19] & 15, fields[19] >> 4
    state.used_wh, state.cycle_day, state.standing_day = fields[20:23]
    state.clock_budget_s = fields[25]
    state.last_move_s = None if fields[28] == NEVER else fields[28]
    return state


class SlotPair:
    """load() the newest whole slot; commit() over the older one."""

    def __init__(self, storage):
        self._storage = storage
        self._older = 0
        self.damaged = False  # a slot was there and could not be read

    def load(self):
        """The newest HotState, or None when there is none."""
        newest = None
        buffer = bytearray(LENGTH + 1)
        for index, name in enumerate(NAMES):
            try:
                size = self._storage.read_from(name, 0, buffer)
            except OSError:
                size = 1  # there, and not readable: damaged
            state = unpack(buffer[:size]) if size else None
            if size and state is None:
                self.damaged = True
            if state and (newest is None or state.generation > newest.generation):
                newest = state
                self._older = 1 - index
        return newest

    def commit(self, state):
        """Make `state` durable, one generation on. OSError leaves the other slot as it was."""
        state.generation += 1
        self._storage.commit(NAMES[self._older], state.pack())
        self._older = 1 - self._older
