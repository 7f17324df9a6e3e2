"""`tariff import-urdb`: what becomes a document, what is told, what is refused."""

import copy
import json

import pytest

from wattledger.tools import cli, tariff, urdb
from wattledger.tools.places import FileError, PlaceError

ZONE = "EST5EDT,M3.2.0,M11.1.0"
NIGHT_AND_DAY = [0] * 7 + [1] * 15 + [0] * 2
RATE = {
    "label": "Abc 123",
    "startdate": 1798761700,
    "energyratestructure": [
        [{"rate": 0.1, "max": 300, "unit": "kWh"}, {"rate": 0.12}],
        [{"rate": 0.2, "adj": 0.0125, "max": 500, "unit": "kWh"}, {"rate": 0.3, "max": 1e38}],
    ],
    "energyweekdayschedule": [[0] * 24] * 5 + [NIGHT_AND_DAY] * 4 + [[0] * 24] * 3,
    "energyweekendschedule": [[0] * 24] * 12,
}


@pytest.fixture
def rate():
    return copy.deepcopy(RATE)


@pytest.fixture
def read(tmp_path):
    def run(rate, **options):
        path = tmp_path / "rate.json"
        path.write_text(json.dumps(rate, indent=1))
        return urdb.read(path, urdb.Options(ZONE, **options))

    return run


def says(found):
    """The notes without the file's name: `1:1: document: has no ...`."""
    return [note.says.split(".json:", 1)[1] for note in found.notes]


def test_tiers_of_all_periods_are_blocks_and_schedules_are_seasons(read, rate):
    document = read(rate)[0].document
    assert document["id"] == "abc-123" and document["from"] == 1798761600
    assert document["blocks"] == [300, 500]
    # 0.2 and its adjustment; a period without the other's edge goes on at its own price
    assert document["price"] == [[100000, 212500], [120000, 212500], [120000, 300000]]
    assert document["days"] == {"d0": [[0, 0]], "d1": [[0, 0], [420, 1], [1320, 0]]}
    assert document["seasons"] == [
        ["0101", "d0", "d0"], ["0601", "d1", "d0"], ["1001", "d0", "d0"],
    ]  # fmt: skip
    assert (document["bands"], document["fallback"]) == (["period-0", "period-1"], 0)


def test_periods_that_charge_alike_are_one_band_and_unused_ones_none(read, rate):
    rate["energyratestructure"] += [rate["energyratestructure"][0], [{"rate": 9}]]
    rate["energyweekendschedule"] = [[2] * 24] * 12
    assert read(rate)[0].document["bands"] == ["period-0", "period-1"]


def test_export_is_paid_by_band(read, rate):
    rate["energyratestructure"][1][0]["sell"] = 0.05
    found = read(rate)[0]
    assert found.document["export"] == [0, 50000]
    assert "energyratestructure[1]: export earns by tier; only the first tier's price is kept" in [
        text.split(": ", 1)[1] for text in says(found)
    ]


@pytest.mark.parametrize(
    ("fields", "standing", "note"),
    [
        ({"fixedchargefirstmeter": 3.298, "fixedchargeunits": "$/day"}, 3298000, None),
        # 10 x 12 / 365 is 0.32876712
        ({"fixedmonthlycharge": 10}, 328767, "10 $/month is charged by the day as 328767"),
        (
            {"fixedchargefirstmeter": 73, "fixedchargeunits": "$/year"},
            200000,
            "73 $/year is charged by the day as 200000",
        ),
        (
            {"fixedchargefirstmeter": 1, "fixedchargeunits": "$/bill"},
            0,
            "a charge in $/bill cannot be expressed: left out",
        ),
    ],
)
def test_fixed_charges_become_daily_ones(read, rate, fields, standing, note):
    found = read(dict(rate, **fields))[0]
    assert found.document["standing_day"] == standing
    told = [text for text in says(found) if "charge" in text.split(":")[2]]
    assert len(told) == (1 if note else 0) and all(note in text for text in told)


