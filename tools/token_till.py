"""The vendor's file of one meter's tokens, beside its keys: <meter>.token in the keys directory.

    {"meter", "note", "ea", "base", "key": the decoder key in hex, "tid": the last one sold}

A test key. The identifier is the minute of the sale and only ever rises: two tokens of one minute
would be one to the meter, and the second buyer would hold a used one.
"""

import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from wattledger.agent.tokens.settings import BASES, KEY_BYTES
from wattledger.tools import durable, keys
from wattledger.tools.errors import KeysError
from wattledger.tools.token_sts import DAY_MINUTES, RESERVED_MINUTE, tid_at

NOTE = "test key, not for a real meter"


@dataclass(frozen=True)
class Till:
    """The decoder key of a meter, and the last identifier sold."""

    meter: str
    ea: str
    base: int
    key: bytes
    tid: int

    def document(self) -> str:
        """The file's text."""
        fields = {"meter": self.meter, "note": NOTE, "ea": self.ea, "base": self.base}
        return json.dumps({**fields, "key": self.key.hex(), "tid": self.tid}) + "\n"


def create(directory: str | Path, meter: str, ea: str, base: int, tid: int) -> Till:
    """A new test key for `meter`; `tid` is the minute it was made. Never replaces a key."""
    path = keys.path_of(Path(directory), meter, ".token")
    till = Till(meter, ea, base, os.urandom(KEY_BYTES[ea]), tid)
    with keys.locked(Path(directory), meter):
        if path.exists():
            raise KeysError(f"{path}: this meter has a token key already")
        durable.replace(path, till.document(), 0o600)
    return till


def load(directory: str | Path, meter: str) -> Till:
    """The till of `meter`; KeysError names the file and what to do."""
    path = keys.path_of(Path(directory), meter, ".token")
    try:
        found = json.loads(path.read_text("utf-8"))
        till = Till(
            found["meter"], found["ea"], found["base"], bytes.fromhex(found["key"]), found["tid"]
        )
    except FileNotFoundError:
        raise KeysError(
            f"{path}: no such file; give the folder that holds the meter's token key"
        ) from None
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, KeyError):
        raise KeysError(f"{path}: {_WHOLE}; restore the file") from None
    if not _is_whole(till, meter):
        raise KeysError(f"{path}: {_WHOLE}; restore the file")
    return till


_WHOLE = 'needs "meter" (its own), "ea", "base", "key" in hex of that length, and "tid"'


def _is_whole(till: Till, meter: str) -> bool:
    known = till.meter == meter and till.ea in KEY_BYTES and till.base in BASES
    numbered = type(till.tid) is int and 0 <= till.tid <= 0xFFFFFF
    return known and numbered and len(till.key) == KEY_BYTES[till.ea]


def sell(directory: str | Path, meter: str, moment: datetime) -> Till:
    """The till with the identifier of a token sold at `moment`; durable before this returns, so
    that no crash and no second vendor sells it again."""
    path = keys.path_of(Path(directory), meter, ".token")
    load(directory, meter)  # what is wrong is told before the folder is written to
    with keys.locked(Path(directory), meter):
        till = load(directory, meter)
        tid = max(tid_at(moment, till.base), till.tid + 1)
        if tid % DAY_MINUTES == RESERVED_MINUTE:
            tid += 1
        if tid > 0xFFFFFF:
            raise KeysError(f"{path}: no identifier is left after {till.tid}")
        till = replace(till, tid=tid)
        durable.replace(path, till.document(), 0o600)
    return till


def wanted(wish: dict[str, Any], directory: str | Path, meter: str, moment: datetime) -> Till:
    """As sell(), with the algorithm, key and base put into what `vend` is asked for."""
    till = sell(directory, meter, moment)
    wish.update({"ea": till.ea, "key": till.key.hex(), "base": till.base, "tid": till.tid})
    return till
