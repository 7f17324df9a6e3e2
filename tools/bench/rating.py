"""What rating costs: a year of half-hours beside a plain engine, and the heap of one interval."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from wattledger.agent.billing import rating
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.journal.journal import Journal
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.house import METER, START, TARIFF
from wattledger.tools.bench.rows import Report, Row, best, cpu_s

HALF_HOUR_S = 1800
YEAR = 365 * 48  # half-hours
OFFSET_S = 28_800  # CST-8
MOST_WH = 1200  # of a half-hour
INTERVALS = 16
INTERVAL_LIMIT = 1024
RATIO_WANTED = "<= 5"


def run(half_hours: int = YEAR, rounds: int = 3) -> Report:
    """CPU of each engine, best of `rounds`, after checking that they agree to the nano-unit."""
    rows = profile(half_hours)
    document = json.loads(TARIFF)
    expected = plain(document, rows)[1]
    for name, found in (("rating", rated(rows)), ("account", posted(rows))):
        if found != expected:
            raise BenchError(f"{name} charges {found} nano-units, the plain engine {expected}")
    alone, whole, other = best(
        rounds,
        [
            lambda: cpu_s(lambda: rated(rows)),
            lambda: cpu_s(lambda: posted(rows)),
            lambda: cpu_s(lambda: plain(document, rows)),
        ],
    )
    scale = 1e6 / half_hours
    against = "plain engine"
    heap = _interval()
    return Report(
        "rating",
        f"{half_hours} half-hours of the same tariff; all engines agree to the nano-unit",
        [
            Row("rated", alone * scale, other * scale, "us", against, RATIO_WANTED),
            Row("rated and journalled", whole * scale, other * scale, "us", against, RATIO_WANTED),
            Row("journalled over rated", whole * scale, alone * scale, "us", "rated"),
            Row("heap of an interval", heap["plain"], INTERVAL_LIMIT, "B", "limit set", "< 1"),
            Row(
                "heap of one split by a block",
                heap["split"],
                INTERVAL_LIMIT,
                "B",
                "limit set",
                "< 1",
            ),
        ],
        {"half_hours": half_hours, "charged_nano": expected},
    )


def profile(half_hours: int) -> list[tuple[int, int]]:
    """(start, Wh) of each half-hour from the tariff's first; the same at every run."""
    return [(START + i * HALF_HOUR_S, i * 7919 % MOST_WH) for i in range(half_hours)]


def rated(rows: list[tuple[int, int]]) -> int:
    """Nano-units charged by the rating of the device: energy and standing, nothing written."""
    tariff = tariffs.load(TARIFF)
    used = cycle = 0
    amount = 0
    last_day, _ = tariff.zone.local(START)
    for start, wh in rows:
        now = tariff.cycle_day(start)
        if now != cycle:
            cycle, used = now, 0
        amount -= rating.total(rating.rate(tariff, start, wh, 0, used, TRUST_SYNCED))
        used += wh
    days = tariff.zone.local(rows[-1][0])[0] - last_day
    return amount + days * tariff.standing_day * 1000


def posted(rows: list[tuple[int, int]]) -> int:
    """The same through account and journal in memory: each interval a chained record."""
    storage = MemoryStorage()
    commission(storage, METER, START, TRUST_SYNCED, 0, CONNECTED)
    journal = Journal(storage, METER)
    journal.open(lambda entry: None)
    account = Account(journal)
    account.pending = tariffs.load(TARIFF)
    account.switch(START, TRUST_SYNCED)
    import_wh = 0
    for start, wh in rows:
        account.charge_standing(start, TRUST_SYNCED)
        account.begin(start, import_wh, 0, TRUST_SYNCED)
        import_wh += wh
        account.close(start + HALF_HOUR_S, import_wh, 0)
        journal.flush()
    return -journal.balance


def plain(document: dict[str, Any], rows: list[tuple[int, int]]) -> tuple[list[Any], int]:
    """The peer: a dict for each line and a loop, no class, nothing chained. (lines, nano)."""
    lines: list[dict[str, int]] = []
    balance = used = 0
    month = None
    began = time.gmtime(START + OFFSET_S)
    day = (began.tm_year, began.tm_yday)
    limits = [limit * 1000 for limit in document["blocks"]]
    for start, wh in rows:
        local = time.gmtime(start + OFFSET_S)
        today = (local.tm_year, local.tm_yday)
        if today != day:
            day = today
            balance -= document["standing_day"] * 1000
            lines.append({"start": start, "standing": 1, "balance": balance})
        if (local.tm_year, local.tm_mon) != month:
            month, used = (local.tm_year, local.tm_mon), 0
        weekend = (local.tm_wday + 1) % 7 in document["weekend"]
        band = 0
        for minute, index in document["days"]["weekend" if weekend else "workday"]:
            if minute > local.tm_hour * 60 + local.tm_min:
                break
            band = index
        left = wh
        while left:
            block = sum(used >= limit for limit in limits)
            room = limits[block] - used if block < len(limits) else left
            part = min(left, room)
            price = document["price"][block][band]
            balance -= part * price
            lines.append(
                {
                    "start": start,
                    "wh": part,
                    "band": band,
                    "block": block,
                    "price": price,
                    "amount": -part * price,
                    "balance": balance,
                }
            )
            used += part
            left -= part
    return lines, -balance


def _interval() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        device.stage(device.modules_of(device.PROGRAMS), tree)
        return Device(tree).run("interval", INTERVALS)
