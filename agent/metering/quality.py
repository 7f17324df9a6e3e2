"""What a meter can believe: the most counts that can move in a time, and the worse of two."""

MAX_GAP_S = 4095  # of energy that the register takes in one piece, at the highest power


def counts_per_second(max_watts, numerator, denominator):
    """Counts that `max_watts` moves in one second, rounded up."""
    return -(-max_watts * denominator // (3600 * numerator))


def seconds_of(gap_ms):
    """Seconds in which energy may have moved; two of grace for a chip's own cadence."""
    return gap_ms // 1000 + 2


def is_possible(counts, per_second, seconds):
    """True when `counts` can have moved in `seconds`. Divided, for the product may be large."""
    whole = counts // seconds
    return whole < per_second or (whole == per_second and counts % seconds == 0)


def worse(first, second):
    """The worse of two qualities (hal/sample.py: a higher number is worse)."""
    return first if first > second else second
