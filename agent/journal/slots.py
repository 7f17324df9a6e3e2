"""The hot state: two small files written in turn, so that one whole copy always exists.

110 bytes, within the 128 that littlefs keeps inline (above it each write costs a block erase).
"""

import binascii
import struct

from wattledger.agent.units import DAY_S

VERSION = 1
NEVER = 0xFFFFFFFF
FLAGS_SHIFT = 2  # the supply state has the two lowest bits
NAMES = ("slot.a", "slot.b")
FORMAT = "<BHBBIIIIBIIIII8sqIIBBIHHIIIIIIIBB"
CRC_AT = struct.calcsize(FORMAT)
LENGTH = CRC_AT + 4


class HotState:
    """Everything a power cut must not cost. Times are unix seconds, energies Wh, money nano-units.

    `import_rest` and `export_rest` are numerators over the denominator of the chip's calibration.
    `used_wh` and `cycle_day` are those of the block counter, `flags` those of supply control,
    `demand_w` is the highest demand of the cycle and `window_wh` the register at the start of the
    open window (None: none), `warning_s` and `last_move_s` powered seconds (None: never),
    `keep_power_s` what is left of keep-power.
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
        self.last_move_s = None
        self.flags = 0  # 14 bits
        self.demand_w = 0
        self.window_wh = None
        self.keep_power_s = 0
        self.remote_opens = 0
        self.warning_s = None
        self.load_tries = 0
        self.lockout = 0

    def pack(self):
        """110 bytes with their CRC."""
        data = bytearray(LENGTH)
        fields = (
            VERSION,
            self.supply | self.flags << FLAGS_SHIFT,
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
            self.demand_w,
            NEVER if self.window_wh is None else self.window_wh,
            self.clock_budget_s,
            self.keep_power_s,
            self.remote_opens,
            NEVER if self.last_move_s is None else self.last_move_s,
            NEVER if self.warning_s is None else self.warning_s,
            self.load_tries,
            self.lockout,
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
    state.supply = fields[1] & (1 << FLAGS_SHIFT) - 1
    state.flags = fields[1] >> FLAGS_SHIFT
    state.reasons, state.alarms = fields[2:4]
    state.generation, state.boots, state.powered_s = fields[4:7]
    state.unix = fields[7] | fields[8] << 32
    state.import_wh, state.import_rest, state.export_wh, state.export_rest = fields[9:13]
    state.sequence, state.hash, state.balance, state.acknowledged = fields[13:17]
    state.start = fields[17] | fields[18] << 32
    state.quality, state.trust = fields[19] & 15, fields[19] >> 4
    state.used_wh, state.cycle_day, state.standing_day = fields[20:23]
    state.demand_w, state.clock_budget_s = fields[23], fields[25]
    state.window_wh = None if fields[24] == NEVER else fields[24]
    state.keep_power_s, state.remote_opens = fields[26:28]
    state.last_move_s = None if fields[28] == NEVER else fields[28]
    state.warning_s = None if fields[29] == NEVER else fields[29]
    state.load_tries, state.lockout = fields[30:32]
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
