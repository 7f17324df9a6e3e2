"""Random scenarios full of faults: every promise is kept in each of them."""

import pytest

from wattledger.tests.host.scenario_bench import drawn, play

BATCH = 10


def check(folder, seeds):
    """Run these; what broke a promise, by seed."""
    broken = {}
    for seed in seeds:
        outcome = play(folder / str(seed), **drawn(seed))
        found = {name: problems[:3] for name, problems in outcome.problems.items() if problems}
        if found:
            broken[seed] = found
    return broken


@pytest.mark.parametrize("first", range(0, 200, BATCH))
def test_every_promise_is_kept_under_random_faults(tmp_path, first):
    assert check(tmp_path, range(first, first + BATCH)) == {}


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(200, 2000, BATCH))
def test_every_promise_is_kept_under_many_more_random_faults(tmp_path, first):
    assert check(tmp_path, range(first, first + BATCH)) == {}
