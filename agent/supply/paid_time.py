"""Time that tokens pay for (OpenPAYGO): when it is up, the supply is cut.

It is a register of its own, in powered seconds: no money, and no clock that has to be set. What
holds its cut back, and the warnings before it, are those of credit.
"""

from wattledger.agent.supply import rules


class PaidTime:
    """Puts `time is up` into the reasons and takes it out. `desk` is the TokenDesk."""

    def __init__(self, desk, supply):
        self._desk = desk
        self._supply = supply

    def judge(self, holds_back):
        """Once a tick; `holds_back()` gives the row that forbids a cut, or None."""
        if self._desk.is_closed():
            return  # no token could end a cut: the supply stays as it is
        is_up = self._desk.time_left_s() == 0
        row = holds_back() if is_up else None
        if not self._supply.reasons & rules.TIME_UP:
            if is_up and row is None:
                self._supply.hold_open(rules.TIME_UP, True)
        elif not is_up or (row is not None and rules.HOLDS_BACK[row][1]):
            self._supply.hold_open(rules.TIME_UP, False)

    def sooner(self, left):
        """The lesser of `left` (seconds, None: no end is near) and the time that is left."""
        own = self._desk.time_left_s()
        if left is None or own is None:
            return own if left is None else left
        return min(left, own)