HOURS = {"demandweekdayschedule": [[0] * 24] * 12, "demandweekendschedule": [[0] * 24] * 12}


@pytest.mark.parametrize(
    ("fields", "demand", "note"),
    [
        ({"flatdemandstructure": [[{"rate": 4.5}]]}, (15, 4500000), None),
        (
            {"flatdemandstructure": [[{"rate": 4}]], "demandratestructure": [[{"rate": 1.5}]],
             "demandwindow": 30, **HOURS},
            (30, 5500000),
            None,
        ),
        (
            {"flatdemandstructure": [[{"rate": 4}], [{"rate": 5}]],
             "flatdemandmonths": [0] * 6 + [1] * 6},
            None,
            "flatdemandstructure: demand has several prices by month or hour",
        ),
        (
            {"demandratestructure": [[{"rate": 4, "max": 100}, {"rate": 5}]], **HOURS},
            None,
            "demandratestructure[0]: tiers of demand cannot be expressed",
        ),
        (
            {"flatdemandstructure": [[{"rate": 4, "unit": "hp"}]]},
            None,
            "flatdemandstructure[0][0]: demand in hp cannot be expressed",
        ),
        (
            {"flatdemandstructure": [[{"rate": 4}]], "demandwindow": 5},
            (15, 4000000),
            "demandwindow: 5 minutes do not fit; 15 are used",
        ),
        ({"demandratestructure": [[{"rate": 0}]], **HOURS}, None, None),
    ],
)  # fmt: skip
def test_demand_is_one_price_or_told(read, rate, fields, demand, note):
    found = read(dict(rate, **fields))[0]
    expected = None if demand is None else {"minutes": demand[0], "price": demand[1]}
    assert found.document["demand"] == expected
    told = [text for text in says(found) if "demand" in text.split(":")[2]]
    assert len(told) == (1 if note else 0) and all(note in text for text in told)


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("coincidentratestructure", [[{"rate": 2}]], "charges at the utility's own peak"),
        ("demandratchetpercentage", [0] * 11 + [80], "by the demand of earlier months"),
        ("annualmincharge", 120, "is a minimum of a year"),
        ("fueladjustmentsmonthly", [0.001] * 12, "adjusts the price every month"),
    ],
)
def test_what_a_document_has_no_key_for_is_told_unless_it_is_nothing(
    read, rate, name, value, note
):
    told = [text for text in says(read(dict(rate, **{name: value}))[0]) if name in text]
    assert len(told) == 1 and note in told[0] and told[0].endswith("left out")
    nothing = [0] * 12 if isinstance(value, list) else 0
    assert not [text for text in says(read(dict(rate, **{name: nothing}))[0]) if name in text]


def test_net_metering_nets_the_interval_and_says_so(read, rate):
    found = read(dict(rate, dgrules="Net Metering", minmonthlycharge=7.5))[0]
    assert found.document["net"] is True and found.document["minimum"] == 7500000
    assert any("nets a whole month" in text for text in says(found))


def test_a_price_between_two_micro_units_is_rounded_with_a_note(read, rate):
    rate["energyratestructure"][0][1]["rate"] = 0.12345678
    found = read(rate)[0]
    assert found.document["price"][1][0] == 123457
    assert any("0.12345678 is rounded to 123457" in text for text in says(found))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("energyratestructure", 0, 0, "unit"), "kWh daily", "'kWh daily' cannot be expressed"),
        (("energyratestructure", 0, 0, "max"), 300.5, "is no whole kWh"),
        (("energyratestructure", 0, 0, "max"), -1, "must be above the tier before it"),
        (("energyratestructure", 0, 0, "rate"), "much", "must be a number, is 'much'"),
        (("energyratestructure", 0, 0), 7, "must be an object"),
        (("energyratestructure", 1), [], "must be a list"),
        (("energyweekdayschedule", 3, 5), 2, "must be a period from 0 to 1"),
        (("energyweekdayschedule", 3), [0] * 23, "must have 24 items, has 23"),
        (("energyweekendschedule",), [[0] * 24] * 11, "must have 12 items, has 11"),
        (("energyweekdayschedule", 0), [0, 1] * 12, "switches 24 times a day; 14 fit"),
        (
            ("energyratestructure", 0),
            [{"rate": 1, "max": 10 * n} for n in range(1, 7)],
            "has 7 edges of tiers; 5 fit",
        ),
    ],
)
def test_energy_that_cannot_be_charged_is_refused_at_its_place(read, rate, path, value, message):
    parent = rate
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    with pytest.raises(PlaceError) as caught:
        read(rate)
    assert message in str(caught.value) and caught.value.line > 1


