"""The ATM90E32 driver's phases, constants, flags and golden frames; bugs of others stay out."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.atm90e32_port import Port
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_PHASE_LOSS,
    FLAG_SAG,
    FLAG_SEQUENCE,
    FLAGS,
    FREQUENCY_MHZ,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    VOLTAGE_MV,
    field_bit,
    new_sample,
)
from wattledger.tests.both import fixtures_spi as spi

M_MODE_0 = 0x33
SPLIT = (0, 2)  # channels A and C, as CircuitSetup's split-phase boards


def begun(calibration, **options):
    chip = spi.new_chip()
    driver = spi.Atm90e32(chip, spi.no_wait, calibration, **options)
    driver.begin()
    return chip, driver


def read(driver, times=8):
    sample = new_sample()
    for _ in range(times):
        status = driver.read_into(sample)
    return status, sample


class Scripted:
    """An SPI device that keeps what goes out and answers one word."""

    def __init__(self, answer=0):
        self.out = []
        self.answer = answer

    def transfer(self, out, into):
        self.out.append(bytes(out))
        into[2] = self.answer >> 8
        into[3] = self.answer & 0xFF


class TestGoldenFrames(unittest.TestCase):
    """Of jethub-iot/atm90e32-async-rs, tests/proto.rs (read 2026-11)."""

    def test_frames(self):
        wire = Scripted(0xDEAD)
        port = Port(wire)
        for register, frame in ((0, "80000000"), (0x3FF, "83ff0000"), (0x05, "80050000")):
            self.assertEqual(port.read(register), 0xDEAD)
            self.assertEqual(wire.out[-1], bytes.fromhex(frame))
        for register, value, frame in ((0x7F, 0x55AA, "007f55aa"), (0x70, 0x789A, "0070789a")):
            port.write(register, value)
            self.assertEqual(wire.out[-1], bytes.fromhex(frame))

    def test_scales(self):
        chip, driver = begun([{}])
        for register, value in ((0xD9, 23000), (0xDD, 5500), (0xF8, 4998), (0xBD, 0xFC18)):
            chip.poke(register, value)
        _, sample = read(driver)
        self.assertEqual(sample[VOLTAGE_MV], 230_000)
        self.assertEqual(sample[CURRENT_MA], 5_500)
        self.assertEqual(sample[FREQUENCY_MHZ], 49_980)
        self.assertEqual(sample[POWER_FACTOR], -1000)

    def test_mode(self):
        self.assertEqual(begun([{}] * 3)[0].peek(M_MODE_0), 0x0087)
        self.assertEqual(begun([{}] * 3, sixty_hertz=True)[0].peek(M_MODE_0), 0x1087)


class TestPhases(unittest.TestCase):
    def test_channels_not_in_use_are_out_of_the_total(self):
        # MMode0 is 0x0087 after a reset: a bit or-ed in clears nothing (ESPHome's two phases).
        for phases, mode in ((1, 0x0084), (2, 0x0086), (3, 0x0087)):
            self.assertEqual(begun([{}] * phases)[0].peek(M_MODE_0), mode)
        self.assertEqual(begun([{}] * 2, channels=SPLIT)[0].peek(M_MODE_0), 0x0085)

    def test_split_phase_reads_channels_a_and_c(self):
        chip, driver = begun(spi.calibration(spi.GAINS, spi.GAINS), channels=SPLIT)
        chip.set_phase(0, 120_000, 9_375, 1_125_000)
        chip.set_phase(1, 99_000, 50_000, 4_950_000)
        chip.set_phase(2, 121_000, 18_595, -2_250_000)
        chip.feed(10_000)
        status, sample = read(driver, 1)
        self.assertEqual(status, OK)
        self.assertEqual(sample[VOLTAGE_MV], 120_000)
        self.assertEqual(sample[PHASE_FIELDS + VOLTAGE_MV], 121_000)
        # 1125 W for 10 s are 1000 counts, -2250 W are -2000.
        self.assertEqual(sample[ENERGY_COUNTS], 1000)
        self.assertEqual(sample[PHASE_FIELDS + ENERGY_COUNTS], -2000)
        self.assertEqual(sample[2 * PHASE_FIELDS + VOLTAGE_MV], 0)
        self.assertEqual(chip.peek(0x69), spi.GAINS[0])
        self.assertEqual(chip.peek(0x65), 0x8000)

    def test_export_is_of_its_own_phase(self):
        # ESPHome read the reverse register of phase A for all three.
        chip, driver = spi.running(3)
        chip.set_phase(1, 230_000, 19_565, -4_500_000)
        chip.feed(10_000)
        _, sample = read(driver, 1)
        counts = [sample[phase * PHASE_FIELDS + ENERGY_COUNTS] for phase in (0, 1, 2)]
        self.assertEqual(counts, [0, -4000, 0])
        # Asked of a wrong register, the chip's total would have put the energy right, and told so.
        health = driver.health()
        self.assertEqual((health["unconfirmed"], health["unsettled"]), (0, 0))

    def test_each_select_is_one_register(self):
        # ESPHome read several in one select, and powers came out wrong.
        class Lengths:
            def __init__(self, chip):
                self.chip = chip
                self.found = set()

            def transfer(self, out, into):
                self.found.add((len(out), len(into)))
                self.chip.transfer(out, into)

        wire = Lengths(spi.new_chip())
        driver = spi.new_driver(wire, 3)
        driver.begin()
        read(driver)
        self.assertEqual(wire.found, {(4, 4)})

    def test_the_total_overflows_first(self):
        # Three phases fill the total's register three times as fast as their own.
        self.assertEqual(spi.running(1)[1].overflow_ms(16_560), 44_521)
        self.assertEqual(spi.running(3)[1].overflow_ms(16_560), 14_840)

    def test_fields_say_that_there_are_flags(self):
        driver = spi.running()[1]
        for field in (VOLTAGE_MV, REACTIVE_MVAR, FREQUENCY_MHZ, FLAGS):
            self.assertTrue(driver.fields & field_bit(field))


class TestConstants(unittest.TestCase):
    def test_each_constant_has_its_register(self):
        first = {
            "voltage_gain": 0x9001,
            "current_gain": 0x7001,
            "voltage_offset": -1,
            "current_offset": -2,
            "power_gain": -3,
            "phase": 228,
            "power_offset": -4,
            "reactive_offset": -5,
        }
        chip, _ = begun([first, {"phase": -17, "power_gain": 9}])
        registers = (0x61, 0x62, 0x63, 0x64, 0x47, 0x48, 0x41, 0x42)
        self.assertEqual(
            [chip.peek(register) for register in registers],
            [0x9001, 0x7001, 0xFFFF, 0xFFFE, 0xFFFD, 228, 0xFFFC, 0xFFFB],
        )
        # Negative delays the voltage: DelayV is bit 15.
        self.assertEqual((chip.peek(0x49), chip.peek(0x4A)), (9, 0x8011))

    def test_a_constant_that_cannot_be_is_refused_by_name(self):
        for constants, words in (
            ({"voltage_gain": 0}, ("voltage_gain", "1", "65535")),
            ({"phase": 256}, ("phase", "255", "256")),
            ({"gain": 1}, ("gain", "no constant")),
            ({"phase": 1.5}, ("phase", "1.5")),
        ):
            with self.assertRaises(ChipError) as caught:
                spi.Atm90e32(spi.new_chip(), spi.no_wait, [constants])
            self.assertEqual(caught.exception.stage, "calibration")
            for word in words:
                self.assertIn(word, str(caught.exception))

    def test_phase_delays_the_current(self):
        # 2 degrees ahead, 2/360 of 40 960 cycles is 227.6: 228 put it 0.004 degrees behind.
        chip, driver = begun(
            [{"voltage_gain": spi.GAINS[0], "current_gain": spi.GAINS[1], "phase": 228}]
        )
        chip.set_mains(50_000)
        chip.set_front_end(0, angle_mdeg=-2_000)
        chip.set_phase(0, 230_000, 10_000, 1_150_000, 1_991_858)  # power factor 0.5
        chip.feed(1_000)
        _, sample = read(driver)
        # 2300 VA x cos(60.004 degrees) = 1149.86 W, where cos(58 degrees) would be 1218.8 W.
        self.assertLess(abs(sample[POWER_MW] - 1_149_860), 30)


class TestFlags(unittest.TestCase):
    """Of 230 V a sag is below 179.4 V, a lost phase below 23 V."""

    def mains(self, chip, *volts):
        for phase, voltage in enumerate(volts):
            chip.set_phase(phase, voltage * 1000, 0, 0)
        chip.feed(1_000)

    def test_sag_and_loss_are_of_their_phase_while_they_last(self):
        chip, driver = spi.running(3)
        for volts, flags in (
            ((230, 230, 230), 0),
            ((180, 230, 230), 0),
            ((179, 230, 230), FLAG_SAG),
            ((230, 179, 230), FLAG_SAG << 1),
            ((230, 24, 230), FLAG_SAG << 1),
            ((230, 22, 230), (FLAG_SAG | FLAG_PHASE_LOSS) << 1),
            ((230, 230, 0), (FLAG_SAG | FLAG_PHASE_LOSS) << 2),
        ):
            self.mains(chip, *volts)
            read(driver)  # takes the latches
            _, sample = read(driver, 1)
            self.assertEqual(sample[FLAGS], flags, volts)

    def test_a_phase_not_in_use_has_no_flags(self):
        chip, driver = spi.running(1)
        self.mains(chip, 230, 0, 0)
        self.assertEqual(read(driver)[1][FLAGS], 0)

    def test_a_sag_between_two_readings_is_told_once(self):
        chip, driver = spi.running(1)
        self.mains(chip, 230)
        read(driver, 16)
        chip.set_phase(0, 150_000, 0, 0)
        chip.feed(100)
        self.mains(chip, 230)
        told = [read(driver, 1)[1][FLAGS] for _ in range(24)]
        self.assertEqual(sorted(told), [0] * 23 + [FLAG_SAG])

    def test_a_dip_shorter_than_the_chip_looks_is_none(self):
        chip, driver = spi.running(1)
        self.mains(chip, 230)
        read(driver, 16)
        chip.set_phase(0, 150_000, 0, 0)
        chip.feed(60)  # SagPeakDetCfg 0x3F: 63 ms
        self.mains(chip, 230)
        self.assertEqual([read(driver, 1)[1][FLAGS] for _ in range(16)], [0] * 16)

    def test_one_misheard_state_raises_nothing(self):
        chip, driver = spi.running(1)
        self.mains(chip, 230)
        read(driver, 16)
        chip.corrupt_next(0x4000, 0x72)
        self.assertEqual(read(driver, 1)[1][FLAGS], 0)

    def test_sequence(self):
        chip, driver = spi.running(3)
        self.mains(chip, 230, 230, 230)
        chip.set_sequence(True)
        chip.feed(1_000)
        self.assertEqual(read(driver)[1][FLAGS], FLAG_SEQUENCE)
        chip.set_sequence(False)
        chip.feed(1_000)
        self.assertEqual(read(driver)[1][FLAGS], 0)


if __name__ == "__main__":
    unittest.main()
