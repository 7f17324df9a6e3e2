"""DS3231: a clock with a battery of its own, on I2C.

Source: Maxim 19-5170 (DS3231 datasheet). The chip takes every fourth year for a leap year, 2100
too: dates are read and written by that rule, so that the seconds are right until 2199 although
the chip names the days after 2100-02-28 one short.
"""

from wattledger.hal.errors import BusError, ChipError

SECONDS = 0x00  # then minutes, hours, weekday, date, month and century, year
CONTROL = 0x0E
STATUS = 0x0F
TEMPERATURE = 0x11
CONTROL_RUN = 0x1C  # the default: oscillator on with the battery too, no square wave, no alarms
EOSC = 0x80  # set: the oscillator stops when the supply goes
OSF = 0x80  # set: the oscillator stood still at some time, the time is not to be trusted
TWELVE_HOURS = 0x40
AFTERNOON = 0x20
CENTURY = 0x80
EPOCH_2000 = 946_684_800
DAY_S = 86_400
MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
FOUR_YEARS = 1461  # days
LAST_UNIX = EPOCH_2000 + 50 * FOUR_YEARS * DAY_S - 1  # 2199 in the chip's calendar


class Ds3231:
    """One chip. Faults of the bus are counted in `bus_errors` and never raised by read or set."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._time = bytearray(7)
        self._again = bytearray(7)
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._unsure = False  # a set that was not read back: the chip's flag says nothing of it
        self.bus_errors = 0
        self.corrupt = 0

    def begin(self):
        """Let the oscillator run with the battery, read back. ChipError names the stage."""
        try:
            self._i2c.read_into(CONTROL, self._one)
            if self._one[0] & EOSC:
                self._write_one(CONTROL, CONTROL_RUN)
                self._i2c.read_into(CONTROL, self._one)
                if self._one[0] != CONTROL_RUN:
                    raise ChipError(
                        "DS3231: control reads 0x%02X, 0x1C was written" % self._one[0],
                        "read back",
                    )
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("DS3231 cannot be reached: %s" % error, "bus")

    def read(self):
        """UTC seconds since 1970, or None: no answer, or a time that is not to be trusted."""
        try:
            self._i2c.read_into(STATUS, self._one)
            if self._unsure or self._one[0] & OSF:
                return None
            self._i2c.read_into(SECONDS, self._time)
            self._i2c.read_into(SECONDS, self._again)
            first = _unix(self._time)
            second = _unix(self._again)
            # A stuck bus answers OSF when high; when low, a weekday of 0, which is none.
            if first is None or second is None or not 0 <= second - first <= 1:
                self.corrupt += 1
                return None
            return second
        except BusError:
            self.bus_errors += 1
            return None

    def set(self, unix_s):
        """Set the time from a source that is trusted; True once it was read back.

        The oscillator-stop flag is cleared last, so a set that is cut short is not believed.
        """
        if not EPOCH_2000 <= unix_s <= LAST_UNIX:
            return False
        self._unsure = True
        try:
            _fields(unix_s, self._time)
            self._write_one(CONTROL, CONTROL_RUN)
            self._i2c.write(SECONDS, self._time)
            self._i2c.read_into(SECONDS, self._again)
            found = _unix(self._again)
            if found is None or not 0 <= found - unix_s <= 1:
                self.corrupt += 1
                return False
            self._i2c.read_into(CONTROL, self._one)
            if self._one[0] != CONTROL_RUN:
                self.corrupt += 1
                return False
            self._i2c.read_into(STATUS, self._one)
            self._write_one(STATUS, self._one[0] & ~OSF & 0xFF)
            self._i2c.read_into(STATUS, self._one)
            if self._one[0] & OSF:
                self.corrupt += 1
                return False
        except BusError:
            self.bus_errors += 1
            return False
        self._unsure = False
        return True

    def temperature_dc(self):
        """The chip's temperature in 0.1 C, in steps of 0.25 C; None without an answer."""
        try:
            self._i2c.read_into(TEMPERATURE, self._two)
        except BusError:
            self.bus_errors += 1
            return None
        quarters = self._two[0] << 2 | self._two[1] >> 6
        if quarters >= 512:
            quarters -= 1024
        return quarters * 5 // 2

    def _write_one(self, register, value):
        self._one[0] = value
        self._i2c.write(register, self._one)


def _digits(byte, lowest, highest):
    """The two BCD digits of a byte, or -1 when they are none or out of range."""
    if byte & 0x0F > 9 or byte >> 4 > 9:
        return -1
    value = (byte >> 4) * 10 + (byte & 0x0F)
    return value if lowest <= value <= highest else -1


def _hour(byte):
    if not byte & TWELVE_HOURS:
        return _digits(byte, 0, 23)
    hour = _digits(byte & 0x1F, 1, 12)
    if hour < 0:
        return -1
    return hour % 12 + (12 if byte & AFTERNOON else 0)


def _unix(fields):
    """UTC seconds since 1970 of the seven time registers, or None when they are no time."""
    second = _digits(fields[0], 0, 59)
    minute = _digits(fields[1], 0, 59)
    hour = _hour(fields[2])
    day = _digits(fields[4], 1, 31)
    month = _digits(fields[5] & 0x7F, 1, 12)
    year = _digits(fields[6], 0, 99)
    if min(second, minute, hour, day, month, year) < 0 or not 1 <= fields[3] <= 7:
        return None
    if fields[5] & CENTURY:
        year += 100
    leap = 1 if year % 4 == 0 else 0
    length = MONTH_STARTS[month] - MONTH_STARTS[month - 1] + (leap if month == 2 else 0)
    if day > length:
        return None
    days = year * 365 + (year + 3) // 4 + MONTH_STARTS[month - 1] + day - 1
    if month > 2:
        days += leap
    return EPOCH_2000 + days * DAY_S + hour * 3600 + minute * 60 + second


def _fields(unix_s, into):
    """The seven time registers of UTC seconds, 24-hour form."""
    days, second = divmod(unix_s - EPOCH_2000, DAY_S)
    into[0] = _bcd(second % 60)
    into[1] = _bcd(second // 60 % 60)
    into[2] = _bcd(second // 3600)
    into[3] = (days + 5) % 7 + 1  # Monday is 1; 2000-01-01 was a Saturday
    four, days = divmod(days, FOUR_YEARS)
    year = 0
    if days >= 366:
        year = (days - 1) // 365
        days -= year * 365 + 1
    leap = 1 if year == 0 else 0
    month = 1
    while days >= MONTH_STARTS[month] + (leap if month >= 2 else 0):
        month += 1
    days -= MONTH_STARTS[month - 1] + (leap if month > 2 else 0)
    year += four * 4
    into[4] = _bcd(days + 1)
    into[5] = _bcd(month) | (CENTURY if year >= 100 else 0)
    into[6] = _bcd(year % 100)


def _bcd(value):
    return value // 10 << 4 | value % 10
