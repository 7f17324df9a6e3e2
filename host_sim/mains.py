"""The public supply: 230 V and 50 Hz with a slow drift, a pure function of seed and time."""

from wattledger.host_sim.noise import between

NOMINAL_MV = 230_000
NOMINAL_MHZ = 50_000
STEP_MS = 10_000  # values hold this long
KNOT_MS = 600_000  # the drift turns at most this often
SWING_MV = 4_000
SWING_MHZ = 30
_VOLTAGE = 1
_FREQUENCY = 2


class Mains:
    """Voltage in mV and frequency in mHz at a time; both hold until `next_change`."""

    def __init__(self, seed):
        self._seed = seed

    def voltage_mv(self, unix_ms):
        """Phase voltage, 226 to 234 V."""
        return NOMINAL_MV + self._drift(_VOLTAGE, SWING_MV, unix_ms)

    def frequency_mhz(self, unix_ms):
        """Frequency, 49.97 to 50.03 Hz."""
        return NOMINAL_MHZ + self._drift(_FREQUENCY, SWING_MHZ, unix_ms)

    def next_change(self, unix_ms):
        """The first instant after `unix_ms` (unix ms) at which a value may differ."""
        return unix_ms - unix_ms % STEP_MS + STEP_MS

    def _drift(self, what, swing, unix_ms):
        """A line between two random knots, in steps."""
        knot, into = divmod(unix_ms - unix_ms % STEP_MS, KNOT_MS)
        before = between(-swing, swing, self._seed, what, knot)
        after = between(-swing, swing, self._seed, what, knot + 1)
        return before + (after - before) * into // KNOT_MS
