"""ATM90E32 / M90E32AS: three-phase metering chip on SPI (mode 3, 32 clocks a select, at most 1
MHz).

Sources: Atmel-46003B (datasheet), Atmel-46103A (application note). Energy registers clear when
read; a read that was corrupted on the wire is found again in LastSPIData and nowhere else, so
each energy read is confirmed there. Overflow of an energy register is not documented: read well
inside it.
"""

from array import array

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.atm90e32_registers import (
    APPARENT_HIGH,
    CFG_REG_ACC_EN,
    CONFIRMATIONS,
    CRC_ERR_STATUS,
    FORWARD_ENERGY,
    FREQUENCY,
    FREQUENCY_60HZ,
    FULL_COUNTS,
    I_GAIN,
    I_RMS,
    LAST_SPI_DATA,
    M_MODE_0,
    METER_EN,
    ONES,
    PHASE_GAINS,
    POWER_FACTOR_REG,
    POWER_HIGH,
    POWER_HIGH_LIMIT,
    POWER_LOW_OFFSET,
    REACTIVE_HIGH,
    READ,
    RESET_CODE,
    RESET_MS,
    REVERSE_ENERGY,
    SETUP,
    SLOW_FIELDS,
    SOFT_RESET,
    TEMPERATURE,
    U_GAIN,
    U_RMS,
    UNLOCK_CODE,
)
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


class Atm90e32:
    """Driver of one chip; `gains` holds (voltage, current) of each phase in use, A first."""

    energy_numerator = 1  # a count is 3.125 mWh: 1/320 Wh
    energy_denominator = 320
    fields = (1 << 9) - 1  # every phase's, frequency and temperature
    bidirectional = True

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
        self._ready = False  # set up and read back: only then is it measured with
        self._kept = False  # begin() found it running with our set-up and its energy
        self._status = OK
        self._turn = 0  # which of the slow values the next sample reads
        self._held = array("i", [0] * MAX_PHASES)  # counts read and not yet handed on
        # An energy read that a fault cut short: its phase (-1: none), sign, what LastSPIData held
        # before it, and whether the chip is known to have heard it.
        self._cut_phase = -1
        self._cut_sign = 0
        self._cut_before = 0
        self._cut_heard = False
        self._last = 0  # data of the last transfer, which is what LastSPIData holds
        self.restarts = 0
        self.bus_errors = 0
        self.unconfirmed = 0
        self.corrupt = 0

    def begin(self):
        """Set up and read back; a chip that runs with our set-up keeps its energy. ChipError."""
        self._ready = False
        try:
            self._rescue()
            self._kept = self._is_set_up() and not self._read(CRC_ERR_STATUS)
            if not self._kept:
                self._set_up()
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("ATM90E32 cannot be reached: %s" % error, "bus")
        self._ready = True

    def _set_up(self):
        self._write(SOFT_RESET, RESET_CODE)
        self._wait_ms(RESET_MS)
        self._write(CFG_REG_ACC_EN, UNLOCK_CODE)
        if self._read(LAST_SPI_DATA) != UNLOCK_CODE:
            raise ChipError("ATM90E32 does not answer: check power, wiring and SPI mode 3", "bus")
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

    def _is_set_up(self):
        """True when every register of the set-up holds; one misheard answer is asked again."""
        return all(
            self._read(register) == value or self._read(register) == value
            for register, value in self._setup
        )

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
            if not self._ready:
                status = self._restart()
                if status:
                    return status
            self._rescue()
            return self._read_all(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER

    def _read_all(self, sample):
        # MeterEn is 0 after a brown-out: all set-up and all energy are gone.
        enabled = self._read(METER_EN)
        if enabled != 1:
            self.corrupt += 1
            enabled = self._read(METER_EN)
        if enabled == 0:
            return self._restart()
        if enabled != 1:
            return CORRUPT
        self._status = OK
        phase = 0
        at = 0
        while phase < self.phases:
            self._read_energy(FORWARD_ENERGY + phase, phase, 1)
            self._read_energy(REVERSE_ENERGY + phase, phase, -1)
            voltage = self._read(U_RMS + phase)
            if voltage == ONES:
                raise BusError("the bus answers nothing but ones")
            sample[at + VOLTAGE_MV] = voltage * 10
            sample[at + CURRENT_MA] = self._read(I_RMS + phase)
            sample[at + POWER_MW] = self._read_power(POWER_HIGH + phase, sample[at + POWER_MW])
            self._read_slow(sample, at, phase)
            at += PHASE_FIELDS
            phase += 1
        self._turn = (self._turn + 1) % SLOW_FIELDS
        # Reading cleared the chip's registers: counts are handed on only with a whole sample, so
        # that a fault anywhere in it loses nothing.
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
        elif turn == 4:
            # A set-up register that changed by itself measures wrong: set up anew next time.
            if self._read(CRC_ERR_STATUS):
                self._ready = False
        else:
            sample[TEMPERATURE_DC] = _signed(self._read(TEMPERATURE)) * 10

    def _restart(self):
        """Set up a chip that lost its registers or was refused; tell a dead bus from it, and one
        that only could not be reached: OK, for it has counted on."""
        try:
            self.begin()
        except ChipError:
            return NO_ANSWER
        if self._kept:
            return OK
        self.restarts += 1
        return RESTARTED

    def _read_energy(self, register, phase, sign):
        """Add a read-to-clear register to the held counts of a phase, confirmed.

        An answer that was hit on the wire, or lost, is still in LastSPIData.
        """
        self._cut_before = self._last
        self._cut_sign = sign
        self._cut_heard = False
        self._cut_phase = phase
        value = self._read(register)
        if value == ONES and self._read(METER_EN) != 1:
            raise BusError("the bus answers nothing but ones")
        self._cut_heard = True
        held = value if value == ONES else self._read(LAST_SPI_DATA)
        if held != value:
            self._status |= UNCONFIRMED
            self.unconfirmed += 1
            held = self._settled(held)
        self._last = held
        self._held[phase] += sign * held
        self._cut_phase = -1

    def _rescue(self):
        """Find the energy of a read that a fault cut short: it is in LastSPIData if the chip heard
        it, and still in its register if not."""
        if self._cut_phase < 0:
            return
        held = self._settled(self._read(LAST_SPI_DATA))
        if self._cut_heard or held != self._cut_before:
            self._held[self._cut_phase] += self._cut_sign * held
        self._cut_phase = -1

    def _settled(self, value):
        """LastSPIData once it reads the same twice running; `value` is the first reading of it.

        Reading it does not change it, so either answer may be the one that was hit.
        """
        for _ in range(CONFIRMATIONS):
            before = value
            value = self._read(LAST_SPI_DATA)
            if value == before:
                if value == ONES and self._read(METER_EN) != 1:
                    break
                return value
        raise BusError("LastSPIData does not settle")

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
        value = self._in[2] << 8 | self._in[3]
        if register != LAST_SPI_DATA:
            self._last = value
        return value

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
