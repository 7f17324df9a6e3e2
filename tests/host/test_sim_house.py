"""What the simulated world grew: sun, relay faults, power cuts, network and time source."""

import pytest

from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.load import Constant
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.network import Network
from wattledger.host_sim.relay import BOUNCE_MS, LatchingRelay
from wattledger.host_sim.solar import Solar, WithSolar
from wattledger.host_sim.times import TimeSource
from wattledger.host_sim.world import World

MIDNIGHT_MS = 1_800_201_600_000  # Monday 2027-01-18, 00:00 at UTC+8
HOUR_MS = 3_600_000


def world_of(watts):
    return World(MIDNIGHT_MS, Atm90e32(), Constant(watts), Mains(1), LatchingRelay())


@pytest.mark.parametrize("seed", range(8))
def test_the_sun_shines_by_day_only_and_never_beyond_its_panels(seed):
    sun = Solar(4000, seed)
    powers = [sun.power_mw(MIDNIGHT_MS + minute * 60_000) for minute in range(1440)]
    assert set(powers[:375]) == {0}  # until 06:15
    assert set(powers[1095:]) == {0}  # from 18:15
    # 4 kWp x 85 % x the light of a parabola; the darkest sky lets 10 % through.
    assert 340_000 * 0.9 < max(powers) <= 3_400_000
    assert all(powers[400 + 5 * k] >= 0 for k in range(130))


def test_light_is_held_for_five_minutes_and_repeats():
    sun, again = Solar(4000, 3), Solar(4000, 3)
    noon = MIDNIGHT_MS + 12 * HOUR_MS
    assert sun.next_change(noon) == noon + 300_000
    assert sun.power_mw(noon) == sun.power_mw(noon + 299_999) == again.power_mw(noon)


def test_panels_turn_the_power_round():
    sun = Solar(4000, 3)
    house = WithSolar(Constant(100), sun)
    noon = MIDNIGHT_MS + 12 * HOUR_MS
    assert house.power_mw(MIDNIGHT_MS) == 100_000
    assert house.power_mw(noon) == 100_000 - sun.power_mw(noon) < 0
    assert house.power_factor(noon) == 1000


def test_the_auxiliary_contact_bounces_and_rests():
    relay = LatchingRelay(False, bounce_ms=BOUNCE_MS)
    relay.close()
    seen = []
    for _ in range(BOUNCE_MS + 2):
        seen.append(relay.contact())
        relay.pass_ms(1)
    assert seen == [False, True, True, False, False, True, True, False, True, True]
    assert relay.conducts()
    assert relay.movements == [True]


def test_a_welded_relay_does_not_open_until_it_is_freed():
    relay = LatchingRelay()
    relay.weld()
    relay.open()
    assert relay.contact() and relay.conducts()
    again = LatchingRelay()
    again.restore(relay.state())
    again.open()
    assert again.contact()
    relay.free()
    assert relay.contact()
    relay.open()
    assert not relay.contact()
    assert relay.movements == [False]


def test_nothing_flows_through_a_power_cut():
    world = world_of(3600)
    world.advance(10_000)
    world.lose_mains()
    world.advance(60_000)
    assert world.time_ms == MIDNIGHT_MS + 70_000
    world.return_mains()
    world.advance(10_000)
    assert world.import_mws == 20 * 3_600_000
    assert world.chip.true_import == 20_000 * 3_600_000


def test_a_world_without_mains_is_kept_so():
    world = world_of(1000)
    world.lose_mains()
    again = world_of(1000)
    again.restore(world.state())
    again.advance(10_000)
    assert again.import_mws == 0


def test_a_network_loses_what_a_broker_loses():
    network = Network()
    network.deliver("t/cmd", b"nobody is there")
    assert (network.session, network.from_meter("t/state", b"x", True)) == (0, 0)
    network.connect()
    network.deliver("t/cmd", b"one")
    network.deliver("t/cmd", b"two", True)
    assert network.waits()
    assert network.to_meter() == ("t/cmd", b"one", False)
    token = network.from_meter("t/state", b"x", True)
    assert token and network.sent(token)
    network.disconnect()
    assert not network.waits() and not network.sent(token)
    network.connect()
    assert network.session == 2
    assert network.to_meter() is None
    assert not network.sent(token)
    assert network.lost_count == 2
    assert network.log == [("t/state", b"x", True)]
    assert network.take_taken() == [("t/cmd", b"one", False)]
    assert network.take_taken() == []


def test_a_time_source_offers_at_once_and_then_hourly():
    times = TimeSource()
    assert times.offer(MIDNIGHT_MS + 999) == MIDNIGHT_MS // 1000
    assert times.offer(MIDNIGHT_MS + HOUR_MS) is None
    times.offset_s = 300
    assert times.offer(MIDNIGHT_MS + 999 + HOUR_MS) == (MIDNIGHT_MS + HOUR_MS) // 1000 + 300
    times.ask()
    times.online = False
    assert not times.waits(MIDNIGHT_MS + 2 * HOUR_MS)
    times.online = True
    assert times.waits(MIDNIGHT_MS + HOUR_MS + 1000)
