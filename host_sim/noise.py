"""Numbers that look random and depend on nothing but their arguments.

A world that is a pure function of seed and time needs no state and replays from anywhere.
"""

_MASK = (1 << 64) - 1


def noise(seed, *keys):
    """A 64-bit integer for this seed and these integer keys (the finaliser of splitmix64)."""
    value = seed & _MASK
    for key in keys:
        value = (value + 0x9E3779B97F4A7C15 * (key + 1)) & _MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return value


def between(low, high, seed, *keys):
    """An integer in [low, high] for this seed and these keys."""
    return low + noise(seed, *keys) % (high - low + 1)
