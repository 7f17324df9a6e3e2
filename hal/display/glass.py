"""A 128x64 OLED behind a port, a few bytes at a time: only what changed goes over the bus.

Both chips are addressed by page and column, which the SSD1306 has and the SH1106 has nothing
else. The SH1106 has memory for 132 columns and the glass hangs on the middle 128: a picture meant
for the other chip stands two columns to the left, with dirt at the right edge.
Sources: Solomon SSD1306 rev 1.1, 8.1.5 and 10.1.3; Sino Wealth SH1106 v2.3, commands 1, 2, 11.
"""

from wattledger.hal.errors import BusError

WIDTH, PAGES = 128, 8
SLICE = 32  # bytes of picture a slice: 3.1 ms of a bus at 100 kHz, 0.8 ms at 400 kHz
OFFSETS = {"ssd1306": 0, "sh1106": 2}
DISPLAY_OFF = 0x40  # of the status byte
_LOW_COLUMN, _HIGH_COLUMN, _PAGE = 0x00, 0x10, 0xB0
CHECK = 500  # looks without news between two at the status: ten seconds of the panel's


class Glass:
    """`frame` are the 1024 bytes to show (MONO_VLSB), `chip` a key of OFFSETS. `port` has begin(),
    command(bytes), data(buffer) and status() -> byte or None, which raise BusError."""

    def __init__(self, port, frame, chip):
        self._port = port
        self._offset = OFFSETS[chip]
        self._frame = memoryview(frame)
        self._sent = bytearray(len(frame))
        self._known = False  # what the glass holds
        self._at = 0
        self._quiet = 0
        self._tells = False  # this glass answers with its status

    def begin(self):
        """Set the chip up, dark."""
        self._port.begin()
        self._known = False
        self._at = self._quiet = 0
        status = self._port.status()
        self._tells = status is not None and not status & DISPLAY_OFF

    def work(self):
        """Send one slice: 0 when there may be more, None when the glass shows the frame.

        BusError when the glass is gone, or has lost its set-up with its supply.
        """
        total = len(self._sent)
        while self._at < total:
            start = self._at
            self._at += SLICE
            piece = self._frame[start : self._at]
            if not self._known or piece != memoryview(self._sent)[start : self._at]:
                self._send(start, piece)
                return 0
        self._known = True
        self._at = 0
        self._quiet += 1
        if self._quiet >= CHECK:
            self._quiet = 0
            self._check()
        return None

    def _send(self, start, piece):
        column = start % WIDTH + self._offset
        port = self._port
        port.command(
            bytes((_PAGE | start // WIDTH, _LOW_COLUMN | column & 15, _HIGH_COLUMN | column >> 4))
        )
        self._sent[start : start + SLICE] = piece  # before, for the frame may change meanwhile
        port.data(memoryview(self._sent)[start : start + SLICE])

    def _check(self):
        """A glass that was unplugged between two pictures is dark, and nobody told us."""
        if self._tells and self._port.status() & DISPLAY_OFF:
            raise BusError("the display has lost its set-up: its supply was interrupted")
