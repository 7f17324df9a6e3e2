"""`bill` against the worked example and against an obvious calculation of its own."""

import json
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.billing import tariff as tariffs
from wattledger.tools import bill as bills
from wattledger.tools import bill_prices, cli, profile
from wattledger.tools.places import FileError, PlaceError

QUARTER = 900
CREDIT = {"low": [2, 1], "reconnect_above": 1, "max": 1000000, "friendly": []}
EXAMPLE = {
    "v": 1, "id": "demo-cn", "n": 1, "currency": "CNY", "tz": "CST-8", "from": 1798732800,
    "cycle": "month", "cycle_start": 1, "blocks": [100], "bands": ["valley", "peak"],
    "fallback": 0, "price": [[333333, 777777], [555555, 999999]],
    "days": {"w": [[0, 0], [480, 1], [1320, 0]]}, "seasons": [["0101", "w", "w"]],
    "weekend": [], "export": [123457], "credit": CREDIT,
}  # fmt: skip
SECOND = dict(
    EXAMPLE,
    n=2,
    price=[[300001, 700003], [500009, 900007]],
    standing_day=260003,
    **{"from": 1801396800},
)


def tariff_of(document):
    return tariffs.load(json.dumps(document).encode())


def at(text):
    """Unix seconds of a time in China, `2027-01-31 07:30`."""
    moment = datetime.fromisoformat(text + "+08:00")
    return int(moment.timestamp())


@pytest.fixture
def bill(tmp_path):
    """Bills a CSV text by a document."""

    def run(document, text, used_wh=0, estimate=False):
        path = tmp_path / "p.csv"
        path.write_bytes(text.encode())
        rows = profile.read(path)
        return bills.bill(tariff_of(document), rows, path, used_wh, estimate)

    return run


@pytest.fixture
def bill_of(tmp_path):
    """Bills a CSV text by documents, as the command does."""

    def run(documents, text, used_wh=0, prices=()):
        path = tmp_path / "p.csv"
        path.write_text(text)
        files = []
        for number, document in enumerate(prices):
            files.append(tmp_path / f"prices{number}.json")
            files[-1].write_text(json.dumps(document))
        sets = [tariff_of(document) for document in documents]
        found = bill_prices.read(files, sets[0].id)
        return bills.bill(sets, profile.read(path), path, used_wh, prices=found)

    return run


def csv(rows, header="start_utc,import_wh,export_wh"):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_the_first_tariff_of_the_worked_example(bill):
    rows = [
        (at("2027-01-31 07:30"), 101, 0),
        (at("2027-01-31 07:45"), 257, 0),
        (at("2027-01-31 08:00"), 199, 0),
        (at("2027-01-31 08:15"), 734, 0),
        (at("2027-01-31 12:00"), 3, 1501),
        (at("2027-01-31 19:45"), 411, 0),
        (at("2027-01-31 20:00"), 0, 0),
    ]
    found = bill(EXAMPLE, csv(rows[:4]), used_wh=99100)
    amounts = 33666633 + 85666581 + 154777623 + 266777511 + 390999609
    assert (found["energy_nano"], found["standing_nano"]) == (amounts, 0)
    assert found["lines"] == [
        {"cycle": "2027-01-01", "band": "valley", "block": 0, "wh": 358, "price": 333333,
         "amount_nano": 33666633 + 85666581},
        {"cycle": "2027-01-01", "band": "peak", "block": 0, "wh": 542, "price": 777777,
         "amount_nano": 154777623 + 266777511},
        {"cycle": "2027-01-01", "band": "peak", "block": 1, "wh": 391, "price": 999999,
         "amount_nano": 390999609},
    ]  # fmt: skip
    # The example's day has another 13 h 30 min to its standing charge, and this tariff has none.
    found = bill(EXAMPLE, csv(rows), used_wh=99100, estimate=True)
    assert found["energy_nano"] == amounts + 2999997 + 410999589
    assert found["export_nano"] == 185308957
    assert found["total_nano"] == amounts + 2999997 + 410999589 - 185308957
    assert found["export_lines"][0]["wh"] == 1501


