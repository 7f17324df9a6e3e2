"""The factory of drivers, and the constants a driver gets: the board's and calibration's."""

import json
import unittest

from wattledger.board import pi_ade7953, pi_atm90e32
from wattledger.firmware import chips, constants
from wattledger.hal.errors import ChipError
from wattledger.hal.meter import calibration
from wattledger.hal.sample import OK, PHASE_FIELDS, POWER_MW, new_sample
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.ade7953 import Ade7953
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.chip.bl0942 import Bl0942
from wattledger.host_sim.chip.cse7766 import Cse7766
from wattledger.host_sim.chip.ina228 import Ina228
from wattledger.host_sim.chip.mcp3208 import Mcp3208
from wattledger.host_sim.chip.pzem004t import Pzem004t

HEAP = "256K"


class Board:
    """The constants of a board that a test makes up."""

    NAME = "made-up"

    def __init__(self, chip, bus, options, phases=({},)):
        self.CHIP = chip
        self.BUS = bus
        self.OPTIONS = options
        self.CALIBRATION = phases
        self.PHASES = tuple(range(len(phases)))


def no_wait(ms):
    """The simulated chips need no time."""


def file_of(chip, phases):
    """The bytes of a calibration.json."""
    document = {
        "v": 1,
        "chip": chip,
        "constants": phases,
        "when": 1_800_000_000,
        "against": "test",
        "by": "test",
    }
    document["crc"] = calibration.crc_of(document)
    return json.dumps(document).encode()


class TestDrivers(unittest.TestCase):
    def measures(self, board, chip, power_mw=1_150_000, voltage_mv=230_000, **more):
        """The driver of the board reads the power of the simulated chip, to 0.5 %."""
        chip.set_phase(0, voltage_mv, power_mw // (voltage_mv // 1000), power_mw)
        phases = [dict(phase) for phase in board.CALIBRATION]
        wait = getattr(chip, "push", None)
        driver = chips.driver(
            board, chip, (lambda ms: wait()) if wait else no_wait, phases, **more
        )
        driver.begin()
        sample = new_sample()
        for _ in range(4):
            chip.feed(1_000)
            status = driver.read_into(sample)
        self.assertEqual(status, OK)
        found = sample[POWER_MW]
        self.assertTrue(abs(found - power_mw) * 200 < power_mw, "%d mW" % found)

    def test_each_chip_is_made_with_what_its_board_says(self):
        gains = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
        self.measures(Board("atm90e32", "spi", {}, (gains,)), Atm90e32(0x8F5C, 0x7C29))
        other_scale = {"volt_lsb": 20_000, "amp_lsb": 90_000}
        for bus in ("spi", "i2c"):
            chip = Ade7953(20_000, 90_000)
            self.measures(Board("ade7953", bus, other_scale), chip)
        self.measures(Board("bl0942", "uart", {"shunt_uohm": 2_000}), Bl0942(shunt_uohm=2_000))
        self.measures(Board("cse7766", "uart", {}), Cse7766())
        self.measures(Board("pzem004t", "uart", {"address": 1}), Pzem004t())
        options = {"max_amps": 250, "shunt_micro_ohm": 625}
        self.measures(Board("ina228", "i2c", options), Ina228(625), 1_200_000, 48_000)

    def test_a_split_phase_board_uses_the_inputs_it_names(self):
        gains = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
        board = Board("atm90e32", "spi", {}, (gains, gains))
        board.PHASES = (0, 2)
        chip = Atm90e32(0x8F5C, 0x7C29)
        driver = chips.driver(board, chip, no_wait, [gains, gains])
        driver.begin()
        for phase in range(3):
            chip.set_phase(phase, 120_000, 1_000 * phase, 120_000 * phase)
        chip.feed(1_000)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(sample[POWER_MW], 0)
        self.assertTrue(abs(sample[PHASE_FIELDS + POWER_MW] - 240_000) < 100)

    def test_a_converter_gets_its_sampler(self):
        chip = Mcp3208(((0, 1),))
        chip.set_phase(0, 230_000, 0, 0)
        board = Board("mcp3208", "spi", {"pairs": ((0, 1),)})
        self.measures(board, chip, sampler=SimulatedSampler(chip, 400, 250))

    def test_a_chip_without_a_driver_is_named(self):
        board = Board("adc9", "spi", {})
        for attempt in (
            lambda: chips.driver(board, None, no_wait, [{}]),
            lambda: constants.constants(board, file_of("adc9", [{}])),
        ):
            with self.assertRaises(ChipError) as caught:
                attempt()
            self.assertEqual(str(caught.exception), "there is no driver for the chip 'adc9'")


class TestConstants(unittest.TestCase):
    def refused(self, board, data):
        with self.assertRaises(ChipError) as caught:
            constants.constants(board, data)
        self.assertEqual(caught.exception.stage, "calibration")
        return str(caught.exception)

    def test_without_a_calibration_they_are_the_boards(self):
        found = constants.constants(pi_atm90e32, None)
        self.assertEqual(found, [{"voltage_gain": 7305, "current_gain": 27518}] * 3)
        found[0]["phase"] = 1  # a copy
        self.assertEqual(len(pi_atm90e32.CALIBRATION[0]), 2)

    def test_a_calibration_stands_over_the_boards(self):
        data = file_of("atm90e32", [{"voltage_gain": 7400, "phase": -3}, {}, {"phase": 9}])
        self.assertEqual(
            constants.constants(pi_atm90e32, data),
            [
                {"voltage_gain": 7400, "current_gain": 27518, "phase": -3},
                {"voltage_gain": 7305, "current_gain": 27518},
                {"voltage_gain": 7305, "current_gain": 27518, "phase": 9},
            ],
        )

    def test_a_calibration_is_told_by_its_checksum(self):
        data = file_of("atm90e32", [{}])
        self.assertEqual(constants.identity(data), json.loads(data)["crc"])
        self.assertEqual(constants.identity(None), 0)

    def test_a_calibration_of_another_chip_is_refused_with_what_to_do(self):
        said = self.refused(pi_ade7953, file_of("atm90e32", [{}]))
        self.assertTrue("is for atm90e32, the board has ade7953; calibrate this" in said)

    def test_one_of_other_phases_is_refused(self):
        said = self.refused(pi_atm90e32, file_of("atm90e32", [{}]))
        self.assertTrue("has 1 phases, the board pi_atm90e32 has 3" in said)

    def test_every_chip_has_a_table_of_constants(self):
        for chip in ("atm90e32", "ade7953", "bl0942", "cse7766", "pzem004t", "ina228", "mcp3208"):
            names = [row[0] for row in constants.table(chip)]
            self.assertTrue("current_gain" in names, chip)


if __name__ == "__main__":
    unittest.main()
