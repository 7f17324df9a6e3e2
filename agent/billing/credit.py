"""Credit: which purchases were seen, how low the credit stands, and which alarms have sounded."""

from wattledger.agent import events
from wattledger.agent.units import NANO_PER_MICRO

WINDOW = 64  # a purchase number older than this below the highest is refused
MAX_N = (1 << 53) - 1  # exact in every JSON parser

NEW = "new"
DUPLICATE = "duplicate"
OLD = "old"

ALARM_LOW_1 = 1
ALARM_LOW_2 = 2
ALARM_ZERO = 4

NORMAL = "normal"
LOW_1 = "low1"
LOW_2 = "low2"
EMERGENCY = "emergency"
ZERO = "zero"
UNTARIFFED = "untariffed"


class PurchaseMemory:
    """The highest purchase number accepted and a bitmap of the 64 up to it."""

    def __init__(self):
        self.highest = 0
        self.seen = 0  # bit i: purchase highest - i

    def restore(self, highest, seen):
        self.highest = highest
        self.seen = seen

    def check(self, n):
        """NEW, DUPLICATE or OLD."""
        if n > self.highest:
            return NEW
        behind = self.highest - n
        if behind >= WINDOW:
            return OLD
        return DUPLICATE if self.seen >> behind & 1 else NEW

    def after(self, n):
        """(highest, seen) once `n`, which check() calls NEW, is accepted; changes nothing."""
        if n > self.highest:
            # Shifting by more than the window would build a number as long as the gap.
            ahead = min(n - self.highest, WINDOW)
            return n, (self.seen << ahead | 1) & ((1 << WINDOW) - 1)
        return self.highest, self.seen | 1 << (self.highest - n)


class CreditWatch:
    """Zones and alarms, and emergency credit. An alarm sounds once at each crossing and is armed
    again by a credit. Emergency credit that was `accepted` stays until a credit repays it; `used`
    once nothing else was left."""

    def __init__(self):
        self.alarms = 0
        self.accepted = False
        self.used = False

    def pack(self):
        """A byte for the checkpoint: a slot that is lost must not take the emergency credit, nor
        sound every alarm again."""
        return self.accepted | self.used << 1 | self.alarms << 2

    def restore(self, state):
        """Stand where pack() stood."""
        self.accepted = bool(state & 1)
        self.used = bool(state & 2)
        self.alarms = state >> 2

    def floor(self, tariff):
        """Nano at which credit ends: 0, or below it by the emergency credit accepted."""
        if tariff is None or not self.accepted:
            return 0
        return -tariff.emergency * NANO_PER_MICRO

    def is_offered(self, tariff, available):
        """True when emergency credit may be accepted at `available` (nano)."""
        if tariff is None or not tariff.emergency or self.accepted:
            return False
        return available <= tariff.low[1] * NANO_PER_MICRO

    def zone(self, tariff, available):
        """The zone's name at `available` (nano)."""
        if tariff is None:
            return UNTARIFFED
        if available <= 0:
            return EMERGENCY if available > self.floor(tariff) else ZERO
        if available <= tariff.low[1] * NANO_PER_MICRO:
            return LOW_2
        if available <= tariff.low[0] * NANO_PER_MICRO:
            return LOW_1
        return NORMAL

    def crossed(self, tariff, available):
        """Event codes of the levels crossed since they were last armed."""
        if self.accepted and available <= 0:
            self.used = True
        found = []
        for bit, level, code in self._levels(tariff):
            if available <= level and not self.alarms & bit:
                self.alarms |= bit
                found.append(code)
        return found

    def arm(self, tariff, available):
        """After a credit, refund or adjust: alarms of levels below `available` may sound again,
        and emergency credit that is repaid, or was never needed, may be offered again."""
        for bit, level, _ in self._levels(tariff):
            if available > level:
                self.alarms &= ~bit
        if tariff is None or not self.accepted:
            return
        if available > (0 if self.used else tariff.low[1] * NANO_PER_MICRO):
            self.accepted = self.used = False

    def _levels(self, tariff):
        if tariff is None:
            return ()
        return (
            (ALARM_LOW_1, tariff.low[0] * NANO_PER_MICRO, events.LOW_CREDIT_1),
            (ALARM_LOW_2, tariff.low[1] * NANO_PER_MICRO, events.LOW_CREDIT_2),
            (ALARM_ZERO, 0, events.CREDIT_EXHAUSTED),
        )
