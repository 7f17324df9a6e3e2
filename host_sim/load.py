"""A household made of appliances: what it draws is a pure function of seed and time.

A load, this one or the replay of load_csv.py, is piecewise constant and answers four questions
about an instant in unix ms: `power_mw`, `power_factor`, `voltage_mv` (None: the mains decide) and
`next_change` (the first instant at which an answer may differ; None: never again).
"""

from bisect import bisect_right
from math import isqrt

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

# Habits, in local time: watts, power factor in 1/1000, start between two minutes of the day,
# minutes of use between two, chance in 1/100.
HABITS = (
    (90, 950, (361, 367), (60, 90), 100),  # lights in the morning
    (2000, 1000, (372, 384), (3, 4), 100),  # kettle for breakfast
    (1500, 1000, (388, 400), (25, 35), 100),  # water heater after the showers
    (1800, 990, (402, 415), (10, 14), 100),  # hob, breakfast
    (2000, 1000, (600, 640), (3, 4), 60),  # kettle in the forenoon
    (450, 700, (600, 900), (50, 70), 35),  # washing machine
    (1800, 990, (690, 710), (20, 30), 50),  # hob, lunch
    (2000, 1000, (1020, 1050), (3, 4), 100),  # kettle, home from work
    (90, 950, (1075, 1095), (240, 270), 100),  # lights in the evening
    (700, 1000, (1076, 1086), (30, 35), 100),  # rice cooker
    (1800, 990, (1088, 1105), (30, 45), 100),  # hob, supper
    (130, 650, (1150, 1170), (150, 200), 100),  # television and computer
    (850, 920, (1171, 1200), (90, 150), 100),  # heat pump
    (2000, 1000, (1215, 1260), (3, 4), 70),  # kettle in the evening
    (1500, 1000, (1285, 1310), (55, 80), 100),  # water heater before the night
)


def reactive_mvar(power_mw, power_factor):
    """Reactive power (mvar, lagging) of a power in mW at a power factor of 1..1000 thousandths."""
    apparent = abs(power_mw) * 1000 // power_factor
    return isqrt(max(apparent * apparent - power_mw * power_mw, 0))


class Household:
    """One home of 8 to 12 kWh a day. `utc_offset_s` places its habits, by default UTC+8."""

    def __init__(self, seed, utc_offset_s=28_800):
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
            power = watts * 1000
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
        for number, (watts, factor, begin, length, chance) in enumerate(HABITS):
            for which in (day - 1, day):  # the evening before may reach past midnight
                if between(1, 100, seed, number, which, 0) > chance:
                    continue
                begins = between(begin[0] * MINUTE_S, begin[1] * MINUTE_S, seed, number, which, 1)
                lasts = between(length[0] * MINUTE_S, length[1] * MINUTE_S, seed, number, which, 2)
                start = which * DAY_MS - self._offset_ms + begins * SECOND_MS
                yield start, start + lasts * SECOND_MS, watts, factor
