"""Allocations of an ESP32 that fail, one after the other until none does, in real MicroPython."""

import pytest

from wattledger.tests.host import esp32_bench

HEAP = "16M"  # the firmware, the simulated board, its flash of 960 KiB and copies of it
PROGRAM = (
    "import json; from wattledger.tests.both import houses_esp32_allocation as allocation; "
    "print(json.dumps(allocation.%s))"
)
LEAK = 2048


def turns(first, step, count):
    """Cut the heap off from each `step`th block of a turn on; what came of it."""
    found = esp32_bench.run("turns(%d, %d)" % (first, step), HEAP, PROGRAM)
    count(found["failed"], "turns of an ESP32 without heap from some allocation on")
    assert found["wrong"] == []
    assert found["contained"] > 0
    assert found["purchases"] >= found["failed"]
    assert found["leaked"] <= LEAK
    return found


def boots(first, step, count):
    """The same of a boot."""
    found = esp32_bench.run("boots(%d, %d)" % (first, step), HEAP, PROGRAM)
    count(found["failed"], "boots of an ESP32 without heap from some allocation on")
    assert found["wrong"] == []
    assert found["refused"] > 0
    return found["failed"]


def test_a_turn_that_runs_out_of_heap_anywhere_costs_no_energy_and_no_money(count):
    found = turns(0, 8000, count)
    assert found["failed"] >= 6
    assert found["grown"] <= LEAK


def test_a_boot_that_runs_out_of_heap_anywhere_is_made_good_by_the_next(count):
    assert boots(0, 24_000, count) >= 3


# Steps that have no divisor in common, so that each set meets other allocations.
@pytest.mark.nightly
@pytest.mark.parametrize("step", (83, 89))
def test_no_allocation_of_a_turn_that_fails_costs_energy_or_money(step, count, monkeypatch):
    monkeypatch.setattr(esp32_bench, "TIMEOUT_S", 7200)
    assert turns(1, step, count)["failed"] >= 500


@pytest.mark.nightly
def test_no_allocation_of_a_boot_that_fails_costs_anything(count, monkeypatch):
    monkeypatch.setattr(esp32_bench, "TIMEOUT_S", 7200)
    assert boots(1, 199, count) >= 500
