"""Replay of recorded loads, and what a person is told about a broken file."""

import pytest

from wattledger.host_sim.errors import LoadError
from wattledger.host_sim.load_csv import LoadCsv

T0 = 1_799_704_800_000
UCI_HEADER = (
    "Date;Time;Global_active_power;Global_reactive_power;Voltage;"
    "Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3\n"
)


@pytest.fixture
def load(tmp_path):
    """Writes a file and opens it as a load from T0."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "house.csv"
        path.write_bytes(text.encode(encoding))
        return LoadCsv(path, T0)

    return write


def test_rows_hold_until_the_next_and_the_last_as_long_as_the_one_before(load):
    replay = load("t_s,watts\n0,100\n10.5,250.125\n30,40\n")
    assert replay.power_mw(T0 - 1) == 0
    assert replay.power_mw(T0) == 100_000
    assert replay.next_change(T0) == T0 + 10_500
    assert replay.power_mw(T0 + 10_499) == 100_000
    assert replay.power_mw(T0 + 10_500) == 250_125
    assert replay.power_mw(T0 + 49_499) == 40_000  # 30 s and another 19.5 s
    assert replay.power_mw(T0 + 49_500) == 0
    assert replay.next_change(T0 + 49_500) is None


def test_first_row_is_time_zero(load):
    replay = load("t_s,watts\n1000,7\n1060,8\n")
    assert replay.power_mw(T0) == 7_000
    assert replay.next_change(T0) == T0 + 60_000


def test_optional_columns_in_any_order(load):
    replay = load("t_s,watts,pf,export_watts,volts\n0,100,0.9,1500,241.5\n60,0,1,0,230\n")
    assert replay.power_mw(T0) == -1_400_000
    assert replay.power_factor(T0) == 900
    assert replay.voltage_mv(T0) == 241_500


def test_absent_columns_leave_voltage_to_the_mains(load):
    replay = load("t_s,watts\n0,100\n60,0\n")
    assert replay.voltage_mv(T0) is None
    assert replay.power_factor(T0) == 1000


def test_spreadsheet_line_ends_marks_and_blank_lines_are_no_obstacle(load):
    replay = load("\ufefft_s,watts\r\n0, 100\r\n\r\n60,200\r\n\r\n")
    assert replay.power_mw(T0) == 100_000
    assert replay.power_mw(T0 + 60_000) == 200_000


def test_uci_rows_are_kilowatts_and_missing_values_hold_the_last(load):
    replay = load(
        UCI_HEADER + "31/12/2006;23:58:00;0.300;0.400;240.10;2.2;0;0;0\n"
        "31/12/2006;23:59:00;?;?;?;?;?;?;\n"
        "1/1/2007;00:00:00;4.216;0.000;241.20;18.4;0;1;17\n"
    )
    for offset in (0, 60_000):
        assert replay.power_mw(T0 + offset) == 300_000
        assert replay.power_factor(T0 + offset) == 600
        assert replay.voltage_mv(T0 + offset) == 240_100
    assert replay.power_mw(T0 + 120_000) == 4_216_000
    assert replay.power_factor(T0 + 120_000) == 1000
    assert replay.next_change(T0 + 120_000) == T0 + 180_000


def test_uci_file_that_starts_with_missing_values_starts_with_nothing(load):
    replay = load(
        UCI_HEADER + "1/1/2007;00:00:00;?;?;?;?;?;?;\n1/1/2007;00:01:00;1.5;0;240;6;0;0;0\n"
    )
    assert (replay.power_mw(T0), replay.voltage_mv(T0)) == (0, None)
    assert replay.power_mw(T0 + 60_000) == 1_500_000


def test_uci_day_has_its_known_energy(reference_data):
    # The column summed by awk: 1824.760 kW minutes, 30 412.667 Wh.
    replay = LoadCsv(reference_data / "uci-household" / "2007-02-01_1min.csv", T0)
    instant, energy = T0, 0
    while instant is not None:
        change = replay.next_change(instant)
        energy += replay.power_mw(instant) * ((change or instant) - instant)
        instant = change
    assert energy == 1_824_760 * 60_000 * 1_000  # mW ms
    assert replay.power_mw(T0 + 86_399_999) == 1_320_000
    assert replay.power_mw(T0 + 86_400_000) == 0


@pytest.mark.parametrize(
    "text, place, words",
    [
        ("", "1:1", "unknown header"),
        ("time,power\n0,1\n", "1:1", "unknown header"),
        ("t_s,watts,amps\n0,1,2\n1,1,2\n", "1:11", "'amps' is unknown or twice"),
        ("t_s,watts,pf,pf\n0,1,1,1\n", "1:14", "'pf' is unknown or twice"),
        ("t_s,watts\n", "1:1", "fewer than two rows"),
        ("t_s,watts\n0,1\n", "2:1", "fewer than two rows"),
        ("t_s,watts\n0,1\n5,x\n", "3:3", "watts 'x' is not a number"),
        ("t_s,watts\n0,1\n5,nan\n", "3:3", "watts 'nan' is not a number"),
        ("t_s,watts\n0,1\n5,\n", "3:3", "watts '' is not a number"),
        ("t_s,watts\n0,1\n5\n", "3:1", "1 fields where the header has 2"),
        ("t_s,watts\n0,1\n5,1,9\n", "3:3", "3 fields where the header has 2"),
        ("t_s,watts\n60,1\n30,1\n", "3:1", "time does not rise"),
        ("t_s,watts\n60,1\n60,1\n", "3:1", "time does not rise"),
        ("t_s,watts\n0,-5\n60,1\n", "2:3", "watts -5 is out of range"),
        ("t_s,watts,pf\n0,5,95\n60,1,1\n", "2:5", "pf 95 is out of range"),
        ("t_s,watts,volts\n0,100,0\n60,1,1\n", "2:7", "volts 0 is out of range"),
        (UCI_HEADER + "2007-02-01;0:00:00;1;0;240;4;0;0;0\n", "2:1", "dd/mm/yyyy"),
        (UCI_HEADER + "1/2/2007;0:00:00;1,5;0;240;4;0;0;0\n", "2:18", "'1,5' is not a number"),
    ],
)
def test_a_fault_is_one_line_with_its_place_and_a_remedy(load, tmp_path, text, place, words):
    with pytest.raises(LoadError) as caught:
        load(text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'house.csv'}:{place}: ")
    assert words in message
    assert "; " in message.split(words)[1]
    assert "\n" not in message


def test_a_file_that_is_absent_or_no_text_says_so(load, tmp_path):
    with pytest.raises(LoadError, match="gone.csv: No such file or directory; check the path"):
        LoadCsv(tmp_path / "gone.csv", T0)
    with pytest.raises(LoadError, match="not a text file"):
        load("t_s,watts\n0,1\n", "utf-16")
