"""What every metering chip's driver promises (hal/contract.py), whichever chip it is. Portable.

A chip has a bench, made like `ChipBench`, and a test file that calls `keep_promises`.
"""

from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    field_bit,
    new_sample,
)

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    # No heap to lock here; MicroPython runs the same file.

    def heap_lock():
        pass

    def heap_unlock():
        pass


class ChipBench:
    """One simulated chip with `phases` phases in use, and its driver. Override what differs."""

    phases = 1  # the most this chip has
    voltage_mv = 230_000  # what `mains` makes of the checks' 230 V, where they are too many
    overflow_ms = (0, 0)  # watts, and the milliseconds until they overflow an energy register
    overflow_follows_power = True  # False where it is a buffer that lasts a time at any power
    slack = (0, 1, 10)  # how far a sample may be from the truth: mV, mA, mW
    slack_counts = 0  # in an hour of a kilowatt: what the calibration's own steps leave
    hour_ms = 3_600_000  # less where an hour of a kilowatt takes too long to simulate
    hour_readings = 3600  # of the hour of a kilowatt; fewer where a transfer is slow
    finds_reset = True  # False where the chip cannot tell; say why in the docs
    signed_current = False  # True for a direct current: the sample's current has its sign
    holds_energy = True  # False where the chip keeps no energy while nobody reads

    def __init__(self, phases):
        self.chip = None  # the simulated chip
        self.driver = None

    def mains(self, phase, voltage_mv, current_ma, power_mw):
        """True values from now on."""
        self.chip.set_phase(phase, voltage_mv, current_ma, power_mw)
        self.chip.set_mains(50_000)

    def feed(self, ms):
        """Let time pass for the chip."""
        self.chip.feed(ms)

    def fetch(self, sample):
        """A fresh reading without time passing; status. A UART driver needs two calls for it."""
        return self.driver.read_into(sample)

    def waiting(self, phase):
        """Signed counts that were made and not yet fetched."""
        return self.chip.held_counts(phase)

    def made(self, phase):
        """Signed counts ever made."""
        return self.chip.total_counts(phase)

    def lose_registers(self):
        """A brown-out."""
        self.chip.brown_out()

    def cut_bus(self, cut):
        """True: nothing arrives and nothing answers, until False."""
        self.chip.silent = cut


