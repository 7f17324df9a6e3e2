"""The OLED of a Raspberry Pi through luma.oled as it is, simulated chips behind its bus."""

import pytest

pytest.importorskip("luma.oled")

from wattledger.hal.display.glass import Glass
from wattledger.hal.display.oled_luma_linux import LumaPort
from wattledger.hal.errors import BusError
from wattledger.host_sim.chip.oled import Oled
from wattledger.tests.host.fake_smbus import FakeSMBus

ADDRESS = 0x3C


def bench(chip):
    oled = Oled(chip)
    bus = FakeSMBus({ADDRESS: oled})
    frame = bytearray(index * 5 & 0xFF for index in range(1024))
    return oled, bus, frame, Glass(LumaPort(chip, 1, ADDRESS, bus), frame, chip)


def finish(glass):
    while glass.work() is not None:
        pass


@pytest.mark.parametrize("chip", ["ssd1306", "sh1106"])
def test_the_glass_shows_the_frame_to_the_pixel(chip):
    oled, bus, frame, glass = bench(chip)
    glass.begin()
    assert oled.frame() == bytearray(1024)
    finish(glass)
    assert oled.frame() == frame
    frame[700] ^= 0x18  # a piece of its own, in the middle
    finish(glass)
    assert oled.frame() == frame
    # 33 bytes and the address at 100 kHz are 3.1 ms: what a metering chip on the bus waits.
    assert bus.longest <= 33


def test_nobody_there_names_bus_and_address_and_a_second_start_works():
    oled, _, frame, glass = bench("ssd1306")
    oled.silent = True
    with pytest.raises(BusError, match=r"/dev/i2c-1: no display answers at 0x3C"):
        glass.begin()
    oled.silent = False
    glass.begin()
    finish(glass)
    oled.silent = True
    frame[0] ^= 1
    with pytest.raises(BusError, match="0x3C"):
        glass.work()
    oled.silent = False
    oled.brown_out()
    glass.begin()
    finish(glass)
    assert oled.frame() == frame


def test_the_picture_stays_when_the_program_ends():
    oled, bus, frame, glass = bench("ssd1306")
    glass.begin()
    finish(glass)
    glass._port._device.cleanup()  # what luma does at exit
    assert oled.frame() == frame
