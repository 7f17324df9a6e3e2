"""Who has signed in: a short table of random names, in RAM only, so a restart signs everybody out.

A name comes to the browser in a cookie that no script reads and no other site can send.
"""

import binascii

from wattledger.hal.display.same import same

NAME_BYTES = 16
SESSIONS_MAX = 4
IDLE_S = 1800
LONGEST_S = 43200


class Sessions:
    """`entropy` as in hal/contract.py; `seconds()` only rises."""

    def __init__(self, entropy, seconds):
        self._entropy = entropy
        self._seconds = seconds
        self._rows = []  # [name, begun, used], the least recently used first

    def begin(self):
        """The name of a new session; the one that was used least recently makes room."""
        secret = bytearray(NAME_BYTES)
        self._entropy.fill(secret)
        name = binascii.hexlify(secret).decode()
        now = self._seconds()
        if len(self._rows) >= SESSIONS_MAX:
            self._rows.pop(0)
        self._rows.append([name, now, now])
        return name

    def holds(self, name, use=False):
        """True while that session lasts; with `use` its idle time begins again."""
        row = self._find(name)
        if row is None:
            return False
        if use:
            row[2] = self._seconds()
            self._rows.remove(row)
            self._rows.append(row)
        return True

    def end(self, name):
        """Forget that session."""
        row = self._find(name)
        if row is not None:
            self._rows.remove(row)

    def end_all(self):
        """Forget every session."""
        self._rows = []

    def _find(self, name):
        now = self._seconds()
        found = None
        for row in list(self._rows):
            if now - row[2] >= IDLE_S or now - row[1] >= LONGEST_S:
                self._rows.remove(row)
            elif name and same(row[0].encode(), name.encode()):
                found = row
        return found
