"""Rating: the energy of one interval times its prices. Exact; any slicing gives the same sum."""

from wattledger.agent.journal.payload import DYNAMIC, EXPORT, FALLBACK, NO_BLOCK, Part
from wattledger.hal.sample import TRUST_SYNCED


def rate(tariff, start, import_wh, export_wh, used_wh, trust, dynamic=None):
    """Parts of an interval that began at `start` (unix) with `used_wh` of the cycle behind it.

    Import parts come in block order, split at each block edge at the exact Wh, then export. A
    `dynamic` price (micro per kWh) replaces the band's in every block. Without synced time the
    tariff's fallback band is charged, whatever the dynamic price, and each part says so.
    """
    if trust == TRUST_SYNCED:
        band = flags = tariff.band_at(start)
    else:
        band = tariff.fallback
        flags = band | FALLBACK
        dynamic = None
    parts = []
    code = flags if dynamic is None else flags | DYNAMIC
    left = import_wh
    while left:
        block = tariff.block_of(used_wh, start)
        room = tariff.block_left(used_wh, start)
        wh = left if room is None or left < room else room
        price = tariff.price[block][band] if dynamic is None else dynamic
        parts.append(Part(code, block, wh, price))
        used_wh += wh
        left -= wh
    if export_wh:
        parts.append(Part(flags | EXPORT, NO_BLOCK, export_wh, tariff.export[band]))
    return parts


def total(parts):
    """What the parts move on the balance, nano-units."""
    amount = 0
    for part in parts:
        amount += part.amount()
    return amount
