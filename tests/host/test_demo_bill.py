"""The acceptance run: a real house's day through world, chip, driver, agent and journal, and the
same bill three ways."""

import csv
import datetime
import io
import json
import subprocess
import sys

import pytest

from wattledger.tests.host.demo_process import ROOT, DemoProcess

UCI_WH = 30412.667  # the file's integral: sum of its minutes' kW / 60
ZONE = datetime.timezone(datetime.timedelta(hours=8))


def cli(*arguments):
    """stdout of a wattledger command."""
    done = subprocess.run(
        [sys.executable, "-m", "wattledger.tools.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def plain_bill(document, rows):
    """Charges (energy, standing) in nano-units by the plainest reading of the document: a Wh at a
    time, local time by datetime."""
    energy = used = 0
    for start, wh in rows:
        local = datetime.datetime.fromtimestamp(start, ZONE)
        table = document["seasons"][0][
            2 if (local.weekday() + 1) % 7 in document["weekend"] else 1
        ]
        minute = local.hour * 60 + local.minute
        band = [index for at, index in document["days"][table] if at <= minute][-1]
        for _ in range(wh):
            block = sum(used >= limit * 1000 for limit in document["blocks"])
            energy += document["price"][block][band]
            used += 1
    first, last = rows[0][0], rows[-1][0] + 900
    day = datetime.datetime.fromtimestamp(first, ZONE).date()
    standing = 0
    while True:
        midnight = datetime.datetime.combine(day, datetime.time(), ZONE).timestamp()
        if midnight >= last:
            break
        if midnight >= first:
            standing += document["standing_day"] * 1000
        day += datetime.timedelta(days=1)
    return energy, standing


@pytest.mark.xdist_group("uci")
def test_a_real_day_is_metered_and_billed_exactly(tmp_path, reference_data):
    state = tmp_path / "state"
    demo = DemoProcess(
        *("--headless", "--json", "--credit", 50, "--speed", 2000, "--for", 52),
        *("--load", reference_data / "uci-household" / "2007-02-01_1min.csv", "--state", state),
    )
    assert demo.wait(120) == 0, demo.errors
    report = demo.report()
    assert report["register_wh"] == pytest.approx(UCI_WH, rel=0.001)
    assert report["truth_wh"] == pytest.approx(UCI_WH, rel=1e-6)
    assert all(report["invariants"].values())
    assert report["lost_intervals"] == 0

    tariff = ROOT / "tools" / "data" / "demo-tariff.json"
    profile = cli("profile", state, "--csv")
    path = tmp_path / "profile.csv"
    path.write_text(profile)
    bill = json.loads(
        cli("bill", "--tariff", tariff, "--profile", path, "--json").splitlines()[-1]
    )
    assert bill["total_nano"] == report["charged_nano"]

    rows = [
        (int(row["start_utc"]), int(row["import_wh"]))
        for row in csv.DictReader(io.StringIO(profile))
    ]
    energy, standing = plain_bill(json.loads(tariff.read_text()), rows)
    assert bill["energy_nano"] == energy
    assert bill["standing_nano"] == standing == 120_000_000  # one midnight in 28 hours

    verified = json.loads(cli("ledger", "verify", state, "--json").splitlines()[-1])
    assert verified["chain_ok"] is True
    assert verified["balance_nano"] == report["balance_nano"]
    assert verified["head"] == report["journal_head"]
