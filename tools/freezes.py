"""`wattledger ledger freezes`: what each billing cycle came to, as the meter froze it."""

from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.retention import KEPT, split
from wattledger.agent.units import micro_of
from wattledger.tools import ledger, output
from wattledger.tools.period import Source

NEWEST = 13  # what the meter keeps of cycles whose entries are gone


class Frozen(NamedTuple):
    """A freeze and the record that holds it."""

    entry: records.Record
    freeze: cycle_payload.Freeze


class Freezes:
    """The freezes in a state directory, oldest first: those of the journal, and those kept."""

    def __init__(self, state: str | Path) -> None:
        self.source = Source(state)
        found: dict[int, Frozen] = {}
        for entry in [*_kept(ledger.storage_folder(state)), *self.source.entries()]:
            if entry.kind == records.FREEZE:
                freeze = cycle_payload.unpack_freeze(entry.payload)
                if freeze.flags & payloads.CYCLE_ENDED:
                    found[entry.sequence] = Frozen(entry, freeze)
        self.found = [found[sequence] for sequence in sorted(found)][-NEWEST:]

    def band_name(self, band: int) -> str:
        """A band's name in the tariff in force, or its number."""
        tariff = self.source.tariff
        return tariff.bands[band] if tariff and band < len(tariff.bands) else f"band {band}"

    def report(self) -> dict[str, Any]:
        """What `ledger freezes --json` prints; blocks from 0, energies in Wh."""
        return {
            "meter": self.source.meter,
            "currency": self.source.currency or None,
            "freezes": [self._one(frozen) for frozen in self.found],
        }

    def _one(self, frozen: Frozen) -> dict[str, Any]:
        entry, freeze = frozen
        return {
            "sequence": entry.sequence,
            "time": self.source.instant(entry.time),
            "cycle": _date(freeze.cycle),
            "import_wh": freeze.import_wh,
            "export_wh": freeze.export_wh,
            "demand_w": freeze.demand_w,
            "energy_nano": freeze.energy,
            "standing_nano": freeze.standing,
            "balance_nano": entry.balance,
            "balance_micro": micro_of(entry.balance),
            "bands": [
                {
                    "band": band,
                    "band_name": self.band_name(band),
                    "register_wh": register,
                    "cycle_wh": _row(freeze, band),
                }
                for band, register in enumerate(freeze.bands)
            ],
        }


def show(freezes: Freezes) -> None:
    """The freezes for a person: a line for each band of a cycle."""
    rows = []
    for entry, freeze in freezes.found:
        for band, register in enumerate(freeze.bands):
            cells = _row(freeze, band)
            rows.append(
                (
                    _date(freeze.cycle) if band == 0 else "",
                    output.printable(freezes.band_name(band)),
                    str(register),
                    " + ".join(str(wh) for wh in cells) or "0",
                    str(freeze.demand_w) if band == 0 else "",
                    output.money(freeze.energy + freeze.standing) if band == 0 else "",
                    output.money(entry.balance) if band == 0 else "",
                )
            )
    output.table(
        f"{freezes.source.meter}, {len(freezes.found)} billing cycles",
        ["cycle from", "band", "register Wh>", "Wh by block>", "W>", "charged>", "balance>"],
        rows,
    )


def _row(freeze: cycle_payload.Freeze, band: int) -> list[int]:
    """The Wh of a band by block, as far as blocks were used."""
    cells = freeze.cells[band * payloads.BLOCKS : (band + 1) * payloads.BLOCKS]
    while cells and not cells[-1]:
        cells = cells[:-1]
    return list(cells)


def _date(key: int) -> str:
    return f"{key // 10000:04d}-{key // 100 % 100:02d}-{key % 100:02d}"


def _kept(folder: Path) -> list[records.Record]:
    path = folder / KEPT
    found = []
    for data in split(path.read_bytes()) if path.is_file() else []:
        try:
            found.append(records.decode(data))
        except RecordError:
            continue  # a copy; what the journal still holds is read from there
    return found