def test_the_second_tariff_of_the_worked_example(bill):
    rows = [
        (at("2027-01-31 20:00"), 389, 0),
        (at("2027-01-31 20:15"), 0, 0),
        (at("2027-01-31 23:45"), 1003, 0),
        (at("2027-02-01 00:00"), 523, 0),
    ]
    found = bill(SECOND, csv(rows), used_wh=101481)
    assert found["energy_nano"] == 350102723 + 501509027 + 156900523
    assert found["standing_nano"] == 260003000
    assert found["total_nano"] == 350102723 + 501509027 + 156900523 + 260003000
    assert found["demand_nano"] == 0
    assert found["total_micro"] == 1268515
    assert [line["cycle"] for line in found["lines"]] == ["2027-01-01"] * 2 + ["2027-02-01"]


def test_total_in_micro_units_is_the_floor_below_zero_too(bill):
    found = bill(EXAMPLE, csv([(at("2027-01-31 07:30"), 0, 1)]))
    assert (found["total_nano"], found["total_micro"]) == (-123457, -124)


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        (["2027-01-31 00:00", "2027-01-31 00:15"], 1),  # the first instant counts
        (["2027-01-31 00:15", "2027-01-31 12:00"], 0),  # ends 23:45
        (["2027-01-31 23:30", "2027-01-31 23:45"], 0),  # ends at midnight, which is not inside
        (["2027-01-31 23:30", "2027-01-31 23:46"], 1),  # ends 00:02
        (["2027-01-31 00:00", "2027-02-03 00:00"], 6),  # ends on the 6th at 00:00
        (["2027-01-31 23:45"], 0),  # one row alone lasts 15 minutes
        (["2027-01-31 23:46"], 1),
    ],
)
def test_standing_for_each_date_begun_within_the_rows(bill, rows, days):
    found = bill(SECOND, csv([(at(row), 0, 0) for row in rows]))
    assert found["standing_nano"] == days * 260003000


def test_a_row_that_is_not_synced_takes_the_fallback_band_and_may_span_a_switch(bill):
    rows = [
        (at("2027-01-31 07:50"), 100, 0, "restored"),
        (at("2027-01-31 08:20"), 100, 0, "unknown"),
        (at("2027-01-31 08:50"), 100, 0, "synced"),
    ]
    found = bill(EXAMPLE, csv(rows, "start_utc,import_wh,export_wh,trust"))
    assert found["energy_nano"] == 200 * 333333 + 100 * 777777
    assert found["fallback_wh"] == 200


def test_a_row_that_is_not_synced_turns_no_cycle(bill):
    rows = [
        (at("2027-01-31 23:30"), 100000, 0, "synced"),
        (at("2027-02-01 00:00"), 100, 0, "restored"),
        (at("2027-02-01 00:15"), 100, 0, "synced"),
    ]
    found = bill(EXAMPLE, csv(rows, "start_utc,import_wh,export_wh,trust"))
    assert found["energy_nano"] == 100000 * 333333 + 100 * 555555 + 100 * 333333


def test_times_as_iso_and_columns_in_any_order(bill):
    text = "\ufeffimport_wh , start_utc\r\n101, 2027-01-30T23:30:00Z\r\n\r\n257,"
    text += '"2027-01-30 23:45Z"\r\n'
    assert bill(EXAMPLE, text)["energy_nano"] == (101 + 257) * 333333


