"""Tariff documents: what is refused, where, and that nothing else than TariffError comes out."""

import json
import unittest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.tests.both.houses_tariffs import DESIGN_EXAMPLE, credit, data, document

LATER = "is not rated by this firmware yet; remove it"
ROW = [1, 2]
DAY = [[0, 0], [480, 1]]


def refusal(raw):
    """(path, message) of the TariffError that `raw` bytes cause."""
    try:
        tariffs.load(raw)
    except TariffError as error:
        return error.path, error.message
    return None, "accepted"


def place(**changes):
    return refusal(data(**changes))[0]


class TestNotRatedYet(unittest.TestCase):
    def test_example_of_the_design_is_refused_for_its_holidays_first(self):
        self.assertEqual(refusal(DESIGN_EXAMPLE), (("holidays",), LATER))

    def test_example_of_the_design_without_holidays_is_taken(self):
        raw = DESIGN_EXAMPLE.replace(b'"holidays":[9862,1,1],', b"")
        tariff = tariffs.load(raw)
        self.assertEqual((tariff.id, tariff.n, tariff.size), ("demo-cn", 7, len(raw)))
        self.assertEqual(tariff.limits, [2400000, 4800000])

    def test_each_by_name(self):
        season = ["0101", "all", "all"]
        for changes, path in (
            ({"seasons": [season, ["0601", "all", "all"]]}, ("seasons", 1)),
            ({"seasons": [season + [{"blocks": [5]}]]}, ("seasons", 0, 3)),
            ({"holidays": [9862]}, ("holidays",)),
            ({"net": True}, ("net",)),
            ({"demand": {"minutes": 15, "price": 1}}, ("demand",)),
            ({"minimum": 1}, ("minimum",)),
            ({"correct": {"from": 0, "until": 900}}, ("correct",)),
            ({"credit": credit(auto_close=True)}, ("credit", "auto_close")),
        ):
            found, message = refusal(data(**changes))
            self.assertEqual(found, path)
            self.assertTrue(message.endswith(LATER), message)

    def test_named_and_empty_is_taken(self):
        self.assertIsNone(place(holidays=[], net=False, minimum=0))
        raw = json.dumps(document()).replace('"v"', '"demand": null, "v"')
        self.assertEqual(refusal(raw.encode()), (None, "accepted"))


