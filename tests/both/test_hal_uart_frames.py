"""Frames out of a dirty line, counters that run on, and scales that stay small."""

import unittest

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.running_counter import FELL, HELD, TAKEN, RunningCounter
from wattledger.hal.meter.scale import Scale, constants_of, nearest_fraction
from wattledger.hal.meter.uart_frames import FrameReader
from wattledger.tests.both.fixtures_uart import Script

# Frames of five: a head, three bytes, their sum.
ONE = b"\x55\x01\x02\x03\x06"
TWO = b"\x55\x04\x05\x06\x0f"
# A head within: were a candidate thrown away whole, the frame behind its head would be lost.
FALSE_HEAD = b"\x55\x09"


def is_good(frame):
    return (frame[1] + frame[2] + frame[3]) & 0xFF == frame[4]


def frames_of(*arrivals):
    """All good frames, with a reading for each arrival."""
    line = Script()
    reader = FrameReader(line, 5, is_good, 0x55)
    found = []
    for arrival in arrivals:
        line.arrivals = [arrival]
        reader.start()
        while reader.next():
            found.append(bytes(reader.frame))
    return found


class TestFrames(unittest.TestCase):
    def test_frames_back_to_back(self):
        self.assertEqual(frames_of(ONE + TWO + ONE), [ONE, TWO, ONE])

    def test_a_frame_in_two_pieces_wherever_it_is_cut(self):
        both = ONE + TWO
        for cut in range(len(both) + 1):
            self.assertEqual(frames_of(both[:cut], both[cut:]), [ONE, TWO])

    def test_a_frame_byte_by_byte(self):
        self.assertEqual(frames_of(*[bytes((byte,)) for byte in ONE + TWO]), [ONE, TWO])

    def test_a_good_frame_behind_rubbish_is_not_dropped(self):
        for rubbish in (
            b"\x00",
            b"\xff" * 70,
            b"\x55" * 3,
            FALSE_HEAD,
            ONE[:4],
            ONE[:1],
            b"\x55\x01\x02\x03\x07",
        ):
            self.assertEqual(frames_of(rubbish + TWO), [TWO])
            self.assertEqual(frames_of(ONE + rubbish + TWO), [ONE, TWO])
            self.assertEqual(frames_of(rubbish, TWO), [TWO])

    def test_a_bad_frame_leaves_the_good_one_before_it(self):
        reader = FrameReader(Script(ONE + b"\x55\x01\x02\x03\x07"), 5, is_good, 0x55)
        reader.start()
        self.assertTrue(reader.next())
        self.assertFalse(reader.next())
        self.assertEqual(bytes(reader.frame), ONE)
        self.assertEqual(reader.heard, 10)

    def test_a_line_that_never_ends_does_not_hold_the_reading(self):
        class Endless:
            taken = 0

            def read_into(self, buffer):
                self.taken += len(buffer)
                return len(buffer)

        line = Endless()
        reader = FrameReader(line, 5, is_good, 0x55)
        reader.start()
        self.assertFalse(reader.next())
        self.assertEqual(line.taken, 2048)

    def test_a_broken_line_is_a_bus_error(self):
        line = Script()
        line.broken = True
        reader = FrameReader(line, 5, is_good, 0x55)
        reader.start()
        with self.assertRaises(BusError):
            reader.next()


