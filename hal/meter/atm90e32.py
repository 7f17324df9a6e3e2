"""ATM90E32 / M90E32AS: three-phase metering chip on SPI (mode 3, 32 clocks a select, at most 1
MHz).

Sources: Atmel-46003B (datasheet), Atmel-46103A (application note). Overflow of an energy register
is not documented: read well inside it. Reactive power is the chip's own, of a current turned by 90
degrees, not the square root of apparent and active power.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.atm90e32_energy import Energy
from wattledger.hal.meter.atm90e32_port import Port
from wattledger.hal.meter.atm90e32_registers import (
    APPARENT_HIGH,
    CRC_ERR_STATUS,
    EMM_INT_STATE_1,
    EMM_STATE_0,
    EMM_STATE_1,
    FREQUENCY,
    FULL_COUNTS,
    I_RMS,
    METER_EN,
    ONES,
    POWER_FACTOR_REG,
    POWER_HIGH,
    POWER_HIGH_LIMIT,
    POWER_LOW_OFFSET,
    REACTIVE_HIGH,
    SLOW_FIELDS,
    STATE_LOSS_A,
    STATE_SAG_A,
    STATE_SEQUENCE,
    TEMPERATURE,
    U_RMS,
)
from wattledger.hal.sample import (
    APPARENT_MVA,
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_PHASE_LOSS,
    FLAG_SAG,
    FLAG_SEQUENCE,
    FLAGS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    RESTARTED,
    TEMPERATURE_DC,
    VOLTAGE_MV,
)


class Atm90e32:
    """Driver of one chip. Constants of a phase: `atm90e32_setup.CONSTANTS`."""

    energy_numerator = 1  # a count is 3.125 mWh: 1/320 Wh
    energy_denominator = 320
    fields = 0x5FF  # every phase's, frequency, temperature and flags
    bidirectional = True

    def __init__(self, spi, wait_ms, calibration, sixty_hertz=False, channels=None):
        """`spi` is an SPI device; `wait_ms(ms)` blocks. The first frame is sent by begin().

        `calibration` holds a dict of constants for each phase in use, `channels` the chip's
        channel of each (0 A, 1 B, 2 C), the first ones by default; a split-phase board uses
        (0, 2). ChipError at stage "calibration".
        """
        # Not at the top, here and in begin(): a device forgets it after the boot.
        from wattledger.hal.meter import atm90e32_setup

        self.phases = len(calibration)
        self._channels = tuple(range(self.phases)) if channels is None else channels
        self._wait_ms = wait_ms
        self._port = Port(spi)
        self._read = self._port.read
        self._energy = Energy(self._port, self._channels)
        self._setup = atm90e32_setup.setup(calibration, self._channels, sixty_hertz)
        self._ready = False  # set up and read back: only then is it measured with
        self._kept = False  # begin() found it running with our set-up and its energy
        self._turn = 0  # which of the slow values the next sample reads
        self._state = 0  # of EMMState1, as far as phases in use go
        self._latched = 0
        self._sequence = 0
        self._mask = 0
        for channel in self._channels:
            self._mask |= (STATE_SAG_A | STATE_LOSS_A) >> channel
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0

    def begin(self):
        """Set up and read back; a chip that runs with our set-up keeps its energy. ChipError."""
        from wattledger.hal.meter import atm90e32_setup

        self._ready = False
        port = self._port
        try:
            self._energy.rescue()
            self._kept = atm90e32_setup.holds(port, self._setup) and not self._set_up_changed()
            if not self._kept:
                self._energy.forget()
                atm90e32_setup.write(port, self._setup, self._wait_ms)
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("ATM90E32 cannot be reached: %s" % error, "bus")
        self._ready = True

    def _set_up_changed(self):
        return self._read(CRC_ERR_STATUS) and self._read(CRC_ERR_STATUS)

    def overflow_ms(self, max_watts):
        """204.8 Wh fill a register: milliseconds until that at `max_watts`, of the total first."""
        return FULL_COUNTS * 11250 // max_watts // self.phases

    def health(self):
        """Counters of what went wrong and the set-up as the chip holds it now."""
        try:
            self._energy.rescue()  # LastSPIData is about to change
            held = [(register, self._read(register)) for register, _ in self._setup]
        except BusError:
            held = []
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "unconfirmed": self._energy.unconfirmed,
            "unsettled": self._energy.unsettled,
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
            self._energy.rescue()
            return self._read_all(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER

    def _read_all(self, sample):
        # MeterEn is 0 after a brown-out: all set-up and all energy are gone.
        enabled = self._read(METER_EN)
        if enabled != 1:
            self.corrupt += 1
            self._energy.stray = enabled
            enabled = self._read(METER_EN)
        if enabled == 0:
            return self._restart()
        if enabled != 1:
            return CORRUPT
        energy = self._energy
        energy.read_all()
        phase = 0
        at = 0
        while phase < self.phases:
            channel = self._channels[phase]
            voltage = self._read(U_RMS + channel)
            if voltage == ONES:
                raise BusError("the bus answers nothing but ones")
            sample[at + VOLTAGE_MV] = voltage * 10
            sample[at + CURRENT_MA] = self._read(I_RMS + channel)
            sample[at + POWER_MW] = self._read_power(POWER_HIGH + channel, sample[at + POWER_MW])
            self._read_slow(sample, at, channel)
            at += PHASE_FIELDS
            phase += 1
        self._read_flags(sample)
        self._turn = (self._turn + 1) % SLOW_FIELDS
        # Reading cleared the chip's registers: counts are handed on only with a whole sample, so
        # that a fault anywhere in it loses nothing.
        phase = 0
        while phase < self.phases:
            sample[phase * PHASE_FIELDS + ENERGY_COUNTS] = energy.held[phase]
            phase += 1
        energy.hand_on()
        return energy.status

    def _read_slow(self, sample, at, channel):
        """One of the values that only people look at, another at each tick."""
        turn = self._turn
        if turn == 0:
            sample[at + REACTIVE_MVAR] = self._read_power(
                REACTIVE_HIGH + channel, sample[at + REACTIVE_MVAR]
            )
        elif turn == 1:
            sample[at + APPARENT_MVA] = self._read_power(
                APPARENT_HIGH + channel, sample[at + APPARENT_MVA]
            )
        elif turn == 2:
            sample[at + POWER_FACTOR] = _signed(self._read(POWER_FACTOR_REG + channel))
        elif at:
            return  # the rest is of the whole chip
        elif turn == 3:
            sample[FREQUENCY_MHZ] = self._read(FREQUENCY) * 10
        elif turn == 4:
            # A set-up register that changed by itself measures wrong: set up anew next time.
            if self._set_up_changed():
                self._ready = False
        elif turn == 5:
            sample[TEMPERATURE_DC] = _signed(self._read(TEMPERATURE)) * 10
        elif turn == 6:
            self._sequence = self._read(EMM_STATE_0) & STATE_SEQUENCE
        else:
            # A sag shorter than a tick leaves its trace only here.
            self._latched = self._read(EMM_INT_STATE_1) & self._mask
            if self._latched:
                self._port.write(EMM_INT_STATE_1, self._latched)

    def _read_flags(self, sample):
        """What is wrong with the mains now, and once what was since the latches were read."""
        state = self._read(EMM_STATE_1) & self._mask
        if state != self._state:  # new, or misheard
            state = self._read(EMM_STATE_1) & self._mask
        self._state = state
        state |= self._latched
        self._latched = 0
        flags = FLAG_SEQUENCE if self._sequence else 0
        if state:
            phase = 0
            while phase < self.phases:
                channel = self._channels[phase]
                if state & STATE_SAG_A >> channel:
                    flags |= FLAG_SAG << phase
                if state & STATE_LOSS_A >> channel:
                    flags |= FLAG_PHASE_LOSS << phase
                phase += 1
        sample[FLAGS] = flags

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


def _signed(word):
    """A 16-bit two's complement word as a signed int."""
    return word - 65536 if word >= 32768 else word
