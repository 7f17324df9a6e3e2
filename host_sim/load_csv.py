"""Replay of a recorded load: our own CSV form, and the UCI household form as downloaded.

Own form: header `t_s,watts` and any of `volts`, `pf`, `export_watts`; decimal points. What the
meter sees is watts - export_watts.
UCI form ("Individual household electric power consumption"): separated by semicolons, kW, kvar and
V, dd/mm/yyyy and hh:mm:ss, `?` or nothing for a missing value, which holds the last one.

A row holds until the next, the last one as long as the one before it, then nothing is drawn. The
first row is time 0.
"""

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isqrt

from wattledger.host_sim.errors import LoadError

OWN_COLUMNS = ("t_s", "watts", "volts", "pf", "export_watts")
UCI_COLUMNS = ("Date", "Time", "Global_active_power")
UCI_REACTIVE = "Global_reactive_power"
UCI_VOLTAGE = "Voltage"
EPOCH = datetime(1970, 1, 1)
MILLISECOND = timedelta(milliseconds=1)
TO_MILLI = 1000
KILO_TO_MILLI = 1_000_000
# What a field may be, in its own unit; a slip of a decimal point is found here.
LIMITS = {
    "t_s": (0, 10**10),
    "watts": (0, 10**6),
    "volts": (1, 600),
    "pf": (Decimal("0.001"), 1),
    "export_watts": (0, 10**6),
    "Global_active_power": (0, 1000),
    UCI_REACTIVE: (0, 1000),
    UCI_VOLTAGE: (1, 600),
}


class LoadCsv:
    """A file of rows played from `start_ms` (unix ms). Raises LoadError."""

    def __init__(self, path, start_ms):
        rows = _read(str(path))
        self._starts = [start_ms + row[0] - rows[0][0] for row in rows]
        self._powers = [row[1] for row in rows]
        self._factors = [row[2] for row in rows]
        self._voltages = [row[3] for row in rows]
        self._starts.append(2 * self._starts[-1] - self._starts[-2])
        self._powers.append(0)
        self._factors.append(1000)
        self._voltages.append(None)

    def power_mw(self, unix_ms):
        """What the house draws, mW; negative while it exports; 0 before and after the rows."""
        index = self._find(unix_ms)
        return self._powers[index] if index >= 0 else 0

    def power_factor(self, unix_ms):
        """Power factor in 1/1000, lagging; 1000 where the file does not tell."""
        index = self._find(unix_ms)
        return self._factors[index] if index >= 0 else 1000

    def voltage_mv(self, unix_ms):
        """Voltage in mV, None where the file does not tell."""
        index = self._find(unix_ms)
        return self._voltages[index] if index >= 0 else None

    def next_change(self, unix_ms):
        """Start of the next row after `unix_ms`, unix ms; None after the last."""
        following = self._find(unix_ms) + 1
        return self._starts[following] if following < len(self._starts) else None

    def _find(self, unix_ms):
        return bisect_right(self._starts, unix_ms) - 1


def _read(path):
    """[(ms, mW, power factor in 1/1000, mV or None), ...], times rising."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except UnicodeDecodeError as error:
        raise LoadError(f"{path}: not a text file (byte {error.start}); give a CSV file") from None
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror}; check the path") from None
    header = lines[0].strip() if lines else ""
    if header.split(";")[:3] == list(UCI_COLUMNS):
        separator, convert = ";", _uci_row
    elif header.split(",")[:2] == list(OWN_COLUMNS[:2]):
        separator, convert = ",", _own_row
    else:
        message = "unknown header; start the file with t_s,watts or with the UCI household header"
        raise LoadError(f"{path}:1:1: {message}")
    names = header.split(separator)
    if separator == ",":
        _check_own_header(path, names)
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if line.strip():
            row = _Row(path, number, names, line, separator)
            rows.append(convert(row, rows))
            if len(rows) > 1 and rows[-1][0] <= rows[-2][0]:
                row.fail(names[0], "time does not rise", "sort the rows and remove doubles")
    if len(rows) < 2:
        message = "fewer than two rows, so no row has a length; add rows"
        raise LoadError(f"{path}:{len(lines)}:1: {message}")
    return rows


def _check_own_header(path, names):
    column = 1
    for index, name in enumerate(names):
        if name not in OWN_COLUMNS or name in names[:index]:
            known = ",".join(OWN_COLUMNS)
            raise LoadError(f"{path}:1:{column}: column {name!r} is unknown or twice; use {known}")
        column += len(name) + 1


class _Row:
    """One line, its fields by name, and where they stand when one is wrong."""

    def __init__(self, path, number, names, line, separator):
        self._path = path
        self._number = number
        self._line = line
        self._separator = separator
        fields = line.split(separator)
        self._fields = dict(zip(names, fields, strict=False))  # counted below
        self._names = names
        if len(fields) != len(names):
            self.fail(
                names[min(len(fields), len(names)) - 1],
                f"{len(fields)} fields where the header has {len(names)}",
                f"write {len(names)} fields separated by {separator!r}",
            )

    def __contains__(self, name):
        return name in self._fields

    def text(self, name):
        return self._fields[name].strip()

    def scaled(self, name, scale):
        """The field's value x `scale` as an integer, exact but for places below one."""
        low, high = LIMITS[name]
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            text = self.text(name)
            self.fail(name, f"{name} {text!r} is not a number", "write digits like 12.5")
        if not low <= value <= high:
            self.fail(name, f"{name} {value} is out of range", f"use {low} to {high}")
        return int((value * scale).to_integral_value())

    def missing(self, name):
        return self.text(name) in ("", "?")

    def fail(self, name, what, remedy):
        index = self._names.index(name)
        column = 1 + sum(len(field) + 1 for field in self._line.split(self._separator)[:index])
        raise LoadError(f"{self._path}:{self._number}:{column}: {what}; {remedy}")


def _own_row(row, rows):
    power = row.scaled("watts", TO_MILLI)
    if "export_watts" in row:
        power -= row.scaled("export_watts", TO_MILLI)
    factor = row.scaled("pf", TO_MILLI) if "pf" in row else 1000
    voltage = row.scaled("volts", TO_MILLI) if "volts" in row else None
    return row.scaled("t_s", TO_MILLI), power, factor, voltage


def _uci_row(row, rows):
    """A missing power, factor or voltage is that of the row before; before the first, nothing."""
    instant = _uci_time(row)
    _, power, factor, voltage = rows[-1] if rows else (0, 0, 1000, None)
    if not row.missing(UCI_COLUMNS[2]):
        power = row.scaled(UCI_COLUMNS[2], KILO_TO_MILLI)
        factor = 1000
        if UCI_REACTIVE in row and not row.missing(UCI_REACTIVE):
            reactive = row.scaled(UCI_REACTIVE, KILO_TO_MILLI)
            apparent = isqrt(power * power + reactive * reactive)
            factor = max(power * 1000 // apparent, 1) if apparent else 1000
    if UCI_VOLTAGE in row and not row.missing(UCI_VOLTAGE):
        voltage = row.scaled(UCI_VOLTAGE, TO_MILLI)
    return instant, power, factor, voltage


def _uci_time(row):
    """Milliseconds of the row's date and time; local, but only differences are used."""
    try:
        day, month, year = row.text("Date").split("/")
        hour, minute, second = row.text("Time").split(":")
        instant = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
    except ValueError:
        row.fail("Date", "date and time are not dd/mm/yyyy;hh:mm:ss", "correct them")
    return (instant - EPOCH) // MILLISECOND
