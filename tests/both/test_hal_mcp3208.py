"""The MCP3208 driver on simulated waves: units, phase, offsets, and mistakes that others made."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.mcp3208 import CONSTANTS, Mcp3208
from wattledger.hal.sample import (
    APPARENT_MVA,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_PHASE_LOSS,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    UNCONFIRMED,
    VOLTAGE_MV,
    field_bit,
    new_sample,
)
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tests.both import fixtures_adc as adc

HEAP = "384K"
SETTLED = 2  # reads of a second after which a window lies wholly in the new load


class Case(unittest.TestCase):
    def near(self, found, wanted, slack):
        self.assertTrue(abs(found - wanted) <= slack, "%r is not near %r" % (found, wanted))

    def run_for(self, house, seconds, status=OK):
        """(the last sample, counts of each phase) of reads of a second each."""
        sample = new_sample()
        counts = [0] * house.driver.phases
        for _ in range(seconds):
            house.chip.feed(1_000)
            self.assertEqual(house.driver.read_into(sample), status)
            for phase in range(len(counts)):
                counts[phase] += sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
        return sample, counts


class TestValues(Case):
    def test_values_arrive_in_the_units_of_the_sample(self):
        house = adc.House(mhz=50_000)
        # 230 V, 20 A, PF 0.8 lagging: 4600 VA, 3680 W, 2760 var.
        house.chip.set_phase(0, 230_000, 20_000, 3_680_000, 2_760_000)
        house.chip.set_mains(49_980)
        sample, _ = self.run_for(house, SETTLED)
        self.near(sample[VOLTAGE_MV], 230_000, 30)
        self.near(sample[CURRENT_MA], 20_000, 10)
        self.near(sample[POWER_MW], 3_680_000, 2_000)
        self.near(sample[REACTIVE_MVAR], 2_760_000, 10_000)
        self.near(sample[APPARENT_MVA], 4_600_000, 2_500)
        self.near(sample[POWER_FACTOR], 800, 1)
        self.near(sample[FREQUENCY_MHZ], 49_980, 3)
        self.assertEqual(sample[FLAGS], 0)

    def test_export_and_a_leading_current_are_negative(self):
        house = adc.House()
        house.chip.set_phase(0, 230_000, 20_000, -3_680_000, -2_760_000)
        sample, counts = self.run_for(house, SETTLED)
        self.near(sample[POWER_MW], -3_680_000, 2_000)
        self.near(sample[REACTIVE_MVAR], -2_760_000, 10_000)
        self.near(sample[POWER_FACTOR], -800, 1)
        # 3680 W for 2 s: 2044.4 mWh; abs(power), as one firmware had it, would count import.
        self.near(counts[0], -2_044, 3)

    def test_sixty_hertz(self):
        house = adc.House(mhz=60_000)
        house.chip.set_phase(0, 120_000, 20_000, 1_200_000, 2_078_461)
        sample, counts = self.run_for(house, 3)
        self.near(sample[VOLTAGE_MV], 120_000, 30)
        self.near(sample[POWER_MW], 1_200_000, 1_500)
        self.near(sample[FREQUENCY_MHZ], 60_000, 3)
        self.near(counts[0], 1_000, 2)

    def test_each_pair_is_a_phase_and_may_share_the_voltage(self):
        pairs = ((0, 1), (0, 2), (0, 3))
        chip = Chip(pairs, adc.VOLTAGE_GAIN, adc.CURRENT_GAIN)
        sampler = SimulatedSampler(chip, 200, 500)
        driver = Mcp3208(chip, adc.no_wait, [{}, {}, {}], sampler, pairs)
        # 2.3 kW, 4.6 kW of export, and 2.3 kW at a power factor of a half.
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.set_phase(1, 230_000, 20_000, -4_600_000)
        chip.set_phase(2, 230_000, 20_000, 2_300_000, 3_983_717)
        driver.begin()
        sample = new_sample()
        counts = [0, 0, 0]
        for _ in range(3):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(sample), OK)
            for phase in range(3):
                counts[phase] += sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
        # 1916.7 mWh and twice that.
        self.near(counts[0], 1_917, 3)
        self.near(counts[1], -3_833, 4)
        self.near(counts[2], 1_917, 3)

    def test_it_says_what_it_can_give(self):
        wanted = field_bit(FREQUENCY_MHZ) | field_bit(FLAGS)
        for field in range(PHASE_FIELDS):
            wanted |= field_bit(field)
        self.assertEqual(Mcp3208.fields, wanted)

    def test_values_stay_until_a_new_window_is_whole(self):
        house = adc.House()
        house.chip.set_phase(0, 230_000, 10_000, 2_300_000)
        sample, _ = self.run_for(house, SETTLED)
        before = sample[POWER_MW]
        self.assertEqual(house.driver.read_into(sample), OK)
        self.assertEqual((sample[POWER_MW], sample[ENERGY_COUNTS]), (before, 0))


class _Square:
    """A sampler of square waves of 50 Hz: codes 1024 and 512 from the middle, 80 pairs a cycle."""

    pairs = 400
    pair_us = 250
    blocks = 8
    errors = 0
    overruns = 0
    started_us = 0

    def __init__(self):
        self.ended = 0
        self.due = 0

    def start(self):
        self.running = True

    def stop(self):
        self.running = False

    def alive(self):
        return self.running

    def now_us(self):
        return self.ended

    def take(self, block):
        if not self.due:
            return False
        self.due -= 1
        self.ended += 100_000
        for pair in range(400):
            sign = 1 if pair % 80 < 40 else -1
            for place, height in ((0, 1024), (3, 512)):
                code = 2048 + sign * height
                block.raw[6 * pair + place + 1] = code >> 8
                block.raw[6 * pair + place + 2] = code & 0xFF
        block.ended_us = self.ended
        return True


class TestScale(Case):
    def test_a_code_is_a_4096th_and_not_a_4095th(self):
        # gpiozero-like libraries differ: 1023 or 1024, 4095 or 4096. The gain is that of a code:
        # 1024 codes of 195.312 mV are 199 999.5 mV; a 4095th would make 48 mV more of it.
        sampler = _Square()
        driver = Mcp3208(Chip(), adc.no_wait, [{}], sampler)
        driver.begin()
        sampler.due = 12
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.near(sample[VOLTAGE_MV], 199_999, 1)
        self.near(sample[CURRENT_MA], 25_456, 1)  # 512 x 49.718
        # Every current has the sign of the voltage before it, 2 of 80 not that of the voltage
        # after it; the taps are sin 2.25 / sin 4.5 degrees = 0.500386 each:
        # 199.9995 V x 25.4556 A x 0.500386 x (80 + 76) / 80 = 4967.7 W
        self.near(sample[POWER_MW], 4_967_700, 100)

    def test_the_gains_are_the_calibration_s(self):
        house = adc.House(calibration={"voltage_gain": 97_656, "current_gain": 99_436})
        house.chip.set_phase(0, 230_000, 20_000, 4_600_000)
        sample, counts = self.run_for(house, SETTLED)
        # Half the volts and twice the amps a code: the power is the same.
        self.near(sample[VOLTAGE_MV], 115_000, 15)
        self.near(sample[CURRENT_MA], 40_000, 20)
        self.near(sample[POWER_MW], 4_600_000, 2_500)
        self.near(counts[0], 2_556, 3)


class TestPhase(Case):
    """Two taps make one instant of voltage and current: EmonLibCM's way."""

    def energy(self, lead_mdeg, calibrated, mhz=50_000, pair_us=250):
        """Parts per thousand that 10 s at PF 0.5 are wrong by; 23 A at 230 V."""
        house = adc.House(1, 400, pair_us, {"phase": calibrated}, mhz=mhz)
        house.chip.set_front_end(0, angle_mdeg=-lead_mdeg)
        house.chip.set_phase(0, 230_000, 23_000, 2_645_000, 4_581_274)
        _, counts = self.run_for(house, 1)
        _, counts = self.run_for(house, 9)
        # 2645 W for 9 s are 6612.5 mWh.
        return (counts[0] * 10_000 - 66_125_000) // 66_125

    def test_the_delay_between_two_conversions_is_no_error(self):
        # Half a pair is 125 us, 2.25 degrees: tan 60 x 2.25 degrees = 6.8 % when uncorrected.
        self.near(self.energy(0, 0), 0, 1)

    def test_a_transformer_that_leads_is_put_right(self):
        # 4 degrees of lead at PF 0.5 are cos 56 / cos 60 = + 11.8 %.
        self.near(self.energy(4_000, 4_000), 0, 1)
        self.near(self.energy(4_000, 0), 118, 2)
        self.near(self.energy(-2_000, -2_000), 0, 1)

    def test_the_taps_follow_the_mains_frequency(self):
        # Taps fixed for 50 Hz would be 0.18 degrees off at 52 Hz: 0.5 %.
        self.near(self.energy(4_000, 4_000, 52_000), 0, 1)


