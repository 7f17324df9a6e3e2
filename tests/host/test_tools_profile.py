"""The profile of a journal; `bill` over it charges what the meter did, to the nano-unit."""

import shutil

import pytest

from wattledger.agent.billing import tariff as tariffs
from wattledger.hal.sample import TRUST_RESTORED
from wattledger.tests.host.meter_bench import FROM, METER, HandJournal, House, charged
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import bill, ledger, profile
from wattledger.tools.places import FileError

DEMO = (ROOT / "tools" / "data" / "demo-tariff.json").read_bytes()
MIDNIGHT = FROM + 18 * 3600  # of 13 January in China
DAY_NANO = 120000000  # the demo tariff's standing charge


def lines(folder):
    return list(profile.text(profile.of_journal(folder).rows))


def billed(folder, path, used_wh=0):
    """The bill over the profile as a file, the way a person makes it."""
    path.write_text("\n".join(lines(folder)) + "\n")
    return bill.bill(tariffs.load(DEMO), profile.read(path), path, used_wh)


def test_rows_are_differences_of_the_registers_with_the_trust_of_their_time(tmp_path):
    made = HandJournal(tmp_path)
    made.interval(FROM, FROM + 900, 100)
    made.interval(FROM + 900, FROM + 1800, 50, 30, TRUST_RESTORED)
    made.credit(FROM + 2000, 7, 2000000)
    made.interval(FROM + 1800, FROM + 2700, 0, 4)
    assert lines(tmp_path) == [
        "start_utc,import_wh,export_wh,trust",
        f"{FROM},100,0,synced",
        f"{FROM + 900},50,30,restored",
        f"{FROM + 1800},0,4,synced",
    ]


def test_a_row_of_0_wh_begins_each_gap(tmp_path):
    made = HandJournal(tmp_path)
    made.interval(FROM, FROM + 500, 100)
    made.interval(FROM + 560, FROM + 900, 50)
    made.interval(FROM + 900, FROM + 1800, 60)
    made.interval(FROM + 90900, FROM + 91800, 70)
    made.interval(FROM + 91800, FROM + 92700, 80)
    found = profile.of_journal(tmp_path)
    assert (found.intervals, found.gaps) == (5, 2)
    assert lines(tmp_path)[1:] == [
        f"{FROM},100,0,synced",
        f"{FROM + 500},0,0,unknown",
        f"{FROM + 560},50,0,synced",
        f"{FROM + 900},60,0,synced",
        f"{FROM + 1800},0,0,unknown",
        f"{FROM + 90900},70,0,synced",
        f"{FROM + 91800},80,0,synced",
    ]


def test_a_standing_charge_after_the_last_interval_is_billed(tmp_path):
    made = HandJournal(tmp_path, MIDNIGHT - 1800)
    made.interval(MIDNIGHT - 1800, MIDNIGHT - 900, 100)
    made.interval(MIDNIGHT - 900, MIDNIGHT, 100)
    assert billed(tmp_path, tmp_path / "p.csv")["standing_nano"] == 0
    made.standing(MIDNIGHT, 20270113, 120000)
    assert billed(tmp_path, tmp_path / "p.csv")["standing_nano"] == DAY_NANO
    assert lines(tmp_path)[-1] == f"{MIDNIGHT},0,0,synced"


def test_standing_charges_caught_up_after_days_without_power_are_billed(tmp_path):
    made = HandJournal(tmp_path)
    made.interval(FROM, FROM + 900, 100)
    later = MIDNIGHT + 3 * 86400 - 7  # the 13th, 14th and 15th have begun, the 16th has not
    for day in (20270113, 20270114, 20270115):
        made.standing(later, day, 120000)
    assert billed(tmp_path, tmp_path / "p.csv")["standing_nano"] == 3 * DAY_NANO
    assert lines(tmp_path)[1:3] == [f"{FROM},100,0,synced", f"{FROM + 900},0,0,synced"]


