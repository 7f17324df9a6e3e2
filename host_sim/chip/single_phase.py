"""What a chip with one voltage and one current makes of the mains. Portable, integers only.

A power is kept as a rate in mW x 10**12, so that errors of the front end in ppm are whole numbers
and nothing is rounded on its way into a counter.
"""

from wattledger.host_sim.chip.angle import rotate

PPM = 1_000_000
RATE = PPM * PPM  # a rate is mW times this


class SinglePhase:
    """The mains, an imperfect front end, the truth, and a counter of equal portions of energy."""

    def __init__(self, count_numerator, count_denominator=1):
        """A count is count_numerator / count_denominator mW ms."""
        self._count = count_numerator * RATE
        self._weight = count_denominator
        self._mains = (0, 0, 0, 0)
        self._front = (0, 0, 0)
        self.frequency_mhz = 0
        self.temperature_dc = 250
        self.true_import = 0  # mW ms
        self.true_export = 0
        self.rest = 0
        self.made = 0  # counts ever, export negative where the chip knows the sign
        self._work_out()

    def set_phase(self, voltage_mv, current_ma, power_mw, reactive_mvar):
        """True values from now on; power is negative when the house exports."""
        self._mains = (voltage_mv, current_ma, power_mw, reactive_mvar)
        self._work_out()

    def set_front_end(self, voltage_ppm, current_ppm, angle_mdeg):
        """Gain errors of the sensors and the current sensor's phase error."""
        self._front = (voltage_ppm, current_ppm, angle_mdeg)
        self._work_out()

    def _work_out(self):
        voltage_mv, current_ma, power_mw, reactive_mvar = self._mains
        voltage_ppm, current_ppm, angle_mdeg = self._front
        power, _ = rotate(power_mw, reactive_mvar, angle_mdeg)
        self.rate = power * (PPM + voltage_ppm) * (PPM + current_ppm)
        self.voltage = voltage_mv * (PPM + voltage_ppm)  # mV x PPM
        self.current = current_ma * (PPM + current_ppm)  # mA x PPM
        self.factor = 0  # of the true power, 1/1000
        if voltage_mv * current_ma:
            self.factor = min(nearest(abs(power_mw) * PPM, voltage_mv * current_ma), 1000)

    def feed(self, ms, signed=False):
        """Let time pass; the counts made: negative for export when added with sign."""
        power_mw = self._mains[2]
        if power_mw > 0:
            self.true_import += power_mw * ms
        else:
            self.true_export -= power_mw * ms
        energy = self.rate * ms * self._weight
        rest = self.rest + energy if signed else abs(self.rest) + abs(energy)
        counts = abs(rest) // self._count
        if rest < 0:
            counts = -counts
        self.rest = rest - counts * self._count
        return counts

    def forget(self):
        """Lose the energy below one count."""
        self.rest = 0

    def state(self):
        """A dict of ints and lists for JSON."""
        return {
            "mains": list(self._mains),
            "front": list(self._front),
            "air": [self.frequency_mhz, self.temperature_dc],
            "truth": [self.true_import, self.true_export],
            "rest": self.rest,
            "made": self.made,
        }

    def restore(self, state):
        """Take up a `state()` again."""
        self._mains = tuple(state["mains"])
        self._front = tuple(state["front"])
        self.frequency_mhz, self.temperature_dc = state["air"]
        self.true_import, self.true_export = state["truth"]
        self.rest = state["rest"]
        self.made = state["made"]
        self._work_out()


def nearest(numerator, denominator):
    """The quotient rounded to the nearest integer, halves away from zero."""
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)
