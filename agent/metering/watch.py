"""The watch: what has held for long enough becomes an event, and another when it is over.

A look that finds nothing new allocates nothing. What holds, and which tampers have not been
cleared, survive a reboot in a file of their own, written when they change.
"""

import binascii
import struct
from array import array

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.metering.conditions import (
    BITS,
    FREQUENCY,
    FROZEN,
    IMBALANCE,
    KINDS,
    TAMPERS,
    kind_of,
    phase_of,
)
from wattledger.agent.metering.power_quality import PowerQuality
from wattledger.agent.metering.tamper import Tamper
from wattledger.hal.sample import (
    CURRENT_MA,
    FREQUENCY_MHZ,
    NEUTRAL_MA,
    PHASE_FIELDS,
    POWER_MW,
    QUALITY_ESTIMATED,
    QUALITY_REJECTED,
    VOLTAGE_MV,
)

NAME = "tamper"
FORMAT = "<BIH"  # version, what holds, tampers not cleared
VERSION = 1
CRC_AT = struct.calcsize(FORMAT)
PAIRS = 14  # of the levels: pairs an hour
HOUR_S = 3600


class Watch:
    """`active` are the bits that hold, `latched` the kinds of tamper not cleared since."""

    def __init__(self, config, meter, time, storage, inputs, is_open, append):
        """`append(payload)` journals an event; the rest is as the agent has it."""
        self._meter = meter
        self._time = time
        self._storage = storage
        self._append = append
        self._times = config.quality
        levels = config.quality[2 * KINDS :]
        self._pairs = levels[PAIRS]
        self._quality = PowerQuality(config, meter.phases, levels)
        self._tamper = Tamper(config, meter, levels, inputs, is_open)
        self._larger = config.bill_on == "larger"
        self.active = 0
        self.latched = 0
        self._pending = 0  # bits that differ from what is active, and not for long enough
        self._untold = 0  # bits whose beginning was held back: so is their end
        self._held = array("H", [0] * BITS)  # s for which a pending bit has differed
        self._begun = bytearray(KINDS)  # beginnings in this hour
        self._hour = 0
        self._at = 0  # powered seconds of the last look
        self._ticks = -1
        self._kept = True  # the file has what is here

    def recover(self):
        """After a boot: what held then is looked at again, and ends if it is gone."""
        data = bytearray(CRC_AT + 5)
        try:
            size = self._storage.read_from(NAME, 0, data)
        except OSError:
            size = 0
        if size == CRC_AT + 4 and data[0] == VERSION:
            (crc,) = struct.unpack_from("<I", data, CRC_AT)
            if crc == binascii.crc32(memoryview(data)[:CRC_AT]):
                _, self.active, self.latched = struct.unpack_from(FORMAT, data, 0)
        self._at = self._time.powered_s
        self._apply()

    def work(self):
        """Look at the newest reading, once; True when something began or ended."""
        now = self._time.powered_s
        if now // HOUR_S != self._hour:
            self._turn_hour(now // HOUR_S)
        if not self._kept:
            self.keep()
        meter = self._meter
        if meter.ticks == self._ticks:
            return False
        self._ticks = meter.ticks
        passed, self._at = now - self._at, now
        if meter.missed or not meter.answered:
            return False  # without a reading nothing begins and nothing ends
        if meter.quality == QUALITY_REJECTED or meter.quality == QUALITY_ESTIMATED:
            return False
        active = self.active
        sample = meter.sample
        differs = active ^ (
            self._quality.judge(sample, active) | self._tamper.judge(sample, active)
        )
        if not differs:
            self._pending = 0
            return False
        bit = 0
        while bit < BITS:
            if differs >> bit & 1:
                self._wait(bit, passed)
            bit += 1
        self._pending &= differs
        return self.active != active

    def _wait(self, bit, passed):
        """Count the time for which a bit differs from what is active; turn it when it is due."""
        mask = 1 << bit
        held = self._held
        if self._pending & mask:
            held[bit] = min(held[bit] + passed, 0xFFFF)
        else:
            held[bit] = 0
            self._pending |= mask
        begins = not self.active & mask
        if held[bit] >= self._times[kind_of(bit) + (0 if begins else KINDS)]:
            self._pending &= ~mask
            self._turn(bit, mask, begins)

    def _turn(self, bit, mask, begins):
        kind = kind_of(bit)
        self.active ^= mask
        self._apply()
        self._kept = False
        if begins:
            if TAMPERS >> kind & 1:
                self.latched |= 1 << kind
            self._begun[kind] = min(self._begun[kind] + 1, 255)
            if self._begun[kind] > self._pairs:
                self._untold |= mask
        if not self._untold & mask:
            self._tell(kind, phase_of(bit), mask, begins)
        elif not begins:
            self._untold ^= mask

    def _tell(self, kind, phase, mask, begins):
        sample = self._meter.sample
        at = (phase - 1) * PHASE_FIELDS if phase else 0
        current = sample[NEUTRAL_MA if mask == IMBALANCE else at + CURRENT_MA]
        power = sample[at + POWER_MW] if phase else self._meter.power_mw()
        value = phase | (0 if begins else payloads.ENDED)
        if mask == FREQUENCY:
            value |= sample[FREQUENCY_MHZ] << 8
        self._append(
            payloads.pack_condition(
                events.REVERSE + kind, value, sample[at + VOLTAGE_MV], current, power
            )
        )

    def _turn_hour(self, hour):
        """A flickering condition fills no journal: what was held back is told as a number."""
        self._hour = hour
        for kind in range(KINDS):
            untold = self._begun[kind] - self._pairs
            if untold > 0:
                self._append(
                    payloads.pack_event(
                        events.CONDITIONS_HELD, untold << 8 | events.REVERSE + kind
                    )
                )
            self._begun[kind] = 0

    def _apply(self):
        """What the meter has to know of it in its tick."""
        self._meter.frozen = bool(self.active & FROZEN)
        self._meter.bill_larger = self._larger and bool(self.active & IMBALANCE)

    def kinds(self):
        """The kinds that hold now, a bit each."""
        found = 0
        for bit in range(BITS):
            if self.active >> bit & 1:
                found |= 1 << kind_of(bit)
        return found

    def clear(self):
        """Forget the tampers that are over; one that goes on stays. True when it is durable."""
        before = self.latched
        self.latched &= self.kinds()
        if self.latched != before:
            self._append(payloads.pack_event(events.TAMPER_CLEARED, before & ~self.latched))
            self._kept = False
        return self.keep()

    def keep(self):
        """Commit what holds; True when it is durable."""
        if self._kept:
            return True
        data = struct.pack(FORMAT, VERSION, self.active, self.latched)
        try:
            self._storage.commit(NAME, data + struct.pack("<I", binascii.crc32(data)))
        except OSError:
            return False  # the next step tries again
        self._kept = True
        return True
