"""Sine and cosine in integers, for phase corrections. Portable; works within 62 bits."""

ONE = 1 << 30
_RADIAN_UNITS = 18_740_330  # 2**30 x pi / 180, for a million units of 1e-6 degree
_TERMS = (6, 20, 42, 72, 110, 156)  # 2x3, 4x5, ... of the series


def sine(microdegrees):
    """The sine of -90..90 degrees (in 1e-6 degree) times 2**30, right to 1e-8."""
    angle = microdegrees * _RADIAN_UNITS // 1_000_000
    square = angle * angle >> 30
    term = angle
    total = angle
    for divisor in _TERMS:
        term = -(term * square >> 30) // divisor
        total += term
    return total


def cosine(microdegrees):
    """The cosine of -90..90 degrees (in 1e-6 degree) times 2**30."""
    return sine(90_000_000 - abs(microdegrees))
