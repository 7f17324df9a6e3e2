"""A driver on the simulated ADE7953, on either bus, and a wire that fails as a test wants."""

from wattledger.hal.errors import BusError
from wattledger.hal.meter.ade7953 import Ade7953
from wattledger.hal.meter.ade7953_i2c import Ade7953I2c
from wattledger.hal.meter.ade7953_spi import Ade7953Spi
from wattledger.host_sim.chip.ade7953 import Ade7953 as Chip

PORTS = (Ade7953Spi, Ade7953I2c)


def no_wait(ms):
    """The simulated chip needs no time after a reset."""


def running(port=Ade7953Spi, phases=1, wire=None, calibration=None):
    """(chip, driver) that are set up, at 230 V."""
    chip = Chip()
    device = wire(chip) if wire else chip
    driver = Ade7953(
        port(device),
        no_wait,
        calibration or [{}] * phases,
        second="phase" if phases == 2 else "neutral",
    )
    driver.begin()
    chip.set_mains(50_000)
    chip.set_phase(0, 230_000, 0, 0)
    return chip, driver


class FlippingWire:
    """At transfer `at` (from 0): flips `mask` in a byte sent, or of the answer, or fails."""

    def __init__(self, chip):
        self.chip = chip
        self.at = -1
        self.byte = 0
        self.mask = 0
        self.answer = False
        self.count = 0
        self.fail = ""

    def transfer(self, out, into):
        number = self.count
        self.count += 1
        if number != self.at:
            self.chip.transfer(out, into)
            return
        if self.fail == "before":
            raise BusError("the wire is loose")
        heard = bytearray(out)
        if not self.answer and self.byte < len(heard):
            heard[self.byte] ^= self.mask
        self.chip.transfer(heard, into)
        if self.answer and self.byte < len(into):
            into[self.byte] ^= self.mask
        if self.fail == "after":
            raise BusError("the answer was lost")
