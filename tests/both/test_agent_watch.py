"""The watch: what begins when, what ends it, and what is kept of it."""

import unittest

from wattledger.agent import events
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_PHASE_LOSS,
    FLAG_SAG,
    FLAG_SATURATED,
    FLAG_SEQUENCE,
    FLAGS,
    FREQUENCY_MHZ,
    NEUTRAL_MA,
    NO_ANSWER,
    OK,
    POWER_MW,
    QUALITY_ESTIMATED,
    QUALITY_OK,
    QUALITY_STALE,
    VOLTAGE_MV,
)
from wattledger.tests.both.houses_watch import Watched, without

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    # No heap to lock here: the same looks still find nothing.

    def heap_lock():
        pass

    def heap_unlock():
        pass


HEAP = "384K"
ENDED = 8
A, B = 1, 2


class TestVoltage(unittest.TestCase):
    """230 V: over 253 V is high and over 276 V a swell; under 207 V low, under 184 V a sag."""

    def setUp(self):
        self.bench = Watched()

    def volts(self, millivolts, seconds):
        self.bench.set(0, VOLTAGE_MV, millivolts)
        self.bench.run(seconds)
        return self.bench.take_told()

    def test_over_voltage_for_a_minute_begins_and_a_clear_return_ends_it(self):
        self.assertEqual(self.volts(253_000, 120), [])
        self.assertEqual(self.volts(253_001, 60), [])
        self.assertEqual(self.volts(253_001, 1), [(events.HIGH_VOLTAGE, A)])
        self.assertEqual(self.volts(248_401, 200), [])  # 2 % of 230 V below it is 248.4 V
        self.assertEqual(self.volts(248_400, 60), [])
        self.assertEqual(self.volts(248_400, 1), [(events.HIGH_VOLTAGE, A + ENDED)])

    def test_a_second_short_of_it_begins_it_again(self):
        for _ in range(3):
            self.assertEqual(self.volts(260_000, 60), [])
            self.assertEqual(self.volts(230_000, 1), [])

    def test_a_return_that_does_not_last_ends_nothing(self):
        self.volts(260_000, 61)
        for _ in range(3):
            self.assertEqual(self.volts(230_000, 60), [])
            self.assertEqual(self.volts(260_000, 1), [])

    def test_under_voltage_for_a_minute(self):
        self.assertEqual(self.volts(207_000, 120), [])
        self.assertEqual(self.volts(206_999, 61), [(events.LOW_VOLTAGE, A)])
        self.assertEqual(self.volts(211_599, 120), [])
        self.assertEqual(self.volts(211_600, 61), [(events.LOW_VOLTAGE, A + ENDED)])

    def test_a_swell_and_a_sag_of_two_readings(self):
        self.assertEqual(self.volts(276_001, 1), [])
        self.assertEqual(self.volts(276_001, 1), [(events.SWELL, A)])
        self.assertEqual(self.volts(230_000, 4), [(events.SWELL, A + ENDED)])
        self.assertEqual(self.volts(183_999, 2), [(events.SAG, A)])
        self.assertEqual(self.volts(188_599, 20), [])
        self.assertEqual(self.volts(188_600, 4), [(events.SAG, A + ENDED)])

    def test_a_lost_phase_is_neither_low_nor_a_sag_besides(self):
        self.assertEqual(self.volts(22_999, 3), [])
        self.assertEqual(self.volts(22_999, 1), [(events.PHASE_LOSS, A)])
        self.assertEqual(self.volts(22_999, 100), [])
        self.assertEqual(self.volts(230_000, 4), [(events.PHASE_LOSS, A + ENDED)])

    def test_the_event_carries_what_was_measured(self):
        self.bench.load(450)
        self.volts(260_123, 0)
        self.bench.run(61)
        self.assertEqual(self.bench.told, [(events.HIGH_VOLTAGE, A, (260_123, 1_956, 450_000))])

    def test_what_the_chip_itself_saw_is_enough(self):
        bench = Watched(3)
        bench.chip.sample[FLAGS] = FLAG_SAG << 1 | FLAG_PHASE_LOSS << 2 | FLAG_SEQUENCE
        bench.run(5)
        self.assertEqual(
            sorted(bench.take_told()),
            [(events.SAG, B), (events.PHASE_LOSS, 3), (events.SEQUENCE, 0)],
        )
        bench.chip.sample[FLAGS] = 0
        bench.run(5)
        self.assertEqual(len(bench.take_told()), 3)
        self.assertEqual(bench.watch.active, 0)

    def test_a_frequency_out_of_one_percent(self):
        bench = self.bench
        bench.chip.sample[FREQUENCY_MHZ] = 50_500
        bench.run(30)
        self.assertEqual(bench.take_told(), [])
        bench.chip.sample[FREQUENCY_MHZ] = 50_501
        bench.run(11)
        self.assertEqual(bench.take_told(), [(events.FREQUENCY, 50_501 << 8)])
        bench.chip.sample[FREQUENCY_MHZ] = 0  # a chip that gives none
        bench.run(11)
        self.assertEqual(bench.take_told(), [(events.FREQUENCY, ENDED)])

    def test_a_saturated_input_makes_the_interval_an_estimate(self):
        bench = self.bench
        bench.run(1)
        bench.meter.take_interval_quality()
        bench.chip.sample[FLAGS] = FLAG_SATURATED
        bench.run(1)
        self.assertEqual(bench.take_told(), [(events.SATURATED, 0)])
        self.assertEqual(bench.meter.quality, QUALITY_OK)
        bench.chip.sample[FLAGS] = 0
        bench.run(11)
        self.assertEqual(bench.take_told(), [(events.SATURATED, ENDED)])
        self.assertEqual(bench.meter.take_interval_quality(), QUALITY_ESTIMATED)
        bench.run(1)
        self.assertEqual(bench.meter.take_interval_quality(), QUALITY_OK)


