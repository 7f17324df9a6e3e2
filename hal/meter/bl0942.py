"""BL0942: one voltage and one current on a UART, 8N1, its speed set by a pin.

A reading parses the answer to what the reading before asked for, and asks again. CF_CNT counts
energy with sign (MODE) and is differenced modulo 2**24. Every 64th reading asks for MODE in place
of a packet, and so does one whose CF_CNT fell to where a chip that restarted would be.
Sources: see bl0942_registers.py.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.bl0942_port import ANSWER_MS, Port, word
from wattledger.hal.meter.bl0942_registers import (
    CF_CNT_AT,
    CURRENT_AT,
    FREQUENCY_AT,
    GAIN_16,
    GAIN_CR,
    MODE,
    MODE_60HZ,
    MODE_DEFAULT,
    MODE_SET,
    RESET_CODE,
    SOFT_RESET,
    UNLOCK_CODE,
    USR_WRPROT,
    VOLTAGE_AT,
    WATT_AT,
    scales,
)
from wattledger.hal.meter.running_counter import HELD, RunningCounter
from wattledger.hal.meter.scale import PPM, constants_of
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
)

# Gains in ppm. Energy has its own: published constants of energy and power disagree by 1.55.
CONSTANTS = (
    ("voltage_gain", PPM, 800_000, 1_200_000),
    ("current_gain", PPM, 800_000, 1_200_000),
    ("power_gain", PPM, 800_000, 1_200_000),
    ("energy_gain", PPM, 500_000, 2_000_000),
)

COUNTER_BITS = 24
JUMP = 64  # counts: 3 s of the highest power the chip can measure with the usual parts
NEAR_ZERO = 256  # a chip that restarted stands below it for 12 s at that power
VERIFY_EVERY = 64  # readings
RESET_MS = 50
LOWEST_PERIOD = 10_000  # 100 Hz: what is below is no mains frequency
MHZ = 1_000_000_000  # FREQ is the period in us
SIGN = 1 << 23


class Bl0942:
    """Driver of one chip. The board says shunt, divider, reference and the chip's address."""

    phases = 1
    fields = 1223  # voltage, current, power, energy, frequency, flags
    delayed = True
    bidirectional = True

    def __init__(
        self,
        device,
        wait_ms,
        calibration,
        address=0,
        sixty_hertz=False,
        shunt_uohm=1_000,
        divider_low=510,
        divider_high=1_950_000,
        vref_uv=1_218_000,
    ):
        """`device` is a UART; ChipError (stage calibration) for constants out of range."""
        constants = constants_of(calibration, CONSTANTS)
        self._device = device
        self._wait_ms = wait_ms
        self._mode = MODE_SET | (MODE_60HZ if sixty_hertz else 0)
        self._voltage, self._current, self._power, count = scales(
            constants, shunt_uohm, divider_low, divider_high, vref_uv
        )
        self.energy_numerator, self.energy_denominator = count
        self._port = Port(device, address)
        self._packets = self._port.packets
        self._answers = self._port.answers
        self._setup = b"".join(
            self._port.message(register, value)
            for register, value in (
                (USR_WRPROT, UNLOCK_CODE),
                (MODE, self._mode),
                (GAIN_CR, GAIN_16),
                (USR_WRPROT, 0),
            )
        )
        self._counter = RunningCounter(COUNTER_BITS, JUMP, signed=True)
        self._asked_mode = False  # what the next answer is to
        self._fresh = False  # the newest packet may be used
        self._verify = True  # MODE is to be asked for
        self._unsettled = False  # and the newest packet's energy waits for it
        self._odd_mode = -1  # a MODE that is neither ours nor a reset's, seen once
        self._lost = False  # the chip lost its set-up: its energy starts anew
        self._turn = VERIFY_EVERY
        self._power_before = 0
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0
        self.unsigned = 0  # readings that counted export upwards: CNT_ADD_SEL is the other way

    def begin(self):
        """Set up and read back; a chip with our MODE keeps its energy. ChipError. May wait."""
        try:
            mode = self._port.ask(MODE, self._wait_ms)
            if mode < 0:
                raise ChipError(
                    "BL0942 does not answer: check power, wiring, baud rate and address", "bus"
                )
            if mode != self._mode:
                self._set_up()
            self._verify = False
            self._unsettled = False
            self._packets.clear()
            self._fresh = False
            self._request()
            self._wait_ms(ANSWER_MS)
            if not self._counter.known and not self._lost:
                # Energy counts from here on, so this packet is not the first tick's.
                if not self._packets.newest():
                    raise ChipError("BL0942 sends no packet", "bus")
                self._counter.start(word(self._packets.frame, CF_CNT_AT))
                self._request()
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("BL0942 cannot be reached: %s" % error, "bus")

    def _set_up(self):
        self._device.write(self._port.message(USR_WRPROT, UNLOCK_CODE))
        self._device.write(self._port.message(SOFT_RESET, RESET_CODE))
        self._wait_ms(RESET_MS)
        self._device.write(self._setup)
        for register, value in ((MODE, self._mode), (GAIN_CR, GAIN_16)):
            found = self._port.ask(register, self._wait_ms)
            if found != value:
                raise ChipError(
                    "BL0942 register 0x%02X reads 0x%X, 0x%X was written"
                    % (register, found, value),
                    "read back",
                )
        if self._counter.known:
            self._lost = True
            self._counter.known = False

    def overflow_ms(self, max_watts):
        """Milliseconds to 2**23 counts: beyond, forwards and backwards look the same."""
        fill = (1 << COUNTER_BITS - 1) * self.energy_numerator * 3_600_000
        return fill // (self.energy_denominator * max_watts)

    def health(self):
        """Counters of what went wrong."""
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "corrupt": self.corrupt,
            "unsigned": self.unsigned,
        }

    def read_into(self, sample):
        """Fill `sample` from the answer to the reading before; status bits of hal/sample.py."""
        sample[ENERGY_COUNTS] = 0
        try:
            status = self._take_mode(sample) if self._asked_mode else self._take_packet(sample)
            self._request()
        except BusError:
            self.bus_errors += 1
            self._fresh = False
            return NO_ANSWER
        if status & CORRUPT:
            self.corrupt += 1
        return status

    def _request(self):
        self._asked_mode = self._verify and (self._fresh or self._lost)
        if self._asked_mode:
            self._port.request_mode()
        else:
            self._port.request_packet()

    def _take_packet(self, sample):
        self._fresh = self._packets.newest()
        if not self._fresh:
            return CORRUPT if self._packets.heard else NO_ANSWER
        self._unsettled = self._verify or self._has_fallen()
        if self._unsettled:
            self._verify = True
            return NO_ANSWER
        self._turn -= 1
        if self._turn <= 0:
            self._verify = True
        return self._settle(sample)

    def _has_fallen(self):
        """True for a CF_CNT that a chip after a restart could have, and another could not."""
        count = word(self._packets.frame, CF_CNT_AT)
        return self._counter.known and count < NEAR_ZERO and self._counter.is_above(count)

    def _take_mode(self, sample):
        if not self._answers.newest():
            return CORRUPT if self._answers.heard else NO_ANSWER
        mode = word(self._answers.frame, 0)
        if mode == self._mode:
            self._verify = False
            self._odd_mode = -1
            self._turn = VERIFY_EVERY
            if not self._unsettled:
                return NO_ANSWER
            self._unsettled = False
            return self._settle(sample)
        if mode != MODE_DEFAULT and mode != self._odd_mode:
            self._odd_mode = mode
            return CORRUPT
        # No reset here: it would need a wait. The chip is in its reset state by itself.
        self._device.write(self._setup)
        self._odd_mode = -1
        self._unsettled = False
        self._fresh = False
        self._lost = True
        self._counter.known = False
        return NO_ANSWER

    def _settle(self, sample):
        """Hand on the newest packet."""
        counter = self._counter
        self._fill(sample)
        count = word(self._packets.frame, CF_CNT_AT)
        power = sample[POWER_MW]
        before = self._power_before
        self._power_before = power
        if not counter.known:
            counter.start(count)
            if not self._lost:
                return OK
            self._lost = False
            self.restarts += 1
            return RESTARTED
        counts = counter.moved(count)
        if counter.state == HELD:
            self._power_before = before
            self._fresh = False
            self._verify = True
            return CORRUPT
        if counts > 0 and power < 0 and before < 0:
            # The power left at both ends: this chip counts without sign.
            counts = -counts
            self.unsigned += 1
        if counter.is_frozen(power):
            return CORRUPT
        sample[ENERGY_COUNTS] = counts
        return OK

    def _fill(self, sample):
        frame = self._packets.frame
        watt = word(frame, WATT_AT)
        # The register ends at this power (13.4 kW with the usual parts).
        sample[FLAGS] = FLAG_SATURATED if watt == SIGN or watt == SIGN - 1 else 0
        if watt >= SIGN:
            watt -= SIGN + SIGN
        sample[VOLTAGE_MV] = self._voltage.of(word(frame, VOLTAGE_AT))
        sample[CURRENT_MA] = self._current.of(word(frame, CURRENT_AT))
        sample[POWER_MW] = self._power.of(watt)
        period = frame[FREQUENCY_AT] | frame[FREQUENCY_AT + 1] << 8
        sample[FREQUENCY_MHZ] = MHZ // period if period >= LOWEST_PERIOD else 0
