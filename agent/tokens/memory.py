"""All that the tokens of a meter leave behind, as the cold state keeps it. The key is in here and
nowhere else: not in device.json, not in the journal."""

import struct

from wattledger.agent.tokens.replay import TID_BYTES, TIDS, CountMemory, TidMemory
from wattledger.agent.tokens.sts import SECTIONS

# version, key length, key, KRN, KT, KEN, TI, SGC, base year, failures, locked until,
# power limit W, unbalance limit W, highest count, used, PAYG until, flags, sections staged until,
# sections present
FORMAT = "<BB16sBBBBIHBIIIIHIBIB"
HEAD_LENGTH = struct.calcsize(FORMAT)
SECTION_BYTES = 6
VERSION = 1
UNLOCKED = 1  # flag: DISABLE_PAYG was taken, time no longer runs out

FREE_TRIES = 3
FIRST_LOCK_S = 10
LAST_DOUBLING = 7  # 1280 s
MAX_FAILURES = 255


class Tries:
    """Wrong tokens in a row, and for how long no other is looked at because of them."""

    def __init__(self):
        self.failures = 0
        self.locked_until = 0  # powered seconds

    def locked_s(self, powered_s):
        """Seconds for which no token is looked at."""
        return max(self.locked_until - powered_s, 0)

    def count_failure(self, powered_s):
        """A guess: after the third in a row a wait of 10 s, doubled by each to 1280 s."""
        self.failures = min(self.failures + 1, MAX_FAILURES)
        more = self.failures - FREE_TRIES
        if more >= 0:
            self.locked_until = powered_s + (FIRST_LOCK_S << min(more, LAST_DOUBLING))

    def forgive(self):
        """A good token ends the count."""
        self.failures = 0
        self.locked_until = 0


class TokenMemory(Tries):
    """Times are powered seconds. `settings` give what a meter begins with."""

    def __init__(self, settings, key):
        super().__init__()
        self.key = key
        self.krn = settings.krn
        self.kt = settings.kt
        self.ken = settings.ken
        self.ti = settings.ti
        self.sgc = settings.sgc
        self.base = settings.base
        self.tids = TidMemory(settings.made_tid())
        self.sections = {}  # of a new key, not yet complete: subclass -> 6 bytes
        self.staged_until = 0
        self.counts = CountMemory(settings.count)
        self.until = 0  # when the PAYG time runs out
        self.flags = 0
        self.power_limit_w = 0  # 0: none
        self.unbalance_limit_w = 0

    def change_key(self, new):
        """Take a NewKey. A rollover clears the identifiers: with the old key old tokens died."""
        self.key = bytes(new.key)
        self.krn, self.kt, self.ken, self.ti = new.krn, new.kt, new.ken, new.ti
        if new.sgc is not None:
            self.sgc = new.sgc
        if new.rollover:
            self.tids.preset(0)
            self.base += 21  # 1993, 2014, 2035
        self.sections = {}

    def pack(self):
        """The payload of the cold state."""
        present = 0
        staged = b""
        for index, subclass in enumerate(SECTIONS):
            section = self.sections.get(subclass)
            if section:
                present |= 1 << index
            staged += section or b"\0" * SECTION_BYTES
        head = struct.pack(
            FORMAT,
            VERSION,
            len(self.key),
            self.key,
            self.krn,
            self.kt,
            self.ken,
            self.ti,
            self.sgc,
            self.base,
            self.failures,
            self.locked_until,
            self.power_limit_w,
            self.unbalance_limit_w,
            self.counts.highest,
            self.counts.used,
            self.until,
            self.flags,
            self.staged_until,
            present,
        )
        return head + staged + self.tids.data

    def restore(self, payload):
        """Take what pack() wrote; False when it is another version's."""
        staged_at = HEAD_LENGTH + len(SECTIONS) * SECTION_BYTES
        if len(payload) != staged_at + TIDS * TID_BYTES or payload[0] != VERSION:
            return False
        fields = struct.unpack_from(FORMAT, payload, 0)
        self.key = fields[2][: fields[1]]
        self.krn, self.kt, self.ken, self.ti, self.sgc, self.base = fields[3:9]
        self.failures, self.locked_until = fields[9:11]
        self.power_limit_w, self.unbalance_limit_w = fields[11:13]
        self.counts = CountMemory(fields[13], fields[14])
        self.until, self.flags, self.staged_until, present = fields[15:19]
        self.sections = {}
        for index, subclass in enumerate(SECTIONS):
            if present >> index & 1:
                at = HEAD_LENGTH + index * SECTION_BYTES
                self.sections[subclass] = bytes(payload[at : at + SECTION_BYTES])
        self.tids.data = bytearray(payload[staged_at:])
        return True