class TestOffsets(Case):
    def test_a_bias_beside_the_middle_counts_nothing(self):
        # 30 codes on both: 900 code**2 of 9.71 mW are 8.7 W, in 60 s 146 mWh, if left in.
        calibration = {"voltage_offset": 480, "current_offset": -480}
        house = adc.House(calibration=calibration)
        house.chip.set_offset(0, 30_000)
        house.chip.set_offset(1, -30_000)
        _, counts = self.run_for(house, 60)
        self.near(counts[0], 0, 1)

    def test_a_bias_that_was_never_calibrated_is_found(self):
        # Weight 64 blocks at the start: sum of (64 / (64 + n))**2 is 64 blocks of 8.7 W, 16 mWh.
        house = adc.House()
        house.chip.set_offset(0, 30_000)
        house.chip.set_offset(1, 30_000)
        _, counts = self.run_for(house, 120)
        self.assertTrue(0 < counts[0] <= 17)
        _, counts = self.run_for(house, 30)
        self.near(counts[0], 0, 1)
        v_offset, i_offset = house.driver.health()["offsets"][0]
        self.near(v_offset, 480, 48)
        self.near(i_offset, 480, 48)

    def test_no_current_is_no_power_at_high_voltage(self):
        house = adc.House()
        house.chip.set_phase(0, 264_500, 0, 0)
        sample, counts = self.run_for(house, 30)
        self.assertEqual((counts[0], sample[CURRENT_MA], sample[POWER_MW]), (0, 0, 0))

    def test_noise_without_a_load_is_neither_import_nor_export(self):
        # An LSB of noise on biases between two codes: some hundredths of a count a second,
        # back and forth around zero. One count a minute is 0.06 W; class 1 lets 1.4 W be.
        house = adc.House(pairs=100, pair_us=1_000)
        house.chip.noise_permille = 1_000
        house.chip.set_offset(0, 217)
        house.chip.set_offset(1, 383)
        sample = new_sample()
        moved = 0
        for _ in range(60):
            house.chip.feed(1_000)
            self.assertEqual(house.driver.read_into(sample), OK)
            moved += abs(sample[ENERGY_COUNTS])
        self.assertTrue(moved <= 1, moved)


