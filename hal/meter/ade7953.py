"""ADE7953: one voltage, two currents, on SPI or I2C (`ade7953_spi.py`, `ade7953_i2c.py`).

Source: ADE7953 datasheet Rev. B. Every reading is proven (`ade7953_access.py`), so a flipped data
bit costs nothing, and neither does a flipped address that cleared another register. Line cycle
accumulation stays off: with read-with-reset a second read in a window gives 0.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.ade7953_access import TRIES, Access, signed
from wattledger.hal.meter.ade7953_registers import (
    AENERGYA,
    AVA,
    AVAR,
    AWATT,
    CONFIG,
    CONFIG_OURS,
    COUNT_BITS,
    FULL_RMS,
    HALF_RANGE,
    IRMSA,
    IRQ_OVER_CURRENT,
    IRQ_OVER_VOLTAGE,
    IRQ_OVERFLOW,
    IRQ_SAG,
    LAST_ADD,
    LOWEST_SCALE,
    PERIOD,
    PFA,
    RSTIRQSTATA,
    RSTIRQSTATB,
    UNITY,
    VRMS,
)
from wattledger.hal.meter.ade7953_setup import energy_fraction, holds, power_fraction, setup, write
from wattledger.hal.sample import (
    APPARENT_MVA,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SAG,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    NEUTRAL_MA,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    RESTARTED,
    VOLTAGE_MV,
)

SLOW_FIELDS = 4


class Ade7953:
    """Driver of one chip behind `Ade7953Spi` or `Ade7953I2c`.

    `second` says what the second current is: "phase", a circuit at the same voltage, or "neutral",
    whose current is compared and whose energy stands in the sample after the phase's.
    `volt_lsb` and `amp_lsb` are LSB of an rms register per V and A, facts of the board. Levels
    are raw peaks as the chip's peak registers show them.
    """

    bidirectional = True

    def __init__(
        self,
        port,
        wait_ms,
        calibration,
        second="neutral",
        volt_lsb=26_000,
        amp_lsb=100_000,
        sag_level=0,
        over_voltage_level=0xFFFFFF,
        over_current_level=0xFFFFFF,
    ):
        """`wait_ms(ms)` blocks. One dict of constants a channel in use; the neutral's may be left
        out. ChipError at stage "calibration"."""
        self._port = port
        self._wait_ms = wait_ms
        self.phases = 2 if second == "phase" else 1
        self.neutral_phase = None if second == "phase" else 1
        if second not in ("neutral", "phase") or not self.phases <= len(calibration) <= 2:
            raise ChipError("ADE7953: a calibration for each channel in use", "calibration")
        if not (1000 <= volt_lsb <= 1_000_000 and 1000 <= amp_lsb <= 1_000_000):
            raise ChipError("ADE7953: volt_lsb and amp_lsb are 1000 to 1000000", "calibration")
        if volt_lsb * amp_lsb < LOWEST_SCALE:
            raise ChipError(
                "ADE7953: volt_lsb times amp_lsb must be at least %d" % LOWEST_SCALE, "calibration"
            )
        # Phases: 7 fields, frequency; flags; and the neutral where it is one. No temperature.
        self.fields = 0x4FF if self.phases == 2 else 0x6FF
        self._volt_lsb = volt_lsb
        self._amp_lsb = amp_lsb
        self._setup = setup(calibration, (sag_level, over_voltage_level, over_current_level))
        self.energy_numerator, self.energy_denominator = energy_fraction(volt_lsb, amp_lsb)
        self._power_numerator, self._power_denominator = power_fraction(volt_lsb, amp_lsb)
        self._full_volts = _full(calibration[0].get("voltage_gain", UNITY))
        self._full_amps = [_full(given.get("current_gain", UNITY)) for given in calibration]
        self._full_amps.append(FULL_RMS)
        self._ready = False
        self._access = Access(port)
        self._fetch = self._access.fetch
        self._events = [0, 0]  # interrupt bits that were cleared and not yet told
        self._turn = 0
        self._proof = 0  # which register of the set-up is looked at next
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0

    def begin(self):
        """Set up and read back; a chip that runs with our set-up keeps its energy. ChipError."""
        self._ready = False
        try:
            self._access.rescue()
            self._prove_bus()
            if not holds(self._port, self._setup):
                write(self._port, self._setup, self._wait_ms)
            self._access.mark()
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("ADE7953 cannot be reached: %s" % error, "bus")
        self._ready = True

    def _prove_bus(self):
        for _ in range(TRIES):
            self._port.read(CONFIG)
            if self._port.read(LAST_ADD) == CONFIG:
                return
        raise ChipError("ADE7953 does not answer: check power, wiring and SPI mode 3", "bus")

    def overflow_ms(self, max_watts):
        """Milliseconds until 2**23 - 1 LSB at `max_watts` (40.5 s at full scale)."""
        watt_hours = HALF_RANGE * self.energy_numerator
        return watt_hours * 3_600_000 // ((self.energy_denominator * max_watts) << COUNT_BITS)

    def health(self):
        """Counters of what went wrong and the set-up as the chip holds it now."""
        try:
            held = [(register, self._port.read(register)) for register, _ in self._setup]
        except BusError:
            held = []
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "unconfirmed": self._access.unconfirmed,
            "corrupt": self.corrupt,
            "setup": held,
        }

    def read_into(self, sample):
        """Fill `sample`; status bits of hal/sample.py. A bus error becomes NO_ANSWER."""
        try:
            if not self._ready:
                return self._restart()
            self._access.rescue()
            # 0x8004 after a reset: the interface is locked only by our set-up.
            if self._access.mark() != CONFIG_OURS and self._access.mark() != CONFIG_OURS:
                return self._restart()
            return self._read_all(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER

    def _restart(self):
        try:
            self.begin()
        except ChipError:
            return NO_ANSWER
        self.restarts += 1
        return RESTARTED

    def _read_all(self, sample):
        self._access.status = OK
        voltage = self._fetch(VRMS)
        flags = FLAG_SATURATED if voltage > self._full_volts else 0
        voltage = _scaled(voltage, 1000, self._volt_lsb)
        phase = 0
        at = 0
        while phase < self.phases:
            self._fetch(AENERGYA + phase)
            sample[at + VOLTAGE_MV] = voltage
            current = self._fetch(IRMSA + phase)
            if current > self._full_amps[phase]:
                flags |= FLAG_SATURATED
            sample[at + CURRENT_MA] = _scaled(current, 1000, self._amp_lsb)
            sample[at + POWER_MW] = self._power(AWATT + phase)
            self._read_slow(sample, at, phase)
            at += PHASE_FIELDS
            phase += 1
        if self.phases == 1:
            self._fetch(AENERGYA + 1)
            sample[NEUTRAL_MA] = _scaled(self._fetch(IRMSA + 1), 1000, self._amp_lsb)
        self._turn = (self._turn + 1) % SLOW_FIELDS
        self._look_at_setup()
        self._events[0] |= self._fetch(RSTIRQSTATA)
        self._events[1] |= self._fetch(RSTIRQSTATB)
        return self._hand_on(sample, flags)

    def _read_slow(self, sample, at, phase):
        """One of the values that only people look at, another at each tick."""
        turn = self._turn
        if turn == 0:
            sample[at + REACTIVE_MVAR] = self._power(AVAR + phase)
        elif turn == 1:
            sample[at + APPARENT_MVA] = self._power(AVA + phase)
        elif turn == 2:
            # The chip's sign says capacitive; the sample's is that of the power.
            factor = abs(signed(self._fetch(PFA + phase), 0x8000)) * 1000 // 32768
            sample[at + POWER_FACTOR] = -factor if sample[at + POWER_MW] < 0 else factor
        elif turn == 3:
            sample[FREQUENCY_MHZ] = 223_750_000 // (self._fetch(PERIOD) + 1)

    def _look_at_setup(self):
        """One register a tick: one that changed by itself is set up anew at the next."""
        register, value = self._setup[self._proof]
        if self._fetch(register) != value:
            self.corrupt += 1
            self._ready = False
        self._proof = (self._proof + 1) % len(self._setup)

    def _hand_on(self, sample, flags):
        """Counts leave only with a whole sample; after an overflow they are a gap."""
        events = self._events[0] | (self._events[1] & (IRQ_OVERFLOW | IRQ_OVER_CURRENT))
        overflow = self._events[0]
        if self.phases == 2:
            overflow |= self._events[1]
        neutral = self._events[1] & IRQ_OVERFLOW if self.phases == 1 else 0
        self._events[0] = self._events[1] = 0
        if events & IRQ_SAG:
            flags |= FLAG_SAG
        if events & (IRQ_OVER_VOLTAGE | IRQ_OVER_CURRENT):
            flags |= FLAG_SATURATED
        sample[FLAGS] = flags
        held = self._access.held
        if neutral:
            held[1] = 0  # the neutral's energy only: what is billed is whole
        phase = 0
        while phase < 2:
            if overflow & IRQ_OVERFLOW:
                held[phase] = 0
            sample[phase * PHASE_FIELDS + ENERGY_COUNTS] = held[phase] >> COUNT_BITS
            held[phase] &= (1 << COUNT_BITS) - 1
            phase += 1
        status = self._access.status
        return status | RESTARTED if overflow & IRQ_OVERFLOW else status

    def _power(self, register):
        value = signed(self._fetch(register), 0x800000)
        if value < 0:
            return -_scaled(-value, self._power_numerator, self._power_denominator)
        return _scaled(value, self._power_numerator, self._power_denominator)


def _full(gain):
    return FULL_RMS * (gain >> 8) // (UNITY >> 8)


def _scaled(value, numerator, denominator):
    """value * numerator / denominator of small integers, without a large one on the way."""
    rest = value % denominator * numerator // denominator
    return value // denominator * numerator + rest
