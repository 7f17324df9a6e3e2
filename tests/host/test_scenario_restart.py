"""Restart anywhere: power cuts cost at most their stated bound, and never money."""

import pytest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.host_sim.noise import between
from wattledger.tests.host.scenario_bench import play

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("scenario_restart")

WATTS = 1800
HOURS = 6
OFF_S = 30
FLAT = {
    "v": 1,
    "id": "flat",
    "n": 1,
    "currency": "CNY",
    "tz": "CST-8",
    "from": 1_799_704_800,
    "cycle": "none",
    "blocks": [],
    "bands": ["flat"],
    "fallback": 0,
    "price": [[1_000_000]],  # a Wh is 1 000 000 nano, whenever it is used
    "days": {"w": [[0, 0]]},
    "seasons": [["0101", "w", "w"]],
    "weekend": [],
    "credit": {"low": [0, 0], "reconnect_above": 0, "max": 1_000_000_000, "friendly": []},
}


def run(folder, cuts, seed=1, within=False):
    """Six hours with `cuts` power cuts of 30 s at random seconds, and two top-ups; `within`: at
    one of the next writes to storage, and again in the boot that follows."""
    slot = HOURS * 3600 // max(cuts, 1)
    instants = [slot * k + between(5, slot - 90, seed, k) for k in range(cuts)]
    events = []
    for k, at in enumerate(instants):
        cut = {"for": f"{OFF_S}s"}
        if within:
            cut.update(write=between(1, 4, seed, k, 1), again=between(1, 3, seed, k, 2))
        events.append({"at": f"{at}s", "cut": cut})
    events += [{"at": "1h", "credit": "3.00"}, {"at": "4h", "credit": "4.00"}]
    return play(
        folder,
        hours=HOURS,
        tick_s=1,
        seed=seed,
        load={"watts": WATTS},
        credit="30.00",
        tariff=FLAT,
        events=events,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run(tmp_path_factory.mktemp("undisturbed"), 0)


def test_a_run_without_cuts_loses_nothing(undisturbed):
    assert undisturbed.report["register_wh"] == WATTS * HOURS
    assert undisturbed.report["charged_nano"] == WATTS * HOURS * 1_000_000
    assert undisturbed.report["credited_nano"] == 37_000_000_000


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 12))]
)
def test_random_cuts_end_where_no_cuts_end_up_to_their_bound(tmp_path, undisturbed, seed):
    cuts = 12
    outcome = run(tmp_path, cuts, seed)
    assert [name for name, found in outcome.problems.items() if found] == []
    report = outcome.report
    assert report["power_cuts"] == cuts
    missing = undisturbed.report["register_wh"] - report["register_wh"]
    off = cuts * OFF_S * WATTS / 3600  # nothing flows while the mains are away
    # 10 s, a tick, the write, and the 5 s steps in which this run is looked at.
    bound = cuts * 17 * WATTS / 3600
    assert -1 < missing - off < bound
    # The money follows the registers to the Wh, and every purchase is there once.
    assert report["charged_nano"] == int(report["register_wh"]) * 1_000_000
    assert report["credited_nano"] == 37_000_000_000
    assert report["balance_nano"] == 37_000_000_000 - report["charged_nano"]


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 12))]
)
def test_cuts_within_writes_and_boots_cost_no_more(tmp_path, undisturbed, seed):
    outcome = run(tmp_path, 12, seed, within=True)
    assert [name for name, found in outcome.problems.items() if found] == []
    report = outcome.report
    cuts = report["power_cuts"]
    assert cuts == 24
    missing = undisturbed.report["register_wh"] - report["register_wh"]
    off = cuts * OFF_S * WATTS / 3600
    bound = cuts * 17 * WATTS / 3600
    assert -1 < missing - off < bound
    # Boots make the meter's seconds lag behind, so its last quarter of an hour may still be open.
    charged_wh = report["charged_nano"] // 1_000_000
    intervals = [e for e in outcome.evidence.entries if e.kind == records.INTERVAL]
    assert charged_wh == readers.unpack_interval(intervals[-1].payload).import_wh
    assert 0 <= report["register_wh"] - charged_wh <= WATTS / 4
    assert report["credited_nano"] == 37_000_000_000
    assert report["balance_nano"] == 37_000_000_000 - report["charged_nano"]
