"""Which alerts a household is due: once a crossing, at most one a level and day, quiet at night.

Judged from the view model alone, so it is the same on every board; who sends them is another's
matter. What was told is kept in storage: a boot tells nothing twice. docs/alerts.md has the rules.
"""

import binascii
import struct

from wattledger.agent.units import DAY_S

LOW_1 = 1
LOW_2 = 2
CUT_SOON = 3
CUT = 4
READY = 5  # a person may close
RESTORED = 6
TAMPER = 7
MESSAGE = 8  # of the utility
TEST = 9
NAMES = {
    LOW_1: "low1",
    LOW_2: "low2",
    CUT_SOON: "cut_soon",
    CUT: "cut",
    READY: "ready",
    RESTORED: "restored",
    TAMPER: "tamper",
    MESSAGE: "message",
}
LEVELS = (LOW_1, LOW_2)
URGENT = (CUT_SOON, CUT)  # no quiet hours for these

STORE = "alerts"
FORMAT = "<BHHBIQHH"  # version, raised, held, supply, tamper, message's time, day of each level
VERSION = 1
SIZE = struct.calcsize(FORMAT)
SUPPLY = ("", "disconnected", "ready", "connected")
UNTRUSTED = "unknown"  # of the clock: it says nothing of the hour

SOON_S = 900
SOON_OVER_S = 1800
AGAIN_S = 600  # a supply that opens and closes by itself fills no telephone
EASED = 10  # a level is left by a tenth of it, or by a day
DAY_MINUTES = 1440


class Settings:
    """`quiet` is (from, to) in minutes of the local day or None, `days` the days left below which
    each level is low as well, `prepay` False when nothing is cut for money."""

    def __init__(self, quiet=None, days=(3, 1), prepay=True):
        self.quiet = quiet
        self.days = days
        self.prepay = prepay


