"""Rotation of a meter's keys, the utility's side: `key.rotate`, signed by the root key.

What was asked for is written down before it is sent, so that a meter that rotated while its answer
was lost is still understood, and the next try asks for a generation above all it may have.
"""

import json
from pathlib import Path
from typing import Any

from wattledger.agent.comms.rotation import MOST_HOURS
from wattledger.tools import durable, keys, orders, signing
from wattledger.tools.errors import VendError

AGAIN = "Repeat the command: it asks for a generation above any that the meter may have"


def order(
    generation: int, hours: int, root: signing.Signer, floors: dict[str, int]
) -> orders.Order:
    """Go to a generation; the one before stays good for so many powered hours. `floors` of a
    meter that has lost its store: credit, want, balance (micro-units)."""
    if not 0 <= hours <= MOST_HOURS:
        raise VendError(f"{hours} hours is not from 0 to {MOST_HOURS}")
    arguments = {"generation": generation, "hours": hours, **floors}
    return orders.Order("key.rotate", arguments, root.kid, root=root, again=AGAIN)


def rotate(
    meter: str,
    hours: int,
    root: signing.Signer,
    broker: str,
    keys_dir: Path,
    floors: dict[str, int] | None = None,
    timeout_s: float = 90,
) -> dict[str, Any]:
    """Rotate the keys of `meter`: its {"result", "detail"} with {"latency_ms", "generation"}.

    VendError when no answer comes.
    """
    generation = claim(keys_dir, meter)
    wanted = order(generation, hours, root, floors or {})
    answer = orders.send(meter, wanted, broker, keys_dir, timeout_s)
    if answer["result"] == "ok":
        take(keys_dir, meter, generation)
    return {**answer, "generation": keys.load(keys_dir, meter).generation}


def claim(keys_dir: Path, meter: str) -> int:
    """The next generation to ask for, durable as asked for before this returns."""
    return _change(keys_dir, meter, None)


def take(keys_dir: Path, meter: str, generation: int) -> None:
    """The meter has said that it is of this generation: everything is signed by it from now on."""
    _change(keys_dir, meter, generation)


def _change(keys_dir: Path, meter: str, taken: int | None) -> int:
    path = keys.path_of(keys_dir, meter, ".json")
    with keys.locked(keys_dir, meter):
        found = keys.load(keys_dir, meter)  # what is wrong with the file is told
        document = json.loads(path.read_text("utf-8"))
        following = found.next + 1 if taken is None else max(found.next, taken)
        document["generation"] = found.generation if taken is None else taken
        document["next"] = following
        durable.replace(path, json.dumps(document) + "\n", 0o600)
    return following if taken is None else taken
