"""The last tokens that were entered and what became of them, for the list that people see.

Of a token only its last four digits are kept. The journal has its money; this is for display.
"""

import struct

STORE = "attempts"
KEPT = 6
FORMAT = "<QHBBq"  # unix s, last four digits, result (results.py), source, micro-units
LENGTH = 20
SOURCES = ("keypad", "remote")
KEYPAD = 0
REMOTE = 1


class Attempts:
    """`found` holds (unix, last four, result, source, micro-units), newest first."""

    def __init__(self, storage):
        self._storage = storage
        self.found = []
        buffer = bytearray(KEPT * LENGTH)
        try:
            size = storage.read_from(STORE, 0, buffer)
        except OSError:
            size = 0
        for at in range(0, size - LENGTH + 1, LENGTH):
            self.found.append(struct.unpack_from(FORMAT, buffer, at))

    def note(self, unix, digits, result, source, amount_micro, lasting=True):
        """Remember one; where storage takes nothing, until the next boot. One that is not
        `lasting` is kept with the next that is, and told once: it may be sent by anybody."""
        last = digits[-4:]
        item = (unix, int(last) if last.isdigit() else 0, result, source, amount_micro)
        if not lasting and item[1:] in [one[1:] for one in self.found]:
            return
        self.found = [item] + self.found[: KEPT - 1]
        if not lasting:
            return
        try:
            self._storage.commit(
                STORE, b"".join([struct.pack(FORMAT, *one) for one in self.found])
            )
        except OSError:
            pass

    def among(self, purchases):
        """Purchases (dicts, newest first) with these: each token once, with its last four digits
        and, where it brought money, in its purchase's place."""
        found = list(purchases)
        for unix, last, result, source, amount in self.found:
            item = {
                "time": unix,
                "amount_micro": amount or None,
                "n": None,
                "source": SOURCES[source % len(SOURCES)],
                "last4": "%04d" % last,
                "result": result,
            }
            for other in found:
                if amount and other["time"] == unix and other["amount_micro"] == amount:
                    item["n"] = other["n"]
                    found.remove(other)
                    break
            found.append(item)
        return sorted(found, key=lambda item: -item["time"])
