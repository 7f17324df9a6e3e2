"""The earliest time that a meter's clock may show."""

from wattledger.hal.sample import TRUST_RESTORED, TRUST_UNKNOWN


def set_floor(clock, built):
    """Before the agent starts: no clock that nobody has set is before the build of the image.

    Else every certificate is "not yet valid" to an ESP32, which boots in the year 2000. The
    agent's Timekeeper raises it to the last time of the journal.
    """
    if clock.trust() == TRUST_UNKNOWN and clock.unix_s() < built:
        clock.set(built, TRUST_RESTORED)
