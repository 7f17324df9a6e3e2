"""ATM90E32 / M90E32AS: three-phase metering chip on SPI (mode 3, 32 clocks a select, at most 1
MHz).

Sources: Atmel-46003B (datasheet), Atmel-46103A (application note). Energy registers clear when
read; a read that was corrupted on the wire is found again in LastSPIData and nowhere else, so
each energy read is confirmed there. Overflow of an energy register is not documented: read well
inside it.
"""

from array import array

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.sample import (
    APPARENT_MVA,
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    MAX_PHASES,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    RESTARTED,
    TEMPERATURE_DC,
    UNCONFIRMED,
    VOLTAGE_MV,
)

METER_EN = 0x00
SAG_PEAK_DET_CFG = 0x05
PL_CONST_H = 0x31
PL_CONST_L = 0x32
M_MODE_0 = 0x33
M_MODE_1 = 0x34
P_START_TH = 0x35
Q_START_TH = 0x36
S_START_TH = 0x37
P_PHASE_TH = 0x38
Q_PHASE_TH = 0x39
S_PHASE_TH = 0x3A
U_GAIN = 0x61  # phase A; the next phase is PHASE_GAINS further on
I_GAIN = 0x62
PHASE_GAINS = 4
SOFT_RESET = 0x70
LAST_SPI_DATA = 0x78
CFG_REG_ACC_EN = 0x7F

FORWARD_ENERGY = 0x81  # phase A, read to clear, 3.125 mWh a count at MC 3200
REVERSE_ENERGY = 0x85
POWER_HIGH = 0xB1  # phase A
REACTIVE_HIGH = 0xB5
APPARENT_HIGH = 0xB9
POWER_LOW_OFFSET = 0x10  # the low word of each of these
POWER_FACTOR_REG = 0xBD
U_RMS = 0xD9
I_RMS = 0xDD
FREQUENCY = 0xF8
TEMPERATURE = 0xFC

RESET_CODE = 0x789A
UNLOCK_CODE = 0x55AA
RESET_MS = 40  # datasheet: 5 to 40 ms
READ = 0x80
FREQUENCY_60HZ = 0x1000

# Start thresholds in 0.00032 W: 2.4 W in all, 0.24 W a phase.
THRESHOLD_ALL = 0x1D4C
THRESHOLD_PHASE = 0x02EE

SETUP = (
    (METER_EN, 0x0001),
    (SAG_PEAK_DET_CFG, 0x143F),
    (PL_CONST_H, 0x0861),
    (PL_CONST_L, 0xC468),
    (M_MODE_0, 0x0087),
    (M_MODE_1, 0x0000),
    (P_START_TH, THRESHOLD_ALL),
    (Q_START_TH, THRESHOLD_ALL),
    (S_START_TH, THRESHOLD_ALL),
    (P_PHASE_TH, THRESHOLD_PHASE),
    (Q_PHASE_TH, THRESHOLD_PHASE),
    (S_PHASE_TH, THRESHOLD_PHASE),
)

# 32-bit powers are 0.00032 W: 8/25 mW. Beyond this high word a reading is over 42 kW a phase: no
# board here measures, and its product would leave the small ints of an ESP32.
POWER_HIGH_LIMIT = 2040
FULL_COUNTS = 0xFFFF
CONFIRMATIONS = 4
SLOW_FIELDS = 5


