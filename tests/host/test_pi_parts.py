"""The hardware of a Pi as its root makes it, on mock pins: released whatever happens."""

import threading
import types

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from wattledger.agent.display import settings as displays
from wattledger.board import pi_atm90e32, pi_bl0942, pi_mcp3208
from wattledger.firmware import parts_linux
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.bus import i2c_linux, spi_batch_linux
from wattledger.hal.errors import BusError, ChipError, HalError
from wattledger.hal.sample import OK, VOLTAGE_MV, new_sample
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.chip.ds3231 import Ds3231


class Closing:
    """A simulated chip as a bus device that can be closed."""

    def __init__(self, chip):
        self._chip = chip
        self.closed = False

    def __getattr__(self, name):
        return getattr(self._chip, name)

    def close(self):
        self.closed = True


@pytest.fixture
def world(monkeypatch):
    """Mock pins, a chip and a clock in the place of the buses; `log` is what was said."""
    made = types.SimpleNamespace(log=[], pins=MockFactory())
    made.device = Closing(Atm90e32(7305, 27518))
    made.clock = Closing(Ds3231())
    monkeypatch.setattr(gpiozero.Device, "pin_factory", made.pins)
    monkeypatch.setattr(parts_linux, "bus_device", lambda board: made.device)
    monkeypatch.setattr(i2c_linux, "LinuxI2c", lambda bus, address: made.clock)
    return made


def test_the_uart_of_the_header_is_found_on_every_pi(monkeypatch):
    leads = {}
    monkeypatch.setattr(parts_linux.os.path, "realpath", lambda path: leads.get(path, path))
    places = []
    for target in ("/dev/ttyS0", "/dev/ttyAMA0", "/dev/ttyAMA10"):
        leads["/dev/serial0"] = target
        places.append(parts_linux.uart_place(pi_bl0942))
    # The last is a Raspberry Pi 5, where serial0 is not on the header.
    assert places == ["/dev/serial0", "/dev/serial0", "/dev/ttyAMA0"]


def hardware(world, calibration=None):
    return parts_linux.Hardware("pi_atm90e32", calibration, world.log.append)


def test_the_parts_of_a_board_work_together(world):
    parts = hardware(world)
    world.device.set_phase(0, 230_000, 1_000, 230_000)
    parts.chip.begin()
    world.device.feed(1_000)
    sample = new_sample()
    assert parts.chip.read_into(sample) == OK
    assert sample[VOLTAGE_MV] == 230_000
    assert parts.relay.contact() is False
    world.pins.pin(pi_atm90e32.CONTACT).drive_low()
    assert parts.relay.contact() is True
    assert parts.button.request() is None
    world.pins.pin(pi_atm90e32.BUTTON).drive_low()
    assert parts.clock.offer() is None  # a new DS3231 is not believed
    assert world.log == ["no calibration.json: the nominal constants of pi_atm90e32 measure"]
    parts.close()


def test_closing_ends_a_pulse_and_gives_everything_back(world):
    parts = hardware(world)
    parts.relay.close()
    coil = world.pins.pin(pi_atm90e32.RELAY_CLOSE)
    assert coil.state
    parts.close()
    assert world.device.closed and world.clock.closed
    assert not coil.state or coil.function == "input"
    hardware(world).close()  # the pins are free


def test_what_was_opened_is_closed_when_the_next_part_cannot_be_had(world, monkeypatch):
    taken = gpiozero.DigitalInputDevice(pi_atm90e32.BUTTON)
    with pytest.raises(HalError, match="button at GPIO26"):
        hardware(world)
    assert world.device.closed
    taken.close()
    hardware(world).close()


def test_a_wrong_calibration_is_found_before_anything_is_opened(world):
    with pytest.raises(ChipError, match="calibration file: is not JSON"):
        hardware(world, b"{")
    assert not world.device.closed
    hardware(world).close()


def test_without_a_battery_clock_the_meter_goes_on(world, monkeypatch):
    def missing(bus, address):
        raise BusError("/dev/i2c-1 is missing: enable I2C")

    monkeypatch.setattr(i2c_linux, "LinuxI2c", missing)
    parts = hardware(world)
    assert world.log[0].endswith("is not known: /dev/i2c-1 is missing: enable I2C")
    assert parts.clock.unix_s() > 1_700_000_000
    parts.close()


@pytest.mark.parametrize("name", ["sim", "esp32_ade7953", "pi_none", "no board", ""])
def test_a_board_of_something_else_is_refused(name):
    with pytest.raises(FirmwareError, match="is no board of a Raspberry Pi"):
        parts_linux.Hardware(name)


def test_the_pins_are_lgpios_unless_another_is_named(monkeypatch):
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    asked = []

    def refuse():
        asked.append(parts_linux.os.environ["GPIOZERO_PIN_FACTORY"])
        raise ImportError("No module named 'lgpio'")

    monkeypatch.setattr(gpiozero.Device, "ensure_pin_factory", refuse)
    with pytest.raises(HalError, match="by lgpio .*No module.*: sudo apt install python3-lgpio"):
        parts_linux.claim_pins()
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "pigpio")
    with pytest.raises(HalError, match="by pigpio"):
        parts_linux.claim_pins()
    assert asked == ["lgpio", "pigpio"]


@pytest.mark.parametrize(
    ("pairs", "rounds", "rest_us"),
    [
        # 4000 pairs a second; a frame of 24 us; at most 32 frames a message, and 400 pairs a
        # whole number of them. 125 - 24 - 1; 62 - 24 - 1; 41 - 24 - 1.
        (((0, 1),), 16, 100),
        (((0, 1), (2, 3)), 8, 37),
        (((0, 1), (2, 3), (4, 5)), 5, 16),
    ],
)
def test_the_converters_messages_fit_the_kernel(monkeypatch, pairs, rounds, rest_us):
    made = []
    monkeypatch.setattr(spi_batch_linux, "SpiBatch", lambda *words: made.append(words))
    board = types.SimpleNamespace(OPTIONS={"pairs": pairs}, SPI_HZ=pi_mcp3208.SPI_HZ)
    sampler = parts_linux.sampler(board, types.SimpleNamespace(fileno=lambda: 7))
    descriptor, out, frame, speed, rest = made[0]
    assert (descriptor, frame, speed, rest) == (7, 3, 1_000_000, rest_us)
    assert len(out) == 6 * len(pairs) * rounds
    assert (sampler.pairs, sampler.pair_us) == (400, 250)


def test_a_panel_is_worked_until_the_hardware_is_closed(world):
    def working():
        return "panel" in {thread.name for thread in threading.enumerate()}

    parts = hardware(world)
    panel = parts.panel(displays.check({"keypad": "matrix"}), "pi", world.log.append)
    assert panel.request() is None
    assert working()
    parts.close()
    assert not working()
    # The keypad's pins are free again.
    again = hardware(world)
    again.panel(displays.check({"keypad": "matrix"}), "pi", world.log.append)
    again.close()
