"""The ESP32's firmware under the simulated board, in real MicroPython with real littlefs."""

import pytest

from wattledger.tests.host.esp32_bench import run, say

AMPLE = "24M"  # each case makes a board, and leaves it to the collector
TIGHT = "3M"  # quicker to fill
WATCHDOG_MS = 8000
TASK_MS, STEP_MS = 30_000, 60_000  # deadlines of the two in `starves`


@pytest.fixture(scope="module")
def hangs():
    return run("faults.hangs()", AMPLE)


@pytest.fixture(scope="module")
def raised():
    return run("faults.raises()", AMPLE)


@pytest.mark.parametrize("board", ("esp32_atm90e32", "esp32_ade7953", "esp32_bl0942"))
def test_a_new_meter_opens_its_ledger_once_and_measures(board):
    found = run("house.meters(%r)" % board)
    # 2300 W for 60 s are 38.3 Wh; the energy of the last tick may still wait in the chip.
    assert 37 <= found["import_wh"] <= 38
    assert abs(found["power"] - 2_300_000) <= 23  # 10 ppm: each chip has a scale of its own
    assert found["made"]
    assert not found["missing"]
    # the battery clock's time, as provisioned, and synced
    assert (found["unix"], found["trust"]) == (60, 2)
    assert found["operations"] == found["failures"] == 0
    assert [line.split(":")[0] for line in found["lines"]] == ["first reading"]
    assert found["events"][0] == [1, 1]


def test_the_ledger_waits_for_the_time():
    found = run("site.late_time()")
    assert found["before"] == [True, False]
    assert found["took_ms"] is not None
    assert found["made"]
    assert not found["missing"]
    # 10 units less 30 s of 2300 W at 1 a kWh, which are under 20 Wh
    assert 9_980_000_000 <= found["nano"] <= 10_000_000_000
    assert found["operations"] == 0


def test_a_fault_restarts_the_machine_after_a_rest_and_only_some_get_a_prompt():
    found = run("site.ends()")
    how, took, lines, operations = found["fault"]
    assert (how, operations) == ("reset", 0)
    assert took >= 5000
    assert "'esp32_unknown' is no board of an ESP32" in lines[-1]
    assert found["safe"] == ["returned", 0, ["safe mode"], 0]
    assert found["bare"] == ["returned", 0, ["no device.json: not provisioned"], 0]


def test_a_calibration_that_rotted_is_written_anew_from_its_copy():
    first, mended, after, last = run("site.calibrated()")
    # 2300 W at 8035 instead of 7305
    for power, whole, _ in (first, mended, after):
        assert abs(power - 2_529_843) <= 25
        assert whole
    refused = "calibration file: is not JSON; calibrate again or restore its copy"
    assert mended[2][0] == refused + "; it is written anew from its copy"
    for *_, lines in (first, mended, after):
        assert lines[-1].startswith("first reading: 2529")
        assert len(lines) == (2 if lines is mended[2] else 1)
    assert last == refused


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("full", "the NVS takes no copy: -4357"),
        ("closed", "the NVS takes no copy: "),
    ],
)
def test_an_nvs_that_fails_stops_nothing_and_is_made_up_for(kind, said):
    first, second = run("site.without_nvs(%r)" % kind)
    for power, missing, _, operations, _ in (first, second):
        assert (power, missing, operations) == (2_300_000, False, 0)
    assert (first[2], second[2]) == (False, True)
    assert any(said in line for line in first[4])
    assert any("takes no mark" in line for line in first[4])
    assert not any("NVS" in line for line in second[4])


def test_an_nvs_that_takes_no_mark_restarts_no_meter_for_ever():
    # The first start opens the ledger, once the time is known, and begins anew with it.
    assert run("site.late_time_without_nvs()") == [[True, True], [False, False], [False, False]]


def test_a_slow_line_at_the_safe_mode_pin_is_none_that_is_held():
    slow, held = run("site.slow_pin()")
    assert (slow[0], held[0]) == (False, True)
    assert slow[1] == held[1] == 2_300_000
    assert any("PIN stays" in line for line in held[2])


def test_the_store_lies_in_the_root_beside_other_volumes():
    (before, free), (after, rest) = run("site.beside_volumes()")
    assert (before, after) == ([], ["j0000000001"])
    assert free - rest == 2 * 4096


@pytest.mark.parametrize("made", (True, False))
def test_a_decommissioned_meter_never_runs_again_and_begins_no_ledger(made):
    found = run("site.retired(%r)" % made)
    assert found["how"] == "reset"
    assert found["lines"] == [
        "restarts after FirmwareError: final: this meter is decommissioned; erase the flash and "
        "provision a new one"
    ]
    assert found["names"] == ["final", "final.log", "site", "slot.a", "slot.b"]
    assert found["same"]
    assert found["pulses"] == 0


def test_a_meter_whose_ledger_an_order_opened_is_commissioned():
    # Its flash is never taken for a new board's again.
    assert run("site.opened_by_order()") == [[False, True], [True, False]]


def test_a_first_credit_that_is_no_number_stops_no_metering():
    power, missing, lines = run("site.no_number()")
    assert (power, missing) == (2_300_000, True)
    assert "commission: is no number, so there is no ledger; provision the meter again" in lines


def test_what_is_frozen_as_the_boot_runs_to_its_end():
    assert "no device.json: not provisioned" in say("import wattledger.firmware.start_esp32")


