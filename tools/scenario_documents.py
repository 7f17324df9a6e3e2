"""The documents of a scenario: tariffs, dynamic prices and corrections, by path or written out."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from wattledger.agent.billing import dynamic, tariff
from wattledger.agent.billing.tariff import Tariff
from wattledger.agent.billing.zone import Zone
from wattledger.agent.billing.zone_text import parse_zone
from wattledger.agent.errors import TariffError
from wattledger.agent.units import QUARTER_S
from wattledger.tools import scenario_text as texts
from wattledger.tools.scenario_parts import FieldError

TIMES = ("from", "start", "until")  # keys whose values are unix seconds


def written(content: dict[str, Any], zone: Zone | None = None) -> bytes:
    """The bytes of a document that a scenario writes out; local times become unix seconds.

    Its own `tz` places them, else `zone`. ValueError: no such time, or no zone.
    """
    if isinstance(content.get("tz"), str):
        try:
            zone = parse_zone(content["tz"])
        except TariffError:
            zone = None  # the check of the document says what is wrong with it
    return json.dumps(_in_unix(content, zone), default=str).encode()


def _in_unix(content: Any, zone: Zone | None) -> Any:
    if not isinstance(content, dict):
        return content
    found = {}
    for key, value in content.items():
        if isinstance(value, datetime):
            value = value.strftime("%Y-%m-%d %H:%M:%S")
        if key in TIMES and zone and isinstance(value, str) and texts.is_local(value):
            value = texts.unix(value, zone)
        found[key] = _in_unix(value, zone)
    return found


def read(path: Path) -> bytes:
    """The bytes of a document in a file; ValueError when there is none."""
    if not path.is_file():
        raise ValueError(f"names {path}, which is no file; check the path")
    return path.read_bytes()


def check(where: tuple[Any, ...], data: bytes, is_written: bool) -> Tariff | None:
    """The tariff set that the document is, None for prices and corrections.

    FieldError at `where`, and within when the scenario writes it out.
    """
    try:
        try:
            content = json.loads(data)
        except ValueError:
            content = None
        if isinstance(content, dict) and "prices_of" in content:
            dynamic.load(data)
            return None
        found = tariff.load(data)
    except TariffError as error:
        if is_written:
            raise FieldError((*where, *error.path), error.message) from None
        raise FieldError(where, f"is no document: {error}") from None
    return None if found.correct else found


class TariffSets:
    """The sets a meter has in force one after the other, for what is judged beside it."""

    def __init__(self, first: Tariff) -> None:
        self._sets = [(0, first)]

    def add(self, found: Tariff, brought: int) -> None:
        """A set that is brought at a time (unix s): in force at the boundary after its `from`."""
        since = max(found.start, brought)
        if found.n > self._sets[-1][1].n:
            self._sets.append((-(-since // QUARTER_S) * QUARTER_S, found))

    def friendly_until(self, unix: int) -> int | None:
        """As Tariff.friendly_until, of the set in force then."""
        found = next(each for since, each in reversed(self._sets) if since <= unix)
        return found.friendly_until(unix)
