"""The page of a small computer: the latest view lies in two buffers that are used again.

For one event loop: nobody may read while show() writes. What is read comes in parts, because a
heap that has been used for days has no room for all of it in one piece.
"""

import json

from wattledger.hal.display.page import COMPACT, Page, withheld

GROWTH = 256
PART = 384  # at least; a part ends with a member


class Members:
    """Members of a JSON object, each with a comma behind it, written over those of the time
    before."""

    def __init__(self):
        self._bytes = bytearray(GROWTH)
        self._ends = []  # of the parts
        self._size = 0
        self._before = 0
        self._changed = False
        self._whole = False

    def begin(self):
        """From now on members are written; there are none to be read until close()."""
        self._whole = False
        self._before = self._size
        self._size = 0
        self._ends.clear()
        self._changed = False

    def add(self, name, value):
        """One more."""
        piece = ('"%s": %s, ' % (name, json.dumps(value, separators=COMPACT))).encode()
        start, end = self._size, self._size + len(piece)
        while end > len(self._bytes):
            self._bytes.extend(bytes(GROWTH))
        if self._bytes[start:end] != piece:
            self._bytes[start:end] = piece
            self._changed = True
        self._size = end
        if end - (self._ends[-1] if self._ends else 0) >= PART:
            self._ends.append(end)

    def close(self):
        """That was the last; True when anything differs from the time before."""
        if self._ends[-1:] != [self._size]:
            self._ends.append(self._size)
        self._whole = True
        return self._changed or self._size != self._before

    def add_to(self, parts):
        """Put the parts (texts) behind those in a list."""
        start = 0
        for end in self._ends if self._whole else ():
            parts.append(str(memoryview(self._bytes)[start:end], "utf-8"))
            start = end

    def member(self, name):
        """The JSON of one; None without it."""
        mark = ('"%s": ' % name).encode()
        at = self._bytes.find(mark, 0, self._size) if self._whole else -1
        if at < 0:
            return None
        at += len(mark)
        end = self._bytes.find(b', "', at, self._size)  # within a value a comma has no blank
        return str(memoryview(self._bytes)[at : end if end >= 0 else self._size - 2], "utf-8")


class BufferedPage(Page):
    """Nothing is written anew but what has changed."""

    def __init__(self, shown):
        super().__init__(shown)
        self._public = Members()
        self._private = Members()
        self._hidden = []

    def keep(self, view):
        self._public.begin()
        self._private.begin()
        hidden = 0
        for name, value in view.items():
            if self.is_seen(name):
                self._public.add(name, value)
                continue
            self._private.add(name, value)
            if self._hidden[hidden : hidden + 1] != [name]:
                self._hidden[hidden:] = [name]
            hidden += 1
        del self._hidden[hidden:]
        changed = self._public.close()
        return self._private.close() or changed

    def member(self, name, everything):
        found = self._public.member(name)
        return self._private.member(name) if found is None and everything else found

    def parts(self, everything):
        parts = ["{"]
        self._public.add_to(parts)
        if everything:
            self._private.add_to(parts)
        else:
            parts.append(withheld(self._hidden))
        while not parts[-1]:
            parts.pop()
        parts[-1] = (parts[-1][:-2] if len(parts) > 1 else "{") + "}"
        return parts
