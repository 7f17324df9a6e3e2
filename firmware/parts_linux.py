"""The hardware of a Raspberry Pi as a board's constants wire it: chip, relay, clock, button.

A chip that does not answer is the agent's to journal; a bus that is not there, or pins that cannot
be had, are told to the person who starts the meter. A DS3231 that is missing is a line in the log.
"""

import contextlib
import importlib
import os
import time

from wattledger.firmware import chips, constants
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.errors import HalError

PLATFORM = "pi"
PIN_FACTORY = "GPIOZERO_PIN_FACTORY"
LGPIO = "lgpio"  # the one that drives the pins of a Pi 5 and of those before it
DEBUG_UART = "/dev/ttyAMA10"  # of a Raspberry Pi 5
PI_5 = "BCM2712"  # its pins are an RP1's, which no other factory knows
# The converter's rounds: 4000 pairs a second; a 64-bit kernel takes 32 conversions a message.
PAIR_US = 250
BLOCK_PAIRS = 400
MOST_CONVERSIONS = 32
OVERHEAD_US = 1  # of the kernel between two conversions, and of the message in all


def board(name):
    """The constants of a board of this computer; FirmwareError when there is none of that name."""
    try:
        found = importlib.import_module("wattledger.board." + name)
    except ModuleNotFoundError:
        found = None
    if getattr(found, "PLATFORM", None) != PLATFORM:
        raise FirmwareError(
            "%r is no board of a Raspberry Pi; `wattledger board list` names those there are"
            % name
        )
    return found


def wait_ms(ms):
    """Block for `ms` milliseconds."""
    time.sleep(ms / 1000)


def bus_device(found):
    """The device of the board's chip. BusError says how to get a bus that is not there."""
    if found.BUS == "spi":
        from wattledger.hal.bus.spi_linux import LinuxSpi

        return LinuxSpi(found.SPI_BUS, found.CHIP_SELECT, found.SPI_MODE, found.SPI_HZ)
    if found.BUS == "i2c":
        from wattledger.hal.bus.i2c_linux import LinuxI2c

        return LinuxI2c(found.I2C_BUS, found.CHIP_ADDRESS, found.REGISTER_BYTES)
    from wattledger.hal.bus.uart_linux import LinuxUart

    return LinuxUart(uart_place(found), found.BAUD, found.PARITY == "even")


def uart_place(found):
    """The serial line of a board's header, where /dev/serial0 leads but on a Raspberry Pi 5: there
    it is the connector for debugging (github.com/raspberrypi/documentation, issue 3239)."""
    place = "/dev/serial%d" % found.UART_BUS
    if os.path.realpath(place) == DEBUG_UART:
        return "/dev/ttyAMA%d" % found.UART_BUS
    return place


