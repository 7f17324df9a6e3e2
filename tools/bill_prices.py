"""Dynamic price documents for `bill`: any number of them, as the meter would have had each."""

from collections.abc import Iterable
from pathlib import Path

from wattledger.agent.billing import dynamic
from wattledger.agent.errors import TariffError
from wattledger.agent.units import QUARTER_S
from wattledger.tools import places


class Prices:
    """Answers an account as DynamicPrices does; where documents overlap the highest n rules, and
    corrections over all others."""

    def __init__(self, lists: Iterable[dynamic.PriceList]) -> None:
        self._found: dict[int, int] = {}  # quarter of an hour -> micro per kWh
        for prices in sorted(lists, key=lambda prices: (prices.correct is not None, prices.n)):
            for at in range(prices.start, prices.end, QUARTER_S):
                self._found[at] = prices.prices[(at - prices.start) // prices.step]

    def price_at(self, unix: int) -> int | None:
        """Micro per kWh at `unix`, None when no document says."""
        return self._found.get(unix - unix % QUARTER_S)

    def is_expected(self) -> bool:
        """True where a slot without a price is one that is missing."""
        return bool(self._found)


def read(paths: Iterable[Path], tariff_id: str) -> Prices | None:
    """The price documents in these files, and in all *.json of these folders; None without any.

    PlaceError for one that a meter on `tariff_id` would refuse.
    """

    def load(data: bytes) -> dynamic.PriceList:
        prices = dynamic.load(data)
        if prices.id != tariff_id:
            raise TariffError(("prices_of",), f"is {prices.id}, the tariff is {tariff_id}")
        return prices

    lists = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise places.FileError(f"{path}: holds no *.json; give a folder of price documents")
        lists += [places.load(file, load) for file in files]
    return Prices(lists) if lists else None
