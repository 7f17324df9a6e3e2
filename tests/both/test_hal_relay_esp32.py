"""The ESP32's relays on fake pins and a fake timer, and the simulated one, by one contract."""

import unittest

from wattledger.hal.errors import HalError
from wattledger.hal.relay.esp32 import Esp32HoldRelay, Esp32LatchingRelay
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.houses_relay import PULSE_MS, RelayBench, keep_relay_promises

OPEN, CLOSE, CONTACT = 4, 5, 6


class FakePin:
    """machine.Pin with a log of (pin, level) over all outputs, and inputs read from `levels`."""

    IN = 1
    OUT = 3
    PULL_DOWN = 1
    PULL_UP = 2
    log = []
    levels = {}

    def __init__(self, number, mode, pull=-1, value=None):
        self._number = number
        if mode == FakePin.OUT:
            self.value(value)

    def value(self, level=None):
        if level is None:
            return FakePin.levels[self._number]
        FakePin.levels[self._number] = level
        FakePin.log.append((self._number, level))
        return None


class FakeTimer:
    """machine.Timer; `pass_ms` lets time pass for the last one made."""

    ONE_SHOT = 0
    last = None
    broken = False

    def __init__(self, number):
        self._left = None
        FakeTimer.last = self

    def init(self, mode, period, callback):
        if FakeTimer.broken:
            raise OSError(12)
        self._left = period
        self._callback = callback

    def deinit(self):
        self._left = None

    def pass_ms(self, ms):
        if self._left is not None:
            self._left -= ms
            if self._left <= 0:
                self._left = None
                self._callback(self)


class FakeBoard(RelayBench):
    """The relay's body: where a coil is on, its contact goes."""

    active_high = True

    def __init__(self, closed, contact=CONTACT):
        FakePin.log = []
        FakePin.levels = {CONTACT: 0 if closed else 1}
        self.relay = self.made(contact)
        self.settle()

    def made(self, contact):
        return Esp32LatchingRelay(
            FakePin, FakeTimer, OPEN, CLOSE, contact, PULSE_MS, self.active_high
        )

    def settle(self):
        on = 1 if self.active_high else 0
        if FakePin.levels[OPEN] == on:
            FakePin.levels[CONTACT] = 1
        if FakePin.levels[CLOSE] == on:
            FakePin.levels[CONTACT] = 0

    def pass_ms(self, ms):
        self.settle()
        FakeTimer.last.pass_ms(ms)


class LowBoard(FakeBoard):
    active_high = False


class HoldBoard(FakeBoard):
    latching = False

    def made(self, contact):
        return Esp32HoldRelay(FakePin, CLOSE, contact)

    def settle(self):
        FakePin.levels[CONTACT] = 1 - FakePin.levels[CLOSE]

    def pass_ms(self, ms):
        self.settle()


class SimulatedBench(RelayBench):
    def __init__(self, closed):
        self.relay = LatchingRelay(closed)

    def pass_ms(self, ms):
        self.relay.pass_ms(ms)


class TestRelays(unittest.TestCase):
    def test_they_keep_the_promises(self):
        for bench in (FakeBoard, LowBoard, HoldBoard, SimulatedBench):
            with self.subTest(bench=bench.__name__):
                keep_relay_promises(self, bench)

    def test_coils_are_inactive_first_and_alone(self):
        FakeBoard(True)
        self.assertEqual(FakePin.log, [(OPEN, 0), (CLOSE, 0)])
        LowBoard(True)
        self.assertEqual(FakePin.log, [(OPEN, 1), (CLOSE, 1)])

    def test_a_pulse_ends_by_itself_after_its_time(self):
        board = FakeBoard(True)
        board.relay.open()
        board.pass_ms(PULSE_MS - 1)
        self.assertEqual(FakePin.levels[OPEN], 1)
        board.pass_ms(1)
        self.assertEqual(FakePin.levels[OPEN], 0)

    def test_coils_are_never_on_together(self):
        board = FakeBoard(True)
        for command in (board.relay.open, board.relay.close, board.relay.open):
            command()
            board.pass_ms(PULSE_MS // 3)
        levels = {OPEN: 0, CLOSE: 0}
        for number, level in FakePin.log:
            levels[number] = level
            self.assertTrue(levels[OPEN] + levels[CLOSE] <= 1)

    def test_the_second_pulse_has_its_whole_time(self):
        board = FakeBoard(True)
        board.relay.open()
        board.pass_ms(PULSE_MS - 10)
        board.relay.close()
        board.pass_ms(PULSE_MS - 1)
        self.assertEqual((FakePin.levels[OPEN], FakePin.levels[CLOSE]), (0, 1))
        board.pass_ms(1)
        self.assertEqual(FakePin.levels[CLOSE], 0)

    def test_a_command_repeated_does_not_stretch_its_pulse(self):
        board = FakeBoard(True)
        board.relay.open()
        board.pass_ms(PULSE_MS - 1)
        board.relay.open()
        board.pass_ms(1)
        self.assertEqual(FakePin.levels[OPEN], 0)

    def test_shut_down_ends_a_pulse(self):
        board = FakeBoard(True)
        board.relay.open()
        board.relay.shut_down()
        self.assertEqual((FakePin.levels[OPEN], FakePin.levels[CLOSE]), (0, 0))

    def test_without_a_timer_no_coil_stays_on(self):
        board = FakeBoard(True)
        FakeTimer.broken = True
        try:
            with self.assertRaises(HalError):
                board.relay.open()
        finally:
            FakeTimer.broken = False
        self.assertEqual(FakePin.levels[OPEN], 0)

    def test_without_a_contact_nothing_is_known(self):
        self.assertEqual(FakeBoard(True, None).relay.contact(), None)

    def test_a_pulse_of_no_length_or_too_long_is_refused(self):
        for pulse in (0, 1001):
            with self.assertRaises(HalError):
                Esp32LatchingRelay(FakePin, FakeTimer, OPEN, CLOSE, None, pulse)


if __name__ == "__main__":
    unittest.main()
