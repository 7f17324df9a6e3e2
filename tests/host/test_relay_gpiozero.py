"""The Pi's relays through gpiozero itself, on its mock pins."""

import threading
import time
import unittest

import pytest
from gpiozero.pins.mock import MockFactory

from wattledger.hal.errors import HalError
from wattledger.hal.relay.gpiozero_linux import GpioHoldRelay, GpioLatchingRelay
from wattledger.tests.both.houses_relay import PULSE_MS, RelayBench, keep_relay_promises

OPEN, CLOSE, CONTACT = 17, 27, 22


class ManualTimer:
    """A timer that fires when a test lets time pass."""

    def __init__(self, seconds, function):
        self.left_ms = round(seconds * 1000)
        self.function = function
        ManualTimer.last = self

    def cancel(self):
        self.left_ms = None

    def pass_ms(self, ms):
        if self.left_ms is not None:
            self.left_ms -= ms
            if self.left_ms <= 0:
                self.left_ms = None
                self.function()


class CoilPins(RelayBench):
    """The relay's body on mock pins: where a coil is on, its contact goes."""

    active_high = True

    def __init__(self, closed=True, contact=CONTACT, **options):
        self.pins = MockFactory()
        self.log = []
        for number in (OPEN, CLOSE):
            self.watch(number)
        self.set_contact(closed)
        ManualTimer.last = None
        options.setdefault("start_timer", ManualTimer)
        self.relay = self.made(contact, options)
        self.set_contact(self.closed)  # a pull moves a mock pin that is driven

    def made(self, contact, options):
        return GpioLatchingRelay(
            OPEN,
            CLOSE,
            contact,
            PULSE_MS,
            self.active_high,
            pin_factory=self.pins,
            **options,
        )

    def watch(self, number):
        pin = self.pins.pin("GPIO%d" % number)
        inner = pin._change_state

        def change(level):
            changed = inner(level)
            self.log.append((number, bool(level), pin.function))
            if pin.function == "output" and bool(level) == self.active_high:
                self.set_contact(number == CLOSE)
            return changed

        pin._change_state = change

    def set_contact(self, closed):
        self.closed = closed
        pin = self.pins.pin("GPIO%d" % CONTACT)
        if closed:
            pin.drive_low()
        else:
            pin.drive_high()

    def is_on(self, number):
        return bool(self.pins.pin("GPIO%d" % number).state) == self.active_high

    def pass_ms(self, ms):
        if ManualTimer.last is not None:
            ManualTimer.last.pass_ms(ms)


class LowPins(CoilPins):
    active_high = False


class HoldPins(CoilPins):
    latching = False

    def made(self, contact, options):
        return GpioHoldRelay(CLOSE, contact, pin_factory=self.pins)

    def pass_ms(self, ms):
        self.set_contact(self.is_on(CLOSE))


@pytest.mark.parametrize("bench", [CoilPins, LowPins, HoldPins])
def test_it_keeps_the_promises(bench):
    keep_relay_promises(unittest.TestCase(), bench)


@pytest.mark.parametrize("bench", [CoilPins, LowPins])
def test_construction_never_turns_a_coil_on(bench):
    built = bench()
    assert not built.is_on(OPEN) and not built.is_on(CLOSE)
    assert not [
        entry for entry in built.log if entry[1] == built.active_high and entry[2] == "output"
    ]


def test_a_pulse_ends_after_its_time_and_not_before():
    built = CoilPins()
    built.relay.open()
    built.pass_ms(PULSE_MS - 1)
    assert built.is_on(OPEN)
    built.pass_ms(1)
    assert not built.is_on(OPEN)


