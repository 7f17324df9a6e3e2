"""Power cuts at every operation of an update under real littlefs, in real MicroPython.

Exactly one of the old and the new application runs, whole; the selector always says which, and the
meter's money is what it was.
"""

import json

import pytest

from wattledger.tests.host.micropython_bench import say

HEAP = "16M"  # three images of 256 KiB, and a log of every operation
TIMEOUT_S = 3600
ERRORS = {"EIO": 5, "ENOSPC": 28, "EROFS": 30}


def run(call):
    """The dict that a function of tests/both/houses_update_cuts.py returns in MicroPython."""
    program = "import json; from wattledger.tests.both import houses_update_cuts as cuts; "
    program += "print(json.dumps(cuts.%s))" % call
    return json.loads(say(program, HEAP, TIMEOUT_S).splitlines()[-1])


def judge(found, count):
    count(found["cuts"] + found.get("nested", 0), "power cuts in an update")
    assert found["failures"] == []


@pytest.mark.parametrize("first", (0, 1))
def test_each_cut_leaves_the_old_or_the_new_application_whole(first, count):
    found = run("cut(%d, 2, 66, 4)" % first)
    judge(found, count)
    assert found["operations"] > 180
    assert found["cuts"] >= found["operations"] - 1
    assert found["money"] >= found["cuts"] // 4
    assert found["nested"] > 300
    assert found["raised"] == 0


def test_five_cuts_in_one_update_end_with_the_new_application(count):
    found = run("random_cuts(25, 5, 1)")
    judge(found, count)
    assert found["cuts"] > 60
    assert found["given_up"] <= 2


@pytest.mark.parametrize("ever", (False, True))
@pytest.mark.parametrize("name", sorted(ERRORS))
def test_an_operation_that_fails_breaks_nothing(name, ever, count):
    found = run("fail(%d, 5, %d, %s)" % (ERRORS[name] % 5, ERRORS[name], ever))
    count(found["failed"], "failed operations in an update")
    assert found["failures"] == []
    assert found["failed"] > 12


def test_a_flipped_bit_starts_nothing_that_was_not_signed(count):
    found = run("flip(300, 1)")
    assert found.pop("failures") == []
    count(sum(found.values()), "bits flipped in application slots")
    assert sum(found.values()) == 300
    assert found["eight"] and found["seven"]


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(8))
def test_no_two_cuts_break_an_update(first, count):
    found = run("cut(%d, 8, 1, 1)" % first)
    judge(found, count)
    assert found["nested"] > 2000


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 6))
def test_five_cuts_in_each_of_250_updates(seed, count):
    found = run("random_cuts(250, 5, %d)" % seed)
    judge(found, count)
    assert found["given_up"] <= 10


@pytest.mark.nightly
@pytest.mark.parametrize("ever", (False, True))
@pytest.mark.parametrize("name", sorted(ERRORS))
def test_no_operation_that_fails_breaks_anything(name, ever, count):
    found = run("fail(0, 1, %d, %s)" % (ERRORS[name], ever))
    count(found["failed"], "failed operations in an update")
    assert found["failures"] == []
