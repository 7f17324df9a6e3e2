"""Energy of the ATM90E32: read-to-clear registers over a wire that may flip any bit, either way.

What a wire can do, and what finds it:
- a flipped answer: the register is cleared and its value is in LastSPIData, which is asked after
  every read (Atmel-46003B, LastSPIData);
- a flipped address: another register is read, and cleared if it is one of energy. LastSPIData
  agrees with the answer. So the sum of the phases is held against the registers of the total (T),
  which the chip fills by itself; when they differ, every register is read once more: the one that
  was missed still has its energy;
- a lost or cut transfer: LastSPIData tells whether the chip heard it.
"""

from array import array

from wattledger.hal.errors import BusError
from wattledger.hal.meter.atm90e32_registers import (
    CONFIRMATIONS,
    FORWARD_ENERGY,
    LAST_SPI_DATA,
    METER_EN,
    ONES,
    REVERSE_ENERGY,
    TOTAL_FORWARD,
    TOTAL_REVERSE,
)
from wattledger.hal.sample import MAX_PHASES, OK, UNCONFIRMED


class Energy:
    """Counts read from the chip and not yet handed on, by phase; `channels` are the chip's."""

    def __init__(self, port, channels):
        self._port = port
        self._read = port.read
        self._channels = channels
        self.phases = len(channels)
        self.held = array("i", [0] * MAX_PHASES)
        self._total = 0  # what the registers of the total say of the same time
        # The two registers of each phase, then of the total: counts of the last read of it, and
        # of the one before.
        # A reading that was not there counts as one with energy, see `blame`.
        self._now = array("i", [2] * (2 * MAX_PHASES + 2))
        self._before = array("i", [2] * (2 * MAX_PHASES + 2))
        # A read that a fault cut short: its place (-1: none), what LastSPIData held before it, and
        # whether the chip is known to have heard it.
        self._cut = -1
        self._cut_last = 0
        self._cut_heard = False
        self._doubt_place = 0  # of the last answer that was overruled, and by how much
        self._doubt = 0
        self.stray = 0  # what MeterEn answered instead of 1: perhaps the total's energy
        self.status = OK
        self.unconfirmed = 0
        self.unsettled = 0

    def read_all(self):
        """Read and clear every register in use into `held`; `status`. BusError: call again."""
        self.status = OK
        place = 0
        held = 0
        while place < self.phases:
            channel = self._channels[place]
            self._take(FORWARD_ENERGY + channel, 2 * place, True)
            self._take(REVERSE_ENERGY + channel, 2 * place + 1, True)
            held += self.held[place]
            place += 1
        # The total only checks the phases, so its answer is confirmed where it matters: when it
        # is not the zero of the usual direction, or does not agree.
        reverse = self._take(TOTAL_REVERSE, 2 * place + 1, False)
        if reverse:
            self._confirm_total(2 * place + 1, reverse)
        forward = self._take(TOTAL_FORWARD, 2 * place, False)
        if self._differs(held - self._total):
            self._confirm_total(2 * place, forward)
            if self._differs(held - self._total):
                self._settle()
        self.stray = 0
        self._doubt = 0

    def hand_on(self):
        """Forget what was held: the caller has it."""
        place = 0
        while place < self.phases:
            self.held[place] = 0
            place += 1
        self._total = 0

    def forget(self):
        """Start anew after a reset of the chip; what is held stays."""
        self._cut = -1
        total = 0
        for place in range(self.phases):
            total += self.held[place]
        self._total = total

    def rescue(self):
        """Find the energy of a read that a fault cut short: it is in LastSPIData if the chip heard
        it, and still in its register if not. BusError."""
        if self._cut < 0:
            return
        value = self._settled(self._read(LAST_SPI_DATA))
        if self._cut_heard or value != self._cut_last:
            self._add(self._cut, value)
        self._cut = -1

    def _take(self, register, place, confirm):
        """Add a register to what is held; its value. An answer that was hit on the wire, or lost,
        is still in LastSPIData."""
        self._cut_last = self._port.last
        self._cut_heard = False
        self._cut = place
        value = self._read(register)
        if value == ONES and self._read(METER_EN) != 1:
            raise BusError("the bus answers nothing but ones")
        self._cut_heard = True
        if confirm and value != ONES:
            confirmed = self._read(LAST_SPI_DATA)
            if confirmed != value:
                self._flag()
                value = self._judge(place, value, confirmed)
            self._port.last = value
        self._add(place, value)
        self._cut = -1
        self._before[place] = self._now[place]
        self._now[place] = value
        return value

    def _add(self, place, value):
        if place & 1:
            value = -value
        place >>= 1
        if place < self.phases:
            self.held[place] += value
        else:
            self._total += value

    def _confirm_total(self, place, value):
        """Put a misheard answer of the total right; it was the last transfer."""
        confirmed = self._read(LAST_SPI_DATA)
        if confirmed != value:
            confirmed = self._judge(place, value, confirmed)
        if confirmed != value:
            self._add(place, confirmed - value)
            self._now[place] = confirmed

    def _judge(self, place, value, confirmed):
        """Which is right, an answer or another one of LastSPIData.

        One bit apart: the answer was hit. Further apart: the question for LastSPIData went to
        another register, and that one's content is now what it holds.
        """
        confirmed = self._settled(confirmed)
        bits = value ^ confirmed
        if bits & (bits - 1):
            return value
        self._doubt_place = place
        self._doubt = value - confirmed
        return confirmed

    def _differs(self, difference):
        """Whether the phases and the total are further apart than rests below a count, the power
        at which each starts, and the time between their reads leave them: 1/256."""
        total = self._total
        slack = self.phases + 1 + ((total if total >= 0 else -total) >> 8)
        return difference > slack or difference < -slack

    def _flag(self):
        self.status |= UNCONFIRMED
        self.unconfirmed += 1

    def _settle(self):
        """Phases and total differ: read every register once more and find the one to blame.

        Of the ways one misread register can make this difference, the one that leaves the least
        of it is taken. None fits: the phases stand, each is confirmed. Rare, so it may allocate.
        """
        from wattledger.hal.meter.atm90e32_blame import blame

        self._flag()
        registers = 2 * self.phases + 2
        first = [self._now[place] for place in range(registers)]
        before = [self._before[place] for place in range(registers)]
        for place in range(registers):
            base = REVERSE_ENERGY if place & 1 else FORWARD_ENERGY
            if place < registers - 2:
                self._take(base + self._channels[place >> 1], place, True)
            else:
                self._take(TOTAL_REVERSE if place & 1 else TOTAL_FORWARD, place, True)
        again = [self._now[place] for place in range(registers)]
        left = -self._total
        for place in range(self.phases):
            left += self.held[place]
        for place in range(registers):
            self._now[place] = first[place] + again[place]
        found = blame(left, first, again, before, self.stray, self._doubt_place, self._doubt)
        if found is None:
            self.unsettled += 1
        elif found[0] < registers - 2:  # a phase's: the total is not handed on
            self._add(found[0], found[1])

    def _settled(self, value):
        """LastSPIData once it reads the same twice running; `value` is the first reading of it.

        Reading it does not change it, so either answer may be the one that was hit.
        """
        for _ in range(CONFIRMATIONS):
            before = value
            value = self._read(LAST_SPI_DATA)
            if value == before:
                if value == ONES and self._read(METER_EN) != 1:
                    break
                return value
        raise BusError("LastSPIData does not settle")
