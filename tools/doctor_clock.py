"""Checks of the clocks: the system's, and the board's with a battery."""

import time
from collections.abc import Callable
from types import ModuleType

from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.clock import ds3231
from wattledger.hal.clock.kernel_time_linux import maximum_error_us
from wattledger.hal.errors import BusError
from wattledger.tools import doctor_bus, output
from wattledger.tools.findings import FAIL, OK, WARN, Finding

APART_S = 60


def system(error_us: Callable[[], int | None] = maximum_error_us) -> Finding:
    """Does the system's clock follow a time server?"""
    error = error_us()
    if error is None:
        return Finding(
            *("clock", WARN, "the system's clock follows no time server"),
            "sudo timedatectl set-ntp true; the meter's prices by time of day need the time",
        )
    return Finding("clock", OK, f"a time server is followed, to {(error + 999) // 1000} ms")


def battery(board: ModuleType, error_us: Callable[[], int | None] = maximum_error_us) -> Finding:
    """The DS3231: answers, its oscillator never stood still, and it agrees with the system."""
    name = "battery"
    status = bytearray(1)
    try:
        i2c = LinuxI2c(board.I2C_BUS, board.CLOCK_ADDRESS)
    except BusError as error:
        return _without(error)
    try:
        if not doctor_bus.is_ds3231(i2c):
            what = f"what answers at 0x{board.CLOCK_ADDRESS:02X} is no DS3231"
            return Finding(name, FAIL, what, "fit a DS3231 (a DS1307 has no oscillator flag)")
        i2c.read_into(ds3231.STATUS, status)
        found = ds3231.Ds3231(i2c).read()
    except BusError as error:
        return _without(error)
    finally:
        i2c.close()
    if status[0] & ds3231.OSF:
        return Finding(
            *(name, WARN, "the DS3231 stood still (OSF): its time is not believed"),
            "the meter sets it when a time server is heard; if it returns, change the CR2032",
        )
    if found is None:
        fix = "check the wires SDA and SCL; set it anew by letting a meter hear a time server"
        return Finding(name, FAIL, "the DS3231 holds no time", fix)
    apart = abs(int(time.time()) - found)
    if error_us() is not None and apart > APART_S:
        fix = "the meter sets it when a time server is heard; if it returns, change the chip"
        return Finding(name, WARN, f"the DS3231 is {apart} s from the time server's", fix)
    return Finding(name, OK, f"DS3231, {output.utc(found)}")


def _without(error: BusError) -> Finding:
    """A meter runs without it, and does not know the time after a power cut."""
    return doctor_bus.told("battery", error)._replace(state=WARN)
