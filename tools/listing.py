"""What `wattledger ledger verify` and `ledger list` show a person."""

from collections import deque
from pathlib import Path

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.shelf import ACTIVE
from wattledger.agent.billing.zone import Zone
from wattledger.agent.errors import TariffError
from wattledger.hal.sample import TRUST_NAMES
from wattledger.tools import entries, ledger, output


def show_outcome(scan: ledger.Scan) -> None:
    """The outcome for a person."""
    print(f"meter    {scan.meter or 'unknown'}")
    print(f"entries  {scan.entries}, {'whole' if scan.chain_ok else 'broken'} chain")
    print(f"balance  {output.money(scan.balance)}")
    if scan.hashes:
        print(f"head     {scan.last} {scan.hashes[scan.last].hex()}")
    if scan.torn_bytes:
        print(
            f"torn     {scan.torn_bytes} bytes of unfinished writes, which the meter passes over"
        )
    print("good" if scan.first_bad is None else f"first bad entry {scan.first_bad}")


def show_entries(state: str | Path, last: int) -> None:
    """Print the `last` entries, times local to the meter's tariff; UTC without one."""
    kept: deque[ledger.Entry] = deque(maxlen=last)
    scan = ledger.verify(state, kept.append)
    zone = _zone(ledger.storage_folder(state) / ACTIVE)
    rows = [
        (
            str(entry.sequence),
            output.local(entry.time, zone),
            TRUST_NAMES[entry.trust] if entry.trust < len(TRUST_NAMES) else str(entry.trust),
            entry.kind,
            output.money(entry.amount) if entry.amount else "",
            output.money(entry.balance),
            entries.describe(entry.kind, entry.payload),
        )
        for entry in kept
    ]
    title = f"{scan.meter or 'unknown meter'}, {len(rows)} of {scan.entries} entries"
    output.table(title, ["#>", "time", "clock", "kind", "amount>", "balance>", "what"], rows)


def _zone(path: Path) -> Zone | None:
    try:
        return tariffs.load(path.read_bytes()).zone
    except (OSError, TariffError):
        return None
