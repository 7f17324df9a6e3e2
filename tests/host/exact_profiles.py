"""Profiles and price documents out of the reference data, for bills by both engines."""

import csv
from datetime import datetime, timezone
from decimal import Decimal

from wattledger.tests.host.exact_engine import Row

QUARTER = 900
MOST_SLOTS = 96


def columns(path):
    """The numbers of a file with one a line; lines that hold none are its heading."""
    found = []
    for line in path.read_text().split():
        try:
            found.append(Decimal(line))
        except ArithmeticError:
            continue
    return found


def year_of_load(reference_data, start, quarters):
    """Rows of 15 minutes from `start`: load and sun of a modelled house, netted in each quarter.

    Wh are differences of the floored sums, as registers give them.
    """
    folder = reference_data / "ssc-load-pv"
    load = columns(folder / "residential_load_15min_kW.csv")
    sun = columns(folder / "pv_gen_residential_1yr_15min_kW.csv")
    rows, sums, registers = [], [Decimal(0), Decimal(0)], [0, 0]
    for index in range(quarters):
        power = load[index % len(load)] - max(sun[index % len(sun)], 0)
        sums[power < 0] += abs(power) * 250  # Wh in a quarter of an hour
        moved = [int(total) - before for total, before in zip(sums, registers, strict=True)]
        registers = [int(total) for total in sums]
        at = start + QUARTER * index
        rows.append(Row(at, at + QUARTER, *moved))
    return rows


def agile_documents(reference_data, tariff_id):
    """The half-hourly prices of 2020 as documents of a day and two, in micro-units of GBP."""
    prices = {}
    with open(reference_data / "octopus-agile" / "agile_A_2020.csv", newline="") as file:
        for line in csv.DictReader(file):
            moment = datetime.strptime(line["utc_start"], "%Y-%m-%dT%H:%M:%SZ")
            unix = int(moment.replace(tzinfo=timezone.utc).timestamp())
            micro = Decimal(line["p_per_kWh_inc_vat"]) * 10**4  # pence to micro-units of a pound
            assert micro == int(micro)
            prices[unix] = int(micro)
    runs = []
    for unix in sorted(prices):
        if not runs or unix != runs[-1][-1] + 1800 or len(runs[-1]) == MOST_SLOTS:
            runs.append([])
        runs[-1].append(unix)
    return [
        {
            "v": 1,
            "prices_of": tariff_id,
            "n": n,
            "start": run[0],
            "step": 1800,
            "prices": [prices[unix] for unix in run],
        }
        for n, run in enumerate(runs, 1)
    ]