class TestTamper(unittest.TestCase):
    """60 A x 276 V: 0.5 % is 82.8 W."""

    def begins(self, bench, seconds, code, phase=0):
        """It begins with the last of `seconds` and not before; it is latched."""
        bench.run(seconds - 1)
        self.assertEqual(bench.take_told(), [])
        bench.run(1)
        self.assertEqual(bench.take_told(), [(code, phase)])
        self.assertEqual(bench.watch.latched, 1 << code - events.REVERSE)

    def test_reverse_current_of_one_phase(self):
        bench = Watched(3)
        bench.load(-82, 1)
        bench.run(60)
        bench.load(-83, 1)
        self.begins(bench, 11, events.REVERSE, B)
        bench.load(-42, 1)  # half of it is 41.4 W
        bench.run(60)
        self.assertEqual(bench.take_told(), [])
        bench.load(-41, 1)
        bench.run(11)
        self.assertEqual(bench.take_told(), [(events.REVERSE, B + ENDED)])

    def test_each_phase_begins_by_itself(self):
        bench = Watched(3)
        bench.load(-900, 0)
        bench.run(5)
        bench.load(-900, 2)
        bench.run(11)
        self.assertEqual(bench.take_told(), [(events.REVERSE, A), (events.REVERSE, 3)])

    def test_export_that_is_expected_is_none(self):
        bench = Watched(export_expected=True)
        bench.load(-900)
        bench.run(60)
        self.assertEqual(bench.take_told(), [])

    def test_current_without_voltage(self):
        bench = Watched(quality={"phase_loss_s": 3600})
        bench.set(0, VOLTAGE_MV, 114_999)
        bench.set(0, CURRENT_MA, 2_000)
        bench.chip.sample[NEUTRAL_MA] = 2_000
        bench.run(50)
        bench.take_told()  # a sag
        bench.set(0, CURRENT_MA, 2_001)
        bench.run(60)
        self.assertEqual(bench.take_told(), [(events.LOW_VOLTAGE, A)])
        bench.run(1)
        self.assertEqual(bench.take_told(), [(events.NO_POTENTIAL, A)])

    def test_a_neutral_that_carries_another_current(self):
        bench = Watched()
        bench.load(900, neutral_ma=4_413)  # 3913 mA, and half an ampere
        bench.run(100)
        bench.load(900, neutral_ma=4_414)
        self.begins(bench, 61, events.IMBALANCE)
        self.assertEqual(bench.watch.kinds(), 1 << 7)

    def test_ten_percent_of_a_large_current_are_allowed(self):
        bench = Watched()
        bench.load(9_000, neutral_ma=39_130 - 3_900)
        bench.run(100)
        self.assertEqual(bench.take_told(), [])
        bench.load(9_000, neutral_ma=39_130 - 3_911)
        self.begins(bench, 61, events.IMBALANCE)

    def test_the_event_of_a_neutral_says_its_current(self):
        bench = Watched()
        bench.load(450, neutral_ma=9_000)
        bench.run(61)
        self.assertEqual(bench.told[0][2], (230_000, 9_000, 450_000))

    def test_a_chip_without_a_neutral_or_with_more_phases_compares_nothing(self):
        bench = Watched()
        bench.chip.fields = without(NEUTRAL_MA)
        bench.boot()
        bench.load(900, neutral_ma=0)
        bench.run(100)
        three = Watched(3)
        three.load(900, neutral_ma=0)
        three.run(100)
        self.assertEqual(bench.take_told() + three.take_told(), [])

    def test_cover_at_once_and_a_magnet_after_five_seconds(self):
        bench = Watched()
        bench.inputs.bits = 1
        self.begins(bench, 1, events.COVER)
        bench.inputs.bits = 0
        bench.run(2)
        self.assertEqual(bench.take_told(), [(events.COVER, ENDED)])
        bench.inputs.bits = 2
        bench.run(5)
        self.assertEqual(bench.take_told(), [])
        bench.run(1)
        self.assertEqual(bench.take_told(), [(events.MAGNET, 0)])

    def test_registers_that_stand_under_load_are_frozen_and_stale(self):
        bench = Watched()
        bench.load(900)
        bench.run(10)
        bench.set(0, ENERGY_COUNTS, 0)
        self.begins(bench, 121, events.FROZEN)
        self.assertEqual(bench.meter.quality, QUALITY_OK)  # of the reading that showed it
        bench.run(1)
        self.assertEqual(bench.meter.quality, QUALITY_STALE)
        self.assertEqual(bench.meter.take_interval_quality(), QUALITY_STALE)
        bench.load(900)
        bench.run(2)
        self.assertEqual(bench.take_told(), [(events.FROZEN, ENDED)])
        bench.run(1)
        self.assertEqual(bench.meter.quality, QUALITY_OK)

    def test_a_coarse_register_that_moves_now_and_then_is_not_frozen(self):
        bench = Watched()
        for _ in range(10):
            bench.load(225)
            bench.set(0, ENERGY_COUNTS, 320)  # a Wh every 16 s at 225 W
            bench.run(1)
            bench.set(0, ENERGY_COUNTS, 0)
            bench.run(15)
        self.assertEqual(bench.take_told(), [])

    def test_a_load_too_small_to_tell_is_not_frozen(self):
        bench = Watched()
        bench.load(180)
        bench.set(0, ENERGY_COUNTS, 0)
        bench.run(600)
        self.assertEqual(bench.take_told(), [])

    def test_values_that_stay_the_same_to_the_last_digit(self):
        bench = Watched(quality={"frozen_readings": 60})
        bench.load(900)
        bench.run(60)
        bench.set(0, POWER_MW, 900_001)
        bench.run(1)
        bench.run(60 + 120)
        self.assertEqual(bench.take_told(), [(events.FROZEN, 0)])
        self.assertEqual(bench.meter.register.import_wh, 241 * 80 // 320)  # carried all the same
        bench.set(0, VOLTAGE_MV, 230_010)
        bench.run(1)
        self.assertEqual(bench.take_told(), [])
        bench.run(1)
        self.assertEqual(bench.take_told(), [(events.FROZEN, ENDED)])

    def test_energy_through_an_open_relay(self):
        bench = Watched()
        bench.load(90)
        bench.run(100)
        bench.open = True
        self.begins(bench, 61, events.BYPASS)
        bench.load(45)
        bench.run(61)
        self.assertEqual(bench.take_told(), [(events.BYPASS, ENDED)])


class TestWatch(unittest.TestCase):
    def test_silence_begins_nothing_and_ends_nothing(self):
        bench = Watched()
        bench.set(0, VOLTAGE_MV, 260_000)
        bench.run(31)
        bench.chip.status = NO_ANSWER
        bench.run(600)
        bench.chip.status = OK
        bench.run(29)  # 30 s and 29: the silence does not count
        self.assertEqual(bench.take_told(), [])
        bench.run(2)
        self.assertEqual(bench.take_told(), [(events.HIGH_VOLTAGE, A)])
        bench.set(0, VOLTAGE_MV, 230_000)
        bench.chip.status = NO_ANSWER
        bench.run(600)
        self.assertEqual(bench.take_told(), [])

    def test_one_that_pauses_begins_anew_while_another_goes_on(self):
        bench = Watched()
        bench.set(0, VOLTAGE_MV, 260_000)
        for _ in range(4):
            bench.inputs.bits = 2
            bench.run(4)  # a magnet takes five
            bench.inputs.bits = 0
            bench.run(1)
        self.assertEqual(bench.take_told(), [])

    def test_a_flickering_condition_is_told_six_times_an_hour_and_then_as_a_number(self):
        bench = Watched()
        bench.run(2600 - 1)  # to the last second before the next powered hour
        for _ in range(50):
            bench.inputs.bits = 1
            bench.run(1)
            bench.inputs.bits = 0
            bench.run(2)
        told = bench.take_told()
        self.assertEqual(told, [(events.COVER, 0), (events.COVER, ENDED)] * 6)
        self.assertEqual(bench.watch.latched, 1 << 8)
        bench.run(3600)
        self.assertEqual(bench.take_told(), [(events.CONDITIONS_HELD, 44 << 8 | events.COVER)])
        bench.inputs.bits = 1
        bench.run(1)
        self.assertEqual(bench.take_told(), [(events.COVER, 0)])

    def test_the_end_of_a_beginning_that_was_told_is_told(self):
        bench = Watched(quality={"pairs_an_hour": 1})
        bench.inputs.bits = 1
        bench.run(1)
        bench.inputs.bits = 0
        bench.run(2)
        bench.inputs.bits = 1
        bench.run(1)  # one too many
        self.assertEqual(bench.take_told(), [(events.COVER, 0), (events.COVER, ENDED)])
        bench.inputs.bits = 0
        bench.run(2)
        self.assertEqual(bench.take_told(), [])

    def test_what_goes_on_over_a_reboot_is_not_told_twice(self):
        bench = Watched()
        bench.inputs.bits = 1
        bench.run(2)
        bench.take_told()
        bench.storage.power_cut()
        bench.boot()
        bench.run(10)
        self.assertEqual(bench.take_told(), [])
        self.assertEqual(bench.watch.latched, 1 << 8)

    def test_what_is_gone_after_a_reboot_ends_then(self):
        bench = Watched()
        bench.inputs.bits = 1
        bench.run(2)
        bench.take_told()
        bench.storage.power_cut()
        bench.inputs.bits = 0
        bench.boot()
        bench.run(2)
        self.assertEqual(bench.take_told(), [(events.COVER, ENDED)])
        self.assertEqual(bench.watch.latched, 1 << 8)

    def test_a_file_of_nonsense_is_no_condition(self):
        bench = Watched()
        bench.inputs.bits = 1
        bench.run(2)
        data = bytearray(11)
        bench.storage.read_from("tamper", 0, data)
        data[1] ^= 1
        bench.storage.commit("tamper", data)
        bench.boot()
        self.assertEqual((bench.watch.active, bench.watch.latched), (0, 0))

    def test_storage_that_fails_is_tried_again(self):
        bench = Watched()
        commit = bench.storage.commit
        bench.storage.commit = fails
        bench.inputs.bits = 1
        bench.run(2)
        self.assertFalse(bench.watch.keep())
        bench.storage.commit = commit
        bench.run(1)
        bench.boot()
        self.assertEqual(bench.watch.latched, 1 << 8)

    def test_clearing_forgets_what_is_over_and_keeps_what_goes_on(self):
        bench = Watched()
        bench.inputs.bits = 3
        bench.run(6)
        bench.inputs.bits = 2
        bench.run(2)
        bench.take_told()
        self.assertTrue(bench.watch.clear())
        self.assertEqual(bench.watch.latched, 1 << 9)  # the magnet is still there
        self.assertEqual(bench.take_told(), [(events.TAMPER_CLEARED, 1 << 8)])
        bench.inputs.bits = 0
        bench.run(6)
        bench.take_told()
        self.assertTrue(bench.watch.clear())
        self.assertTrue(bench.watch.clear())  # of nothing: no second event
        self.assertEqual(bench.take_told(), [(events.TAMPER_CLEARED, 1 << 9)])
        bench.boot()
        self.assertEqual(bench.watch.latched, 0)

    def test_power_quality_latches_nothing(self):
        bench = Watched()
        bench.set(0, VOLTAGE_MV, 300_000)
        bench.run(100)
        self.assertEqual(len(bench.take_told()), 2)
        self.assertEqual(bench.watch.latched, 0)

    def test_a_look_that_finds_nothing_new_allocates_nothing(self):
        bench = Watched(3)
        for phase in range(3):
            bench.load(900, phase)
        bench.run(2)
        meter, watch, time = bench.meter, bench.watch, bench.time
        looks = 0
        heap_lock()
        try:
            while looks < 1000:
                meter.tick()
                time.powered_s += 1
                watch.work()
                looks += 1
        finally:
            heap_unlock()
        self.assertEqual(bench.take_told(), [])


def fails(*arguments):
    raise OSError(5)


if __name__ == "__main__":
    unittest.main()
