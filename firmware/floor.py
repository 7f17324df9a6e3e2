"""The earliest time that a meter's clock may show."""

from wattledger.hal.sample import TRUST_SYNCED


def set_floor(clock, built):
    """Before the agent starts and after: no clock is before the build of the image.

    Else every certificate is "not yet valid" to an ESP32, which boots in the year 2000. What the
    clock's time is worth stays as it was: a clock that knows nothing takes any later time that is
    offered, however old the image is. The journal's last time, which it takes while the agent
    starts, may be earlier than an image that was updated since.
    """
    trust = clock.trust()
    if trust != TRUST_SYNCED and clock.unix_s() < built:
        clock.set(built, trust)
