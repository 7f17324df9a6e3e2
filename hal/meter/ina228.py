"""INA228: voltage, current, power, energy and charge of a direct current, on I2C.

Source: TI SBOS962 (INA228 datasheet). Registers do not clear when read: energy is the difference
to what was last handed on, so a reading that fails loses nothing. ENERGY adds up magnitudes; the
direction of a tick is that of its CHARGE, see docs/chips/ina228.md for what that can miss.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.ina228_port import Port
from wattledger.hal.meter.ina228_registers import (
    ADC_CONFIG,
    ADC_CONFIG_RUN,
    CHARGE,
    CODES,
    CONFIG,
    CONFIG_ADCRANGE,
    CONFIG_RST,
    CURRENT,
    DEVICE,
    DEVICE_ID,
    DIAG_ALRT,
    DIAG_CHARGEOF,
    DIAG_ENERGYOF,
    DIAG_MATHOF,
    DIAG_MEMSTAT,
    DIETEMP,
    ENERGY,
    MANUFACTURER,
    MANUFACTURER_ID,
    POWER,
    RAW_A_COUNT,
    RESET_MS,
    SHUNT_CAL,
    VBUS,
    VBUS_LIMIT,
)
from wattledger.hal.meter.ina228_scale import check_range, common, current_lsb, shunt_cal
from wattledger.hal.meter.scale import PPM, constants_of
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    TEMPERATURE_DC,
    UNCONFIRMED,
    VOLTAGE_MV,
)

CONSTANTS = (("current_gain", PPM, 800_000, 1_200_000),)  # into SHUNT_CAL
STEP = 1 << 24  # the upper two bytes of an accumulator count these
MOST_STEPS = 15
FULL_RAW = MOST_STEPS * STEP  # energy LSBs that one reading can be told from a jump by


class Ina228:
    """Driver of one chip over a shunt. Import is current from IN+ to IN-."""

    phases = 1
    fields = 0b10101000111  # voltage, current, power, energy, temperature, flags
    bidirectional = True

    def __init__(self, i2c, wait_ms, calibration, max_amps, shunt_micro_ohm, fine=False):
        """`fine` takes the 40.96 mV range. ChipError (calibration) when the numbers do not fit."""
        self._port = Port(i2c)
        self._wait_ms = wait_ms
        gain = constants_of(calibration, CONSTANTS)["current_gain"]
        self.lsb_ua = current_lsb(max_amps)
        check_range(max_amps, shunt_micro_ohm, fine)
        self.shunt_cal = shunt_cal(self.lsb_ua, shunt_micro_ohm, gain, fine)
        self._setup = (
            (CONFIG, CONFIG_ADCRANGE if fine else 0),
            (ADC_CONFIG, ADC_CONFIG_RUN),
            (SHUNT_CAL, self.shunt_cal),
        )
        divisor = common(self.lsb_ua, 62_500)
        self.energy_numerator = self.lsb_ua // divisor
        self.energy_denominator = 62_500 // divisor
        # What was last handed on: accumulators as their upper two and lower three bytes.
        self._based = False
        self._energy_high = 0
        self._energy_low = 0
        self._charge_high = 0
        self._charge_low = 0
        self._backward = False
        self._import_rest = 0  # energy LSBs short of a count
        self._export_rest = 0
        self._jumped = False
        self._ready = False
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0
        self.unconfirmed = 0
        self.overflows = 0

    def begin(self):
        """Set up and read back; a chip that runs with our set-up goes on. ChipError."""
        self._ready = False
        try:
            self._identify()
            if not self._is_set_up():
                self._identify()  # or a bus that stuck just now would cost the chip its energy
                self._set_up()
            if not self._based:
                self._rebase()
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("INA228 cannot be reached: %s" % error, "bus")
        self._ready = True

    def _identify(self):
        maker = self._port.settled_word(MANUFACTURER_ID)
        if maker != MANUFACTURER:
            raise ChipError(
                "INA228: the manufacturer reads 0x%04X, not 0x5449: check address and wiring"
                % maker,
                "bus",
            )
        device = self._port.settled_word(DEVICE_ID)
        if device >> 4 != DEVICE:
            raise ChipError("INA228: another chip answers (0x%04X)" % device, "identity")

    def _set_up(self):
        self._based = False
        self._port.write(CONFIG, CONFIG_RST)
        self._wait_ms(RESET_MS)
        for register, value in self._setup:
            self._port.write(register, value)
        for register, value in self._setup:
            found = self._port.settled_word(register)
            if found != value:
                raise ChipError(
                    "INA228 register 0x%02X reads 0x%04X, 0x%04X was written"
                    % (register, found, value),
                    "read back",
                )

    def _is_set_up(self):
        """True when every register of the set-up holds; one misheard answer is asked again."""
        for register, value in self._setup:
            if self._port.read_word(register) != value and self._port.read_word(register) != value:
                return False
        return True

    def overflow_ms(self, max_watts):
        """Milliseconds at `max_watts` until a reading can no longer be told from a jump."""
        # FULL_RAW LSBs of 51.2e-6 lsb_ua joules, in mJ over watts.
        return FULL_RAW * 512 * self.lsb_ua // (max_watts * 10_000)

    def health(self):
        """Counters of what went wrong and the set-up as the chip holds it now."""
        try:
            held = [(register, self._port.read_word(register)) for register, _ in self._setup]
        except BusError:
            held = []
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors,
            "unconfirmed": self.unconfirmed,
            "corrupt": self.corrupt,
            "overflows": self.overflows,
            "setup": held,
        }

    def read_into(self, sample):
        """Fill `sample`; status bits of hal/sample.py. A bus error becomes NO_ANSWER."""
        try:
            # A brown-out leaves the defaults in both; asked twice, for one may be misheard.
            if not self._ready or not self._is_set_up():
                return self._restart()
            return self._read_all(sample)
        except BusError:
            self.bus_errors += 1
            return NO_ANSWER

    def _restart(self):
        """Set up a chip that lost its registers or was refused; tell a dead bus from it."""
        try:
            self.begin()
        except ChipError:
            return NO_ANSWER
        self.restarts += 1
        return RESTARTED

    def _read_all(self, sample):
        voltage = self._port.read_20(VBUS)
        if voltage > VBUS_LIMIT:
            self.corrupt += 1
            voltage = self._port.read_20(VBUS)
            if voltage > VBUS_LIMIT:
                return CORRUPT
        current = _signed_20(self._port.read_20(CURRENT))
        power = self._port.read_24(POWER)
        temperature = _signed_16(self._port.read_word(DIETEMP))
        diagnosis = self._port.read_word(DIAG_ALRT)
        if not diagnosis & DIAG_MEMSTAT:
            self.corrupt += 1
            return CORRUPT
        if diagnosis & (DIAG_ENERGYOF | DIAG_CHARGEOF):
            self.overflows += 1
        status = self._read_energy(sample)
        if status & (CORRUPT | RESTARTED):
            return status
        sample[VOLTAGE_MV] = voltage * 25 >> 7
        sample[CURRENT_MA] = _over(current * self.lsb_ua, 1000)
        # 3.2 CURRENT_LSB is 2/625 mW a uA; in two parts, to stay a small int.
        twice = 2 * self.lsb_ua
        power = power // 625 * twice + power % 625 * twice // 625
        sample[POWER_MW] = -power if current < 0 else power
        sample[TEMPERATURE_DC] = _over(temperature * 5, 64)
        saturated = diagnosis & DIAG_MATHOF or current == CODES - 1 or current == -CODES
        sample[FLAGS] = FLAG_SATURATED if saturated else 0
        return status

    def _read_energy(self, sample):
        """Counts since the last reading that was handed on, into `sample`; status."""
        five = self._port.settled_five(CHARGE)
        charge_high = five[0] << 8 | five[1]
        charge_low = five[2] << 16 | five[3] << 8 | five[4]
        five = self._port.settled_five(ENERGY)
        high = five[0] << 8 | five[1]
        low = five[2] << 16 | five[3] << 8 | five[4]
        # A bus that stuck on the way answered the same twice as well.
        if self._port.read_word(SHUNT_CAL) != self.shunt_cal and not self._is_set_up():
            raise BusError("the set-up went away during a reading")
        steps = _signed_16((high - self._energy_high) & 0xFFFF)
        if steps > MOST_STEPS or steps < -MOST_STEPS:
            return self._jump()
        self._jumped = False
        delta = steps * STEP + low - self._energy_low
        sample[ENERGY_COUNTS] = 0
        if delta < 0:
            # What was handed on was misheard and too much: wait until the register has passed it.
            self.unconfirmed += 1
            return UNCONFIRMED
        moved = _signed_16((charge_high - self._charge_high) & 0xFFFF)
        if moved == 0:
            moved = charge_low - self._charge_low
        if moved != 0:
            self._backward = moved < 0
        self._energy_high = high
        self._energy_low = low
        self._charge_high = charge_high
        self._charge_low = charge_low
        # Each direction has its own rest: noise about zero makes no count of either.
        if self._backward:
            delta += self._export_rest
            self._export_rest = delta % RAW_A_COUNT
            sample[ENERGY_COUNTS] = -(delta // RAW_A_COUNT)
        else:
            delta += self._import_rest
            self._import_rest = delta % RAW_A_COUNT
            sample[ENERGY_COUNTS] = delta // RAW_A_COUNT
        return OK

    def _jump(self):
        """An energy that no load could have made: disbelieved once, then begun from anew."""
        self.corrupt += 1
        if not self._jumped:
            self._jumped = True
            return CORRUPT
        self._rebase()
        self.restarts += 1
        return RESTARTED

    def _rebase(self):
        five = self._port.settled_five(CHARGE)
        self._charge_high = five[0] << 8 | five[1]
        self._charge_low = five[2] << 16 | five[3] << 8 | five[4]
        five = self._port.settled_five(ENERGY)
        self._energy_high = five[0] << 8 | five[1]
        self._energy_low = five[2] << 16 | five[3] << 8 | five[4]
        self._based = True
        self._jumped = False


def _over(value, divisor):
    """value / divisor towards zero."""
    return -(-value // divisor) if value < 0 else value // divisor


def _signed_16(word):
    return word - 0x10000 if word >= 0x8000 else word


def _signed_20(word):
    return word - 0x100000 if word >= 0x80000 else word
