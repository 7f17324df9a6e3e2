"""`wattledger tariff check`: is a document one the meter can charge by, and what does it say?"""

from pathlib import Path
from typing import Any

from wattledger.agent.billing import tariff as tariffs
from wattledger.tools import output, places


def load(path: str | Path) -> tariffs.Tariff:
    """The tariff in a file; PlaceError names line, column and what to mend."""
    return places.load(path, tariffs.load)


def check(path: str | Path) -> dict[str, Any]:
    """What `tariff check --json` prints of a good document."""
    tariff = load(path)
    return {
        "ok": True,
        "id": tariff.id,
        "n": tariff.n,
        "bytes": tariff.size,
        "bytes_limit": tariffs.MAX_BYTES,
        "currency": tariff.currency,
        "from": tariff.start,
        "from_local": output.local(tariff.start, tariff.zone),
        "cycle": tariff.cycle,
        "cycle_start": tariff.cycle_start,
        "bands": tariff.bands,
        "fallback": tariff.bands[tariff.fallback],
        "blocks_kwh": [limit // 1000 for limit in tariff.limits],
        "price": tariff.price,
        "export": tariff.export,
        "standing_day": tariff.standing_day,
        "sha256": tariff.digest.hex(),
    }


def show(found: dict[str, Any]) -> None:
    """The same for a person."""
    currency = found["currency"]
    print(f"{found['id']} n {found['n']}: good, {found['bytes']} of {found['bytes_limit']} bytes")
    print(f"from      {found['from_local']}")
    start = f", starts {found['cycle_start']}" if found["cycle"] != "none" else ""
    print(f"cycle     {found['cycle']}{start}")
    print(f"blocks    {_blocks(found['blocks_kwh'])}")
    print(f"standing  {output.price(found['standing_day'])} {currency} a day")
    print(f"fallback  {found['fallback']}, while the meter's clock is not synced")
    rows = []
    for band, name in enumerate(found["bands"]):
        prices = [output.price(row[band]) for row in found["price"]]
        rows.append((name, *prices, output.price(found["export"][band])))
    blocks = [f"block {block}>" for block in range(1, len(found["price"]) + 1)]
    output.table(f"{currency} per kWh", ["band", *blocks, "export>"], rows)


def _blocks(limits: list[int]) -> str:
    if not limits:
        return "one"
    return f"{len(limits) + 1}, with edges at {', '.join(map(str, limits))} kWh of the cycle"
