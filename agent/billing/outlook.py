"""A look ahead with a forecast: how long the credit lasts, what the rest of the cycle will cost.

Apart from the forecast because a device needs it for a few steps at a time.
"""

from wattledger.agent.billing.calendar import civil, day_number
from wattledger.agent.billing.forecast import ONE
from wattledger.agent.units import DAY_S, NANO_PER_MICRO

MOST_DAYS = 99  # credit that lasts longer is not counted further
DAYS_A_CALL = 8


class Outlook:
    """A look ahead, worked out a few days a call: on a small chip a year of days takes a while.

    When work() returns True: `days` counts the local midnights until `available` is used up
    (MOST_DAYS when it lasts longer) and `cost_micro` what the rest of the billing cycle will cost
    (None without a cycle); each with its range (low, high). `ends_at` is the unix second at which
    it is used up; `month_wh` and `month_nano` are what the rest of the calendar month will take.
    """

    def __init__(self, forecast, tariff, unix, available, used_wh):
        self.days = self.days_range = None
        self.cost_micro = self.cost_range = None
        self._forecast = forecast
        self._tariff = tariff
        self.ends_at = None
        self.month_wh = self.month_nano = 0
        self._unix = unix
        self._fixed = tariff.standing_day * NANO_PER_MICRO
        self._day, second = tariff.zone.local(unix)
        self._part = DAY_S - second  # seconds of the day that are left
        year, month, _ = civil(self._day)
        self._month_end = day_number(year + month // 12, month % 12 + 1, 1)
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
        if self._cycle_left or self._day < self._month_end:
            return False
        return all(way[3] is not None for way in self._ways)

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
        month_left = self._day < self._month_end
        for way in self._ways:
            if way[3] is not None and not self._cycle_left and not month_left:
                continue
            wh = expected * way[0] // ONE * self._part // DAY_S
            cost = day_cost(tariff, day, way[2], wh) - beside + fixed
            way[2] += wh
            if way is self._ways[0]:
                if month_left:
                    self.month_wh += wh
                    self.month_nano += cost
                if self.ends_at is None and way[1] <= cost:
                    self._find_end(max(midnight, self._unix), way[1] - fixed, cost - fixed)
            way[1] -= cost
            if self._cycle_left:
                way[4] += cost
            if way[3] is None and (way[1] <= 0 or self._ahead >= MOST_DAYS):
                way[3] = self._ahead
        self._day += 1
        self._ahead += 1

    def _find_end(self, begin, left, cost):
        """The second of the day from `begin` on at which `left` nano of it are used up."""
        passed = self._part * left // cost if 0 < left < cost else 0 if left <= 0 else self._part
        self.ends_at = begin + passed

    def _tell(self):
        likely, more, less = self._ways
        self.days = likely[3]
        self.days_range = (more[3], less[3])
        if self._cycle:
            self.cost_micro = likely[4] // NANO_PER_MICRO
            costs = (less[4] // NANO_PER_MICRO, more[4] // NANO_PER_MICRO)
            self.cost_range = (min(costs), max(costs))


def day_cost(tariff, day, used_wh, wh):
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
