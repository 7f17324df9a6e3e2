"""Secrets compared."""


def same(first, second):
    """True for equal bytes, in a time that does not tell where they differ."""
    differ = len(first) ^ len(second)
    for at in range(min(len(first), len(second))):
        differ |= first[at] ^ second[at]
    return not differ
