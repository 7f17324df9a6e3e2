"""Which register of the ATM90E32 was misread, when the phases and their total differ."""


def blame(left, first, again, before, stray, doubt_place, doubt):
    """(place, counts to add to it) that explains `left`, phases less total; or None.

    `first`, `again` and `before` are the counts of both readings and of the reading before by
    place: forward and reverse of each phase, then of the total. (0, 0) blames nothing: the second
    reading made it whole, or MeterEn swallowed the total (`stray`). A first value counts as
    another register's only if its own has energy after all, or had none at the reading before: a
    chip whose total does not work must lose no energy by it. `doubt` is by how much an answer at
    `doubt_place` was overruled by LastSPIData.
    """
    total = len(first) - 2
    choices = [(0, 0, left), (0, 0, left - stray)]
    if doubt:
        choices.append((doubt_place, doubt, left + _part(doubt_place, doubt, total)))
    for place, value in enumerate(first):
        if not value or (again[place] <= 1 and before[place] > 1):
            continue
        part = _part(place, value, total)
        choices.append((place, -value, left - part))
        # It was the total's own, whose register then lacks what it had a reading before, or that
        # of the other direction.
        mine = total + (place & 1)
        swallowed = first[mine] <= 1 < before[mine]
        choices.append((place, -value if swallowed else -2 * value, left - 2 * part))
    best = choices[0]
    for choice in choices:
        if abs(choice[2]) < abs(best[2]):
            best = choice
    if abs(best[2]) > total // 2 + 1 + (max(first) >> 8):
        return None
    return best[:2]


def _part(place, value, total):
    """What a value at a place is in phases less total."""
    return -value if (place & 1) ^ (place >= total) else value
