"""A power turned by the phase error of a current sensor. Portable, integers only."""

UNIT = 1_000_000_000
PI = 3_141_592_654  # in UNIT


def rotate(power_mw, reactive_mvar, angle_mdeg):
    """(power_mw, reactive_mvar) as measured when the current lags by `angle_mdeg` more.

    1/1000 degree, any sign; rounded to whole units. Lagging is positive reactive power.
    """
    if not angle_mdeg:
        return power_mw, reactive_mvar
    sine, cosine = _sine_cosine(angle_mdeg)
    return (
        _nearest(power_mw * cosine - reactive_mvar * sine),
        _nearest(reactive_mvar * cosine + power_mw * sine),
    )


def _sine_cosine(angle_mdeg):
    """Taylor series in 1e-9; whole quarter turns are taken off first."""
    quarters, rest = divmod(angle_mdeg, 90_000)
    angle = rest * PI // 180_000
    sums = [UNIT, 0]  # of cosine and sine
    term = UNIT
    for order in range(1, 24):
        term = term * angle // (UNIT * order)
        sums[order & 1] += -term if order & 2 else term
    cosine, sine = sums
    for _ in range(quarters % 4):
        cosine, sine = -sine, cosine
    return sine, cosine


def _nearest(value):
    return (value + UNIT // 2) // UNIT
