"""A keypad of rows and columns: scanned, debounced, one key at a time.

`matrix` has `rows` and read(row) -> bits of the columns that are held to it, 0 none. With three
keys down a matrix shows a fourth that is not, so more than one is none.
"""

LAYOUT_4X4 = "123A456B789C*0#D"
LAYOUT_4X3 = "123456789*0#"
NAMES = {"*": "erase", "#": "enter", "A": "turn"}  # B, C and D have no meaning


class Keypad:
    """`layout` has a letter for each key, row by row."""

    def __init__(self, matrix, layout):
        self._matrix = matrix
        self._layout = layout
        self._columns = len(layout) // matrix.rows
        self._seen = None
        self._told = None
        self.faults = 0

    def read(self):
        """The key that was just pressed: a digit, "erase", "enter" or "turn"; else None."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen  # a key, or its end, is what two looks in a row have seen
            return None
        if seen == self._told:
            return None
        self._told = seen
        if seen is None:
            return None
        letter = self._layout[seen]
        return letter if "0" <= letter <= "9" else NAMES.get(letter)

    def _look(self):
        """The number of the one key that is down, None for none or several."""
        found = None
        try:
            for row in range(self._matrix.rows):
                bits = self._matrix.read(row)
                for column in range(self._columns):
                    if bits >> column & 1:
                        if found is not None:
                            return None
                        found = row * self._columns + column
        except Exception:  # whatever a bus raises: a keypad that is unplugged has no key down
            self.faults += 1
            return None
        return found
