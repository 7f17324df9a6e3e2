"""Every number of an ADE7953's tick at its extremes stays below 2**30, on both buses."""

from types import SimpleNamespace

import pytest

from wattledger.host_sim.chip.ade7953 import Ade7953 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.guard import guarded_import

DRIVER = "wattledger.hal.meter.ade7953"
MODULES = (
    "wattledger.agent.metering.register",
    "wattledger.agent.metering.meter",
    "wattledger.hal.meter.ade7953_registers",
    "wattledger.hal.meter.ade7953_access",
    "wattledger.hal.meter.ade7953_spi",
    "wattledger.hal.meter.ade7953_i2c",
    DRIVER,
)
PORTS = {"spi": "Ade7953Spi", "i2c": "Ade7953I2c"}
BOARDS = ((26_000, 100_000), (1_000, 1_000_000), (1_000_000, 2_000), (28_000, 5_000))


@pytest.mark.parametrize("bus", ["spi", "i2c"])
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("word", [0x000000, 0x000001, 0x7FFFFF, 0x800000, 0xFFFFFE])
def test_every_word_the_wire_can_carry(bus, board, word):
    with guarded_import(MODULES) as guard:
        chip = Chip()
        port = getattr(guard["wattledger.hal.meter.ade7953_" + bus], PORTS[bus])(chip)
        driver = guard[DRIVER].Ade7953(port, lambda ms: None, [{}, {}], "phase", *board)
        clock = VirtualClock(0, 0)
        config = SimpleNamespace(
            max_amps=100, max_volts=276, tick_ms=1000, phase_sum="vector", bill_on="phase"
        )
        meter = guard["wattledger.agent.metering.meter"].Meter(driver, clock, config)
        meter.begin()
        for _ in range(8):
            clock.advance(1_000)
            for register in range(0x210, 0x220):
                chip.poke(register, word)
            chip.poke(0x10A, word & 0xFFFF)
            chip.poke(0x10B, word & 0xFFFF)
            chip.poke(0x10E, word & 0xFFFF)
            guard.armed = True
            meter.tick()
            guard.armed = False
        assert meter.missed == 0
        assert guard.checked > 50, "the guard did not look"
        assert guard.findings == {}, guard.report()
