"""Rating: the energy of one interval times its prices. Exact; any slicing gives the same sum.

With `net` a slice is an interval of its own: import and export of the same interval cancel out,
those of two intervals do not.
"""

from wattledger.agent.journal.payload import (
    DYNAMIC,
    EXPORT,
    FALLBACK,
    NET,
    NO_BLOCK,
    UNPRICED,
    Part,
)
from wattledger.hal.sample import TRUST_SYNCED

NO_SLOT = "no slot"  # dynamic prices are in use and none holds for this time


def rate(tariff, start, import_wh, export_wh, used_wh, trust, dynamic=None):
    """Parts of an interval that began at `start` (unix) with `used_wh` of the period behind it.

    Import parts come in block order, split at each block edge at the exact Wh, then export. A
    `dynamic` price (micro per kWh) replaces the band's in every block; NO_SLOT: the band's holds,
    and each part says so. Without synced time the tariff's fallback band and its own block limits
    are charged, whatever the dynamic price, and each part says so. With `net` the smaller of
    import and export is taken off both; where no import is left a part of 0 Wh keeps its price.
    """
    if trust == TRUST_SYNCED:
        band = flags = tariff.band_at(start)
    else:
        band = tariff.fallback
        flags = band | FALLBACK
        dynamic = start = None
    if dynamic == NO_SLOT:
        flags |= UNPRICED
        dynamic = None
    moved = import_wh
    if tariff.net:
        flags |= NET
        both = min(import_wh, export_wh)
        import_wh -= both
        export_wh -= both
    code = flags if dynamic is None else flags | DYNAMIC
    parts = []
    limits = tariff.limits_at(start)
    block = 0
    while import_wh or (moved and not parts):
        while block < len(limits) and used_wh >= limits[block]:
            block += 1
        wh = import_wh
        if block < len(limits) and wh > limits[block] - used_wh:
            wh = limits[block] - used_wh
        price = tariff.price[block][band] if dynamic is None else dynamic
        parts.append(Part(code, block, wh, price))
        used_wh += wh
        import_wh -= wh
    if export_wh:
        parts.append(Part(flags | EXPORT, NO_BLOCK, export_wh, tariff.export[band]))
    return parts


def total(parts):
    """What the parts move on the balance, nano-units."""
    amount = 0
    for part in parts:
        amount += part.amount()
    return amount


def counted(parts):
    """Wh of the parts that fill blocks: what was imported, with `net` what is left of it."""
    wh = 0
    for part in parts:
        if not part.band & EXPORT:
            wh += part.wh
    return wh
