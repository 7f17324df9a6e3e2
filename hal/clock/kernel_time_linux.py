"""Whether the system's clock follows a time server: the kernel's own word (adjtimex(2)).

chrony, ntpd and systemd-timesyncd all report to it, and without a word from one of them for some
nine hours it says so itself: the maximum error grows by 500 ppm and 16 s mean unsynchronised.
"""

import ctypes

STA_UNSYNC = 0x0040
TIME_ERROR = 5


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, of which the first fields are read."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # us
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


def maximum_error_us(adjtimex=None):
    """The most the system's clock may be off, us; None while no time server is followed."""
    if adjtimex is None:
        adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
        if adjtimex is None:  # no Linux
            return None
    timex = Timex()  # modes 0: only asks
    state = adjtimex(ctypes.byref(timex))
    if state < 0 or state == TIME_ERROR or timex.status & STA_UNSYNC:
        return None
    return timex.maxerror
