"""What a check found."""

from typing import NamedTuple

OK, WARN, FAIL = "ok", "warn", "fail"


class Finding(NamedTuple):
    """One check: its name, how it stands, what was found, and the remedy in one line."""

    name: str
    state: str
    found: str
    fix: str = ""