class Notices:
    """`look(view)` sends what is due: `send(kind, view)`. `report(code, value)` as of an Agent.

    `held_code` is the event that says an alert was held back, with its kind.
    """

    def __init__(self, settings, storage, send, report, held_code):
        self._settings = settings
        self._storage = storage
        self._send = send
        self._report = report
        self._held_code = held_code
        self._raised = 0  # kinds that hold, a bit each
        self._held = 0  # kinds that wait for the end of the quiet hours
        self._supply = 0  # place in SUPPLY
        self._tamper = 0
        self._message = 0
        self._days = [0, 0]
        self._told = {}  # kind: unix seconds it was told, since the boot
        self._quiet = False
        self._recover()
        self._kept = self._pack()

    def look(self, view):
        """Judge a view of the meter (agent/display/view.py, page)."""
        self._quiet = self._is_quiet(view)
        if self._settings.prepay:
            self._look_at_money(view)
        self._look_at_supply(view)
        self._look_at_tamper(view)
        self._look_at_messages(view)
        if self._held and not self._quiet:
            self._catch_up(view)
        self._keep()

    def _look_at_money(self, view):
        # The lower level first: where both are crossed at once, one alert says it all.
        for level in (1, 0):
            kind = LEVELS[level]
            if self._is_raised(kind):
                if self._has_eased(view, level):
                    self._lower(kind)
            elif self._is_low(view, level):
                self._raise(kind)
                if kind == LOW_1 and self._is_raised(LOW_2):
                    self._report(self._held_code, kind)
                else:
                    self._tell_level(level, kind, view)
        left_s = view["supply"]["cut_in_s"]
        if left_s is None or left_s > SOON_OVER_S:
            self._lower(CUT_SOON)
        elif left_s <= SOON_S and not self._is_raised(CUT_SOON):
            self._raise(CUT_SOON)
            self._tell(CUT_SOON, view)

    def _is_low(self, view, level):
        available, low, days = view["available_micro"], view["low_micro"], view["days_left"]
        if days is not None and days < self._settings.days[level]:
            return True
        return available is not None and low is not None and available <= low[level]

    def _has_eased(self, view, level):
        available, low, days = view["available_micro"], view["low_micro"], view["days_left"]
        if available is None or low is None or self._is_low(view, level):
            return False
        if days is not None and days < self._settings.days[level] + 1:
            return False
        return available > low[level] + low[level] // EASED

    def _tell_level(self, level, kind, view):
        day = _local(view) // DAY_S & 0xFFFF
        if day == self._days[level]:
            self._report(self._held_code, kind)
            return
        self._days[level] = day
        self._tell(kind, view)

    def _look_at_supply(self, view):
        state = view["supply"]["state"]
        now = SUPPLY.index(state)
        before, self._supply = self._supply, now
        if not before or now == before:
            return
        kind = {"disconnected": CUT, "ready": READY, "connected": RESTORED}[state]
        if kind == CUT and SUPPLY[before] == "ready":
            return  # it was off already
        told = self._told.get(kind)
        if told is not None and 0 <= view["time"] - told < AGAIN_S:
            self._report(self._held_code, kind)
            return
        self._tell(kind, view)

    def _look_at_tamper(self, view):
        new = view["tamper"] & ~self._tamper
        self._tamper = view["tamper"]
        if new:
            self._tell(TAMPER, view)

    def _look_at_messages(self, view):
        if not view["messages"]:
            self._message = 0
            return
        time = view["messages"][0]["time"]
        if time != self._message:
            self._message = time
            self._tell(MESSAGE, view)

    def _tell(self, kind, view):
        if self._quiet and kind not in URGENT:
            self._held |= 1 << kind
            self._report(self._held_code, kind)
            return
        self._held &= ~(1 << kind)
        self._told[kind] = view["time"]
        self._send(kind, view)

    def _catch_up(self, view):
        """The quiet hours are over: tell what still holds of what was held back."""
        state = view["supply"]["state"]
        holds = {
            LOW_1: self._is_raised(LOW_1) and not self._is_raised(LOW_2),
            LOW_2: self._is_raised(LOW_2),
            READY: state == "ready",
            RESTORED: state == "connected",
            TAMPER: view["tamper"] != 0,
            MESSAGE: len(view["messages"]) > 0,
        }
        for kind in sorted(holds):
            if self._held >> kind & 1:
                self._held &= ~(1 << kind)
                if holds[kind]:
                    self._tell(kind, view)

    def _is_quiet(self, view):
        if self._settings.quiet is None or view["trust"] == UNTRUSTED:
            return False
        first, end = self._settings.quiet
        minute = _local(view) % DAY_S // 60
        if first <= end:
            return first <= minute < end
        return minute >= first or minute < end

    def _is_raised(self, kind):
        return self._raised >> kind & 1

    def _raise(self, kind):
        self._raised |= 1 << kind

    def _lower(self, kind):
        self._raised &= ~(1 << kind)

    def _pack(self):
        return struct.pack(
            FORMAT,
            VERSION,
            self._raised,
            self._held,
            self._supply,
            self._tamper,
            self._message,
            self._days[0],
            self._days[1],
        )

    def _keep(self):
        data = self._pack()
        if data == self._kept:
            return
        try:
            self._storage.commit(STORE, data + struct.pack("<I", binascii.crc32(data)))
        except OSError:
            return  # the next look tries again
        self._kept = data

    def _recover(self):
        data = bytearray(SIZE + 5)
        try:
            size = self._storage.read_from(STORE, 0, data)
        except OSError:
            return
        if size != SIZE + 4 or data[0] != VERSION:
            return
        if struct.unpack_from("<I", data, SIZE)[0] != binascii.crc32(memoryview(data)[:SIZE]):
            return
        found = struct.unpack_from(FORMAT, data, 0)
        _, self._raised, self._held, self._supply, self._tamper, self._message = found[:6]
        self._days = list(found[6:])


def _local(view):
    """Seconds of local time."""
    return view["time"] + view["utc_offset_s"]