T = "1801380600"  # 2027-01-31 07:30 UTC
FORM = "start_utc,import_wh,export_wh,trust"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"1:1: is empty; give the header {FORM}"),
        ("start_utc,import_wh\n", "2:1: has no rows; give at least one"),
        ("start_utc,import_kwh\n", f"1:11: unknown column 'import_kwh'; the header is {FORM}"),
        ("start_utc\n1\n", f"1:1: lacks the column import_wh; the header is {FORM}"),
        ("import_wh,start_utc,import_wh\n", "1:21: column import_wh stands twice; remove one"),
        (
            f"start_utc,import_wh\n{T},5\n{T}0,5,\n",
            "3:1: has 3 fields, the header 2; give every column",
        ),
        (
            f"start_utc,import_wh\n{T},1.5\n",
            "2:12: import_wh: must be whole Wh, is '1.5'; round so that the sum stays right",
        ),
        (
            f"start_utc,import_wh\n{T}, -5\n",
            "2:13: import_wh: must be whole Wh, is '-5'; give 0 to 4294967295",
        ),
        (
            "start_utc,import_wh\n2027-01-31T08:00:00+08:00,5\n",
            "2:1: start_utc: must be unix seconds or a UTC time such as 2027-01-31T08:00:00Z, "
            "is '2027-01-31T08:00:00+08:00'; correct it",
        ),
        (
            "start_utc,import_wh\n2027-02-30T08:00:00Z,5\n",
            "2:1: start_utc: must be unix seconds or a UTC time such as 2027-01-31T08:00:00Z, "
            "is '2027-02-30T08:00:00Z'; correct it",
        ),
        (
            f"start_utc,trust,import_wh\n{T},good,5\n",
            "2:12: trust: must be unknown, restored, synced, is 'good'; correct it",
        ),
        (
            f"start_utc,import_wh\n{T},5\n{T},6\n",
            "3:1: row 2027-01-31T07:30:00Z does not start after the row above it; sort the rows, "
            "or give --estimate to charge them in this order",
        ),
    ],
)
def test_a_faulty_profile_is_told_with_line_and_column(bill, tmp_path, text, message):
    with pytest.raises(PlaceError) as caught:
        bill(EXAMPLE, text)
    assert str(caught.value).startswith(f"{tmp_path / 'p.csv'}:{message}")


@pytest.mark.parametrize(
    ("first", "wh", "message"),
    [
        (
            "2027-01-31 07:50",
            (5, 0),
            "2:1: row 2027-01-30T23:50:00Z has energy that spans the switch to peak at "
            "2027-01-31T00:00:00Z; split the row there, or give --estimate to charge it by the "
            "band at its start",
        ),
        (
            "2027-01-31 23:55",
            (0, 5),
            "2:1: row 2027-01-31T15:55:00Z has energy that spans the end of the cycle at "
            "2027-01-31T16:00:00Z; ",
        ),
        (
            "2026-12-31 23:45",
            (5, 0),
            "2:1: row 2026-12-31T15:45:00Z has energy before the tariff's from, "
            "2026-12-31T16:00:00Z; bill it by an earlier tariff, ",
        ),
    ],
)
def test_a_row_that_cannot_be_exact_is_an_error_unless_estimated(
    bill, tmp_path, first, wh, message
):
    start = at(first)
    text = csv([(start, *wh), (start + 900, 0, 0)])
    with pytest.raises(PlaceError) as caught:
        bill(EXAMPLE, text)
    assert str(caught.value).startswith(f"{tmp_path / 'p.csv'}:{message}")
    found = bill(EXAMPLE, text, estimate=True)
    assert found["energy_nano"] == wh[0] * 333333
    assert found["export_nano"] == wh[1] * 123457
    assert found["estimated_rows"] == 1
    assert bill(EXAMPLE, csv([(start, 0, 0), (start + 900, 0, 0)]))["energy_nano"] == 0


# Random tariffs and profiles against a calculation that shares nothing with the engine.

ZONES = {"CST-8": 480, "<+0545>-5:45": 345, "UTC0": 0, "PST8": -480}
PRICES = st.integers(-2000000, 2000000)


