"""Cycles in the tools: demand, minimum and freezes verified, explained and listed."""

import json

import pytest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.agent.journal.retention import Retention
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.both.houses_tariffs import data, local_2027
from wattledger.tests.host.meter_bench import METER, HandJournal
from wattledger.tools import cli

JUNE, JULY, AUGUST = (local_2027(month, 1) for month in (6, 7, 8))
DEMAND = {"minutes": 15, "price": 1000}
# June: 1000 Wh in the peak's quarter (4000 W), net of 200 exported: 800 x 777777; the minimum
# lacks 10 000 000 000 - 622 221 600 - 30 x 1 000 000. July: nothing but 31 days of standing.
JUNE_ENERGY, STANDING = 800 * 777777, 1000000
JUNE_LACKS = 10**10 - JUNE_ENERGY - 30 * STANDING
JULY_LACKS = 10**10 - 31 * STANDING


def begin_segment(journal, at, checkpoint):
    checkpoint.previous = journal.hash
    checkpoint.meter = METER
    journal.rotate()
    journal.append(records.CHECKPOINT, at, TRUST_SYNCED, 0, checkpoint.pack())


@pytest.fixture
def folder(tmp_path):
    """A journal from the 1st of June to the 1st of August, by the account itself."""
    hand = HandJournal(tmp_path, JUNE)
    document = data(
        start=JUNE, net=True, demand=DEMAND, minimum=10000000, standing_day=STANDING // 1000
    )
    (tmp_path / "tariff.active").write_bytes(document)
    begin_segment(hand.journal, JUNE, checkpoints.Checkpoint())
    account = Account(hand.journal)
    account.pending = tariffs.load(document)
    account.switch(JUNE, TRUST_SYNCED)

    def open_at(at, import_wh=0, export_wh=0):
        account.charge_standing(at, TRUST_SYNCED)
        account.begin(at, import_wh, export_wh, TRUST_SYNCED)

    noon = local_2027(6, 15, 12)
    open_at(noon)
    account.close(noon + 900, 1000, 200)
    open_at(JULY, 1000, 200)
    account.close(JULY + 900, 1000, 200)
    open_at(AUGUST, 1000, 200)
    hand.journal.flush()
    return tmp_path


def run(capsys, *arguments):
    code = cli.run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_journal_verifies(folder, capsys):
    code, found = run(capsys, "ledger", "verify", str(folder))
    assert (code, found["ok"]) == (0, True)
    wanted = -JUNE_ENERGY - 62 * STANDING - 4000 * 1000 - JUNE_LACKS - JULY_LACKS
    assert found["balance_nano"] == 5 * 10**9 + wanted


def test_every_moved_nano_is_explained(folder, capsys):
    code = cli.run(["statement", str(folder), "--month", "2027-06", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["explained_nano"] == found["change_nano"]
    assert found["posted"]["demand"] == {"entries": 1, "amount_nano": -4000000}
    assert [line["net"] for line in found["lines"]] == [True]
    assert (found["import_wh"], found["lines"][0]["wh"]) == (1000, 800)
    assert found["lines"][0]["amount_nano"] == -JUNE_ENERGY
    # The minimum of June is posted as July begins.
    code = cli.run(["statement", str(folder), "--month", "2027-07", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert found["posted"]["minimum"] == {"entries": 1, "amount_nano": -JUNE_LACKS}
    assert found["explained_nano"] == found["change_nano"]


def test_a_person_reads_which_cycle_it_was_for(folder, capsys):
    assert cli.run(["statement", str(folder), "--month", "2027-07"]) == 0
    assert "Minimum charge, billing cycle from 2027-06-01" in capsys.readouterr().out
    assert cli.run(["statement", str(folder), "--month", "2027-06"]) == 0
    shown = capsys.readouterr().out
    assert "net of export" in shown
    assert cli.run(["ledger", "list", str(folder), "--last", "200"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "4000 W in 15 min, 0 W before, cycle of 20270601" in shown
    assert "cycle of 20270701: import 1000 Wh, export 200 Wh, 0 Wh in blocks, 0 W" in shown


def test_the_freezes_by_cycle(folder, capsys):
    code, found = run(capsys, "ledger", "freezes", str(folder))
    assert code == 0
    june, july = found["freezes"]
    assert (june["cycle"], july["cycle"]) == ("2027-06-01", "2027-07-01")
    assert (june["import_wh"], june["export_wh"], june["demand_w"]) == (1000, 200, 4000)
    assert (june["energy_nano"], june["standing_nano"]) == (JUNE_ENERGY, 30 * STANDING)
    assert june["bands"] == [
        {"band": 0, "band_name": "valley", "register_wh": 0, "cycle_wh": []},
        {"band": 1, "band_name": "peak", "register_wh": 1000, "cycle_wh": [800]},
    ]
    assert (july["energy_nano"], july["demand_w"]) == (0, 0)
    assert [row["register_wh"] for row in july["bands"]] == [0, 1000]
    assert june["balance_nano"] == 5 * 10**9 - JUNE_ENERGY - 30 * STANDING - 4000000 - JUNE_LACKS
    assert cli.run(["ledger", "freezes", str(folder)]) == 0
    assert "2 billing cycles" in capsys.readouterr().out


def test_freezes_of_segments_that_went_are_still_read(folder, capsys):
    storage = PosixStorage(folder, durable=False)
    journal = Journal(storage, METER)
    journal.open(lambda entry: None)
    checkpoint = checkpoints.Checkpoint()
    checkpoint.import_wh, checkpoint.export_wh = 1000, 200
    checkpoint.bands, checkpoint.cells = [0, 1000], [0] * 12
    checkpoint.debt = b"d" * 45
    checkpoint.closings = [5, 6]
    begin_segment(journal, AUGUST + 60, checkpoint)
    journal.flush()
    retention = Retention(storage, 1, 1 << 20, 4096)
    assert retention.crowded(True)
    assert retention.crowded(True)
    (folder / "slot.a").unlink()
    code, found = run(capsys, "ledger", "verify", str(folder))
    assert (code, found["meter"], found["entries"]) == (0, METER, 1)
    code, found = run(capsys, "ledger", "freezes", str(folder))
    assert [freeze["cycle"] for freeze in found["freezes"]] == ["2027-06-01", "2027-07-01"]


@pytest.mark.parametrize(
    ("kind", "amount", "payload"),
    [
        (records.DEMAND, -5, cycle_payload.pack_demand(20270601, 4000, 4000, 15, 1)),
        (records.DEMAND, -5, cycle_payload.pack_demand(20270601, 4000, 3998, 15, 1)),
        (records.MINIMUM, -999, cycle_payload.pack_minimum(20270601, 1, 0, 0, 1)),
        (records.MINIMUM, -1000, cycle_payload.pack_minimum(20270601, 1, 1, 0, 1)),
    ],
)
def test_charges_that_do_not_follow_from_their_entry_are_found(
    tmp_path, capsys, kind, amount, payload
):
    hand = HandJournal(tmp_path)
    hand.append(kind, JUNE, amount, payload)
    code, found = run(capsys, "ledger", "verify", str(tmp_path))
    assert (code, found["first_bad"]) == (1, 2)