class TestPlaces(unittest.TestCase):
    def test_each_required_key(self):
        for key in sorted(document()):
            if key in ("cycle_start", "export"):  # needed by some cycles; not needed
                continue
            made = document()
            del made[key]
            self.assertEqual(refusal(json.dumps(made).encode()), ((), "lacks " + key))

    def test_unknown_keys(self):
        self.assertEqual(place(pirce=1), ("pirce",))
        self.assertEqual(place(credit=credit(lwo=1)), ("credit", "lwo"))

    def test_head(self):
        for changes, path in (
            ({"v": 2}, "v"),
            ({"v": True}, "v"),
            ({"v": 1.0}, "v"),
            ({"id": ""}, "id"),
            ({"id": "a" * 33}, "id"),
            ({"id": "Demo"}, "id"),
            ({"id": "a/b"}, "id"),
            ({"id": 7}, "id"),
            ({"n": 0}, "n"),
            ({"n": -1}, "n"),
            ({"n": 1.5}, "n"),
            ({"n": True}, "n"),
            ({"n": "1"}, "n"),
            ({"n": 1 << 32}, "n"),
            ({"n": 10**40}, "n"),
            ({"currency": "cny"}, "currency"),
            ({"currency": "CN"}, "currency"),
            ({"currency": 156}, "currency"),
            ({"tz": "CST"}, "tz"),
            ({"tz": 8}, "tz"),
            ({"tz": {}}, "tz"),
            ({"start": 1798732801}, "from"),
            ({"start": -900}, "from"),
            ({"start": 1798732800.0}, "from"),
            ({"start": 900 << 31}, "from"),
            ({"fallback": 2}, "fallback"),
            ({"fallback": -1}, "fallback"),
            ({"fallback": True}, "fallback"),
            ({"standing_day": -1}, "standing_day"),
            ({"standing_day": 0.5}, "standing_day"),
            ({"standing_day": False}, "standing_day"),
            ({"kwh_credit": []}, "kwh_credit"),
            ({"minimum": 0.0}, "minimum"),
            ({"minimum": False}, "minimum"),
        ):
            self.assertEqual(place(**changes), (path,), changes)

    def test_cycle(self):
        for cycle, start, path in (
            ("week", 1, ("cycle",)),
            (1, 1, ("cycle",)),
            ([], 1, ("cycle",)),
            ("month", 0, ("cycle_start",)),
            ("month", 29, ("cycle_start",)),
            ("month", "0101", ("cycle_start",)),
            ("month", None, ("cycle_start",)),
            ("year", 1, ("cycle_start",)),
            ("year", None, ("cycle_start",)),
            ("year", "0229", ("cycle_start",)),  # not every year has it
            ("year", "0230", ("cycle_start",)),
            ("year", "0431", ("cycle_start",)),
            ("year", "1232", ("cycle_start",)),
            ("year", "1301", ("cycle_start",)),
            ("year", "0001", ("cycle_start",)),
            ("year", "0100", ("cycle_start",)),
            ("year", "101", ("cycle_start",)),
            ("year", "+101", ("cycle_start",)),
            ("year", "01 1", ("cycle_start",)),
            ("year", "01\u00b21", ("cycle_start",)),  # a digit that is no number
        ):
            self.assertEqual(place(cycle=cycle, cycle_start=start), path, (cycle, start))
        for cycle, start in (("month", 28), ("year", "0228"), ("year", "1231"), ("none", None)):
            self.assertIsNone(place(cycle=cycle, cycle_start=start))

    def test_bands_and_blocks(self):
        for changes, path in (
            ({"bands": []}, ("bands",)),
            ({"bands": "ab"}, ("bands",)),
            ({"bands": ["b%d" % band for band in range(9)]}, ("bands",)),
            ({"bands": ["valley", "Peak"]}, ("bands", 1)),
            ({"bands": ["valley", "valley"]}, ("bands", 1)),
            ({"bands": ["valley", []]}, ("bands", 1)),
            ({"blocks": [1, 2, 3, 4, 5, 6]}, ("blocks",)),
            ({"blocks": 100}, ("blocks",)),
            ({"blocks": [0]}, ("blocks", 0)),
            ({"blocks": [100.0]}, ("blocks", 0)),
            ({"blocks": [100, 100]}, ("blocks", 1)),
            ({"blocks": [100, 99]}, ("blocks", 1)),
            ({"blocks": [4000001]}, ("blocks", 0)),
            ({"price": [ROW]}, ("price",)),
            ({"price": [ROW, ROW, ROW]}, ("price",)),
            ({"price": {}}, ("price",)),
            ({"price": [ROW, [1]]}, ("price", 1)),
            ({"price": [ROW, 5]}, ("price", 1)),
            ({"price": [ROW, [1, 0.25]]}, ("price", 1, 1)),
            ({"price": [ROW, [True, 2]]}, ("price", 1, 0)),
            ({"price": [ROW, [10000000001, 2]]}, ("price", 1, 0)),
            ({"price": [ROW, [1, -10000000001]]}, ("price", 1, 1)),
            ({"price": [ROW, [1, None]]}, ("price", 1, 1)),
            ({"export": 350000}, ("export",)),
            ({"export": [1, 2, 3]}, ("export",)),
            ({"export": [1, "2"]}, ("export", 1)),
            ({"export": [10000000001]}, ("export", 0)),
        ):
            self.assertEqual(place(**changes), path, changes)

    def test_days_and_seasons(self):
        many = [[index * 15, 0] for index in range(15)]
        for days, path in (
            ([], ("days",)),
            ({}, ("days",)),
            ({"t%d" % table: DAY for table in range(9)}, ("days",)),
            ({"all": []}, ("days", "all")),
            ({"all": {}}, ("days", "all")),
            ({"all": many}, ("days", "all")),
            ({"all": [[0]]}, ("days", "all", 0)),
            ({"all": [0, 0]}, ("days", "all", 0)),
            ({"all": [[15, 0]]}, ("days", "all", 0, 0)),
            ({"all": [[0, 2]]}, ("days", "all", 0, 1)),
            ({"all": [[0, False]]}, ("days", "all", 0, 1)),
            ({"all": [[0, 0], [470, 1]]}, ("days", "all", 1, 0)),
            ({"all": [[0, 0], [0, 1]]}, ("days", "all", 1, 0)),
            ({"all": [[0, 0], [480, 1], [465, 0]]}, ("days", "all", 2, 0)),
            ({"all": [[0, 0], [1440, 1]]}, ("days", "all", 1, 0)),
            ({"all": [[0, 0], [480.0, 1]]}, ("days", "all", 1, 0)),
        ):
            self.assertEqual(place(days=days), path, days)
        for seasons, path in (
            ([], ("seasons",)),
            ("0101", ("seasons",)),
            ([["0101", "all"]], ("seasons", 0)),
            ([["0229", "all", "all"]], ("seasons", 0, 0)),
            ([[101, "all", "all"]], ("seasons", 0, 0)),
            ([["0101", "w", "all"]], ("seasons", 0, 1)),
            ([["0101", "all", None]], ("seasons", 0, 2)),
            ([["0101", [], "all"]], ("seasons", 0, 1)),
            ([["0101", "all", {}]], ("seasons", 0, 2)),
        ):
            self.assertEqual(place(seasons=seasons), path, seasons)
        for weekend, path in (
            ([7], ("weekend", 0)),
            ([0, -1], ("weekend", 1)),
            ([0, True], ("weekend", 1)),
            ({}, ("weekend",)),
            ([0, 1, 2, 3, 4, 5, 6, 0], ("weekend",)),
        ):
            self.assertEqual(place(weekend=weekend), path, weekend)

    def test_credit(self):
        self.assertEqual(place(credit=[]), ("credit",))
        for key in ("low", "reconnect_above", "max", "friendly"):
            self.assertEqual(
                refusal(data(credit=credit(**{key: None}))), (("credit",), "lacks " + key)
            )
        for changes, path in (
            ({"low": [1]}, ("low",)),
            ({"low": 5}, ("low",)),
            ({"low": [1, 2]}, ("low", 1)),
            ({"low": [-1, -2]}, ("low", 0)),
            ({"low": [2.5, 1]}, ("low", 0)),
            ({"reconnect_above": -1}, ("reconnect_above",)),
            ({"max": 0}, ("max",)),
            ({"max": 1000000000000001}, ("max",)),
            ({"max": "lots"}, ("max",)),
            ({"emergency": True}, ("emergency",)),
            ({"friendly_holidays": 1}, ("friendly_holidays",)),
            ({"auto_close": 0}, ("auto_close",)),
            ({"friendly": {}}, ("friendly",)),
            ({"friendly": [[1, 0]]}, ("friendly", 0)),
            ({"friendly": [5]}, ("friendly", 0)),
            ({"friendly": [[7, 0, 60]]}, ("friendly", 0, 0)),
            ({"friendly": [[1, 0, 60], [1, 60, 60]]}, ("friendly", 1, 2)),
            ({"friendly": [[1, 1440, 1440]]}, ("friendly", 0, 1)),
            ({"friendly": [[1, 0, 1441]]}, ("friendly", 0, 2)),
            ({"friendly": [[1, 0.0, 60]]}, ("friendly", 0, 1)),
            ({"friendly": [[0, 0, 1]] * 43}, ("friendly",)),
        ):
            self.assertEqual(place(credit=credit(**changes)), ("credit",) + path, changes)

    def test_place_as_a_person_writes_it(self):
        with self.assertRaises(TariffError) as caught:
            tariffs.load(data(price=[ROW, [1, "2"]]))
        self.assertEqual(str(caught.exception), 'price[1][1]: must be a whole number, is "2"')
        with self.assertRaises(TariffError) as caught:
            tariffs.load(b"[]")
        self.assertEqual(str(caught.exception), "document: must be a JSON object")
