"""The world's side of simulated chips with one voltage and one current on a serial line. Portable.

A chip is a subclass: it works its registers out in `_measure()`, counts in `feed()`, and keeps in
`_taken` how many counts had been made when its host last took them.
"""


class SerialChip:
    """`line` leads to the host, `phase` is what the chip makes of the mains."""

    def __init__(self, line, phase):
        self.line = line
        self._phase = phase
        self._taken = 0

    # The world's side. These may allocate.

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar=0):
        """True values of phase 0 from now on; power is negative when the house exports."""
        self._phase.set_phase(voltage_mv, current_ma, power_mw, reactive_mvar)
        self._measure()

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Frequency in mHz and temperature in 0.1 C from now on."""
        self._phase.frequency_mhz = frequency_mhz
        self._phase.temperature_dc = temperature_dc
        self._measure()

    def set_front_end(self, phase, voltage_ppm=0, current_ppm=0, angle_mdeg=0):
        """Errors of the sensors: gains in ppm, the current's phase in 1/1000 degree."""
        self._phase.set_front_end(voltage_ppm, current_ppm, angle_mdeg)
        self._measure()

    # Faults for tests.

    @property
    def silent(self):
        """The line is cut in both directions."""
        return self.line.silent

    @silent.setter
    def silent(self, cut):
        self.line.silent = cut

    def corrupt_next(self, mask, at=0):
        """Flip the bits of `mask` in byte `at` of the next frame."""
        self.line.corrupt_next(mask, at)

    # The truth.

    @property
    def true_import(self):
        """Energy that entered, in mW ms."""
        return self._phase.true_import

    @property
    def true_export(self):
        """Energy that left, in mW ms, whether or not the chip knows the sign."""
        return self._phase.true_export

    def total_counts(self, phase):
        """Counts ever made, with the sign of the energy where the chip knows it."""
        return self._phase.made

    def held_counts(self, phase):
        """Counts the host has not taken; none over a reset, which loses them."""
        return self._phase.made - self._taken

    def state(self):
        """Everything that makes it this chip, for JSON."""
        return {"taken": self._taken, "phase": self._phase.state()}

    def restore(self, state):
        """Be the chip `state` was taken from."""
        self._phase.restore(state["phase"])
        self._taken = state["taken"]
