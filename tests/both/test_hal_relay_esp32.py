"""The ESP32's relays on fake pins, and the simulated one, by one contract."""

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


class FakeBoard(RelayBench):
    """The relay's body: where a coil is on, its contact goes."""

    active_high = True

    def __init__(self, closed, contact=CONTACT):
        FakePin.log = []
        FakePin.levels = {CONTACT: 0 if closed else 1}
        self.slept = []  # (milliseconds, level of the opening coil, of the closing one)
        self.relay = self.made(contact)
        self.settle()

    def made(self, contact):
        return Esp32LatchingRelay(
            FakePin, self.sleep_ms, OPEN, CLOSE, contact, PULSE_MS, self.active_high
        )

    def sleep_ms(self, ms):
        self.slept.append((ms, FakePin.levels[OPEN], FakePin.levels[CLOSE]))
        self.settle()

    def settle(self):
        on = 1 if self.active_high else 0
        if FakePin.levels[OPEN] == on:
            FakePin.levels[CONTACT] = 1
        if FakePin.levels[CLOSE] == on:
            FakePin.levels[CONTACT] = 0

    def pass_ms(self, ms):
        self.settle()


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

    def test_a_pulse_has_its_time_and_is_over_when_the_command_returns(self):
        board = FakeBoard(True)
        board.relay.open()
        self.assertEqual(board.slept, [(PULSE_MS, 1, 0)])
        self.assertEqual(FakePin.log[2:], [(OPEN, 1), (OPEN, 0)])
        board.relay.close()
        self.assertEqual(board.slept[1:], [(PULSE_MS, 0, 1)])
        self.assertEqual(FakePin.log[4:], [(CLOSE, 1), (CLOSE, 0)])

    def test_a_coil_that_is_active_low_is_off_again_too(self):
        board = LowBoard(True)
        board.relay.open()
        self.assertEqual(board.slept, [(PULSE_MS, 0, 1)])
        self.assertEqual((FakePin.levels[OPEN], FakePin.levels[CLOSE]), (1, 1))

    def test_what_ends_the_wait_leaves_no_coil_on(self):
        board = FakeBoard(True)

        def interrupted(ms):
            raise KeyboardInterrupt

        relay = Esp32LatchingRelay(FakePin, interrupted, OPEN, CLOSE, CONTACT, PULSE_MS)
        for command in (relay.open, relay.close):
            with self.assertRaises(KeyboardInterrupt):
                command()
            self.assertEqual((FakePin.levels[OPEN], FakePin.levels[CLOSE]), (0, 0))
        self.assertEqual(board.slept, [])

    def test_shut_down_moves_nothing(self):
        board = FakeBoard(True)
        board.relay.shut_down()
        self.assertEqual(FakePin.log[2:], [])

    def test_without_a_contact_nothing_is_known(self):
        self.assertEqual(FakeBoard(True, None).relay.contact(), None)

    def test_a_pulse_of_no_length_or_too_long_is_refused(self):
        for pulse in (0, 1001):
            with self.assertRaises(HalError):
                Esp32LatchingRelay(FakePin, None, OPEN, CLOSE, None, pulse)


if __name__ == "__main__":
    unittest.main()
