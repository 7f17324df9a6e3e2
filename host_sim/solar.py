"""A roof of solar panels behind the meter: what it gives is a pure function of seed and time."""

from math import isqrt

from wattledger.host_sim.load import DAY_MS, MINUTE_S, SECOND_MS, reactive_mvar
from wattledger.host_sim.noise import between

STEP_MS = 300_000  # the light is held this long
SUNRISE_MIN = 375  # local time; a day in spring
SUNSET_MIN = 1095
WATTS_A_KWP = 850  # at noon under a clear sky: heat, dust and the inverter take the rest
# Kinds of day, each with the least and the most light that clouds leave, in percent.
SKIES = ((90, 100), (90, 100), (35, 100), (10, 35))
_SKY = 201
_CLOUD = 202


class Solar:
    """`peak_wp`: watts of panels. Answers like a load, and gives a positive power."""

    def __init__(self, peak_wp, seed, utc_offset_s=28_800):
        self._peak_mw = peak_wp * WATTS_A_KWP
        self._seed = seed
        self._offset_ms = utc_offset_s * SECOND_MS

    def power_mw(self, unix_ms):
        """What the roof gives, mW."""
        day, into = divmod(unix_ms + self._offset_ms, DAY_MS)
        step = into // STEP_MS
        minute = step * STEP_MS // SECOND_MS // MINUTE_S
        if not SUNRISE_MIN <= minute < SUNSET_MIN:
            return 0
        # A parabola from sunrise to sunset, in 1/10000 of noon.
        light = 40_000 * (minute - SUNRISE_MIN) * (SUNSET_MIN - minute)
        light //= (SUNSET_MIN - SUNRISE_MIN) ** 2
        sky = SKIES[between(0, len(SKIES) - 1, self._seed, _SKY, day)]
        clear = between(sky[0], sky[1], self._seed, _CLOUD, day, step)
        return self._peak_mw * light // 10_000 * clear // 100

    def next_change(self, unix_ms):
        """The first instant after `unix_ms` at which the power may differ, unix ms."""
        local = unix_ms + self._offset_ms
        return local - local % STEP_MS + STEP_MS - self._offset_ms


class WithSolar:
    """A load with panels behind the same meter: its power is negative while the house exports."""

    def __init__(self, load, solar):
        self._load = load
        self._solar = solar

    def power_mw(self, unix_ms):
        """What passes the meter, mW; negative is export."""
        return self._load.power_mw(unix_ms) - self._solar.power_mw(unix_ms)

    def power_factor(self, unix_ms):
        """In 1/1000: the inverter gives active power only, the load keeps its reactive power."""
        power = self._load.power_mw(unix_ms)
        reactive = reactive_mvar(power, self._load.power_factor(unix_ms))
        net = power - self._solar.power_mw(unix_ms)
        apparent = isqrt(net * net + reactive * reactive)
        return max(abs(net) * 1000 // apparent, 1) if apparent else 1000

    def voltage_mv(self, unix_ms):
        """As the load says; None: the mains decide."""
        return self._load.voltage_mv(unix_ms)

    def next_change(self, unix_ms):
        """The first instant after `unix_ms` at which an answer may differ."""
        change = self._solar.next_change(unix_ms)
        load_change = self._load.next_change(unix_ms)
        return change if load_change is None else min(change, load_change)
