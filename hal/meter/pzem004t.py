"""PZEM-004T v3: a module that speaks Modbus RTU, 9600 baud 8N1. 1 Wh resolution, no sign.

One request, function 4, ten registers; a reading parses the answer to the one before. The module
keeps its energy over a power cut. Its reset (function 0x42) is never sent from here; when somebody
else resets it, or it turns over, two answers that agree are RESTARTED.
Sources: ESPHome `components/pzemac`, mandulaj/PZEM-004T-v30. No datasheet was read.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.running_counter import FELL, HELD, RunningCounter
from wattledger.hal.meter.scale import PPM, Scale, constants_of, nearest_fraction
from wattledger.hal.meter.uart_frames import FrameReader
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_FACTOR,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
)

CONSTANTS = (
    ("voltage_gain", PPM, 800_000, 1_200_000),
    ("current_gain", PPM, 800_000, 1_200_000),
    ("power_gain", PPM, 800_000, 1_200_000),
    ("energy_gain", PPM, 800_000, 1_200_000),
)

READ_INPUT = 0x04
REGISTERS = 10
LENGTH = 25  # address, function, byte count, ten registers, CRC
EVERYBODY = 0xF8  # the one module on the line answers, whatever its address

# Where a register stands in the answer, highest byte first; of two registers the low one first.
VOLTAGE_AT = 3  # 0.1 V
CURRENT_AT = 5  # 0.001 A, two registers
POWER_AT = 9  # 0.1 W, two registers
ENERGY_AT = 13  # 1 Wh, two registers
FREQUENCY_AT = 17  # 0.1 Hz
FACTOR_AT = 19  # 0.01

HIGHEST_CURRENT = 2  # high words above say over 131 A or 13.1 kW x 10: no module measures that
HIGHEST_POWER = 16
HIGHEST_FACTOR = 100
COUNTER_BITS = 29  # of the register's 32: small ints; it turns over long before
FULL_WH = 9_999_990  # the range its maker states
JUMP = 16  # Wh: 2.5 s of the highest power
ANSWER_MS = 100
TRIES = 3


class Pzem004t:
    """Driver of one module."""

    phases = 1
    fields = 231  # voltage, current, power, factor, energy, frequency
    bidirectional = False
    delayed = True

    def __init__(self, device, wait_ms, calibration, address=EVERYBODY):
        """`device` is a UART; ChipError (stage calibration) for constants out of range."""
        constants = constants_of(calibration, CONSTANTS)
        self._device = device
        self._wait_ms = wait_ms
        self._voltage = Scale(100 * constants["voltage_gain"], PPM)
        self._current = Scale(constants["current_gain"], PPM)
        self._power = Scale(100 * constants["power_gain"], PPM)
        self.energy_numerator, self.energy_denominator = nearest_fraction(
            constants["energy_gain"], PPM
        )
        self._address = address
        request = bytes((address, READ_INPUT, 0, 0, 0, REGISTERS))
        check = _crc(request, len(request))
        self._request = request + bytes((check & 0xFF, check >> 8))
        self._frames = FrameReader(device, LENGTH, self._is_answer, 2 * REGISTERS, 2)
        self._counter = RunningCounter(COUNTER_BITS, JUMP)
        self._owed = 0  # Wh that were handed on too much
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0

    def begin(self):
        """Ask until an answer comes; the module has no set-up. ChipError. Waits."""
        try:
            for _ in range(TRIES):
                self._device.write(self._request)
                self._wait_ms(ANSWER_MS)
                if self._frames.newest():
                    if not self._counter.known:
                        self._counter.start(_energy(self._frames.frame))
                    self._device.write(self._request)
                    return
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("PZEM-004T cannot be reached: %s" % error, "bus")
        raise ChipError(
            "PZEM-004T does not answer: check power, wiring and address; it needs mains on its "
            "measuring side",
            "bus",
        )

    def overflow_ms(self, max_watts):
        """Milliseconds until the register is full."""
        fill = FULL_WH * self.energy_numerator * 3_600_000
        return fill // (self.energy_denominator * max_watts)

    def health(self):
        """Counters of what went wrong."""
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "corrupt": self.corrupt,
        }

    def read_into(self, sample):
        """Fill `sample` from the answer to the reading before; status bits of hal/sample.py."""
        sample[ENERGY_COUNTS] = 0
        try:
            status = self._take(sample)
            self._device.write(self._request)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER
        if status == CORRUPT:
            self.corrupt += 1
        return status

    def _take(self, sample):
        if not self._frames.newest():
            return CORRUPT if self._frames.heard else NO_ANSWER
        counter = self._counter
        energy = _energy(self._frames.frame)
        if not counter.known:
            counter.start(energy)
        counts = counter.moved(energy)
        if counter.state == HELD:
            return CORRUPT
        self._fill(sample)
        if counter.state == FELL:
            self.restarts += 1
            return RESTARTED
        if counter.is_frozen(sample[POWER_MW]):
            return CORRUPT
        self._owed -= counts
        if self._owed < 0:
            sample[ENERGY_COUNTS] = -self._owed
            self._owed = 0
        return OK

    def _fill(self, sample):
        frame = self._frames.frame
        sample[VOLTAGE_MV] = self._voltage.of(_word(frame, VOLTAGE_AT))
        sample[CURRENT_MA] = self._current.of(
            _word(frame, CURRENT_AT + 2) << 16 | _word(frame, CURRENT_AT)
        )
        sample[POWER_MW] = self._power.of(
            _word(frame, POWER_AT + 2) << 16 | _word(frame, POWER_AT)
        )
        sample[POWER_FACTOR] = _word(frame, FACTOR_AT) * 10
        sample[FREQUENCY_MHZ] = _word(frame, FREQUENCY_AT) * 100

    def _is_answer(self, frame):
        if frame[1] != READ_INPUT or self._address != EVERYBODY and frame[0] != self._address:
            return False
        if _word(frame, CURRENT_AT + 2) >= HIGHEST_CURRENT:
            return False
        if _word(frame, POWER_AT + 2) >= HIGHEST_POWER or _word(frame, FACTOR_AT) > HIGHEST_FACTOR:
            return False
        return _crc(frame, LENGTH - 2) == frame[LENGTH - 2] | frame[LENGTH - 1] << 8


def _word(frame, at):
    """The register at `at`."""
    return frame[at] << 8 | frame[at + 1]


def _energy(frame):
    """Wh, of the register's 32 bits the 29 lowest."""
    return (_word(frame, ENERGY_AT + 2) & 0x1FFF) << 16 | _word(frame, ENERGY_AT)


def _crc(data, length):
    """CRC-16 of Modbus: reflected polynomial 0xA001, start 0xFFFF."""
    crc = 0xFFFF
    for index in range(length):
        crc ^= data[index]
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc
