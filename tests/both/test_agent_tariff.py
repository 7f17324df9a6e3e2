"""Tariff documents: what is refused, where, and that nothing else than TariffError comes out."""

import json
import unittest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import record as records
from wattledger.tests.both.houses_tariffs import DESIGN_EXAMPLE, credit, data, document

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


class TestTaken(unittest.TestCase):
    def test_example_of_the_design(self):
        tariff = tariffs.load(DESIGN_EXAMPLE)
        self.assertEqual((tariff.id, tariff.n, tariff.size), ("demo-cn", 7, len(DESIGN_EXAMPLE)))
        self.assertEqual(tariff.limits, [2400000, 4800000])
        self.assertEqual(tariff.emergency, 10000000)
        self.assertEqual((tariff.friendly_holidays, tariff.auto_close), (True, False))
        self.assertEqual((tariff.net, tariff.demand, tariff.minimum), (False, None, 0))
        self.assertEqual((tariff.kwh_credit, tariff.correct), (520000, None))

    def test_what_is_not_said(self):
        tariff = tariffs.load(data(export=None))
        self.assertEqual(tariff.export, [0, 0])
        self.assertEqual((tariff.emergency, tariff.standing_day, tariff.kwh_credit), (0, 0, 0))
        self.assertEqual((tariff.friendly_holidays, tariff.auto_close), (False, False))
        self.assertEqual((tariff.net, tariff.demand, tariff.minimum), (False, None, 0))
        self.assertIsNone(tariff.correct)

    def test_what_is_said(self):
        tariff = tariffs.load(
            data(
                net=True,
                demand={"minutes": 30, "price": 38000000},
                minimum=5000000,
                kwh_credit=520000,
                correct={"from": 1798732800, "until": 1798733700},
                credit=credit(auto_close=True, emergency=7, friendly_holidays=True),
                export=[5],
            )
        )
        self.assertEqual((tariff.net, tariff.demand), (True, (30, 38000000)))
        self.assertEqual((tariff.minimum, tariff.kwh_credit), (5000000, 520000))
        self.assertEqual(tariff.correct, (1798732800, 1798733700))
        self.assertEqual((tariff.auto_close, tariff.emergency), (True, 7))
        self.assertEqual((tariff.friendly_holidays, tariff.export), (True, [5, 5]))

    def test_named_and_empty_is_taken(self):
        self.assertIsNone(place(holidays=[], net=False, minimum=0))
        raw = json.dumps(document()).replace('"v"', '"demand": null, "v"')
        self.assertEqual(refusal(raw.encode()), (None, "accepted"))

    def test_the_fullest_document_fits(self):
        table = [[index * 15, index % 8] for index in range(14)]
        seasons = [["%02d01" % month, "t0", "t1", {"blocks": [1, 2, 3, 4, 5]}]
                   for month in range(1, 13)]  # fmt: skip
        seasons += [["0115", "t2", "t3"], ["1215", "t4", "t5"]]
        raw = json.dumps(
            document(
                bands=["b%d" % band for band in range(8)],
                blocks=[1, 2, 3, 4, 5],
                price=[[1] * 8] * 6,
                export=[1] * 8,
                days={"t%d" % name: table for name in range(8)},
                seasons=seasons,
                holidays=[9862] + [1] * 253,
            )
        )
        raw = raw.replace(" ", "").encode()
        self.assertLess(len(raw), 4097)
        self.assertEqual(refusal(raw), (None, "accepted"))


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

    def test_seasons_and_holidays(self):
        season = ["0101", "all", "all"]
        for seasons, path in (
            ([season] * 15, ("seasons",)),
            ([season, ["0101", "all", "all"]], ("seasons", 1, 0)),
            ([season, ["0601", "w", "all"]], ("seasons", 1, 1)),
            ([season + [{}, {}]], ("seasons", 0)),
            ([season + [None]], ("seasons", 0, 3)),
            ([season + [{"block": [5]}]], ("seasons", 0, 3, "block")),
            ([season + [{"blocks": 5}]], ("seasons", 0, 3, "blocks")),
            ([season + [{"blocks": [5, 6]}]], ("seasons", 0, 3, "blocks")),
            ([season + [{"blocks": []}]], ("seasons", 0, 3, "blocks")),
            ([season + [{"blocks": [0]}]], ("seasons", 0, 3, "blocks", 0)),
            ([season + [{"blocks_reset": 1}]], ("seasons", 0, 3, "blocks_reset")),
        ):
            self.assertEqual(place(seasons=seasons), path, seasons)
        self.assertIsNone(place(seasons=[season + [{"blocks": [5], "blocks_reset": True}]]))
        for holidays, path in (
            ({}, ("holidays",)),
            ([9862] + [1] * 254, ("holidays",)),
            (["0101"], ("holidays", 0)),
            ([-1], ("holidays", 0)),
            ([65536], ("holidays", 0)),
            ([9862, 0], ("holidays", 1)),
            ([9862, -1], ("holidays", 1)),
            ([9862, 1.0], ("holidays", 1)),
            ([65000, 536], ("holidays", 1)),
            ([[9862]], ("holidays", 0)),
            ([[9862, "w"]], ("holidays", 0, 1)),
            ([9862, [0, "all"]], ("holidays", 1, 0)),
            ([9862, [True, "all"]], ("holidays", 1, 0)),
            ([9862, [1, None]], ("holidays", 1, 1)),
        ):
            self.assertEqual(place(holidays=holidays), path, holidays)
        self.assertIsNone(place(holidays=[0, 535, [65000, "all"]], holiday_day="all"))
        self.assertEqual(place(holiday_day="w"), ("holiday_day",))
        self.assertEqual(place(holiday_day=[]), ("holiday_day",))

    def test_charges(self):
        for changes, path in (
            ({"net": 1}, ("net",)),
            ({"minimum": -1}, ("minimum",)),
            ({"minimum": 1000000000000001}, ("minimum",)),
            ({"kwh_credit": -1}, ("kwh_credit",)),
            ({"demand": 15}, ("demand",)),
            ({"demand": {"minutes": 15}}, ("demand",)),
            ({"demand": {"minutes": 20, "price": 1}}, ("demand", "minutes")),
            ({"demand": {"minutes": 5, "price": 1}}, ("demand", "minutes")),
            ({"demand": {"minutes": 15, "price": -1}}, ("demand", "price")),
            ({"demand": {"minutes": 15, "price": 1, "kva": 1}}, ("demand", "kva")),
            ({"correct": None}, None),
            ({"correct": 5}, ("correct",)),
            ({"correct": {"from": 900}}, ("correct",)),
            ({"correct": {"from": 900, "until": 900}}, ("correct", "until")),
            ({"correct": {"from": 901, "until": 1800}}, ("correct", "from")),
            ({"correct": {"from": 0, "until": 1801}}, ("correct", "until")),
            ({"correct": {"from": 0, "until": 900, "n": 1}}, ("correct", "n")),
        ):
            self.assertEqual(place(**changes), path, changes)
        raw = data(net=True).replace(b"true", b"null")
        self.assertEqual(refusal(raw)[0], ("net",))

    def test_a_price_beyond_the_local_bounds(self):
        with self.assertRaises(TariffError) as caught:
            tariffs.load(data(price=[ROW, [1, 6700000]]), 5000000)
        self.assertEqual(
            str(caught.exception),
            "price[1][1]: 6700000 is above the local maximum 5000000; check its unit",
        )
        with self.assertRaises(TariffError) as caught:
            tariffs.load(data(export=[1, -6700000]), 5000000)
        self.assertEqual(
            str(caught.exception),
            "export[1]: -6700000 is below the local minimum -5000000; check its unit",
        )
        tariffs.load(data(price=[ROW, [-5000000, 5000000]]), 5000000)

    def test_what_a_kw_may_cost_for_a_month(self):
        for limit, most in ((1000000, 10**9), (999999999, 999999999000), (100000000000, 10**12)):
            tariffs.load(data(demand={"minutes": 15, "price": most}), limit)
            with self.assertRaises(TariffError) as caught:
                tariffs.load(data(demand={"minutes": 15, "price": most + 1}), limit)
            self.assertEqual(
                str(caught.exception),
                "demand.price: must be from 0 to %d, is %d" % (most, most + 1),
            )
        # The most a device.json can say: three phases of 2000 A at 1000 V. A record holds it.
        amount = -3 * 2000 * 1000 * 10**12
        data_of = records.encode(records.DEMAND, 1, 0, 2, amount, amount, b"", bytes(8))
        self.assertEqual(records.decode(data_of).amount, -6 * 10**18)

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
