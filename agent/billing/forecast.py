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

NAME = "forecast"
ONE = 1024
LEARNED = 2  # whole days until it says anything
_FORMAT = "<BHHIIq7H"
_VERSION = 1
_LEAST_FACTOR = ONE // 4
_MOST_FACTOR = ONE * 4


class Found:
    """What a look ahead came to. Not the look itself: with it its code would stay in the heap."""

    def __init__(self, look):
        self.days, self.days_range = look.days, look.days_range
        self.cost_micro, self.cost_range = look.cost_micro, look.cost_range
        self.ends_at, self.month_wh, self.month_nano = (
            look.ends_at,
            look.month_wh,
            look.month_nano,
        )


class Prospect:
    """`found` is what the newest whole Outlook came to, None while there is none to show."""

    def __init__(self, storage):
        self.forecast = Forecast(storage)
        self.found = None
        self.making = None
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
            self.found = self.making = self._of = None
            return
        # Worked out anew with each interval and each purchase.
        of = (tariff.n, account.start, balance)
        if of != self._of:
            self._of = of
            from wattledger.agent.billing.outlook import Outlook  # a few steps an interval

            self.making = Outlook(self.forecast, tariff, unix, available, account.used_wh)
        elif self.making is not None and self.making.work():
            self.found, self.making = Found(self.making), None


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
            from wattledger.agent.billing.outlook import day_cost  # once a day

            beside = moved_nano + day_cost(tariff, day, used_wh, wh)
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
