"""How long to wait before the next attempt to reach a broker."""

import random


def next_delay(previous, lowest, highest, uniform=random.uniform):
    """Seconds to wait, after a wait of `previous` seconds (0: this is the first).

    The first evenly from 0 to `lowest`; then decorrelated jitter: evenly from `lowest` to three
    times the wait before, at most `highest`. The meters of a broker that went down must not come
    back in step: mosquitto on two cores takes about 2 600 connects a second (measured), so a
    million in step keep it down for minutes. From 75 s to 15 minutes no second has 2 % of them.
    """
    if not previous:
        return uniform(0, min(lowest, highest))
    return min(highest, uniform(lowest, max(lowest, previous) * 3))