def test_a_pulse_ends_by_the_clock():
    pins = MockFactory()
    relay = GpioLatchingRelay(OPEN, CLOSE, pulse_ms=60, pin_factory=pins)
    pin = pins.pin("GPIO17")
    began = time.monotonic()
    relay.open()
    assert time.monotonic() - began < 0.05  # it does not wait
    assert pin.state == 1
    while pin.state and time.monotonic() - began < 5:
        time.sleep(0.002)
    assert 0.055 <= time.monotonic() - began < 1
    relay.shut_down()


def test_coils_are_never_on_together_and_the_second_has_its_whole_time():
    built = CoilPins()
    built.relay.open()
    built.pass_ms(PULSE_MS - 10)
    built.relay.close()
    assert (built.is_on(OPEN), built.is_on(CLOSE)) == (False, True)
    built.pass_ms(PULSE_MS - 1)
    assert built.is_on(CLOSE)
    built.pass_ms(1)
    levels = {OPEN: False, CLOSE: False}
    for number, level, _ in built.log:
        levels[number] = level
        assert not all(levels.values())


def test_a_timer_that_comes_late_ends_no_later_pulse():
    built = CoilPins()
    built.relay.open()
    late = ManualTimer.last.function
    built.relay.close()
    late()
    assert built.is_on(CLOSE)


def test_a_command_repeated_does_not_stretch_its_pulse():
    built = CoilPins()
    built.relay.open()
    built.pass_ms(PULSE_MS - 1)
    built.relay.open()
    built.pass_ms(1)
    assert not built.is_on(OPEN)


def test_commands_from_many_threads_leave_no_coil_on():
    built = CoilPins(start_timer=lambda s, f: _started(threading.Timer(0.001, f)))
    threads = [
        threading.Thread(target=command)
        for _ in range(20)
        for command in (built.relay.open, built.relay.close)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.05)
    assert not built.is_on(OPEN) and not built.is_on(CLOSE)


def _started(timer):
    timer.start()
    return timer


def test_shut_down_ends_a_pulse():
    built = CoilPins()
    built.relay.open()
    built.relay.shut_down()
    assert [entry for entry in built.log if entry[0] == OPEN][-1][1] is False


def test_without_a_timer_no_coil_stays_on():
    def none(seconds, function):
        raise RuntimeError("can't start new thread")

    built = CoilPins(start_timer=none)
    with pytest.raises(HalError, match="cannot be pulsed"):
        built.relay.open()
    assert built.pins.pin("GPIO17").function == "input"


def test_without_a_contact_nothing_is_known():
    assert CoilPins(contact=None).relay.contact() is None


def test_a_contact_may_be_active_high():
    pins = MockFactory()
    relay = GpioLatchingRelay(OPEN, CLOSE, CONTACT, contact_active_low=False, pin_factory=pins)
    pins.pin("GPIO22").drive_high()
    assert relay.contact() is True
    pins.pin("GPIO22").drive_low()
    assert relay.contact() is False


@pytest.mark.parametrize("pins", [(OPEN, 99, None), (99, CLOSE, None), (OPEN, CLOSE, 99)])
def test_a_pin_that_is_none_is_an_error_with_a_remedy(pins):
    factory = MockFactory()
    with pytest.raises(HalError, match="check the pin numbers") as raised:
        GpioLatchingRelay(*pins, pin_factory=factory)
    GpioLatchingRelay(OPEN, CLOSE, CONTACT, pin_factory=factory).shut_down()  # nothing is held,
    assert raised.tb  # though what failed is still referred to


def test_the_same_pin_twice_is_an_error():
    with pytest.raises(HalError):
        GpioLatchingRelay(OPEN, OPEN, pin_factory=MockFactory())
    with pytest.raises(HalError):
        GpioHoldRelay(OPEN, OPEN, pin_factory=MockFactory())


@pytest.mark.parametrize("pulse", [0, 1001])
def test_a_pulse_of_no_length_or_too_long_is_refused(pulse):
    with pytest.raises(HalError):
        GpioLatchingRelay(OPEN, CLOSE, pulse_ms=pulse, pin_factory=MockFactory())
