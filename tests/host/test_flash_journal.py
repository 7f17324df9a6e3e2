"""The bytes of journal a day that the image builder's table goes by."""

import pytest

from wattledger.tools.bench.wear import WrittenStorage
from wattledger.tools.bench.world import MeteredHouse
from wattledger.tools.flash.table import DAY_BYTES, DAYS


@pytest.mark.nightly
def test_a_day_at_default_rates_takes_the_bytes_of_the_table():
    storage = WrittenStorage()
    house = MeteredHouse(storage)
    storage.lines.clear()
    house.run(86_400)
    words = [line.split() for line in storage.lines]
    grown = sum(int(word[2]) for word in words if word[0] == "append" and word[1][0] == "j")
    # 96 intervals of 71 B are 6816 B; the day's standing record comes on top.
    assert grown == DAY_BYTES
    # The default `journal_kb`, 400 KiB, holds them beside its two reserved segments.
    assert DAYS * DAY_BYTES < (400 - 2 * 16) * 1024
