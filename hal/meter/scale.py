"""Numbers a driver works out once: scales of raw values, the Wh of a count."""

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.constants import named

PPM = 1_000_000
# A count of energy as a fraction: 15 bits keep every product of the energy register below 2**30
# up to 28 kW, and are within 1e-6 of the exact value.
HIGHEST_DENOMINATOR = 32_768


class Scale:
    """raw x numerator / denominator within 8e-6 of the value, every step below 2**30.

    For |raw| < 2**24, or as far as the result stays below 2**30.
    """

    def __init__(self, numerator, denominator):
        """ChipError (stage calibration) for a scale over 2048: no raw value is worth that."""
        shift = 0
        while numerator << shift + 1 < denominator << 17:
            shift += 1
        self._split = min(shift, 12)
        if self._split < 6:
            raise ChipError("a raw value is worth too much: check the board", "calibration")
        self._mask = (1 << self._split) - 1
        self._shift = shift - self._split
        factor = (2 * numerator << shift) // denominator
        self._factor = min((factor + 1) // 2, (1 << 17) - 1)

    def of(self, raw):
        """The value of `raw`, rounded towards 0."""
        if raw < 0:
            return -self.of(-raw)
        low = (raw & self._mask) * self._factor >> self._split
        return (raw >> self._split) * self._factor + low >> self._shift


def nearest_fraction(numerator, denominator, highest=HIGHEST_DENOMINATOR):
    """(numerator, denominator) in lowest terms: the last convergent with denominator <= highest.

    Within 1 / (denominator x highest) of the value, exact where it fits.
    """
    before, now = (0, 1), (1, 0)
    while denominator:
        whole = numerator // denominator
        following = (whole * now[0] + before[0], whole * now[1] + before[1])
        if following[1] > highest:
            break
        before, now = now, following
        numerator, denominator = denominator, numerator - whole * denominator
    return now


def constants_of(calibration, table):
    """The constants of the one phase of `calibration`, by the names of `table`; ChipError."""
    if len(calibration) != 1:
        raise ChipError("this chip measures one phase", "calibration")
    return named(table, calibration[0])
