"""Parts of an application, asked for one at a time. Sans I/O but for the link it is given.

The meter asks on `fetch` with {"seq", "file", "at"}; the utility answers on `part` with a head of
ten bytes, big-endian, and up to 4096 bytes of the file at that place:

    sequence u32 | file u16 | offset u32 | data

File 0 is the signed manifest, the others are its list from 1 on. A part is not signed: what all
of them make up is. The last part of the manifest is the first that is shorter than 4096 bytes.
"""

import json
import struct

from wattledger.agent.comms import topics

HEAD = ">IHI"
HEAD_BYTES = 10
PART_BYTES = 4096
PACE_MS = 1000  # between two questions
SILENCE_MS = 30000  # then it is asked again, and each time twice as long is waited
LONGEST_MS = 900000


class Fetcher:
    """`ask(...)` once a turn for what is wanted next, `hear(data)` what arrives on `topic`."""

    def __init__(self, link, clock, tenant, meter):
        self._link = link
        self._clock = clock
        self._question = topics.topic(tenant, meter, topics.FETCH)
        self.topic = topics.topic(tenant, meter, topics.PART)
        self._wanted = None  # (sequence, file, offset)
        self._asked_at = None
        self._is_asked = False
        self._session = 0
        self._silence_ms = SILENCE_MS
        self._data = None
        link.subscribe(self.topic)

    def ask(self, sequence, file, offset):
        """The data there (bytes), or None while it is not here; asked for when it is time."""
        wanted = (sequence, file, offset)
        if wanted != self._wanted:
            self._wanted = wanted
            self._data = None
            self._is_asked = False
        if self._data is not None:
            data, self._data = self._data, None
            self._silence_ms = SILENCE_MS
            self._wanted = None
            return data
        self._question_again()
        return None

    def hear(self, data):
        """Take a message (bytes) in; whatever it is, nothing here raises for it."""
        if self._wanted is None or not HEAD_BYTES <= len(data) <= HEAD_BYTES + PART_BYTES:
            return
        if struct.unpack(HEAD, data[:HEAD_BYTES]) == self._wanted:
            self._data = bytes(data[HEAD_BYTES:])

    def _question_again(self):
        if not self._link.is_up():
            return
        at = self._asked_at
        # What was asked before went with its connection.
        is_first = not self._is_asked or self._link.session() != self._session
        pause = PACE_MS if is_first else self._silence_ms
        if at is not None and self._clock.elapsed_ms(at) < pause:
            return
        sequence, file, offset = self._wanted
        text = json.dumps({"seq": sequence, "file": file, "at": offset})
        if not self._link.send(self._question, text.encode(), False):
            return
        self._asked_at = self._clock.ticks_ms()
        self._session = self._link.session()
        self._is_asked = True
        if not is_first:
            self._silence_ms = min(2 * self._silence_ms, LONGEST_MS)