def sampler(found, spi):
    """What converts all the time behind a raw ADC, on its open SPI device."""
    from wattledger.hal.bus.spi_batch_linux import SpiBatch
    from wattledger.hal.meter.adc_sampler_linux import AdcSampler
    from wattledger.hal.meter.mcp3208_frames import FRAME_BYTES, round_of

    frames = round_of(found.OPTIONS["pairs"])
    conversions = len(frames) // FRAME_BYTES
    rounds = MOST_CONVERSIONS // conversions
    while BLOCK_PAIRS % rounds:
        rounds -= 1
    frame_us = 8 * FRAME_BYTES * 1_000_000 // found.SPI_HZ
    rest_us = max(PAIR_US // conversions - frame_us - OVERHEAD_US, 0)
    batch = SpiBatch(spi.fileno(), frames * rounds, FRAME_BYTES, found.SPI_HZ, rest_us)
    return AdcSampler(batch, len(frames), rounds, BLOCK_PAIRS, PAIR_US)


def claim_pins():
    """Have gpiozero drive the pins by lgpio, unless its environment variable names another.

    The factory; HalError when that cannot be had.
    """
    try:
        from gpiozero import Device
    except ImportError:
        raise HalError(
            "the pins need the package gpiozero: pip install 'wattledger[pi]'"
        ) from None
    wanted = os.environ.setdefault(PIN_FACTORY, LGPIO)
    try:
        Device.ensure_pin_factory()
        factory = Device.pin_factory
        unfit = wanted not in (LGPIO, "mock") and factory.board_info.soc == PI_5
    except Exception as error:  # whatever the library behind a pin factory raises
        raise HalError(
            "the pins cannot be driven by %s (%s): sudo apt install python3-lgpio, make the "
            "environment with --system-site-packages, put this user into the group gpio, and "
            "start in a folder that it may write" % (wanted, error)
        ) from None
    if unfit:
        raise HalError(
            "%s does not drive the pins of a Pi 5: take %s=%s out of the environment, or set it "
            "to lgpio" % (wanted, PIN_FACTORY, wanted)
        )
    return factory


def contact(found, looks):
    """The answers of the relay's contact in a row, True for closed. HalError.

    Only its pin is taken: no coil can move.
    """
    claim_pins()
    import gpiozero

    try:
        pin = gpiozero.DigitalInputDevice(found.CONTACT, pull_up=True)
    except Exception as error:  # gpiozero's pin factories raise what their libraries do
        raise HalError(
            "GPIO%d cannot be read (%s): end the program that holds it, and put this user into "
            "the group gpio" % (found.CONTACT, error)
        ) from None
    try:
        return [bool(pin.value) for _ in range(looks)]
    finally:
        pin.close()


class Hardware:
    """`chip`, `relay`, `clock`, `button`, `inputs` of the board; FirmwareError or HalError."""

    def __init__(self, board_name, calibration=None, log=print):
        """`calibration` is the content of calibration.json or None; `log` takes a line."""
        self._found = found = board(board_name)
        phases = constants.constants(found, calibration)
        self._open = contextlib.ExitStack()  # released in the order opposite to that of opening
        try:
            self.chip = self._chip(found, phases)
            claim_pins()
            self.relay = self._relay(found)
            self.button = self._button(found)
            self.inputs = self._inputs(found)
            self.clock = self._clock(found, log)
        except BaseException:
            self._open.close()
            raise
        if calibration is None:
            log("no calibration.json: the nominal constants of %s measure" % found.NAME)

    def _chip(self, found, phases):
        device = bus_device(found)
        self._open.callback(device.close)
        if found.CHIP != "mcp3208":
            return chips.driver(found, device, wait_ms, phases)
        from wattledger.hal.meter.waveform_linux import best_line

        behind = sampler(found, device)
        self._open.callback(behind.stop)
        return chips.driver(found, device, wait_ms, phases, behind, best_line())

    def _relay(self, found):
        from wattledger.hal.relay.gpiozero_linux import GpioLatchingRelay

        relay = GpioLatchingRelay(
            found.RELAY_OPEN, found.RELAY_CLOSE, found.CONTACT, found.RELAY_PULSE_MS
        )
        self._open.callback(relay.shut_down)
        return relay

    def _button(self, found):
        from wattledger.hal.display.button_linux import GpioButton

        button = GpioButton(found.BUTTON)
        self._open.callback(button.close)
        return button

    def panel(self, settings, about, log):
        """The small screen of `settings` (agent/display/settings.py), which takes the button."""
        from wattledger.firmware import panel_linux

        worker = panel_linux.make(self._found, settings, self.button, about, log)
        self._open.callback(worker.close)
        return worker.panel

    def _inputs(self, found):
        if not hasattr(found, "COVER"):
            return None
        from wattledger.hal.inputs.gpiozero_linux import GpioTamperInputs

        inputs = GpioTamperInputs(found.COVER, found.MAGNET)
        self._open.callback(inputs.close)
        return inputs

    def _clock(self, found, log):
        from wattledger.hal.bus.i2c_linux import LinuxI2c
        from wattledger.hal.clock.ds3231 import Ds3231
        from wattledger.hal.clock.pi_linux import PiClock

        rtc = None
        try:
            device = LinuxI2c(found.I2C_BUS, found.CLOCK_ADDRESS)
            self._open.callback(device.close)
            rtc = Ds3231(device)
            rtc.begin()
        except HalError as error:
            rtc = None
            log("no battery clock, the time after a power cut is not known: %s" % error)
        return PiClock(rtc)

    def close(self):
        """Give bus, pins and threads back; the relay stays where it is."""
        self._open.close()
