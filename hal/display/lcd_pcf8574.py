"""A text display of 20x4 (HD44780) behind a PCF8574, four bits at a time, a few letters a slice.

The PCF8574 has no registers: what a device of our contract takes for the register is the first
byte at its pins. At 100 kHz, all that it can, a byte takes 90 us, longer than any write needs
(37 us), so only the start has waits. A relay's coil may make such a display lose count of its
half bytes: once a minute it is brought into step again, which nobody sees.
Sources: Hitachi HD44780U (ADE-207-272), figure 24 and table 6; NXP PCF8574 rev 5; the usual
backpack: P0 RS, P1 R/W, P2 E, P3 backlight, P4 to P7 data.
"""

COLUMNS, ROWS = 20, 4
SLICE = 5  # letters: 24 bytes, 2.2 ms at 100 kHz
STARTS = (0x00, 0x40, 0x14, 0x54)  # of the rows in the display's memory
LETTER, ENABLE, LIGHT = 0x01, 0x04, 0x08
RESYNC = 3000  # looks without news: a minute of the panel's
# Half bytes of the start, each with the ms to wait behind it; None sends nothing.
WAKE = ((None, 20), (None, 20), (None, 20), (3, 5), (3, 1), (3, 1), (2, 1))
# Function set for 4 bits and 2 lines, display off, entry to the right, display on.
SET_UP = (0x28, 0x08, 0x06, 0x0C)
# Signs of money, which a display's own letters do not have: 5 columns, 8 rows, in its memory 0..4.
SIGNS = "¥€£₩₦"
SIGN_ROWS = (
    b"\x11\x0a\x1f\x04\x1f\x04\x04\x00",
    b"\x06\x09\x1c\x08\x1c\x09\x06\x00",
    b"\x06\x09\x08\x1c\x08\x08\x1f\x00",
    b"\x15\x15\x1f\x15\x1f\x0a\x0a\x00",
    b"\x11\x19\x1f\x15\x1f\x13\x11\x00",
)


class Lcd:
    """`device` is an I2C device (hal/contract.py) with register pointers of one byte."""

    def __init__(self, device):
        self._device = device
        self._wanted = bytearray(b" " * (COLUMNS * ROWS))
        self._sent = bytearray(COLUMNS * ROWS)
        self._script = []
        self._at = 0
        self._quiet = 0
        self._known = False

    def show(self, lines):
        """Four texts of twenty letters; sent by work()."""
        at = 0
        for line in lines:
            for letter in line:
                self._wanted[at] = code_of(letter)
                at += 1

    def begin(self):
        """Set the display up; work() does it, step by step."""
        self._device.write(LIGHT, b"")  # raises when nobody is there
        self._script = list(WAKE)
        self._follow()

    def _follow(self):
        self._script += [(bytes((code,)), 1) for code in SET_UP]
        for index in range(len(SIGN_ROWS)):
            # The address of a sign's rows, then the rows themselves.
            self._script.append((bytes((0x40 | index << 3,)), 1))
            self._script.append((SIGN_ROWS[index], 1))
        self._known = False
        self._at = self._quiet = 0

    def work(self):
        """Send one slice; the ms until the next, None when all is shown. BusError."""
        if self._script:
            what, wait = self._script.pop(0)
            if isinstance(what, int):
                self._out(bytes((what << 4 | ENABLE | LIGHT, what << 4 | LIGHT)))
            elif what is not None:
                self._send(what, LETTER if len(what) > 1 else 0)
            return wait
        while self._at < COLUMNS * ROWS:
            start = self._at
            self._at += SLICE
            piece = self._wanted[start : self._at]
            if not self._known or piece != self._sent[start : self._at]:
                row, column = start // COLUMNS, start % COLUMNS
                self._send(bytes((0x80 | (STARTS[row] + column),)), 0)
                self._send(piece, LETTER)
                self._sent[start : start + SLICE] = piece
                return 0
        self._known = True
        self._at = 0
        self._quiet += 1
        if self._quiet >= RESYNC:
            self._script = list(WAKE[3:])
            self._follow()
        return None

    def _send(self, codes, kind):
        message = bytearray()
        for code in codes:
            for half in (code & 0xF0, code << 4 & 0xF0):
                message.append(half | kind | LIGHT | ENABLE)
                message.append(half | kind | LIGHT)
        self._out(message)

    def _out(self, message):
        self._device.write(message[0], message[1:])


def code_of(letter):
    """The display's code of a letter; what it cannot show is a question mark."""
    at = SIGNS.find(letter)
    if at >= 0:
        return at
    # 0x5C and 0x7E are other letters in its ROM.
    if " " <= letter <= "}" and letter != "\\":
        return ord(letter)
    return 0x3F
