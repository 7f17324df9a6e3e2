"""The view in two buffers: the same JSON as in texts, in parts, and none that is torn."""

import json
import unittest

from wattledger.hal.display.page_buffer import PART, BufferedPage
from wattledger.hal.display.page_text import TextPage
from wattledger.hal.display.privacy import EVERYTHING, HOME, SUPPLY

VIEW = {
    "meter": "m-1",
    "time": 1800000000,
    "balance_micro": -5,
    "supply": {"state": "connected", "reasons": ["credit", "remote"], "since": None},
    "purchases": [{"amount_micro": 1, "n": 2}],
    "messages": [{"text": 'It says "rate": 5, "zone": x, and \u4f59\u989d'}],
    "rate": {"price_micro": 620000, "zone": "inner"},
    "zone": "low2",
    "today_wh": 0,
}


def whole(page, everything):
    return json.loads("".join(page.parts(everything)))


class TestBoth(unittest.TestCase):
    """What a browser gets is the same whichever page keeps it."""

    def pages(self, shown):
        for kind in (BufferedPage, TextPage):
            page = kind(shown)
            page.show(VIEW)
            yield page

    def test_the_whole_view_is_json(self):
        for shown in (EVERYTHING, HOME, SUPPLY):
            for page in self.pages(shown):
                self.assertEqual(whole(page, True), VIEW)

    def test_without_the_pin_the_rest_is_named(self):
        hidden = ["balance_micro", "messages", "purchases", "today_wh"]
        for page in self.pages(SUPPLY):
            found = whole(page, False)
            self.assertEqual(found.pop("withheld"), hidden)
            self.assertEqual(found, {key: VIEW[key] for key in VIEW if key not in hidden})
        for page in self.pages(EVERYTHING):
            self.assertEqual(whole(page, False), VIEW)

    def test_a_member_is_found_by_its_name_alone(self):
        for page in self.pages(SUPPLY):
            for name in VIEW:
                self.assertEqual(json.loads(page.member(name, True)), VIEW[name])
            self.assertEqual(page.member("zone", False), '"low2"')
            for name in ("purchases", "today_wh"):
                self.assertIsNone(page.member(name, False))
            self.assertIsNone(page.member("price_micro", True))  # of rate, not of the view
            self.assertIsNone(page.member("nothing", True))

    def test_a_version_rises_with_what_differs(self):
        for page in self.pages(SUPPLY):
            self.assertEqual(page.version, 1)
            page.show(VIEW)
            self.assertEqual(page.version, 1)
            for change in ({"time": 1800000001}, {"today_wh": 12}, {"rate": None}):
                before = page.version
                page.show(dict(VIEW, **change))
                self.assertEqual(page.version, before + 1)
                self.assertEqual(whole(page, True), dict(VIEW, **change))
            shorter = {"meter": "m-1"}
            page.show(shorter)
            self.assertEqual((whole(page, True), whole(page, False)), (shorter, shorter))

    def test_before_the_first_view_there_is_an_empty_one(self):
        for kind in (BufferedPage, TextPage):
            for everything in (True, False):
                self.assertEqual(whole(kind(HOME), everything), {})


class TestBuffers(unittest.TestCase):
    def test_a_view_that_breaks_off_is_not_shown_and_the_next_is(self):
        page = BufferedPage(HOME)
        page.show(VIEW)
        page._public.add = self.fail_at("rate", page._public.add)
        self.assertRaises(MemoryError, page.show, dict(VIEW, time=7))
        self.assertEqual(whole(page, True), {})
        self.assertIsNone(page.member("meter", True))
        page.show(dict(VIEW, time=8))
        self.assertEqual(whole(page, True), dict(VIEW, time=8))

    def fail_at(self, where, add):
        failed = []

        def adding(name, value):
            if name == where and not failed:
                failed.append(name)
                raise MemoryError
            add(name, value)

        return adding

    def test_parts_are_members_of_at_least_so_many_bytes(self):
        page = BufferedPage(EVERYTHING)
        page.show({"member_%d" % number: "x" * 100 for number in range(20)})
        parts = page.parts(True)
        # {"member_7": "xx...", is 117 bytes with its comma and blank, so four are a part.
        self.assertEqual([part.count("member") for part in parts], [0, 4, 4, 4, 4, 4])
        self.assertTrue(min([len(part) for part in parts[1:]]) >= PART)

    def test_it_is_written_over(self):
        page = BufferedPage(EVERYTHING)
        for length in (10, 900, 3, 500):
            view = {"text": "y" * length, "after": length}
            page.show(view)
            self.assertEqual(whole(page, True), view)


if __name__ == "__main__":
    unittest.main()
