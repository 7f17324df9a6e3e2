"""CSE7766 (HLW8032): pushes a frame of 24 bytes about every 60 ms, 4800 baud 8E1; hears nothing.

A frame holds the factory's coefficients and the cycles measured: value = coefficient / cycle. It
has no sign: export counts as import. Its checksum is a plain sum, and frames with a good sum and
wrong content have been seen (Tasmota issue 5789), so the coefficients must be the known ones.
Energy is CF, 16 bits, and the bit that toggles as CF overflows, together 17 bits.
Sources: ESPHome `components/cse7766`, Tasmota `xnrg_02_cse7766.ino`. No datasheet was read.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.running_counter import FELL, HELD, RunningCounter
from wattledger.hal.meter.scale import PPM, constants_of, nearest_fraction
from wattledger.hal.meter.uart_frames import FrameReader
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
)

# The coefficients are the chip's own; begin() refuses others and names what it found.
CONSTANTS = (
    ("voltage_coefficient", 194_400, 100_000, 400_000),
    ("current_coefficient", 16_400, 8_000, 32_000),
    ("power_coefficient", 5_351_000, 2_700_000, 10_700_000),
    ("voltage_gain", PPM, 800_000, 1_200_000),
    ("current_gain", PPM, 800_000, 1_200_000),
    ("power_gain", PPM, 800_000, 1_200_000),
    ("energy_gain", PPM, 800_000, 1_200_000),
)

LENGTH = 24
SECOND = 0x5A
NORMAL = 0x55
UNCALIBRATED = 0xAA
FAULTS = 0xF0  # with the bits below: a cycle out of range, which is nothing to be measured
VOLTAGE_FAULT = 0x08
CURRENT_FAULT = 0x04
POWER_FAULT = 0x02
STORAGE_FAULT = 0x01
VOLTAGE_AT = 2  # three bytes coefficient, three bytes cycle, highest first; then the next value
CURRENT_AT = 8
POWER_AT = 14
ADJ_AT = 20
CF_AT = 21
VOLTAGE_VALID = 0x40
CURRENT_VALID = 0x20
POWER_VALID = 0x10
CF_TOGGLE = 0x80

COUNTER_BITS = 17
JUMP = 256  # counts between two frames: 1.4 kJ, 60 ms of 22 kW
SHORTEST_POWER = 50  # a cycle below it is over 100 kW
ANSWER_MS = 200
TRIES = 5


class Cse7766:
    """Driver of one chip on a plug: 1 mOhm shunt, 1 MOhm over 1 kOhm, gains for other parts."""

    phases = 1
    fields = 71  # voltage, current, power, energy
    bidirectional = False
    delayed = True

    def __init__(self, device, wait_ms, calibration):
        """`device` is a UART; ChipError (stage calibration) for constants out of range."""
        constants = constants_of(calibration, CONSTANTS)
        self._wait_ms = wait_ms
        self._voltage_coefficient = constants["voltage_coefficient"]
        self._current_coefficient = constants["current_coefficient"]
        self._power_coefficient = constants["power_coefficient"]
        # Cycles times mV, mA and W.
        self._voltage = self._voltage_coefficient * constants["voltage_gain"] // 1000
        self._current = self._current_coefficient * constants["current_gain"] // 1000
        self._power = self._power_coefficient * constants["power_gain"] // PPM
        # A count is a millionth of the power coefficient in J.
        self.energy_numerator, self.energy_denominator = nearest_fraction(
            self._power_coefficient * constants["energy_gain"], 3600 * PPM * PPM
        )
        self._frames = FrameReader(device, LENGTH, self._is_frame, SECOND, 1)
        self._counter = RunningCounter(COUNTER_BITS, JUMP)
        self._gathered = 0  # counts that were not handed on yet
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0

    def begin(self):
        """Wait for a frame with the known coefficients; ChipError names those it has instead."""
        heard = 0
        foreign = None
        try:
            for attempt in range(TRIES):
                if attempt:
                    self._wait_ms(ANSWER_MS)
                self._frames.start()
                while self._frames.next():
                    frame = self._frames.frame
                    if self._is_known(frame):
                        if not self._counter.known:
                            self._counter.start(_count(frame))
                        return
                    foreign = bytes(frame)
                heard += self._frames.heard
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("CSE7766 cannot be reached: %s" % error, "bus")
        if foreign:
            raise ChipError(
                "CSE7766 has voltage_coefficient %d, current_coefficient %d, power_coefficient %d "
                "and state 0x%02X: set these, or the line is disturbed"
                % (
                    _word(foreign, VOLTAGE_AT),
                    _word(foreign, CURRENT_AT),
                    _word(foreign, POWER_AT),
                    foreign[0],
                ),
                "calibration",
            )
        if heard:
            raise ChipError("CSE7766 sends no frame: is the line 4800 baud 8E1?", "bus")
        raise ChipError("CSE7766 sends nothing: check power and wiring", "bus")

    def overflow_ms(self, max_watts):
        """Milliseconds to 2**16 counts, half of what the counter and its toggle can tell."""
        fill = (1 << COUNTER_BITS - 1) * self.energy_numerator * 3_600_000
        return fill // (self.energy_denominator * max_watts)

    def health(self):
        """Counters of what went wrong."""
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "corrupt": self.corrupt,
        }

    def read_into(self, sample):
        """Fill `sample` from the newest frame that has arrived; status bits of hal/sample.py."""
        sample[ENERGY_COUNTS] = 0
        try:
            status = self._take(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER
        if status == CORRUPT:
            self.corrupt += 1
        return status

    def _take(self, sample):
        frames = self._frames
        counter = self._counter
        known = False
        fell = False
        frames.start()
        while frames.next():
            frame = frames.frame
            known = self._is_known(frame)
            if not known:
                continue
            count = _count(frame)
            if not counter.known:
                counter.start(count)
            # Frames in between count too: two that agree settle a jump within one reading.
            self._gathered += counter.moved(count)
            if counter.state == FELL:
                fell = True
            elif counter.state == HELD:
                known = False
        if fell:
            self.restarts += 1
            return RESTARTED
        if not known:
            return CORRUPT if frames.heard else NO_ANSWER
        self._fill(sample)
        if counter.is_frozen(sample[POWER_MW]):
            return CORRUPT
        if self._gathered > 0:
            sample[ENERGY_COUNTS] = self._gathered
            self._gathered = 0
        return OK

    def _fill(self, sample):
        frame = self._frames.frame
        adj = frame[ADJ_AT]
        sample[VOLTAGE_MV] = 0
        sample[CURRENT_MA] = 0
        sample[POWER_MW] = 0
        cycle = _word(frame, VOLTAGE_AT + 3)
        if adj & VOLTAGE_VALID and cycle:
            sample[VOLTAGE_MV] = self._voltage // cycle
        cycle = _word(frame, CURRENT_AT + 3)
        if adj & CURRENT_VALID and cycle:
            sample[CURRENT_MA] = self._current // cycle
        if adj & POWER_VALID:  # else its cycle is still running: less than a load
            cycle = _word(frame, POWER_AT + 3)
            power = self._power // cycle
            rest = self._power % cycle
            # W to mW a digit at a time: at once, the product would leave the small ints.
            for _ in range(3):
                rest *= 10
                power = power * 10 + rest // cycle
                rest %= cycle
            sample[POWER_MW] = power

    def _is_frame(self, frame):
        state = frame[0]
        if state != NORMAL and state != UNCALIBRATED and state < FAULTS:
            return False
        total = 0
        for index in range(VOLTAGE_AT, LENGTH - 1):
            total += frame[index]
        return total & 0xFF == frame[LENGTH - 1]

    def _is_known(self, frame):
        """True for a frame of this chip, calibrated and of one mind with itself."""
        state = frame[0]
        adj = frame[ADJ_AT]
        if state >= FAULTS:
            # The checksum leaves the state out; a value that is out of range is not valid.
            if state & STORAGE_FAULT or state & VOLTAGE_FAULT and adj & VOLTAGE_VALID:
                return False
            if state & CURRENT_FAULT and adj & CURRENT_VALID:
                return False
            if state & POWER_FAULT and adj & POWER_VALID:
                return False
        elif state != NORMAL:
            return False
        if adj & POWER_VALID and _word(frame, POWER_AT + 3) < SHORTEST_POWER:
            return False
        return (
            _word(frame, VOLTAGE_AT) == self._voltage_coefficient
            and _word(frame, CURRENT_AT) == self._current_coefficient
            and _word(frame, POWER_AT) == self._power_coefficient
        )


def _word(frame, at):
    """The 24 bits at `at`, highest byte first."""
    return frame[at] << 16 | frame[at + 1] << 8 | frame[at + 2]


def _count(frame):
    """CF with its toggle as bit 16."""
    return (frame[ADJ_AT] & CF_TOGGLE) << 9 | frame[CF_AT] << 8 | frame[CF_AT + 1]