class TestTime(Case):
    def test_energy_needs_no_whole_cycles(self):
        # A fixed window of 100 ms is 1.9 % wrong at 49 Hz. 2300 W for 20 s are 12 777.8 mWh.
        house = adc.House()
        house.chip.set_mains(49_000)
        house.chip.set_phase(0, 230_000, 10_000, 2_300_000)
        sample, counts = self.run_for(house, 20)
        self.near(counts[0], 12_778, 8)
        self.near(sample[VOLTAGE_MV], 230_000, 30)
        self.near(sample[POWER_MW], 2_300_000, 2_000)

    def test_the_rate_is_measured_and_not_assumed(self):
        # 2 % slower than told: energy by the nominal rate would be 2 % less.
        house = adc.House()
        house.sampler.drift_ppm = 20_000
        house.chip.set_phase(0, 230_000, 10_000, 2_300_000)
        sample, counts = self.run_for(house, 20)
        self.near(counts[0], 12_778, 70)  # the last block of 102 ms is not finished
        self.near(sample[FREQUENCY_MHZ], 50_000, 3)
        self.assertEqual(house.driver.health()["pairs_per_s"], 3_921)


class TestFlags(Case):
    def test_an_input_over_its_range_is_flagged(self):
        house = adc.House()
        # 75 A rms are 106 A peak; the converter ends at 101.8 A.
        house.chip.set_phase(0, 230_000, 75_000, 17_250_000)
        sample, _ = self.run_for(house, SETTLED, UNCONFIRMED)
        self.assertEqual(sample[FLAGS], FLAG_SATURATED)
        self.assertEqual(house.driver.health()["saturated"], 20)
        house.chip.set_phase(0, 230_000, 70_000, 16_100_000)
        sample, _ = self.run_for(house, 1)
        self.assertEqual(sample[FLAGS], 0)

    def test_a_phase_without_voltage_is_flagged(self):
        house = adc.House(2, 200, 500)
        house.chip.set_phase(1, 0, 0, 0)
        sample, _ = self.run_for(house, SETTLED)
        self.assertEqual(sample[FLAGS], FLAG_PHASE_LOSS << 1)
        self.assertEqual(sample[PHASE_FIELDS + VOLTAGE_MV], 0)
        house.chip.set_phase(0, 0, 0, 0)
        sample, _ = self.run_for(house, SETTLED)
        self.assertEqual(sample[FLAGS], FLAG_PHASE_LOSS * 3)
        self.assertEqual((sample[VOLTAGE_MV], sample[FREQUENCY_MHZ]), (0, 0))


class TestCalibration(Case):
    def refused(self, calibration, **more):
        sampler = SimulatedSampler(Chip(), more.get("pairs", 400), more.get("pair_us", 250))
        with self.assertRaises(ChipError) as caught:
            Mcp3208(Chip(), adc.no_wait, calibration, sampler)
        return caught.exception

    def test_an_unknown_constant_is_refused_with_those_there_are(self):
        error = self.refused([{"gain": 1}])
        self.assertEqual(error.stage, "calibration")
        for name, _, _, _ in CONSTANTS:
            self.assertIn(name, str(error))

    def test_a_value_out_of_range_is_refused_with_the_range(self):
        for name, _, lowest, highest in CONSTANTS:
            for value in (lowest - 1, highest + 1):
                error = self.refused([{name: value}])
                self.assertEqual(error.stage, "calibration")
                self.assertIn("%d to %d" % (lowest, highest), str(error))

    def test_a_phase_beyond_two_taps_is_refused(self):
        # At 32 kS/s taps are 0.56 degrees apart: ten degrees would be 18 times their difference.
        self.assertEqual(self.refused([{"phase": 10_000}], pair_us=31).stage, "calibration")

    def test_blocks_too_long_for_exact_sums_are_refused(self):
        self.assertEqual(self.refused([{}], pairs=513).stage, "sampler")
        self.assertEqual(self.refused([{}], pair_us=3_000).stage, "sampler")
        self.assertEqual(self.refused([{}, {}]).stage, "sampler")


if __name__ == "__main__":
    unittest.main()
