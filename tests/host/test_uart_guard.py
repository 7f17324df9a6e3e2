"""The serial drivers' ticks at their extremes stay in the small integers of an ESP32 (2**30)."""

import contextlib
from types import SimpleNamespace

import pytest

from wattledger.hal.sample import ENERGY_COUNTS, POWER_MW, VOLTAGE_MV
from wattledger.host_sim.chip.bl0942 import Bl0942 as Bl0942Chip
from wattledger.host_sim.chip.cse7766 import Cse7766 as Cse7766Chip
from wattledger.host_sim.chip.pzem004t import Pzem004t as Pzem004tChip
from wattledger.host_sim.chip.pzem004t import crc16
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import fixtures_uart as uart
from wattledger.tests.guard import guarded_import

METER = "wattledger.agent.metering."
HAL = "wattledger.hal.meter."
MODULES = (
    METER + "quality",
    METER + "register",
    METER + "meter",
    HAL + "running_counter",
    HAL + "scale",
    HAL + "uart_frames",
    HAL + "bl0942_port",
    HAL + "bl0942",
    HAL + "cse7766",
    HAL + "pzem004t",
)
CHIPS = {
    # Chip, driver, the highest service in A and V.
    "bl0942": (Bl0942Chip, "Bl0942", 48, 276),
    "cse7766": (Cse7766Chip, "Cse7766", 32, 276),
    "pzem004t": (Pzem004tChip, "Pzem004t", 100, 260),
}
GAINS = ("voltage_gain", "current_gain", "power_gain", "energy_gain")


@contextlib.contextmanager
def guarded(name, gain=1_000_000, line=None):
    """(guard, meter, chip, tick) with everything in the tick's way watched."""
    kind, driver_name, amps, volts = CHIPS[name]
    with guarded_import(MODULES) as guard:
        chip = kind() if line is None else line
        wait = chip.feed if line is None else uart.no_wait
        calibration = [dict.fromkeys(GAINS, gain)]
        driver = getattr(guard[HAL + name], driver_name)(chip, wait, calibration)
        clock = VirtualClock(0)
        config = SimpleNamespace(
            max_amps=amps, max_volts=volts, tick_ms=1000, phase_sum="vector", bill_on="phase"
        )
        meter = guard[METER + "meter"].Meter(driver, clock, config)
        meter.begin()

        def tick(ms=1_000):
            clock.advance(ms)
            if line is None:
                chip.feed(ms)
            guard.armed = True
            meter.tick()
            guard.armed = False

        yield meter, chip, tick
        assert guard.checked > 1_000, "the guard did not look"
        assert guard.findings == {}, guard.report()


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("gain", [800_000, 1_000_000, 1_200_000])
def test_the_highest_service(name, gain):
    _, _, amps, volts = CHIPS[name]
    with guarded(name, gain) as (meter, chip, tick):
        for sign in (-1, 1):
            chip.set_phase(0, volts * 1000, amps * 1000, sign * amps * volts * 1000)
            chip.set_mains(65_000)
            for _ in range(12):
                tick()
        assert meter.missed == 0
        assert meter.register.import_wh > 0
        assert abs(meter.sample[VOLTAGE_MV] * 1_000_000 // (volts * 1000) - gain) < 2_000
        assert abs(abs(meter.sample[POWER_MW]) / (amps * volts * gain / 1000) - 1) < 0.01


@pytest.mark.parametrize("name", CHIPS)
def test_a_tick_after_an_hour(name):
    with guarded(name) as (meter, chip, tick):
        chip.set_phase(0, 230_000, 13_000, 2_990_000)
        for ms in (1_000, 3_600_000, 1_000, 1_000, 1_000, 1_000):
            tick(ms)


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("level", [0x00, 0x55, 0x5A, 0xFF])
def test_stuck_and_silent_lines(name, level):
    with guarded(name) as (meter, chip, tick):
        chip.line.stuck = level
        for _ in range(4):
            tick()
        assert meter.missed >= 3
        chip.line.stuck = -1
        chip.silent = True
        for _ in range(4):
            tick()


def _bl0942_packet(raw):
    frame = bytearray(23)
    frame[0] = 0x55
    for at in (1, 4, 7, 10):
        frame[at : at + 3] = raw.to_bytes(3, "little")
    frame[16:18] = (raw & 0xFFFF).to_bytes(2, "little")
    frame[13:16] = raw.to_bytes(3, "little")
    frame[22] = ~(0x58 + sum(frame[:22])) & 0xFF
    return bytes(frame)


@pytest.mark.parametrize("raw", [0, 1, 10_000, 0x7FFFFF, 0x800000, 0x800001, 0xFFFFFF])
def test_every_word_a_bl0942_packet_can_carry(raw):
    answers = {b"\x58\x19": b"\x07\x00\x00\x87", b"\x58\xaa": _bl0942_packet(5_000)}
    with guarded("bl0942", 1_200_000, uart.Replies(answers)) as (meter, _, tick):
        answers[b"\x58\xaa"] = _bl0942_packet(raw)
        for _ in range(300):
            tick()


@pytest.mark.parametrize("cycle", [50, 51, 4_095, 0xFFFFFE, 0xFFFFFF])
def test_every_cycle_a_cse7766_can_measure(cycle):
    frame = bytearray(uart.data(uart.CSE7766_FRAMES[1]))
    for at in (5, 11, 17):
        frame[at : at + 3] = cycle.to_bytes(3, "big")
    frame[23] = sum(frame[2:23]) & 0xFF
    line = uart.Script(bytes(frame), b"")
    with guarded("cse7766", 1_200_000, line) as (meter, _, tick):
        for _ in range(50):
            line.arrivals = [bytes(frame), b""]
            tick()


@pytest.mark.parametrize("high", [0, 1, 15])
def test_every_register_of_a_pzem_that_is_believed(high):
    frame = bytearray(uart.data(uart.PZEM_FRAME)[:23])
    frame[3:7] = b"\xff" * 4
    frame[7:9] = bytes((0, min(high, 1)))
    frame[9:11] = b"\xff" * 2
    frame[11:13] = bytes((0, high))
    frame[13:19] = b"\xff" * 6
    answer = bytes(frame) + crc16(frame, 23).to_bytes(2, "little")
    answers = {uart.data("F8040000000A6464"): answer}
    with guarded("pzem004t", 1_200_000, uart.Replies(answers)) as (meter, _, tick):
        for _ in range(50):
            tick()
        assert meter.sample[ENERGY_COUNTS] == 0
