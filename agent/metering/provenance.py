"""Which calibration the chip measures by. A change ends the rest of a Wh that the old one left.

The rest is counted in the old calibration's fractions of a Wh and means nothing in the new one's.
"""

from wattledger.agent import events

STORE = "calibration"
ID_BYTES = 4


def is_new(storage, id):
    """True when `id` (CRC-32 of the calibration, 0 for the board's nominal) is another than the
    one this meter ran by before. OSError counts as not known, hence as new."""
    held = bytearray(ID_BYTES)
    try:
        if storage.read_from(STORE, 0, held) != ID_BYTES:
            return id != 0
    except OSError:
        return True
    return int.from_bytes(held, "little") != id


def close_rest(register, report, id):
    """Drop the rests, at most a Wh each way, and write the change down."""
    register.restore(register.import_wh, 0, register.export_wh, 0)
    report(events.CALIBRATION_CHANGED, id)


def keep(storage, id):
    """Remember it, once what was written down is durable: a cut before that tells it twice."""
    try:
        storage.commit(STORE, id.to_bytes(ID_BYTES, "little"))
    except OSError:
        pass  # told again at the next boot
