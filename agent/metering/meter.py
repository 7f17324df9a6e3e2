"""The tick: read the chip, believe it or not, carry the energy. It allocates nothing."""

from wattledger.agent.errors import ConfigError
from wattledger.agent.metering.quality import (
    MAX_GAP_S,
    counts_per_second,
    is_possible,
    seconds_of,
    worse,
)
from wattledger.agent.metering.register import EnergyRegister
from wattledger.agent.units import ticks_between
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    NO_ANSWER,
    PHASE_FIELDS,
    POWER_MW,
    QUALITY_ESTIMATED,
    QUALITY_OK,
    QUALITY_REJECTED,
    QUALITY_STALE,
    RESTARTED,
    UNCONFIRMED,
    new_sample,
)

MISSED_BEFORE_RESET = 3
RESETS_BEFORE_FAULT = 3
RESET_WINDOW_S = 3600
MISSED_WHEN_FAULTY = 60


class Meter:
    """`register` holds the energy, `sample` the last good reading, `quality` what it is worth."""

    def __init__(self, chip, clock, config):
        """ConfigError when the tick is too slow for the chip's registers at the highest power."""
        watts = config.max_amps * config.max_volts
        budget = chip.overflow_ms(watts)
        if config.tick_ms * 2 > budget:
            raise ConfigError(
                ("tick_ms",),
                "%d ms is over half of the %d ms in which the chip's energy register overflows at "
                "%d W; measure more often or lower max_amps" % (config.tick_ms, budget, watts),
            )
        self._chip = chip
        self._clock = clock
        self._late_ms = budget // 2
        self._neutral_at = _neutral_at(chip, config)
        self.gives = getattr(chip, "fields", 0)
        self._per_second = counts_per_second(
            watts * chip.phases, chip.energy_numerator, chip.energy_denominator
        )
        self._most = self._per_second * MAX_GAP_S
        self.register = EnergyRegister(chip.energy_numerator, chip.energy_denominator, self._most)
        # The neutral's energy stands for that of the one phase.
        self._per_phase = config.phase_sum == "per_phase" and chip.phases > 1
        self.phases = chip.phases
        self._fields = chip.phases * PHASE_FIELDS
        self.sample = new_sample()
        self.ticks = 0
        self.last_tick = clock.ticks_ms()
        self._last_good = self.last_tick
        # The energy of a delayed chip is of the gap before as well.
        self._delayed = getattr(chip, "delayed", False)
        self._seconds_before = 0
        self._first = True
        self.quality = QUALITY_STALE
        self.interval_quality = QUALITY_OK
        self.missed = 0  # ticks in a row without an answer
        self.rejected = 0  # counts refused since take_rejected()
        self.restarted_gap_ms = -1
        self.late_gap_ms = -1
        self.recovered_gap_ms = -1  # of a silence that was reported and is over
        self.uncertain = False  # energy of the late gap may be missing
        self.hour = 0  # of powered time, whose readings are counted in the next two
        self.corrupt = 0  # readings since the last hour's end that could not be true
        self.unconfirmed = 0  # and that were hit on the wire and found again
        self.frozen = False  # the watch found that the chip's values stand still
        self.bill_larger = False  # the watch found that the neutral carries more
        self._resets = []  # powered seconds of the last chip resets
        self.answered = False  # the sample holds a reading
        self.faulty = False  # three resets within the hour
        self.silent = False  # an outage that was reported and is not over

    def tick(self):
        """Read once. Never raises for a chip's fault."""
        now = self._clock.ticks_ms()
        gap = ticks_between(self._last_good, now)
        self.last_tick = now
        self.ticks = (self.ticks + 1) & 0x3FFFFFFF
        status = self._chip.read_into(self.sample)
        if status & (NO_ANSWER | CORRUPT):
            self.missed += 1
            self.quality = QUALITY_STALE
            if status & CORRUPT:
                self.corrupt += 1
            return
        self._last_good = now
        self.missed = 0
        if status & UNCONFIRMED:
            self.unconfirmed += 1
        if self.silent:
            self.silent = False
            self.recovered_gap_ms = gap
        if status & RESTARTED:
            self.restarted_gap_ms = gap
            self.quality = QUALITY_ESTIMATED
            self.interval_quality = worse(self.interval_quality, QUALITY_ESTIMATED)
            return
        if self._first:
            # How long the chip counted before we came is not known: only its register bounds it.
            self._first = False
            gap = MAX_GAP_S * 1000
        elif gap > self._late_ms:
            self.late_gap_ms = gap
            # Longer than the register holds at the highest power: it may have overflowed.
            self.uncertain = gap >= 2 * self._late_ms
            self.interval_quality = worse(self.interval_quality, QUALITY_ESTIMATED)
        seconds = seconds_of(gap)
        if self._delayed:
            before = self._seconds_before
            self._seconds_before = seconds
            seconds += before
        self._carry(seconds)

    def _carry(self, seconds):
        sample = self.sample
        net = 0
        moved = 0
        at = ENERGY_COUNTS
        while at < self._fields:
            counts = sample[at]
            net += counts
            moved += counts if counts >= 0 else -counts
            at += PHASE_FIELDS
        if not is_possible(moved, self._per_second, seconds):
            self.rejected += moved
            self.quality = QUALITY_REJECTED
            self.interval_quality = worse(self.interval_quality, QUALITY_REJECTED)
            return
        self.quality = QUALITY_OK
        self.answered = True
        if self.frozen:
            self.quality = QUALITY_STALE  # an old value is not shown as a live one
            self.interval_quality = worse(self.interval_quality, QUALITY_STALE)
        elif sample[FLAGS] & FLAG_SATURATED:
            self.interval_quality = worse(self.interval_quality, QUALITY_ESTIMATED)
        if self.bill_larger:
            net = self._larger(net, seconds)
        if not self._per_phase:
            self._add(net)
            return
        at = ENERGY_COUNTS
        while at < self._fields:
            self._add(sample[at])
            at += PHASE_FIELDS

    def _larger(self, net, seconds):
        """Import counts of the phase, or those of the neutral when they are more and possible."""
        neutral = abs(self.sample[self._neutral_at])  # its sensor may stand either way round
        if 0 <= net < neutral and is_possible(neutral, self._per_second, seconds):
            self.interval_quality = worse(self.interval_quality, QUALITY_ESTIMATED)
            return neutral
        return net

    def _add(self, counts):
        """Carry counts in pieces the register can take: after a long gap there are many."""
        while counts > self._most:
            self.register.add(self._most)
            counts -= self._most
        while counts < -self._most:
            self.register.add(-self._most)
            counts += self._most
        self.register.add(counts)

    def power_mw(self):
        """Signed power of all phases now, mW."""
        total = 0
        at = POWER_MW
        while at < self._fields:
            total += self.sample[at]
            at += PHASE_FIELDS
        return total

    def sample_age_ms(self):
        """Milliseconds since the last good reading."""
        return self._clock.elapsed_ms(self._last_good)

    def take_interval_quality(self):
        """The worst quality since the last call."""
        quality = self.interval_quality
        if not self.answered:  # since the boot
            quality = worse(quality, QUALITY_STALE)
        self.interval_quality = QUALITY_STALE if self.missed else QUALITY_OK
        return quality

    def begin(self):
        """Set the chip up. One that will not come up is a state, not a crash: ticks go on."""
        self.missed = 0
        try:
            self._chip.begin()
        except Exception:  # whatever a driver raises
            self.missed = 1

    def needs_reset(self):
        """True after three ticks without an answer; less often once the chip is given up."""
        return self.missed >= (MISSED_WHEN_FAULTY if self.faulty else MISSED_BEFORE_RESET)

    def reset(self, powered_s):
        """Set a silent chip up again; True when that made the third reset within an hour.

        Called from step(): setting up takes tens of milliseconds.
        """
        self._resets = self._resets[1 - RESETS_BEFORE_FAULT :] + [powered_s]
        self.begin()
        was_faulty = self.faulty
        self.watch(powered_s)
        return self.faulty and not was_faulty

    def watch(self, powered_s):
        """Faulty while the last three resets lie within the hour."""
        self.faulty = (
            len(self._resets) >= RESETS_BEFORE_FAULT
            and powered_s - self._resets[0] < RESET_WINDOW_S
        )


def _neutral_at(chip, config):
    """Where the neutral's counts stand in a sample; None where they are not wanted. ConfigError
    for a chip that has none."""
    if config.bill_on != "larger":
        return None
    phase = getattr(chip, "neutral_phase", None)
    if phase is None or chip.phases != 1:
        raise ConfigError(
            ("bill_on",), "this chip measures no energy in the neutral; only phase can be billed"
        )
    return phase * PHASE_FIELDS + ENERGY_COUNTS
