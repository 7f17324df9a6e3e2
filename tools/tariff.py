"""`wattledger tariff check`: is a document one the meter can charge by, and what does it say?"""

from pathlib import Path
from typing import Any

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.dynamic import PriceList
from wattledger.agent.errors import TariffError
from wattledger.agent.values import parse_object
from wattledger.tools import output, places

KIND_TARIFF = "tariff"
KIND_CORRECTION = "correction"
KIND_PRICES = "prices"
KIND_CORRECTED_PRICES = "correction of prices"


def load(path: str | Path) -> tariffs.Tariff:
    """The tariff in a file; PlaceError names line, column and what to mend."""
    return places.load(path, _tariff)


def _tariff(data: bytes) -> tariffs.Tariff:
    if "prices_of" in parse_object(data, tariffs.MAX_BYTES, TariffError):
        raise TariffError(
            ("prices_of",),
            "this is no tariff but dynamic prices; see them with tariff check, give them to bill "
            "with --prices",
        )
    return tariffs.load(data)


def check(path: str | Path) -> dict[str, Any]:
    """What `tariff check --json` prints of a good document: a tariff, a correction or prices."""
    document, loaded = places.load(path, read)
    if isinstance(loaded, PriceList):
        return _of_prices(loaded)
    return _of_tariff(document, loaded)


def read(data: bytes) -> tuple[dict[str, Any], tariffs.Tariff | PriceList]:
    """A document and what the meter makes of it; TariffError."""
    document = parse_object(data, tariffs.MAX_BYTES, TariffError)
    limit = tariffs.DEFAULT_PRICE_LIMIT
    if "prices_of" in document:
        return document, dynamics.made(document, data, limit)
    return document, tariffs.made(document, data, limit)


def _of_prices(prices: PriceList) -> dict[str, Any]:
    return {
        "ok": True,
        "kind": KIND_CORRECTED_PRICES if prices.correct else KIND_PRICES,
        "id": prices.id,
        "n": prices.n,
        "bytes": prices.size,
        "bytes_limit": tariffs.MAX_BYTES,
        "start": prices.start,
        "end": prices.end,
        "step": prices.step,
        "slots": len(prices.prices),
        "lowest": min(prices.prices),
        "highest": max(prices.prices),
        "sha256": prices.digest.hex(),
    }


def _of_tariff(document: dict[str, Any], tariff: tariffs.Tariff) -> dict[str, Any]:
    return {
        "ok": True,
        "kind": KIND_CORRECTION if tariff.correct else KIND_TARIFF,
        "id": tariff.id,
        "n": tariff.n,
        "bytes": tariff.size,
        "bytes_limit": tariffs.MAX_BYTES,
        "currency": tariff.currency,
        "from": tariff.start,
        "from_local": output.local(tariff.start, tariff.zone),
        "correct": tariff.correct and [output.local(at, tariff.zone) for at in tariff.correct],
        "cycle": tariff.cycle,
        "cycle_start": tariff.cycle_start,
        "bands": tariff.bands,
        "fallback": tariff.bands[tariff.fallback],
        "blocks_kwh": [limit // 1000 for limit in tariff.limits],
        "price": tariff.price,
        "export": tariff.export,
        "net": tariff.net,
        "standing_day": tariff.standing_day,
        "demand": document.get("demand"),
        "minimum": tariff.minimum,
        "kwh_credit": tariff.kwh_credit,
        "seasons": document["seasons"],
        "holidays": len(document.get("holidays", ())),
        "sha256": tariff.digest.hex(),
    }


def show(found: dict[str, Any]) -> None:
    """The same for a person."""
    what = "" if found["kind"] == KIND_TARIFF else f" {found['kind']}"
    size = f"{found['bytes']} of {found['bytes_limit']} bytes"
    print(f"{found['id']} n {found['n']}{what}: good, {size}")
    if found["kind"] in (KIND_PRICES, KIND_CORRECTED_PRICES):
        _show_prices(found)
    else:
        _show_tariff(found)


def _show_prices(found: dict[str, Any]) -> None:
    print(f"slots     {found['slots']} of {found['step'] // 60} min")
    print(f"from      {output.utc(found['start'])} to {output.utc(found['end'])}")
    print(f"per kWh   {output.price(found['lowest'])} to {output.price(found['highest'])}")


def _show_tariff(found: dict[str, Any]) -> None:
    currency = found["currency"]
    if found["correct"]:
        print(f"corrects  {found['correct'][0]} to {found['correct'][1]}")
    else:
        print(f"from      {found['from_local']}")
    start = f", starts {found['cycle_start']}" if found["cycle"] != "none" else ""
    print(f"cycle     {found['cycle']}{start}")
    print(f"blocks    {_blocks(found['blocks_kwh'])}")
    for season in found["seasons"]:
        print(f"season    from {season[0]}{_season(season)}")
    print(f"standing  {output.price(found['standing_day'])} {currency} a day")
    if found["demand"]:
        demand = output.price(found["demand"]["price"])
        print(f"demand    {demand} {currency} per kW in {found['demand']['minutes']} min")
    if found["minimum"]:
        print(f"minimum   {output.price(found['minimum'])} {currency} a cycle")
    if found["net"]:
        print("net       export is taken off import before it is rated")
    if found["holidays"]:
        print(f"holidays  {found['holidays']}")
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


def _season(season: list[Any]) -> str:
    own = season[3] if len(season) > 3 else {}
    text = ""
    if "blocks" in own:
        text += f", edges at {', '.join(map(str, own['blocks']))} kWh"
    if own.get("blocks_reset"):
        text += ", counted anew"
    return text
