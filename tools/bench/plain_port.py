"""What an ESP32's port gives a meter, in next to no heap, so that only the firmware is weighed.

It stands for the modules `machine` and `esp32`, which are built in there and take none. Portable.
"""

CONTACT = 32  # of esp32_atm90e32; closed
RTC_REGISTERS = b"\x00\x02\x22\x01\x11\x01\x27" + bytes(12)  # DS3231: 2027-01-11 22:02:00
PWRON_RESET = 1
_ENODEV = 19


class Pin:
    IN = 1
    OUT = 3
    PULL_UP = 2
    PULL_DOWN = 1

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self._level = 0 if number == CONTACT else 1

    def value(self, level=None):
        return self._level if level is None else None

    def __call__(self, level):
        pass


class SPI:
    """Its one chip is `chip`, which the bench sets."""

    chip = None

    def __init__(self, bus, **settings):
        pass

    def write_readinto(self, out, into):
        SPI.chip.transfer(out, into)  # type: ignore[attr-defined]


class I2C:
    """A battery clock that stands at one time."""

    def __init__(self, bus, **settings):
        pass

    def readfrom_mem_into(self, address, register, buffer, addrsize):
        if address != 0x68:
            raise OSError(_ENODEV)
        for index in range(len(buffer)):
            buffer[index] = RTC_REGISTERS[register + index]


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


class RTC:
    def datetime(self, at):
        pass


class NVS:
    """Remembers nothing: what a meter keeps there is in no heap."""

    def __init__(self, space):
        pass

    def get_blob(self, name, into):
        raise OSError(-0x1102)

    def set_blob(self, name, data):
        pass

    def commit(self):
        pass


def reset_cause():
    return PWRON_RESET