class TestCounter(unittest.TestCase):
    def moves(self, counter, *values):
        return [(counter.moved(value), counter.state) for value in values]

    def test_it_runs_over_its_end(self):
        counter = RunningCounter(16, 100)
        counter.start(65_530)
        self.assertEqual(self.moves(counter, 65_535, 4, 4), [(5, TAKEN), (5, TAKEN), (0, TAKEN)])

    def test_with_sign_it_runs_both_ways_over_its_end(self):
        counter = RunningCounter(24, 100, signed=True)
        counter.start(3)
        values = (0xFFFFFE, 2, 0xFFFFFF)
        self.assertEqual(self.moves(counter, *values), [(-5, TAKEN), (4, TAKEN), (-3, TAKEN)])

    def test_a_jump_that_the_next_value_does_not_confirm_is_nothing(self):
        counter = RunningCounter(24, 100)
        counter.start(1_000)
        values = (1_000 + (1 << 20), 1_007, 1_010)
        self.assertEqual(self.moves(counter, *values), [(0, HELD), (7, TAKEN), (3, TAKEN)])

    def test_a_jump_that_is_confirmed_is_counted_once(self):
        counter = RunningCounter(24, 100)
        counter.start(1_000)
        values = (9_000, 9_050, 9_051)
        self.assertEqual(self.moves(counter, *values), [(0, HELD), (8_050, TAKEN), (1, TAKEN)])

    def test_two_jumps_that_disagree_wait_for_a_third(self):
        counter = RunningCounter(24, 100)
        counter.start(0)
        values = (1 << 20, 5_000, 5_002)
        self.assertEqual(self.moves(counter, *values), [(0, HELD), (0, HELD), (5_002, TAKEN)])

    def test_jump_after_jump_is_counted_late_and_in_full(self):
        # 1000 a reading where 100 are believed: late by some readings, never lost.
        counter = RunningCounter(24, 100)
        counter.start(0)
        total = sum(counter.moved(value) for value in range(1_000, 31_000, 1_000))
        total += counter.moved(30_000)
        self.assertEqual(total, 30_000)

    def test_a_fall_that_is_confirmed_starts_anew(self):
        counter = RunningCounter(24, 100)
        counter.start(500_000)
        values = (3, 5, 9)
        self.assertEqual(self.moves(counter, *values), [(0, HELD), (0, FELL), (4, TAKEN)])

    def test_standing_still_under_load_is_frozen_after_60_kilojoules(self):
        counter = RunningCounter(24, 100)
        counter.start(7)
        # 1 kW, 100 ms a reading, is 100 J: 600 readings.
        found = [counter.is_frozen(1_000_000) for _ in range(600)]
        self.assertEqual(found, [False] * 599 + [True])
        counter.moved(8)
        self.assertFalse(counter.is_frozen(-1_000_000))

    def test_standing_still_without_load_is_not(self):
        counter = RunningCounter(24, 100)
        counter.start(7)
        self.assertFalse(any(counter.is_frozen(0) for _ in range(5_000)))


class TestScales(unittest.TestCase):
    def test_a_scale_is_within_8_millionths(self):
        for top, bottom in ((1, 1), (100, 1), (629, 10_000), (1_604, 1_000), (1, 251), (3, 7)):
            scale = Scale(top, bottom)
            for raw in (1, 2, 999, 4_095, 4_096, 65_535, 1_000_003, (1 << 20) - 1):
                exact = raw * top / bottom
                self.assertTrue(abs(scale.of(raw) - exact) <= 8e-6 * exact + 1.01)
                self.assertEqual(scale.of(-raw), -scale.of(raw))

    def test_whole_scales_are_exact(self):
        self.assertEqual(Scale(100, 1).of(2_257), 225_700)
        self.assertEqual(Scale(1, 1).of(0xFFFFFF), 0xFFFFFF)
        self.assertEqual(Scale(3, 4).of(400), 300)

    def test_a_scale_that_is_too_large_is_refused(self):
        with self.assertRaises(ChipError) as caught:
            Scale(10_000, 1)
        self.assertEqual(caught.exception.stage, "calibration")

    def test_fractions(self):
        # Pi's convergents are 3, 22/7, 333/106, 355/113.
        self.assertEqual(nearest_fraction(3_141_592_653, 10**9, 200), (355, 113))
        self.assertEqual(nearest_fraction(3_141_592_653, 10**9, 110), (333, 106))
        self.assertEqual(nearest_fraction(6, 4), (3, 2))
        self.assertEqual(nearest_fraction(1_000_000, 1_000_000), (1, 1))

    def test_constants_out_of_their_range_or_unknown_are_refused(self):
        table = (("gain", 100, 80, 120),)
        self.assertEqual(constants_of([{}], table), {"gain": 100})
        self.assertEqual(constants_of([{"gain": 120}], table), {"gain": 120})
        for wrong in (
            [{"gain": 79}],
            [{"gain": 121}],
            [{"gian": 100}],
            [{"gain": 99.5}],
            [],
            [{}, {}],
        ):
            with self.assertRaises(ChipError) as caught:
                constants_of(wrong, table)
            self.assertEqual(caught.exception.stage, "calibration")


if __name__ == "__main__":
    unittest.main()