def test_too_many_prices_for_the_bands(read, rate):
    rate["energyratestructure"] = [[{"rate": n}] for n in range(9)]
    rate["energyweekdayschedule"] = [[0, 1, 2, 3, 4, 5, 6, 7, 8] + [0] * 15] * 12
    with pytest.raises(PlaceError, match="has 9 different periods; 8 bands fit"):
        read(rate)


@pytest.mark.parametrize("value", [[], {}, {"items": []}, {"items": [3]}, 5])
def test_what_is_no_rate_is_refused(read, value):
    with pytest.raises(PlaceError):
        read(value)


def test_an_answer_with_items_gives_a_document_each(read, rate):
    found = read({"items": [rate, dict(rate, label="other")]})
    assert [one.document["id"] for one in found] == ["abc-123", "other"]
    assert found[1].notes[0].path[:2] == ("items", 1)


def test_the_command_writes_documents_that_pass_the_check(tmp_path, rate, capsys):
    path, out = tmp_path / "rate.json", tmp_path / "out"
    path.write_text(json.dumps(rate))
    arguments = ["tariff", "import-urdb", str(path), "--tz", ZONE, "--out", str(out)]
    assert cli.run(arguments) == 0
    assert tariff.check(out / "abc-123.json")["blocks_kwh"] == [300, 500]
    captured = capsys.readouterr()
    assert captured.out == f"{out / 'abc-123.json'}: {len_of(out)} bytes as sent, 3 notes\n"
    assert captured.err.startswith(f"note: {path}:1:")
    assert cli.run(arguments) == 1, "a document is never written over"
    with pytest.raises(FileError):
        urdb.show(urdb.read(path, urdb.Options(ZONE)), out)


def len_of(out):
    document = json.loads((out / "abc-123.json").read_bytes())
    return len(json.dumps(document, separators=(",", ":")))


def test_the_command_as_json(tmp_path, rate, capsys):
    path = tmp_path / "rate.json"
    path.write_text(json.dumps(rate))
    assert cli.run(["tariff", "import-urdb", str(path), "--tz", "nonsense"]) == 1
    assert "tz" in capsys.readouterr().err
    assert cli.run(["tariff", "import-urdb", str(path)]) == 2
    capsys.readouterr()
    assert cli.run(["tariff", "import-urdb", str(path), "--tz", ZONE, "--n", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["imports"]
    assert found[0]["document"]["n"] == 4 and found[0]["notes"][0]["line"] >= 1


def test_the_reference_rates(reference_data):
    folder = reference_data / "urdb"
    tiered = urdb.read(folder / "multi_tier_urdb_response.json", urdb.Options(ZONE))[0].document
    assert tiered["blocks"] == [20000] and tiered["price"] == [[78891, 61731], [60000, 61731]]
    assert tiered["standing_day"] == 3298000 and tiered["demand"] is None
    full = urdb.read(folder / "urdb_response_full.json", urdb.Options(ZONE))[0]
    assert full.document["price"][0][2] == 301340 and full.document["export"][4] == 58190
    assert full.document["demand"] == {"minutes": 15, "price": 106000}
    assert any(
        text.startswith("86:25: flatdemandstructure: demand has several") for text in says(full)
    )