@st.composite
def documents(draw):
    bands = draw(st.integers(1, 4))
    blocks = sorted(draw(st.sets(st.integers(1, 12), max_size=3)))

    def table():
        minutes = draw(st.sets(st.integers(1, 95), max_size=5))
        return [[15 * m, draw(st.integers(0, bands - 1))] for m in [0, *sorted(minutes)]]

    cycle = draw(st.sampled_from(["month", "year", "none"]))
    return dict(
        EXAMPLE,
        tz=draw(st.sampled_from(list(ZONES))),
        cycle=cycle,
        cycle_start=draw(st.integers(1, 28)) if cycle == "month" else "0301",
        blocks=blocks,
        bands=["band%d" % band for band in range(bands)],
        fallback=draw(st.integers(0, bands - 1)),
        price=[[draw(PRICES) for _ in range(bands)] for _ in range(len(blocks) + 1)],
        export=draw(st.lists(PRICES, min_size=1, max_size=1)),
        days={"w": table(), "e": table()},
        seasons=[["0101", "w", "e"]],
        weekend=draw(st.lists(st.integers(0, 6), max_size=3, unique=True)),
        standing_day=draw(st.integers(0, 500000)),
    )


@st.composite
def profiles(draw):
    start = 1798732800 + QUARTER * draw(st.integers(0, 96 * 70))
    rows = []
    for _ in range(draw(st.integers(2, 25))):
        wh = draw(st.sampled_from([0, draw(st.integers(1, 4000))]))
        trust = draw(st.sampled_from(["synced"] * 4 + ["restored"]))
        rows.append((start, wh, draw(st.sampled_from([0, 0, 700])), trust))
        start += QUARTER * draw(st.sampled_from([1, 1, 1, 1, 2, 7, 200]))
    return rows


class Obvious:
    """Bills slowly: datetimes, fractions of a currency, one quarter of an hour after another."""

    def __init__(self, document):
        self.document = document
        self.cycles = {}  # date -> first date of its cycle

    def local(self, unix):
        minutes = ZONES[self.document["tz"]]
        return datetime.fromtimestamp(unix, timezone.utc) + timedelta(minutes=minutes)

    def band(self, unix):
        now = self.local(unix)
        weekend = now.isoweekday() % 7 in self.document["weekend"]
        switches = self.document["days"]["e" if weekend else "w"]
        return max(s for s in switches if s[0] <= now.hour * 60 + now.minute)[1]

    def cycle(self, unix):
        today = self.local(unix).date()
        if self.document["cycle"] == "none":
            return None
        if today not in self.cycles:
            form = "%d" if self.document["cycle"] == "month" else "%m%d"
            day = today
            while int(day.strftime(form)) != int(self.document["cycle_start"]):
                day -= timedelta(days=1)
            self.cycles[today] = day
        return self.cycles[today]

    def edges(self, unix, end):
        """True when a band or cycle changes after `unix` and before `end`."""
        return any(
            (self.band(t), self.cycle(t)) != (self.band(unix), self.cycle(unix))
            for t in range(unix + QUARTER, end, QUARTER)
        )

    def import_price(self, wh, used, band):
        """What `wh` after `used` of the cycle cost, as a Fraction of the currency."""
        limits = [0, *(kwh * 1000 for kwh in self.document["blocks"]), 10**12]
        cost = Fraction(0)
        for block, (low, high) in enumerate(zip(limits, limits[1:], strict=False)):
            inside = max(0, min(high, used + wh) - max(low, used))
            cost += Fraction(inside, 1000) * Fraction(self.document["price"][block][band], 10**6)
        return cost

    def total(self, rows, end):
        cost, used, cycle = Fraction(0), 0, None
        for start, wh, export, trust in rows:
            band = self.document["fallback"]
            if trust == "synced":
                band = self.band(start)
                if cycle is not None and self.cycle(start) != cycle:
                    used = 0
                cycle = self.cycle(start)
            cost += self.import_price(wh, used, band)
            cost -= Fraction(export, 1000) * Fraction(self.document["export"][0], 10**6)
            used += wh
        for t in range(rows[0][0], end, QUARTER):
            if self.local(t).strftime("%H%M") == "0000":
                cost += Fraction(self.document["standing_day"], 10**6)
        return cost * 10**9