class MeteringChipContract:
    """The promises. Not a TestCase itself, so that nothing collects it; see `keep_promises`."""

    def __init__(self, bench, case):
        self.bench = bench
        for check in ("assertEqual", "assertTrue", "assertFalse", "assertLess", "assertGreater"):
            setattr(self, check, getattr(case, check))

    def assert_near(self, found, wanted, slack):
        self.assertTrue(abs(found - wanted) <= slack, "%r is not near %r" % (found, wanted))

    def started(self, phases=1):
        bench = self.bench(phases)
        bench.driver.begin()
        return bench

    def loaded(self):
        """A bench at 1 kW, with its first reading behind it."""
        bench = self.started()
        bench.mains(0, 230_000, 4_348, 1_000_000)
        self.assertEqual(bench.fetch(new_sample()) & (NO_ANSWER | CORRUPT), 0)
        return bench

    def check_a_count_is_a_fraction_in_lowest_terms(self):
        driver = self.bench(1).driver
        high, low = driver.energy_denominator, driver.energy_numerator
        while low:
            high, low = low, high % low
        self.assertEqual(high, 1)

    def check_it_says_what_it_can_give(self):
        driver = self.bench(1).driver
        self.assertTrue(driver.fields & field_bit(ENERGY_COUNTS))
        self.assertTrue(driver.fields & field_bit(POWER_MW))
        self.assertTrue(driver.bidirectional in (True, False))

    def check_units_and_signs(self):
        phases = self.bench.phases
        bench = self.started(phases)
        self.assertEqual(bench.driver.phases, phases)
        powers = (1_150_000, -690_000, 0)[:phases]
        directions = (1, -1) if phases == 1 and bench.driver.bidirectional else (1,)
        for direction in directions:
            for phase, power in enumerate(powers):
                bench.mains(phase, 230_000, abs(power) // 230, direction * power)
            bench.feed(1_000)
            sample = new_sample()
            for _ in range(8):
                self.assertEqual(bench.fetch(sample), OK)
            voltage_slack, current_slack, power_slack = bench.slack
            for phase, power in enumerate(powers):
                at = phase * PHASE_FIELDS
                volts = bench.voltage_mv // 1000
                self.assert_near(sample[at + VOLTAGE_MV], bench.voltage_mv, voltage_slack)
                current = sample[at + CURRENT_MA]
                if bench.signed_current:
                    current *= direction
                self.assert_near(current, abs(power) // volts, current_slack)
                self.assert_near(sample[at + POWER_MW], direction * power, power_slack)
            if bench.driver.fields & field_bit(FREQUENCY_MHZ):
                self.assert_near(sample[FREQUENCY_MHZ], 50_000, 20)

    def check_each_count_is_handed_on_exactly_once(self):
        phases = self.bench.phases
        bench = self.started(phases)
        handed = [0] * phases
        sample = new_sample()
        for turn in range(40):
            # Powers, signs and gaps that share no factor with a count.
            for phase in range(phases):
                power = (turn * 7919 + phase * 104_729) % 9_000_011 - 4_500_000
                if not bench.driver.bidirectional:
                    power = abs(power)
                bench.mains(phase, 230_000, abs(power) // 230, power)
            bench.feed(137 + 211 * (turn % 7))
            self.assertEqual(bench.fetch(sample), OK)
            for phase in range(phases):
                handed[phase] += sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
        for phase in range(phases):
            self.assertEqual(handed[phase], bench.made(phase) - bench.waiting(phase))

    def check_an_hour_of_a_kilowatt_is_a_kilowatt_hour(self):
        bench = self.loaded()
        sample = new_sample()
        counts = 0
        for _ in range(bench.hour_readings):
            bench.feed(bench.hour_ms // bench.hour_readings)
            bench.fetch(sample)
            counts += sample[ENERGY_COUNTS]
        driver = bench.driver
        wanted = driver.energy_denominator * bench.hour_ms // 3_600
        # One count may still be on its way.
        slack = bench.slack_counts * bench.hour_ms // 3_600_000 + 1
        slack *= driver.energy_numerator
        self.assert_near(counts * driver.energy_numerator, wanted, slack)

    def check_a_chip_that_lost_its_registers_is_found_out(self):
        if not self.bench.finds_reset:
            return
        bench = self.loaded()
        bench.lose_registers()
        sample = new_sample()
        self.assertTrue(bench.fetch(sample) & RESTARTED)
        bench.mains(0, 230_000, 4_348, 1_000_000)
        before = bench.made(0) - bench.waiting(0)
        bench.feed(9_000)
        self.assertEqual(bench.fetch(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS], bench.made(0) - bench.waiting(0) - before)

    def check_a_dead_bus_is_a_status_and_energy_waits(self):
        bench = self.loaded()
        before = bench.made(0) - bench.waiting(0)
        bench.cut_bus(True)
        sample = new_sample()
        for _ in range(3):
            bench.feed(1_000)
            self.assertTrue(bench.fetch(sample) & (NO_ANSWER | CORRUPT))
        bench.cut_bus(False)
        self.assertEqual(bench.fetch(sample), OK)
        if self.bench.holds_energy:
            self.assertEqual(sample[ENERGY_COUNTS], bench.made(0) - bench.waiting(0) - before)

    def check_a_second_begin_keeps_energy(self):
        if not self.bench.holds_energy:
            return
        bench = self.loaded()
        bench.feed(9_000)
        made = bench.made(0)
        self.assertGreater(bench.waiting(0), 0)
        before = made - bench.waiting(0)
        bench.driver.begin()
        sample = new_sample()
        self.assertEqual(bench.fetch(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS], bench.made(0) - bench.waiting(0) - before)

    def check_overflow_time(self):
        watts, expected = self.bench.overflow_ms
        driver = self.bench(1).driver
        self.assertEqual(driver.overflow_ms(watts), expected)
        times = 1000 if self.bench.overflow_follows_power else 1
        self.assert_near(driver.overflow_ms(watts * 1000), expected // times, 1)

    def check_no_energy_is_lost_at_half_the_overflow_time(self):
        watts, expected = self.bench.overflow_ms
        bench = self.started()
        sample = new_sample()
        bench.mains(0, 230_000, watts * 100 // 23, watts * 1000)
        bench.fetch(sample)
        before = bench.made(0) - bench.waiting(0)
        bench.feed(expected // 2)
        self.assertEqual(bench.fetch(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS], bench.made(0) - bench.waiting(0) - before)

    def check_a_good_reading_allocates_nothing(self):
        bench = self.loaded()
        sample = new_sample()
        for _ in range(16):
            bench.feed(1_000)
            heap_lock()
            try:
                status = bench.fetch(sample)
            finally:
                heap_unlock()
            self.assertEqual(status, OK)

    def check_health_names_its_counters(self):
        health = self.started().driver.health()
        for key in ("restarts", "bus_errors"):
            self.assertEqual(health[key], 0)


def keep_promises(case, bench):
    """Hold `bench` (a class like ChipBench) to every promise; `case` is a TestCase.

    A function and not a base class: both interpreters share no multiple inheritance.
    """
    names = sorted(name for name in dir(MeteringChipContract) if name.startswith("check_"))
    case.assertEqual(len(names), 12)
    for name in names:
        with case.subTest(promise=name):
            getattr(MeteringChipContract(bench, case), name)()
