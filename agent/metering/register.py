"""The energy register: whole Wh that only rise, and the exact rest of a Wh in counts of the chip.

A count is numerator/denominator Wh (ATM90E32: 3.125 mWh = 1/320 Wh), so nothing is rounded, and
every intermediate of a tick stays a small int of an ESP32 (below 2^30), so nothing is allocated.
"""

from wattledger.agent.errors import ConfigError

SMALL_INT = 1 << 30


class EnergyRegister:
    """`import_wh` and `export_wh`, with `import_rest` and `export_rest` over `denominator`."""

    def __init__(self, numerator, denominator, max_counts):
        """`max_counts` is the most one tick may add; ConfigError when that would overflow."""
        if max_counts * numerator + denominator >= SMALL_INT:
            raise ConfigError(
                ("max_amps",), "%d counts a tick overflow; measure more often" % max_counts
            )
        self._numerator = numerator
        self.denominator = denominator
        self.import_wh = 0
        self.import_rest = 0
        self.export_wh = 0
        self.export_rest = 0

    def restore(self, import_wh, import_rest, export_wh, export_rest):
        """Go on from stored values; a rest of another calibration's denominator is dropped."""
        self.import_wh = import_wh
        self.export_wh = export_wh
        self.import_rest = import_rest if import_rest < self.denominator else 0
        self.export_rest = export_rest if export_rest < self.denominator else 0

    def add(self, counts):
        """Carry signed counts: import when positive, export when negative."""
        if counts > 0:
            rest = self.import_rest + counts * self._numerator
            self.import_wh += rest // self.denominator
            self.import_rest = rest % self.denominator
        elif counts < 0:
            rest = self.export_rest - counts * self._numerator
            self.export_wh += rest // self.denominator
            self.export_rest = rest % self.denominator
