"""The world a scenario describes: house, mains, relay and chip on the simulated board."""

from typing import Any

from wattledger.board import sim as board
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.load import Constant, Household
from wattledger.host_sim.load_csv import LoadCsv
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import BOUNCE_MS, LatchingRelay
from wattledger.host_sim.solar import Solar, WithSolar
from wattledger.host_sim.world import World
from wattledger.tools.scenario import Scenario


def build(scenario: Scenario, seed: int) -> World:
    """A new world at the scenario's start."""
    start_ms = scenario.start_s * 1000
    offset_s = scenario.tariff_set.zone.offset_s
    load: Any
    if scenario.load_path is not None:
        load = LoadCsv(scenario.load_path, start_ms)
    elif scenario.load == "household":
        house = scenario.house
        load = Household(seed, offset_s, house.appliances, house.scale)
    else:
        assert not isinstance(scenario.load, str)
        load = Constant(scenario.load.watts)
    if scenario.pv is not None:
        load = WithSolar(load, Solar(round(scenario.pv.kwp * 1000), seed, offset_s))
    chip = Atm90e32(**board.CALIBRATION[0])
    return World(start_ms, chip, load, Mains(seed), LatchingRelay(bounce_ms=BOUNCE_MS))