def test_a_hundred_resets_in_a_minute_move_the_relay_zero_times(count):
    found = run("faults.resets(100, 60000)")
    count(100, "resets of an ESP32")
    assert found["lasted_ms"] <= 60_000
    assert found["boots"] == 100 + 1
    assert (found["operations"], found["pulses"], found["later"]) == (0, 0, 0)
    assert found["falls"] == 0
    # A reset loses at most the 10 s since the snapshot at 2300 W, 6.4 Wh or 2045 counts, plus a
    # tick; the next boot keeps a snapshot at once, so the others lose half a second each.
    assert found["lost_counts"] <= 2045 + 100 * 205
    assert not found["missing"]


def test_whatever_hangs_is_reset_by_the_watchdog_and_moves_nothing(hangs):
    assert len(hangs) == 10
    for name, (took, operations, pulses, cause, told) in hangs.items():
        assert took is not None and took <= WATCHDOG_MS + 1000, name
        assert (operations, pulses) == (0, 0), name
        assert cause == "watchdog", name
        assert told == [3], name  # journalled: CAUSES of main_esp32, from 1


def test_whatever_raises_is_contained_counted_and_journalled(raised):
    assert len(raised) == 10
    for name, (took, ticks, failed, lost, operations, told) in raised.items():
        assert took is None, name
        assert ticks == 20, name
        assert failed, name
        assert lost == 0, name
        assert operations == 0, name
        assert told == [1, 2], name


def test_a_task_that_never_succeeds_starves_the_watchdog():
    found = run("faults.starves()", AMPLE)
    for kind, deadline in (("task", TASK_MS), ("step", STEP_MS)):
        took, operations = found[kind]
        # The last feed was before the deadline, the reset one period of the watchdog after it.
        assert deadline - 1000 <= took <= deadline + WATCHDOG_MS
        assert operations == 0


@pytest.mark.parametrize("kind", ("zero", "noise", "erased"))
def test_a_lost_file_system_stops_neither_metering_nor_the_evidence(kind):
    found = run("faults.unmountable(%r)" % kind)
    assert found["same"]  # not a bit of the partition is changed
    assert found["folder"] is None
    assert found["fault"]
    assert found["power"] == 2_300_000
    assert found["meter"] == "esp-0001"  # from the copy in the NVS
    assert found["missing"]
    assert found["alarms"] == ["ledger"]
    assert found["cause"] == "power, store lost"
    assert found["operations"] == found["failures"] == 0


def test_only_erased_flash_of_a_meter_never_commissioned_becomes_a_file_system():
    calls = ["faults.fresh(%r, %r)" % (kind, made) for kind, made in FRESH]
    assert run("[%s]" % ", ".join(calls)) == list(FRESH.values())


FRESH = {  # (partition, commissioned): [made new, mounted, changed]
    ("erased", False): [True, True, True],
    ("erased", True): [False, False, False],
    ("zero", False): [False, False, False],
    ("noise", False): [False, False, False],
    ("noise", True): [False, False, False],
}


def test_the_root_keys_order_gives_a_lost_meter_a_new_store():
    found = run("faults.renewed()")
    assert found["took_ms"] is not None
    assert found["folder"] == "/"
    assert not found["missing"]
    assert found["balance"] == 4_000_000_000
    assert found["highest"] == 7
    assert found["meter"] == "esp-0001"
    assert found["operations"] == 0
    assert found["events"][0] == 29  # STORE_LOST


# T3: the ticks of MicroPython wrap at 2**30; here 100 s after the start, and at once.
@pytest.mark.parametrize("start", ((1 << 30) - 100_000, (1 << 30) - 500))
def test_a_wrap_of_the_ticks_is_no_event(start):
    lost, late, import_wh, operations, failures = run("faults.ticks(%d)" % start)
    # 2300 W for 300 s are 191.67 Wh
    assert (lost, late, import_wh, operations, failures) == (0, 0, 191, 0, 0)


def test_ticks_that_stand_still_end_in_a_reset():
    found = run("faults.stalls()")
    assert found["took_ms"] <= WATCHDOG_MS
    assert found["operations"] == 0
    # 10 s of 2300 W since the snapshot, 320 counts a Wh, and one tick
    assert found["lost"] <= 2045 + 205


def test_the_heap_can_be_filled():
    for left in (64, 1024, 8192):
        assert left <= run("faults.free_after_filling(%d)" % left) <= left + 512


def test_turns_without_heap_cost_no_energy_and_no_money(count):
    turns = 60
    found = run("faults.starved(%d)" % turns, TIGHT)
    count(turns, "turns of an ESP32 without heap")
    assert found["failures"] >= 10  # it did run out of heap
    assert found["lost"] == 0
    assert found["grown"] <= 2048
    assert found["balance_same"]
    assert not found["falls"]
    assert not found["missing"]
    assert found["operations"] == 0


def test_a_meter_that_stays_without_heap_is_reset_and_loses_at_most_the_time_without():
    found = run("faults.heapless()", TIGHT)
    # A step with nothing due may do without heap; the snapshot, due after 10 s, cannot.
    assert found["took_ms"] <= 10_000 + STEP_MS + WATCHDOG_MS + 1000
    assert (found["operations"], found["pulses"]) == (0, 0)
    assert not found["missing"]
    # 2300 W are 204.4 counts a second; 10 s may have passed since the snapshot before.
    assert found["lost"] <= (found["took_ms"] // 1000 + 11) * 205


@pytest.mark.nightly
def test_five_hundred_turns_without_heap():
    found = run("faults.starved(500)", TIGHT)
    assert found["failures"] >= 10
    assert found["lost"] == 0
    assert found["grown"] <= 2048
    assert found["operations"] == 0
