"""Frames of the MCP3208, 12-bit ADC with 8 channels on SPI (DS21298E, section 6.1, figure 6-1).

A conversion is 24 clocks in one select. Out: five zeros, start bit, single-ended, D2; D1, D0, six
that do not matter; eight that do not matter. In: eleven bits of a floating line, the null bit,
which is always 0, then B11 to B0.
"""

FRAME_BYTES = 3
CHANNELS = 8
CODES = 4096  # a code is Vref / 4096, not / 4095: the highest says "from here up"
MIDDLE = CODES // 2  # where the bias of the inputs holds them
START_SINGLE_ENDED = 0x06
NULL_BIT = 0x10  # in the second byte
HIGH_BITS = 0x0F


def conversion(channel):
    """The 3 bytes that convert `channel` (0..7), single-ended."""
    return bytes((START_SINGLE_ENDED | channel >> 2, (channel & 3) << 6, 0))


def round_of(pairs):
    """The frames of one round, bytes: V and I of each (voltage channel, current channel)."""
    return b"".join(conversion(channel) for pair in pairs for channel in pair)


def code_of(answer):
    """The code 0..4095 of an answer, or -1 when its null bit is not 0."""
    if answer[1] & NULL_BIT:
        return -1
    return (answer[1] & HIGH_BITS) << 8 | answer[2]
