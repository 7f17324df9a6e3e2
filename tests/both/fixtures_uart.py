"""Serial drivers on their simulated chips, and frames that real chips sent."""

from wattledger.hal.errors import BusError
from wattledger.hal.meter.bl0942 import Bl0942
from wattledger.hal.meter.cse7766 import Cse7766
from wattledger.hal.meter.pzem004t import Pzem004t
from wattledger.hal.sample import CORRUPT, ENERGY_COUNTS, NO_ANSWER, RESTARTED
from wattledger.host_sim.chip.bl0942 import Bl0942 as Bl0942Chip
from wattledger.host_sim.chip.cse7766 import Cse7766 as Cse7766Chip
from wattledger.host_sim.chip.pzem004t import Pzem004t as Pzem004tChip

# 22 bytes from Tasmota xnrg_14_bl09xx.ino; the checksum is ours: ~(0x58 + their sum).
BL0942_FRAME = "55A3B9009E4C36934300F498FF990000164E0001010076"
# ESPHome and Tasmota, sums recomputed.
CSE7766_FRAMES = (
    "555A02F76000035A004010048B9F51A65818727561ACA130",
    "555A02F7600003AB00401002605D51A65803E9EF710B7A36",
    "F25A02F76000036100401005724051A65863101BE17F4D4E",
)
# ESPHome pzemac; CRC recomputed.
PZEM_FRAME = "01041408D1006C000000F400000026000001F4006400005134"


def data(text):
    """bytes of hexadecimal digits."""
    return bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))


class Script:
    """A line that carries what a test puts on it, and keeps what the driver writes."""

    def __init__(self, *arrivals):
        self.arrivals = list(arrivals)  # bytes that arrive at a read each; b"" ends a reading
        self.written = []
        self.broken = False

    def write(self, buffer):
        if self.broken:
            raise BusError("the line is gone")
        self.written.append(bytes(buffer))

    def read_into(self, buffer):
        if self.broken:
            raise BusError("the line is gone")
        if not self.arrivals:
            return 0
        arrived = self.arrivals.pop(0)
        count = min(len(arrived), len(buffer))
        for index in range(count):
            buffer[index] = arrived[index]
        if count < len(arrived):
            self.arrivals.insert(0, arrived[count:])
        return count


class Replies:
    """A chip that gives the answers of a table {request: answer}, and keeps what it was sent."""

    def __init__(self, answers):
        self.answers = answers
        self.written = []
        self._queue = b""

    def write(self, buffer):
        self.written.append(bytes(buffer))
        self._queue += self.answers.get(bytes(buffer), b"")

    def read_into(self, buffer):
        count = min(len(buffer), len(self._queue))
        for index in range(count):
            buffer[index] = self._queue[index]
        self._queue = self._queue[count:]
        return count


class Log:
    """The line to a chip, with a log of what is written."""

    def __init__(self, chip):
        self._chip = chip
        self.written = []

    def write(self, buffer):
        self.written.append(bytes(buffer))
        self._chip.write(buffer)

    def read_into(self, buffer):
        return self._chip.read_into(buffer)


def no_wait(ms):
    """Simulated chips that answer at once need no time."""


def bl0942(**options):
    """(chip, driver) that are set up; answers arrive at once."""
    chip = Bl0942Chip(**options)
    driver = Bl0942(chip, no_wait, [{}], **{n: v for n, v in options.items() if n != "baud"})
    driver.begin()
    return chip, driver


def cse7766(**options):
    """(chip, driver) that are set up; time passes while the driver waits."""
    chip = Cse7766Chip(**options)
    driver = Cse7766(chip, chip.feed, [{}])
    driver.begin()
    return chip, driver


def pzem004t(**options):
    """(module, driver) that are set up; answers arrive at once."""
    chip = Pzem004tChip(**options)
    driver = Pzem004t(chip, no_wait, [{}])
    driver.begin()
    return chip, driver


def settle(driver, sample, calls, between=None):
    """Read `calls` times; (the last status with RESTARTED of any, the sum of the counts)."""
    counts = 0
    restarted = 0
    status = 0
    for _ in range(calls):
        if between:
            between()
        status = driver.read_into(sample)
        restarted |= status & RESTARTED
        if not status & (NO_ANSWER | CORRUPT):
            counts += sample[ENERGY_COUNTS]
    return status | restarted, counts
