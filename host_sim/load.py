"""A household made of appliances: what it draws is a pure function of seed and time.

A load, this one or the replay of load_csv.py, is piecewise constant and answers four questions
about an instant in unix ms: `power_mw`, `power_factor`, `voltage_mv` (None: the mains decide) and
`next_change` (the first instant at which an answer may differ; None: never again).
"""

from bisect import bisect_right
from math import isqrt

from wattledger.host_sim.appliances import EXTRA, PLAIN
from wattledger.host_sim.noise import between

SECOND_MS = 1000
MINUTE_S = 60
DAY_MS = 86_400_000

STANDBY_W = (45, 75)
STANDBY_FACTOR = 600
STANDBY_STEP_MS = 300_000
FRIDGE_W = 95
FRIDGE_FACTOR = 820
FRIDGE_CYCLE_MS = 2_400_000
FRIDGE_RUN_S = (840, 1080)
_STANDBY = 101
_FRIDGE = 102


def reactive_mvar(power_mw, power_factor):
    """Reactive power (mvar, lagging) of a power in mW at a power factor of 1..1000 thousandths."""
    apparent = abs(power_mw) * 1000 // power_factor
    return isqrt(max(apparent * apparent - power_mw * power_mw, 0))


class Constant:
    """`watts` for ever, negative for export: the load whose energy is worked out by hand."""

    def __init__(self, watts, factor=1000):
        self._power_mw = watts * 1000
        self._factor = factor

    def power_mw(self, unix_ms):
        """mW at any time."""
        return self._power_mw

    def power_factor(self, unix_ms):
        """Power factor in 1/1000, lagging."""
        return self._factor

    def voltage_mv(self, unix_ms):
        """None: the mains decide."""
        return

    def next_change(self, unix_ms):
        """None: never."""
        return


class Household:
    """One home of 8 to 12 kWh a day. `utc_offset_s` places its habits, by default UTC+8.

    `appliances` switches them on or off by name (appliances.py); `scale` is in percent of watts.
    """

    def __init__(self, seed, utc_offset_s=28_800, appliances=None, scale=100):
        chosen = appliances or {}
        self._appliances = [PLAIN[name] for name in PLAIN if chosen.get(name, True)]
        self._appliances += [EXTRA[name] for name in EXTRA if chosen.get(name, False)]
        self._scale = scale
        self._seed = seed
        self._offset_ms = utc_offset_s * SECOND_MS
        self._day = None  # the local day the three lists describe
        self._starts = []  # unix ms
        self._powers = []  # mW
        self._factors = []  # 1/1000

    def power_mw(self, unix_ms):
        """What the home draws, mW."""
        index = self._find(unix_ms)  # before the list is looked up: it may be drawn anew
        return self._powers[index]

    def power_factor(self, unix_ms):
        """Power factor in 1/1000, lagging."""
        index = self._find(unix_ms)
        return self._factors[index]

    def voltage_mv(self, unix_ms):
        """None: the mains decide."""
        return

    def next_change(self, unix_ms):
        """The first instant after `unix_ms` at which the power may differ, unix ms."""
        following = self._find(unix_ms) + 1
        if following < len(self._starts):
            return self._starts[following]
        return (self._day + 1) * DAY_MS - self._offset_ms

    def _find(self, unix_ms):
        day = (unix_ms + self._offset_ms) // DAY_MS
        if day != self._day:
            self._draw(day)
        return bisect_right(self._starts, unix_ms) - 1

    def _draw(self, day):
        """Add up the uses that touch a local day into steps of constant power."""
        first = day * DAY_MS - self._offset_ms
        steps = {first: [0, 0]}  # unix ms: change in mW and in mvar
        for start, end, watts, factor in self._uses(day, first):
            power = watts * 10 * self._scale
            reactive = reactive_mvar(power, factor)
            for instant, sign in ((max(start, first), 1), (end, -1)):
                if first <= instant < first + DAY_MS and end > first:
                    step = steps.setdefault(instant, [0, 0])
                    step[0] += sign * power
                    step[1] += sign * reactive
        self._day = day
        self._starts = sorted(steps)
        self._powers = []
        self._factors = []
        power = reactive = 0
        for start in self._starts:
            power += steps[start][0]
            reactive += steps[start][1]
            self._powers.append(power)
            apparent = isqrt(power * power + reactive * reactive)
            self._factors.append(power * 1000 // apparent)

    def _uses(self, day, first):
        """(start, end, watts, power factor) of all that may run during the day, unix ms."""
        seed = self._seed
        for start in range(first, first + DAY_MS, STANDBY_STEP_MS):
            watts = between(*STANDBY_W, seed, _STANDBY, start // STANDBY_STEP_MS)
            yield start, start + STANDBY_STEP_MS, watts, STANDBY_FACTOR
        shift = between(0, FRIDGE_CYCLE_MS // SECOND_MS, seed, _FRIDGE) * SECOND_MS
        cycle = (first - shift) // FRIDGE_CYCLE_MS
        while cycle * FRIDGE_CYCLE_MS + shift < first + DAY_MS:
            start = cycle * FRIDGE_CYCLE_MS + shift
            run = between(*FRIDGE_RUN_S, seed, _FRIDGE, cycle) * SECOND_MS
            yield start, start + run, FRIDGE_W, FRIDGE_FACTOR
            cycle += 1
        for appliance in self._appliances:
            for which in (day - 1, day):  # the evening before may reach past midnight
                yield from self._runs(appliance, which)

    def _runs(self, appliance, day):
        """The phases of an appliance on a local day, when it is used then."""
        seed, number = self._seed, appliance.number
        if between(1, 100, seed, number, day, 0) > appliance.chance:
            return
        begin, length = appliance.start, appliance.length
        begins = between(begin[0] * MINUTE_S, begin[1] * MINUTE_S, seed, number, day, 1)
        lasts = between(length[0] * MINUTE_S, length[1] * MINUTE_S, seed, number, day, 2)
        start = day * DAY_MS - self._offset_ms + begins * SECOND_MS
        for watts, factor, share in appliance.phases:
            end = start + lasts * share // 100 * SECOND_MS
            yield start, end, watts, factor
            start = end
