"""The Pi's clock: the kernel's word on synchronisation, the battery clock, and what is offered."""

import pytest

from wattledger.agent.timekeeping import Timekeeper
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.clock.kernel_time_linux import STA_UNSYNC, TIME_ERROR, maximum_error_us
from wattledger.hal.clock.pi_linux import PiClock
from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.host_sim.chip.ds3231 import Ds3231 as Chip

NOON = 1_795_867_200
HOUR_MS = 3_600_000


class System:
    """The clocks of a Pi: `error` is the kernel's, None while unsynchronised."""

    def __init__(self, rtc_at=None, wall=NOON):
        self.ms = 2**30 - 500
        self.wall_ms = wall * 1000
        self.error = None
        self.chip = Chip()
        self.rtc = Ds3231(self.chip)
        if rtc_at:
            self.rtc.set(rtc_at)
        self.clock = PiClock(self.rtc, lambda: self.error, lambda: self.ms, lambda: self.wall_ms)

    def pass_ms(self, ms):
        self.ms += ms
        self.wall_ms += ms
        self.chip.feed(ms)
        if self.error is not None:
            self.error += ms // 2  # 500 ppm
        self.clock.unix_s()


def kernel(state, status, error):
    def adjtimex(pointer):
        timex = pointer._obj
        assert timex.modes == 0  # it only asks
        timex.status = status
        timex.maxerror = error
        return state

    return adjtimex


def test_the_kernel_says_whether_a_server_is_followed():
    assert maximum_error_us(kernel(0, 0x2001, 4_500)) == 4_500
    assert maximum_error_us(kernel(0, STA_UNSYNC, 4_500)) is None
    assert maximum_error_us(kernel(TIME_ERROR, 0, 16_000_000)) is None
    assert maximum_error_us(kernel(-1, 0, 0)) is None


def test_this_systems_kernel_answers():
    error = maximum_error_us()
    assert error is None or 0 <= error <= 16_000_000


def test_ticks_wrap_and_the_systems_steps_do_not_move_the_wall():
    system = System()
    since = system.clock.ticks_ms()
    system.pass_ms(700)
    assert system.clock.ticks_ms() == 200
    assert system.clock.elapsed_ms(since) == 700
    system.wall_ms += 86_400_000
    assert system.clock.unix_s() == NOON
    assert system.clock.trust() == TRUST_UNKNOWN


def test_nothing_is_offered_while_the_system_follows_no_server():
    system = System()
    for _ in range(100):
        system.pass_ms(60_000)
        assert system.clock.offer() is None


def test_a_fix_is_offered_once_and_a_new_one_an_hour_later():
    system = System()
    system.error = 9_000
    assert system.clock.offer() == (NOON, "ntp")
    offers = []
    for second in range(1, 3 * 3600):
        system.pass_ms(1_000)
        if second % 1024 == 0:
            system.error = 9_000  # a server was heard
        offer = system.clock.offer()
        if offer:
            assert offer == (NOON + second, "ntp")
            offers.append(second)
    # Asked from 3600 s on, every 16 s. Servers are heard at 4096 = 3600 + 31 x 16, at once; the
    # next hour ends at 7696, and the next one heard after it is at 8192 = 7696 + 31 x 16.
    assert offers == [4_096, 8_192]


def test_a_server_that_fell_silent_is_not_offered_again():
    system = System()
    system.error = 9_000
    system.clock.offer()
    for _ in range(100):
        system.pass_ms(60_000)
        offer = system.clock.offer()
        assert offer is None or offer[1] == "rtc"


def test_the_boot_takes_the_battery_clock_and_the_server_sets_it():
    system = System(rtc_at=NOON - 5, wall=0)
    system.wall_ms = NOON * 1000
    keeper = Timekeeper(system.clock)
    assert keeper.offered() == NOON - 5
    keeper.set(NOON - 5)
    assert (system.clock.unix_s(), system.clock.trust()) == (NOON - 5, TRUST_SYNCED)
    system.pass_ms(20_000)
    system.error = 4_000
    assert keeper.offered() == NOON + 20
    keeper.set(NOON + 20)
    assert system.rtc.read() == NOON + 20


@pytest.mark.parametrize("rtc_agrees", [True, False])
def test_a_server_far_off_needs_the_battery_clock(rtc_agrees):
    # The journal says a time two months back; NTP is 61 days ahead of it.
    system = System(rtc_at=NOON if rtc_agrees else None)
    keeper = Timekeeper(system.clock)
    keeper.restore(NOON - 61 * 86_400, 0, 86_400)
    system.error = 4_000
    taken = [keeper.offered() for _ in range(3)]
    assert (NOON in taken) == rtc_agrees


def test_it_runs_on_the_systems_own_clocks():
    clock = PiClock(error_us=lambda: 1_000)
    unix_s, source = clock.offer()
    assert source == "ntp" and abs(clock.unix_s() - unix_s) <= 1