class Atm90e32:
    """Driver of one chip; `gains` holds (voltage, current) of each phase in use, A first."""

    energy_numerator = 1  # a count is 3.125 mWh: 1/320 Wh
    energy_denominator = 320

    def __init__(self, spi, wait_ms, gains, sixty_hertz=False):
        """`spi` is an SPI device; `wait_ms(ms)` blocks. The first frame is sent by begin()."""
        self._spi = spi
        self._wait_ms = wait_ms
        self.phases = len(gains)
        self._out = bytearray(4)
        self._in = bytearray(4)
        setup = []
        for register, value in SETUP:
            if register == M_MODE_0 and sixty_hertz:
                value |= FREQUENCY_60HZ
            setup.append((register, value))
        for phase, (voltage, current) in enumerate(gains):
            setup.append((U_GAIN + phase * PHASE_GAINS, voltage))
            setup.append((I_GAIN + phase * PHASE_GAINS, current))
        self._setup = setup
        self._status = OK
        self._turn = 0  # which of the slow values the next sample reads
        self._held = array("i", [0] * MAX_PHASES)  # counts read and not yet handed on
        self.restarts = 0
        self.bus_errors = 0
        self.unconfirmed = 0
        self.corrupt = 0

    def begin(self):
        """Set up and read back; a chip that runs with our set-up keeps its energy. ChipError."""
        try:
            if self._is_set_up():
                return
            self._write(SOFT_RESET, RESET_CODE)
            self._wait_ms(RESET_MS)
            self._write(CFG_REG_ACC_EN, UNLOCK_CODE)
            if self._read(LAST_SPI_DATA) != UNLOCK_CODE:
                raise ChipError(
                    "ATM90E32 does not answer: check power, wiring and SPI mode 3", "bus"
                )
            for register, value in self._setup:
                self._write(register, value)
            for register, value in self._setup:
                found = self._read(register)
                if found != value:
                    raise ChipError(
                        "ATM90E32 register 0x%02X reads 0x%04X, 0x%04X was written"
                        % (register, found, value),
                        "read back",
                    )
            self._write(CFG_REG_ACC_EN, 0)
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("ATM90E32 cannot be reached: %s" % error, "bus")

    def _is_set_up(self):
        return all(self._read(register) == value for register, value in self._setup)

    def overflow_ms(self, max_watts):
        """204.8 Wh fill a register: milliseconds until that at `max_watts`."""
        return FULL_COUNTS * 11250 // max_watts

    def health(self):
        """Counters of what went wrong and the set-up as the chip holds it now."""
        try:
            held = [(register, self._read(register)) for register, _ in self._setup]
        except BusError:
            held = []
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "unconfirmed": self.unconfirmed,
            "corrupt": self.corrupt,
            "setup": held,
        }

    def read_into(self, sample):
        """Fill `sample`; status bits of hal/sample.py. A bus error becomes NO_ANSWER."""
        try:
            return self._read_all(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER

    def _read_all(self, sample):
        # MeterEn is 0 after a brown-out: all set-up and all energy are gone.
        enabled = self._read(METER_EN)
        if enabled != 1 and not self._was_misread():
            return self._restart(enabled)
        self._status = OK
        phase = 0
        at = 0
        while phase < self.phases:
            # Reading clears the chip's register: held here until the whole sample is in, so that a
            # bus error further on loses nothing.
            self._held[phase] += self._read_energy(FORWARD_ENERGY + phase)
            self._held[phase] -= self._read_energy(REVERSE_ENERGY + phase)
            sample[at + VOLTAGE_MV] = self._read(U_RMS + phase) * 10
            sample[at + CURRENT_MA] = self._read(I_RMS + phase)
            sample[at + POWER_MW] = self._read_power(POWER_HIGH + phase, sample[at + POWER_MW])
            self._read_slow(sample, at, phase)
            at += PHASE_FIELDS
            phase += 1
        self._turn = (self._turn + 1) % SLOW_FIELDS
        phase = 0
        while phase < self.phases:
            sample[phase * PHASE_FIELDS + ENERGY_COUNTS] = self._held[phase]
            self._held[phase] = 0
            phase += 1
        return self._status

    def _read_slow(self, sample, at, phase):
        """One of the values that only people look at, another at each tick."""
        turn = self._turn
        if turn == 0:
            sample[at + REACTIVE_MVAR] = self._read_power(
                REACTIVE_HIGH + phase, sample[at + REACTIVE_MVAR]
            )
        elif turn == 1:
            sample[at + APPARENT_MVA] = self._read_power(
                APPARENT_HIGH + phase, sample[at + APPARENT_MVA]
            )
        elif turn == 2:
            sample[at + POWER_FACTOR] = _signed(self._read(POWER_FACTOR_REG + phase))
        elif turn == 3:
            sample[FREQUENCY_MHZ] = self._read(FREQUENCY) * 10
        else:
            sample[TEMPERATURE_DC] = _signed(self._read(TEMPERATURE)) * 10

    def _was_misread(self):
        """True when the chip is set up after all: only the answer had been hit on the wire."""
        self.corrupt += 1
        return self._is_set_up()

    def _restart(self, enabled):
        """The chip lost its registers, or the bus is dead: tell the two apart and set up again."""
        if enabled != 0:
            return CORRUPT
        try:
            self.begin()
        except ChipError:
            return NO_ANSWER
        self.restarts += 1
        return RESTARTED

    def _read_energy(self, register):
        """A read-to-clear register, confirmed: a corrupted answer is still in LastSPIData."""
        value = self._read(register)
        held = self._read(LAST_SPI_DATA)
        if held == value:
            return value
        self._status |= UNCONFIRMED
        self.unconfirmed += 1
        # Either answer may be the one that was hit. Reading LastSPIData does not change it, so the
        # value is what it says twice running.
        for _ in range(CONFIRMATIONS):
            value = held
            held = self._read(LAST_SPI_DATA)
            if held == value:
                break
        return held

    def _read_power(self, high_register, before):
        """mW of a 32-bit power, its low word 16 registers on; `before` when it cannot be true.

        Read again when the high word moved between the two reads.
        """
        low_register = high_register + POWER_LOW_OFFSET
        high = self._read(high_register)
        low = self._read(low_register)
        again = self._read(high_register)
        if again != high:
            high = again
            low = self._read(low_register)
        high = _signed(high)
        if high >= POWER_HIGH_LIMIT or high < -POWER_HIGH_LIMIT:
            self.corrupt += 1
            return before
        return (high * 65536 + low) * 8 // 25

    def _read(self, register):
        out = self._out
        out[0] = READ | register >> 8
        out[1] = register & 0xFF
        out[2] = 0
        out[3] = 0
        self._spi.transfer(out, self._in)
        return self._in[2] << 8 | self._in[3]

    def _write(self, register, value):
        out = self._out
        out[0] = register >> 8
        out[1] = register & 0xFF
        out[2] = value >> 8
        out[3] = value & 0xFF
        self._spi.transfer(out, self._in)


def _signed(word):
    """A 16-bit two's complement word as a signed int."""
    return word - 65536 if word >= 32768 else word
