"""How long the credit lasts and what the cycle will cost, from the days that were measured whole.

A level of Wh a day follows each whole day by a third of its error; a factor for each weekday
(in 1/1024) follows by a half at first and by a quarter from the fourth week on. What a day really
cost beside what this model says it costs (export, dynamic prices, when in the day the energy is
used) is carried as a mean of its own.
Integers only: equal on both interpreters.
"""

import binascii
import struct

from wattledger.agent.billing.calendar import weekday
from wattledger.agent.units import DAY_S, NANO_PER_MICRO

NAME = "forecast"
ONE = 1024
LEARNED = 2  # whole days until it says anything
MOST_DAYS = 99  # credit that lasts longer is not counted further
DAYS_A_CALL = 8
_FORMAT = "<BHHIIq7H"
_VERSION = 1
_LEAST_FACTOR = ONE // 4
_MOST_FACTOR = ONE * 4


class Outlook:
    """A look ahead, worked out a few days a call: on a small chip a year of days takes a while.

    When work() returns True: `days` counts the local midnights until `available` is used up
    (MOST_DAYS when it lasts longer) and `cost_micro` what the rest of the billing cycle will cost
    (None without a cycle); each with its range (low, high).
    """

    def __init__(self, forecast, tariff, unix, available, used_wh):
        self.days = self.days_range = None
        self.cost_micro = self.cost_range = None
        self._forecast = forecast
        self._tariff = tariff
        self._fixed = tariff.standing_day * NANO_PER_MICRO
        self._day, second = tariff.zone.local(unix)
        self._part = DAY_S - second  # seconds of the day that are left
        self._ahead = 0
        self._cycle = self._cycle_left = tariff.cycle_day(unix)
        self._block_day = tariff.block_day(unix)
        spread = forecast.spread * 2 * ONE // max(forecast.level, 1)
        # As likely, more and less: [scale, nano left, block counter, midnights, cost of the cycle]
        self._ways = [
            [scale, available, used_wh, None, 0]
            for scale in (ONE, ONE + spread, max(ONE - spread, 0))
        ]

    def work(self):
        """Look a few days further; True when all is known."""
        for _ in range(DAYS_A_CALL):
            if self._is_known():
                self._tell()
                return True
            self._look_at_day()
        return False

    def _is_known(self):
        return not self._cycle_left and all(way[3] is not None for way in self._ways)

    def _look_at_day(self):
        tariff = self._tariff
        day = self._day
        midnight = tariff.zone.first_instant(day)
        fixed = 0
        if self._ahead:
            self._part = DAY_S
            fixed = self._fixed
            block_day = tariff.block_day(midnight)
            if block_day != self._block_day:
                self._block_day = block_day
                for way in self._ways:
                    way[2] = 0
            if self._cycle_left and tariff.cycle_day(midnight) != self._cycle:
                self._cycle_left = 0
        expected = self._forecast.day_wh(day)
        beside = self._forecast.extra * self._part // DAY_S
        for way in self._ways:
            if way[3] is not None and not self._cycle_left:
                continue
            wh = expected * way[0] // ONE * self._part // DAY_S
            cost = _day_cost(tariff, day, way[2], wh) - beside + fixed
            way[2] += wh
            way[1] -= cost
            if self._cycle_left:
                way[4] += cost
            if way[3] is None and (way[1] <= 0 or self._ahead >= MOST_DAYS):
                way[3] = self._ahead
        self._day += 1
        self._ahead += 1

    def _tell(self):
        likely, more, less = self._ways
        self.days = likely[3]
        self.days_range = (more[3], less[3])
        if self._cycle:
            self.cost_micro = likely[4] // NANO_PER_MICRO
            costs = (less[4] // NANO_PER_MICRO, more[4] // NANO_PER_MICRO)
            self.cost_range = (min(costs), max(costs))
        self._ways = None  # it is shown until the next is through: hold no more than that needs


class Prospect:
    """`found` is the newest whole Outlook, None while there is none to show."""

    def __init__(self, storage):
        self.forecast = Forecast(storage)
        self.found = None
        self._looking = None
        self._of = None  # what the last look was worked out from

    def work(self, account, unix, synced, available, balance):
        """Learn from a day that has ended, or look a few days further ahead."""
        tariff = account.tariff
        if account.finished is not None:
            day, wh, moved, used_wh = account.finished
            account.finished = None
            try:
                self.forecast.take(day, wh, moved, tariff, used_wh)
            except OSError:
                pass  # known until the next boot, and kept with the next day
        if tariff is None or not synced or self.forecast.is_learning():
            self.found = self._looking = self._of = None
            return
        # Worked out anew with each interval and each purchase.
        of = (tariff.n, account.start, balance)
        if of != self._of:
            self._of = of
            self._looking = Outlook(self.forecast, tariff, unix, available, account.used_wh)
        elif self._looking is not None and self._looking.work():
            self.found, self._looking = self._looking, None


class Forecast:
    """`days` counts the whole days learnt from, `last` is the latest of them (since 2000)."""

    def __init__(self, storage):
        self._storage = storage
        self.days = 0
        self.last = 0
        self.level = 0  # Wh a day
        self.spread = 0  # mean error of a day's forecast, Wh
        self.extra = 0  # nano a day beside the model, as it moves the balance
        self.factors = [ONE] * 7
        self._load()

    def is_learning(self):
        """True until two whole days are known."""
        return self.days < LEARNED

    def day_wh(self, day):
        """Energy expected on a local date, Wh."""
        return self.level * self.factors[weekday(day)] // ONE

    def take(self, day, wh, moved_nano, tariff, used_wh):
        """Learn from the local date `day`: its energy and what that moved.

        `used_wh` is the block counter at its start; both are None when not known. The first date
        is only remembered: the meter began somewhere within it. OSError when it cannot be kept.
        """
        if day <= self.last:
            return
        if not self.last:
            self.last = day
            self._storage.commit(NAME, self._pack())
            return
        expected = self.day_wh(day)
        error = abs(wh - expected)
        if self.days == 0:
            self.level = wh
        else:
            factor = self.factors[weekday(day)]
            ratio = wh * ONE // max(self.level, 1)
            self.spread = error if self.days == 1 else self.spread + (error - self.spread) // 8
            self.level = max(self.level + (wh * ONE // factor - self.level) // 3, 0)
            if self.days >= 7:
                ratio = min(max(ratio, _LEAST_FACTOR), _MOST_FACTOR)
                factor += (ratio - factor) // min(self.days // 7 + 1, 4)
                self.factors[weekday(day)] = factor
        if tariff is not None and moved_nano is not None and used_wh is not None:
            beside = moved_nano + _day_cost(tariff, day, used_wh, wh)
            self.extra = beside if self.days == 0 else self.extra + (beside - self.extra) // 3
        self.days = min(self.days + 1, 0xFFFF)
        self.last = day
        self._storage.commit(NAME, self._pack())

    def _pack(self):
        data = struct.pack(
            _FORMAT,
            _VERSION,
            self.days,
            self.last,
            self.level,
            self.spread,
            self.extra,
            *self.factors,
        )
        return data + struct.pack("<I", binascii.crc32(data))

    def _load(self):
        """A file that is missing or damaged means learning again: nothing else rests on it."""
        length = struct.calcsize(_FORMAT)
        buffer = bytearray(length + 5)
        try:
            size = self._storage.read_from(NAME, 0, buffer)
        except OSError:
            return
        if size != length + 4 or buffer[0] != _VERSION:
            return
        if struct.unpack_from("<I", buffer, length)[0] != binascii.crc32(buffer[:length]):
            return
        fields = struct.unpack_from(_FORMAT, buffer, 0)
        self.days, self.last, self.level, self.spread, self.extra = fields[1:6]
        self.factors = list(fields[6:])


def _day_cost(tariff, day, used_wh, wh):
    """Nano for `wh` of a local date spread evenly over its hours, after `used_wh` of the block
    counter, without its standing charge."""
    at = tariff.zone.first_instant(day)
    cost = 0
    while wh > 0:
        room = tariff.block_left(used_wh, at)
        part = wh if room is None or wh < room else room
        cost += part * _mean_price(tariff, day, tariff.block_of(used_wh, at))
        used_wh += part
        wh -= part
    return cost


def _mean_price(tariff, day, block):
    """Micro per kWh over a local date, by the minutes of its bands."""
    total = 0
    table = tariff.table(day)
    for index in range(len(table)):
        start, band = table[index]
        until = table[index + 1][0] if index + 1 < len(table) else DAY_S // 60
        total += (until - start) * tariff.price[block][band]
    return total * 60 // DAY_S
