"""The hardware of an ESP32 as a board's constants wire it: relay, chip, clock, button.

`machine` is the port's module, so that what is built here is built on the simulated one too. The
relay comes first: its coils are inactive before anything else is driven.
"""

from wattledger.firmware import chips
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.hal.clock.esp32 import Esp32Clock
from wattledger.hal.errors import HalError
from wattledger.hal.inputs.button_esp32 import Esp32Button
from wattledger.hal.relay.esp32 import Esp32HoldRelay, Esp32LatchingRelay

PLATFORM = "esp32"
I2C_HZ = 400_000


def board(name):
    """The constants of a board; FirmwareError when there is none of that name in this image."""
    try:
        found = __import__("wattledger.board." + name, None, None, (name,))
    except ImportError:
        found = None
    if getattr(found, "PLATFORM", None) != PLATFORM:
        raise FirmwareError("%r is no board of an ESP32" % name)
    return found


def relay(machine, time, found):
    """The supply relay, its coils off."""
    if found.RELAY_KIND == "hold":
        return Esp32HoldRelay(machine.Pin, found.RELAY_CLOSE, found.CONTACT)
    return Esp32LatchingRelay(
        machine.Pin,
        time.sleep_ms,
        found.RELAY_OPEN,
        found.RELAY_CLOSE,
        found.CONTACT,
        found.RELAY_PULSE_MS,
    )


def bus_device(found):
    """The device of the board's chip. BusError."""
    if found.BUS == "spi":
        from wattledger.hal.bus.spi_esp32 import Esp32Spi

        return Esp32Spi(
            found.SPI_BUS,
            found.CHIP_SELECT,
            found.SPI_MODE,
            found.SPI_HZ,
            found.SCK,
            found.MOSI,
            found.MISO,
        )
    if found.BUS == "i2c":
        return _i2c(found, found.CHIP_ADDRESS, found.REGISTER_BYTES)
    from wattledger.hal.bus.uart_esp32 import Esp32Uart

    return Esp32Uart(found.UART_BUS, found.BAUD, found.TX, found.RX, found.PARITY == "even")


def _i2c(found, address, register_bytes=1):
    from wattledger.hal.bus.i2c_esp32 import Esp32I2c

    return Esp32I2c(found.I2C_BUS, address, register_bytes, I2C_HZ, found.SCL, found.SDA)


def battery_clock(found, log):
    """The DS3231, or None with a line in the log."""
    try:
        rtc = Ds3231(_i2c(found, found.CLOCK_ADDRESS))
        rtc.begin()
    except HalError as error:
        log("no battery clock, the time after a power cut is not known: %s" % error)
        return None
    return rtc


def hardware(found, machine, time, phases, sntp, log):
    """(chip, clock, button) of a board. HalError when a bus cannot be set up."""
    chip = chips.driver(found, bus_device(found), time.sleep_ms, phases)
    clock = Esp32Clock(time, machine.RTC(), sntp, battery_clock(found, log))
    return chip, clock, Esp32Button(machine.Pin, found.BUTTON, clock)
