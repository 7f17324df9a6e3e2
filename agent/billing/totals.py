"""What moved the balance in a day or a period: energy by tariff version, band, block and price,
and everything else by kind. Money is nano-units, energy whole Wh.
"""

from wattledger.agent.journal import payload as payloads
from wattledger.hal.sample import QUALITY_OK


class Line:
    """Energy at one tariff version, band byte (as in the journal) and block. `price` (micro per
    kWh) is None where several prices are summed."""

    def __init__(self, n, code, block, price):
        self.n = n
        self.code = code
        self.block = block
        self.price = price
        self.wh = 0
        self.amount = 0

    def is_export(self):
        return bool(self.code & payloads.EXPORT)

    def band(self):
        """The band's index in its tariff."""
        return self.code & payloads.BAND_MASK


class Totals:
    """Everything that moved the balance in a day (since 2000-01-01) or, without one, a period."""

    def __init__(self, day, opening):
        self.day = day
        self.opening = opening
        self.closing = opening
        self._lines = {}
        self.posted = {}  # kind -> [records, amount]
        self.lost = 0  # what records that were lost moved
        self.import_wh = 0
        self.export_wh = 0
        self.uncharged_wh = 0  # imported while no tariff was in force
        self.intervals = 0
        self.estimated = 0  # intervals of a quality below ok, and their import
        self.estimated_wh = 0
        self.fallback_wh = 0  # billed at the fallback band, and what it moved
        self.fallback_amount = 0

    def lines(self):
        """The Lines by tariff version, import before export, band and block."""
        return [self._lines[key] for key in sorted(self._lines)]

    def energy(self):
        """(import, export): what they moved on the balance."""
        moved = [0, 0]
        for line in self._lines.values():
            moved[line.is_export()] += line.amount
        return moved[0], moved[1]

    def explained(self):
        """The sum of all lines; closing - opening when the books are right."""
        imported, exported = self.energy()
        total = imported + exported + self.lost
        for _, amount in self.posted.values():
            total += amount
        return total

    def take_part(self, n, part):
        """Add a part of an interval."""
        if not part.wh:
            return  # all of it was netted: it only keeps the price
        price = part.price if self.day is not None else 0  # a period has a line for each block
        export = part.band & payloads.EXPORT
        key = (n, export, part.band, part.block, price)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(n, part.band, part.block, part.price)
        elif line.price != part.price:
            line.price = None
        line.wh += part.wh
        line.amount += part.amount()
        if part.band & payloads.FALLBACK:
            self.fallback_wh += 0 if export else part.wh
            self.fallback_amount += part.amount()

    def take_interval(self, interval, import_wh, export_wh):
        """Add an interval in which the registers moved by these Wh."""
        self.intervals += 1
        self.import_wh += import_wh
        self.export_wh += export_wh
        if interval.quality != QUALITY_OK:
            self.estimated += 1
            self.estimated_wh += import_wh
        if not interval.tariff_n:
            self.uncharged_wh += import_wh
        for part in interval.parts:
            self.take_part(interval.tariff_n, part)

    def take_posting(self, entry):
        """Add a record that is no interval."""
        found = self.posted.setdefault(entry.kind, [0, 0])
        found[0] += 1
        found[1] += entry.amount
