"""What a simulated run leaves behind for tools/invariants.py to judge."""

from dataclasses import dataclass, field

from wattledger.agent.journal.record import Record
from wattledger.tools.scenario_documents import TariffSets
from wattledger.tools.sim_utility import Command


@dataclass
class Evidence:
    """Energies are mWs, times unix ms. `faults` are problems seen while it ran, by invariant."""

    meter: str
    tariff: TariffSets
    entries: list[Record]
    tick_ms: int
    movements: list[bool]  # of the relay, as the world saw them; True is a closing
    commands: list[Command]
    copy: list[bytes]  # the utility's copy of the journal
    truth: tuple[int, int]  # import, export
    registers: tuple[int, int]  # import, export, in mWs with the rest of a Wh
    loss_bound_mws: int  # what the cuts and brown-outs of this run may have cost
    chain_ok: bool = True
    outages: list[tuple[int, int]] = field(default_factory=list)  # of power or link: from, to
    marks: list[tuple[int, str, int]] = field(default_factory=list)  # at a clock fault:
    # sequence, hash and balance of the journal's durable head
    faults: dict[str, list[str]] = field(default_factory=dict)
    growth: int | None = None  # bytes of the meter's memory from an hour after boot to the end
    growth_limit: int = 2048