@settings(deadline=None)
@given(documents(), profiles())
def test_any_bill_equals_an_obvious_calculation(tmp_path_factory, document, rows):
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_text(csv(rows, "start_utc,import_wh,export_wh,trust"))
    read = profile.read(path)
    obvious = Obvious(document)
    last = 2 * rows[-1][0] - rows[-2][0]
    ends = [row[0] for row in rows[1:]] + [last]
    spans = [
        number
        for number, (row, end) in enumerate(zip(rows, ends, strict=True), 2)
        if row[3] == "synced" and (row[1] or row[2]) and obvious.edges(row[0], end)
    ]
    if spans:
        with pytest.raises(PlaceError) as caught:
            bills.bill(tariff_of(document), read, path)
        assert caught.value.line == spans[0]
    found = bills.bill(tariff_of(document), read, path, estimate=bool(spans))
    assert found["total_nano"] == obvious.total(rows, last)
    assert found["estimated_rows"] == len(spans)
    assert found["energy_nano"] == sum(line["amount_nano"] for line in found["lines"])
    assert found["export_nano"] == sum(line["amount_nano"] for line in found["export_lines"])
    parts = found["energy_nano"] + found["standing_nano"] - found["export_nano"]
    assert found["total_nano"] == parts


def test_a_person_sees_lines_and_sums(bill, capsys):
    bills.show(
        bill(SECOND, csv([(at("2027-01-31 23:45"), 1003, 7), (at("2027-02-01 00:00"), 5, 0)]))
    )
    out = capsys.readouterr().out
    assert "2027-01-01" in out and "valley" in out
    # 1003 Wh at 0.300001 and 5 Wh at 0.300001, 7 Wh of export at 0.123457, a day at 0.260003
    assert "0.302401008" in out and "-0.000864199" in out and "0.561539809" in out


# Sets that follow, dynamic prices, demand, minimum, net: sums by hand.


def test_each_set_charges_from_its_from_in_any_order_of_the_options(bill_of):
    rows = [
        (at("2027-01-31 19:45"), 411, 0),
        (at("2027-01-31 20:00"), 389, 0),
        (at("2027-01-31 20:15"), 0, 0),
    ]
    for sets in ([EXAMPLE, SECOND], [SECOND, EXAMPLE]):
        found = bill_of(sets, csv(rows), used_wh=101000)
        assert found["energy_nano"] == 411 * 999999 + 389 * 900007
        assert found["tariff"] == {"id": "demo-cn", "n": 2}


def test_a_row_over_the_change_of_the_set_is_an_error(bill_of):
    rows = [(at("2027-01-31 19:45"), 411, 0), (at("2027-01-31 20:15"), 0, 0)]
    with pytest.raises(PlaceError, match="spans the change to n 2 at 2027-01-31T12:00:00Z; split"):
        bill_of([EXAMPLE, SECOND], csv(rows))


def prices_of(start, prices, step=1800, **other):
    return {
        "v": 1, "prices_of": "demo-cn", "n": 1, "start": start, "step": step, "prices": prices,
        **other,
    }  # fmt: skip


def test_dynamic_prices_replace_the_bands_and_a_missing_one_is_told(bill_of):
    start = at("2027-01-31 09:00")
    rows = [(start + QUARTER * n, 100, 0) for n in range(4)] + [(start + 3600, 0, 0)]
    prices = [prices_of(start, [-54321])]
    found = bill_of([EXAMPLE], csv(rows), prices=prices)
    assert found["energy_nano"] == 200 * -54321 + 200 * 777777
    assert found["unpriced_wh"] == 200
    with pytest.raises(PlaceError, match="a change of the dynamic price at 2027-01-31T01:30:00Z"):
        bill_of([EXAMPLE], csv([(start, 5, 0), (start + 3600, 0, 0)]), prices=prices)


