"""The billing cycle: what its intervals add up to, by band and block, and its highest demand."""

from wattledger.agent.billing.calendar import date_key
from wattledger.agent.journal.payload import BAND_MASK, BLOCKS, EXPORT


class Cycle:
    """Energies are whole Wh, money nano-units (charges positive), `day` the cycle's first day.

    `bands` holds the import registers of the bands, which only rise; `cells` the cycle's Wh of
    band b and block k at b * BLOCKS + k.
    """

    def __init__(self):
        self.day = 0  # 0 until one is known, and where a tariff has no cycle
        self.whole = False  # a tariff was in force from the cycle's first instant on
        self.energy = 0  # charged for import
        self.standing = 0
        self.demand_w = 0
        self.window_wh = None  # the import register at the start of the open demand window
        self.window_at = 0  # unix seconds up to which the window is measured
        self.bands = []
        self.cells = []

    def key(self):
        """Its first date as yyyymmdd, 0 for none."""
        return date_key(self.day) if self.day else 0

    def begin(self, day, whole):
        """Start the cycle that begins at `day`; the registers of the bands go on."""
        self.day = day
        self.whole = whole
        self.energy = self.standing = self.demand_w = 0
        self.window_wh = None
        for cell in range(len(self.cells)):  # in place: its end is in the journal, heap or none
            self.cells[cell] = 0

    def after(self, parts):
        """`energy` with an interval that was rated in `parts`; makes room for its band. After
        this take() needs no heap."""
        energy = self.energy
        if parts:
            bands = (parts[0].band & BAND_MASK) + 1  # an interval has one band
            if len(self.cells) < bands * BLOCKS:
                self.cells.extend([0] * (bands * BLOCKS - len(self.cells)))
            if len(self.bands) < bands:
                self.bands.extend([0] * (bands - len(self.bands)))
        for part in parts:
            if not part.band & EXPORT:
                energy -= part.amount()
        return energy

    def take(self, parts, import_wh, energy):
        """Count an interval that was rated in `parts` and imported `import_wh`; `energy` is what
        after() said."""
        self.energy = energy
        band = parts[0].band & BAND_MASK
        self.bands[band] += import_wh
        for part in parts:
            if not part.band & EXPORT:
                self.cells[band * BLOCKS + part.block] += part.wh
