"""The agent on the simulated board, for every composition root that has a world in software."""

from wattledger.agent.agent import Agent
from wattledger.board import sim as board
from wattledger.hal.meter.atm90e32 import Atm90e32


def build(config, spi, relay, clock, advance, storage, entropy, **parts):
    """The agent on the simulated board. `advance(ms)` lets the world pass; `parts` are link_clock,
    link, page, device_key, gate_key, token_key, public_keys, firmware and book of Agent."""
    chip = Atm90e32(spi, advance, board.CALIBRATION)
    return Agent(config, chip, relay, clock=clock, storage=storage, entropy=entropy, **parts)
