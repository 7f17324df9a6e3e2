"""What the built image does where one once did otherwise: dynamic prices, and a small screen."""

import pytest

from wattledger.agent.display.pages import Pages
from wattledger.agent.display.words_en import WORDS
from wattledger.tests.both import fixtures_views
from wattledger.tests.host import flash_bench

pytestmark = pytest.mark.xdist_group("flash_image")  # they share what takes long to make


def test_the_built_image_charges_by_dynamic_prices_and_corrects_them():
    found = flash_bench.run("priced(%(slot)r)", "image_program")
    assert found["said"] == ["prices", "correction"]
    # 2300 W for a quarter of an hour are 575 Wh. One at 0.5 and one at 2.000001 a kWh cost
    # 500 000 and 2 000 001 nano-units each, so the last digits say how many were in the second.
    second = found["cost"] % 500_000
    first = (found["cost"] - second * 2_000_001) // 500_000
    assert abs(first - 575) <= 1 and abs(second - 575) <= 1
    assert found["cost"] == first * 500_000 + second * 2_000_001
    # The first at 0.1 instead; the minute since then is in no interval that is closed.
    assert found["back"] == first * 400_000
    assert found["failures"] == 0 and not found["missing"]


def test_the_built_image_lays_out_every_page_of_a_small_screen():
    view = fixtures_views.view()
    pages = Pages(WORDS, "about")
    names = pages.names(view)
    assert {"home", "price", "block", "power", "today", "top_ups", "meter"} <= set(names)
    found = flash_bench.run("pages(%(slot)r)", "image_program")
    assert found == [[name, pages.layout(name, view).title] for name in names]
