"""The drivers of the serial chips keep the promises of every metering chip.

A reading parses the answer to the one before, so `fetch` reads until a fresh one has come; the
bytes arrive at once.
"""

import unittest

from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAGS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_FACTOR,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    field_bit,
)
from wattledger.tests.both import fixtures_uart as uart
from wattledger.tests.both.houses_chips import ChipBench, keep_promises


class SerialBench(ChipBench):
    readings = 3  # that bring a fresh one

    def before_reading(self):
        """What has to happen for something fresh to arrive."""

    def fetch(self, sample):
        counts = 0
        status = 0
        restarted = 0
        for turn in range(self.readings + 1):
            if turn == self.readings and status == OK:
                break  # else it was the turn of MODE, once in 64
            status = self.driver.read_into(sample)
            self.before_reading()
            restarted |= status & RESTARTED
            if not status & (NO_ANSWER | CORRUPT):
                counts += sample[ENERGY_COUNTS]
        sample[ENERGY_COUNTS] = counts
        return status | restarted


class Bl0942Bench(SerialBench):
    # 2**23 counts of 419 430.4 s x 1.218^2 V^2 / (3537 x 1 mOhm x 510 / 1 950 510) J =
    # 672.8177 J are 5 644 004 181 J; at 16 560 W 340 821.508 s.
    overflow_ms = (16_560, 340_821_508)
    slack = (30, 1, 20)  # half a bit of a raw value, and 8e-6
    readings = 4  # the answer under way, a packet, a jump's second one, MODE now and then

    def __init__(self, phases):
        self.chip = uart.Bl0942Chip()
        self.driver = uart.Bl0942(self.chip, uart.no_wait, [{}] * phases)

    def lose_registers(self):
        # With its counter at 0 before and after, only the next look at MODE tells.
        self.readings = 70
        super().lose_registers()


class Cse7766Bench(SerialBench):
    # 65 536 counts of 5.351 J are 350 683.136 J; at 3 680 W 95.294 s.
    overflow_ms = (3_680, 95_294)
    slack = (140, 2, 130)  # half a cycle: of 845 at 230 V, of 4 653 at 1 150 W
    finds_reset = False  # a fall of CF is no surer than a wrap: docs/chips/cse7766.md

    def __init__(self, phases):
        # Frames are far apart, so that an hour of them is quick.
        self.chip = uart.Cse7766Chip(period_ms=700)
        self.driver = uart.Cse7766(self.chip, self.pushed, [{}] * phases)

    def pushed(self, ms):
        self.chip.push()

    def before_reading(self):
        self.chip.push()


class PzemBench(SerialBench):
    # 9 999 990 Wh at 23 kW are 434.78 h.
    overflow_ms = (23_000, 1_565_215_826)
    slack = (50, 1, 50)
    finds_reset = False  # it has no set-up to lose and keeps its energy

    def __init__(self, phases):
        self.chip = uart.Pzem004tChip()
        self.driver = uart.Pzem004t(self.chip, uart.no_wait, [{}] * phases)


class TestSerialChips(unittest.TestCase):
    def test_each_says_what_it_can_give(self):
        common = (VOLTAGE_MV, CURRENT_MA, POWER_MW, ENERGY_COUNTS)
        for bench, more in (
            (Bl0942Bench, (FREQUENCY_MHZ, FLAGS)),
            (Cse7766Bench, ()),
            (PzemBench, (FREQUENCY_MHZ, POWER_FACTOR)),
        ):
            wanted = sum([field_bit(field) for field in common + more])
            self.assertEqual(bench(1).driver.fields, wanted)

    def test_the_bl0942_keeps_the_promises(self):
        keep_promises(self, Bl0942Bench)

    def test_the_cse7766_keeps_the_promises(self):
        keep_promises(self, Cse7766Bench)

    def test_the_pzem_004t_keeps_the_promises(self):
        keep_promises(self, PzemBench)


if __name__ == "__main__":
    unittest.main()
