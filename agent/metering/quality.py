"""What a meter can believe: the most counts that can move in a time, and the worse of two."""

MAX_GAP_S = 4095  # longer gaps bound nothing: every chip's register has wrapped by then


def counts_per_second(max_watts, numerator, denominator):
    """Counts that `max_watts` moves in one second, rounded up."""
    return -(-max_watts * denominator // (3600 * numerator))


def most_counts(per_second, gap_ms):
    """Counts that are possible in `gap_ms`; two seconds of grace for a chip's own cadence."""
    seconds = gap_ms // 1000 + 2
    if seconds > MAX_GAP_S:
        seconds = MAX_GAP_S
    return per_second * seconds


def worse(first, second):
    """The worse of two qualities (hal/sample.py: a higher number is worse)."""
    return first if first > second else second
