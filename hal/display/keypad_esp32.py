"""A matrix keypad at pins of an ESP32: rows are open drains, so that two keys short nothing."""

from machine import Pin


class EspMatrix:
    """Pin numbers of `rows` and `columns`."""

    def __init__(self, rows, columns):
        self._rows = [Pin(number, Pin.OPEN_DRAIN, value=1) for number in rows]
        self._columns = [Pin(number, Pin.IN, Pin.PULL_UP) for number in columns]
        self.rows = len(rows)

    def read(self, row):
        """Bits of the columns that a pressed key holds to `row`."""
        self._rows[row].value(0)
        found = 0
        for index in range(len(self._columns)):
            if not self._columns[index].value():
                found |= 1 << index
        self._rows[row].value(1)
        return found
