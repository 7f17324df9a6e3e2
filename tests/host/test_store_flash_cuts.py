"""Power cuts at every operation of a NOR flash under real littlefs, in real MicroPython."""

import json

import pytest

from wattledger.tests.host.micropython_bench import say

HEAP = "16M"  # three images of 256 KiB, and a log of every operation
TIMEOUT_S = 3600


def run(call):
    """The dict that a function of tests/both/houses_flash.py returns in MicroPython."""
    program = "import json; from wattledger.tests.both import houses_flash as flash; "
    program += "print(json.dumps(flash.%s))" % call
    return json.loads(say(program, HEAP, TIMEOUT_S).splitlines()[-1])


def judge(found, count):
    """Count what was cut; nothing may be broken, and no program may have set a bit."""
    count(found["cuts"] + found["nested"], "power cuts on littlefs")
    assert found["failures"] == []
    assert found["raised"] == 0


@pytest.mark.parametrize("first", (0, 1))
def test_no_cut_loses_what_was_promised(first, count):
    found = run("cut(%d, 2, 75)" % first)
    judge(found, count)
    assert found["operations"] > 800
    assert found["cuts"] >= found["operations"] - 1
    assert found["nested"] > 300


def flips(found, count, least):
    """No flipped bit makes money or moves the relay, and hardly one can go unsaid."""
    total = found["unseen"] + found["told"] + found["older"] + found["unmounted"]
    count(total, "bits flipped on littlefs")
    assert found["wrong"] == []
    assert total == least
    assert found["told"] > 0
    # The file system has no sum over its data and goes back where its own blocks are hurt.
    assert found["older"] + found["unmounted"] <= total // 10


def test_a_flipped_bit_makes_no_money(count):
    flips(run("flip(400, 1)"), count, 400)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 10))
def test_no_flipped_bit_makes_money(seed, count):
    flips(run("flip(4096, %d)" % seed), count, 4096)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(8))
def test_no_two_cuts_lose_what_was_promised(first, count):
    found = run("cut(%d, 8, 1)" % first)
    judge(found, count)
    assert found["nested"] > 10000