def test_prices_of_another_tariff_and_an_empty_folder_are_refused(bill_of, tmp_path):
    start = at("2027-01-31 09:00")
    rows = csv([(start, 5, 0)])
    with pytest.raises(PlaceError, match="prices_of: is other, the tariff is demo-cn"):
        bill_of([EXAMPLE], rows, prices=[prices_of(start, [1], prices_of="other")])
    (tmp_path / "none").mkdir()
    with pytest.raises(FileError, match="holds no"):
        bill_prices.read([tmp_path / "none"], "demo-cn")


def test_demand_and_minimum_are_lines_of_their_own(bill_of):
    document = dict(EXAMPLE, demand={"minutes": 30, "price": 2000000}, minimum=9000000)
    start, end = at("2027-01-01 00:00"), at("2027-02-01 00:00")
    rows = [(start, 200, 0), (start + 900, 100, 0), (start + 1800, 0, 0)]
    rows.append(((start + 1800 + end) // 2, 0, 0))  # the last row lasts as long as the one before
    found = bill_of([document], csv(rows))
    # 300 Wh in half an hour are 600 W at 2 a kW; 300 Wh at 0.333333 are 0.0999999
    assert found["demand_nano"] == 1200000000
    assert found["minimum_nano"] == 9000000000 - 99999900
    assert found["total_nano"] == 1200000000 + 9000000000
    with pytest.raises(PlaceError, match="the end of a demand window at 2026-12-31T16:30:00Z"):
        bill_of([document], csv([(start, 200, 0), (start + 3600, 0, 0)]))


def test_net_charges_the_difference_of_a_row(bill_of):
    start = at("2027-01-31 10:00")
    rows = [(start, 1500, 300), (start + 900, 100, 350), (start + 1800, 40, 40)]
    found = bill_of([dict(EXAMPLE, net=True)], csv(rows))
    assert found["energy_nano"] == 1200 * 777777 and found["export_nano"] == 250 * 123457
    assert [line["wh"] for line in found["lines"] + found["export_lines"]] == [1200, 250]


def test_a_row_into_a_season_with_other_blocks_is_an_error(bill_of):
    document = dict(EXAMPLE, seasons=[["0101", "v", "v"], ["0120", "v", "v", {"blocks": [50]}]])
    document["days"] = {"v": [[0, 0]]}
    rows = [(at("2027-01-19 23:45"), 5, 0), (at("2027-01-20 00:15"), 0, 0)]
    with pytest.raises(PlaceError, match="spans a season with other blocks at 2027-01-19T16:00"):
        bill_of([document], csv(rows))


def test_every_date_of_a_long_silence_has_its_standing_charge(bill_of):
    """More dates than a meter catches up at once."""
    rows = [
        (at("2027-02-01 00:00"), 0, 0, "synced"),
        (at("2027-02-01 00:15"), 0, 0, "unknown"),
        (at("2027-05-01 00:00"), 0, 0, "synced"),
        (at("2027-05-01 00:15"), 0, 0, "synced"),
    ]
    found = bill_of([SECOND], csv(rows, "start_utc,import_wh,export_wh,trust"))
    assert found["standing_nano"] == (28 + 31 + 30 + 1) * 260003000


def test_the_command_takes_sets_and_prices(tmp_path, capsys):
    for name, document in (("one", EXAMPLE), ("two", SECOND)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    start = at("2027-01-31 19:30")
    folder = tmp_path / "prices"
    folder.mkdir()
    for n in (1, 2):
        document = prices_of(start + 1800 * (n - 1), [100000 * n], n=n)
        (folder / f"{n}.json").write_text(json.dumps(document))
    (tmp_path / "p.csv").write_text(csv([(start + 900 * n, 1000, 0) for n in range(4)]))
    arguments = ["bill", "--tariff", str(tmp_path / "one.json"), "--tariff"]
    arguments += [str(tmp_path / "two.json"), "--profile", str(tmp_path / "p.csv")]
    assert cli.run([*arguments, "--prices", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["energy_nano"] == 2 * 1000 * 100000 + 2 * 1000 * 200000
    assert cli.run(arguments) == 0
    assert "demo-cn n 2" in capsys.readouterr().out