@pytest.mark.parametrize("end", [MIDNIGHT, MIDNIGHT - 1])
@pytest.mark.parametrize("begin", [MIDNIGHT - 40000, MIDNIGHT - 900])
def test_a_last_interval_that_was_short_is_not_stretched_over_midnight(tmp_path, begin, end):
    # The valley begins at 22:00, two hours before: rows from then on span no switch.
    made = HandJournal(tmp_path, begin)
    made.interval(begin, MIDNIGHT - 60, 0)
    made.interval(MIDNIGHT - 60, end, 1000)
    found = billed(tmp_path, tmp_path / "p.csv")
    assert (found["standing_nano"], found["energy_nano"]) == (0, 1000 * 310000)


def test_a_lone_interval_is_given_its_end(tmp_path):
    made = HandJournal(tmp_path, MIDNIGHT - 100)
    made.interval(MIDNIGHT - 100, MIDNIGHT, 10)
    assert lines(tmp_path)[1:] == [f"{MIDNIGHT - 100},10,0,synced", f"{MIDNIGHT - 50},0,0,synced"]


def test_a_journal_without_intervals_has_no_rows(tmp_path):
    HandJournal(tmp_path)
    assert lines(tmp_path) == ["start_utc,import_wh,export_wh,trust"]


def test_what_the_cycle_had_used_before_the_first_row_is_known(tmp_path):
    HandJournal(tmp_path, used_wh=99100)
    assert profile.of_journal(tmp_path).used_wh == 99100


def test_a_folder_without_a_journal_is_told(tmp_path):
    with pytest.raises(FileError, match="holds no journal; give the state directory"):
        profile.of_journal(tmp_path)
    made = tmp_path / "j0000000001"
    made.write_bytes(b"junk")
    with pytest.raises(
        FileError, match="entry the journal begins with is missing or damaged; restore"
    ):
        profile.of_journal(tmp_path)


def obvious_charges(rows, last_end, used):
    """What rows cost under the demo tariff, worked out by the hour of the day in China."""
    workday = ["valley"] * 7 + ["flat"] + ["peak"] * 3 + ["flat"] * 7 + ["peak"] * 3 + ["flat"]
    weekend = ["valley"] * 8 + ["flat"] * 14
    prices = {
        "valley": (310000, 360000, 610000),
        "flat": (530000, 580000, 830000),
        "peak": (780000, 830000, 1080000),
    }
    cost = 0
    for start, wh in rows:
        days, seconds = divmod(start + 8 * 3600, 86400)
        hours = (weekend if (days + 4) % 7 in (0, 6) else workday) + ["valley"] * 2
        band = hours[seconds // 3600]
        for _ in range(wh):
            cost += prices[band][(used >= 180000) + (used >= 280000)]
            used += 1
    first_day, last_day = (-(-(t + 8 * 3600) // 86400) for t in (rows[0][0], last_end))
    return cost + (last_day - first_day) * DAY_NANO


@pytest.mark.parametrize("cuts", [False, True])
def test_bill_over_the_profile_is_what_a_house_was_charged(tmp_path, cuts):
    folder = tmp_path / "state" / "meter"
    folder.mkdir(parents=True)
    used = 176000  # the first block's edge, at 180 kWh, comes in the first evening
    house = House(folder, DEMO, used_wh=used)
    if cuts:
        house.live(130000, seed=2)
    else:
        house.run(130000)
    found = billed(tmp_path / "state", tmp_path / "p.csv", used)
    assert found["total_nano"] == charged(folder)
    assert {line["block"] for line in found["lines"]} == {0, 1}
    rows = profile.read(tmp_path / "p.csv")
    last_end = 2 * rows[-1].start - rows[-2].start
    pairs = [(row.start, row.import_wh) for row in rows]
    assert found["total_nano"] == obvious_charges(pairs, last_end, used)
    scan = ledger.verify(tmp_path / "state").report()
    assert (scan["ok"], scan["problem"], scan["meter"]) == (True, None, METER)


def test_bill_over_the_profile_is_right_at_any_moment(tmp_path):
    """Not only at the end: a copy of a running meter's folder, taken at odd times."""
    folder = tmp_path / "meter"
    folder.mkdir()
    house = House(folder, DEMO)
    for step in range(60):
        if step % 7 == 6:
            house.cut(20 * (step % 5))
        house.run(1730)
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        if profile.of_journal(copy).rows:
            assert billed(copy, tmp_path / "p.csv")["total_nano"] == charged(copy)
        shutil.rmtree(copy)
