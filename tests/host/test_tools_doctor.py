"""`wattledger doctor` on emulated buses: each chip named, and what is wrong with it."""

import contextlib
import io
import json
import os
import threading
import time
import types

import pytest

from wattledger.board import pi_ade7953, pi_atm90e32, pi_bl0942, pi_mcp3208
from wattledger.firmware import parts_linux
from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.clock.ds3231 import Ds3231
from wattledger.tests.both import fixtures_uart as uart
from wattledger.tests.host.pty_bench import Pty
from wattledger.tests.host.test_pi_process import with_a_bench
from wattledger.tests.host.umockdev_bench import emulated, need
from wattledger.tools import cli, doctor_bus, doctor_host, doctor_readings


def examined(chip, *words):
    """(exit code, {name: check}) of a run on mock pins; while it waits, the chip's time passes."""
    os.environ["GPIOZERO_PIN_FACTORY"] = "mock"
    pause = types.SimpleNamespace(sleep=lambda seconds: chip.feed(round(1000 * seconds)))
    doctor_readings.time = pause
    doctor_host.IN_MEMORY = ()  # where the folders of tests may lie
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = cli.run(["doctor", *words, "--json"])
    found = json.loads(printed.getvalue())
    assert found["ok"] == (code == 0)
    return code, {check["name"]: check for check in found["checks"]}


def stands(checks, name):
    return checks[name]["state"], checks[name]["found"]


def find_a_board_that_is_well(chip):
    for phase in range(3):
        chip.set_phase(phase, 230_000, 5_000, 1_150_000)
    chip.set_mains(50_000)
    assert Ds3231(LinuxI2c(1, 0x68)).set(int(time.time()))
    with_a_bench(lambda bench: all_is_well(bench, chip))


def all_is_well(bench, chip):
    assert bench.ends("--commission", "5000000")[0] == 0
    code, checks = examined(chip, "--site", str(bench.site), "--state", str(bench.state))
    assert code == 0, checks
    assert stands(checks, "site") == ("ok", f"the meter pi-0001, of {bench.site}")
    assert stands(checks, "bus") == ("ok", "/dev/spidev0.0 can be used")
    assert stands(checks, "chip") == ("ok", "atm90e32 answers on /dev/spidev0.0")
    day = "of 2027-01-15 against simulated reference"
    assert stands(checks, "calibration") == ("ok", day)
    for name in ("phase 1", "phase 2", "phase 3"):
        assert stands(checks, name) == ("ok", "230.0 V, 5.00 A, 1150 W")
    assert stands(checks, "frequency") == ("ok", "50.00 Hz")
    assert checks["relay"]["state"] == "ok"
    assert stands(checks, "battery")[1].startswith("DS3231, 20")
    whole = "whole, 1 entries of pi-0001, balance 5.00"
    assert stands(checks, "journal") == ("ok", whole)
    # The readings are those of the calibration: without it the nominal gains measure.
    code, checks = examined(chip, "--board", "pi_atm90e32")
    assert checks["calibration"]["state"] == "warn"
    # 230 V x 7305 / 36700
    assert stands(checks, "phase 1")[1].startswith("no usual mains voltage (45.8 V")


def find_what_is_wrong_with_the_readings(chip):
    with_a_bench(lambda bench: readings_of(bench, chip))


def readings_of(bench, chip):
    def found(*more):
        return examined(chip, "--site", str(bench.site), *more)

    for phase in range(3):
        chip.set_phase(phase, 230_000, 5_000, 1_150_000)
    chip.set_mains(50_000)
    chip.set_phase(1, 230_000, 5_000, -1_150_000)
    code, checks = found()
    assert code == 1, checks
    assert [checks["phase %d" % n]["state"] for n in (1, 2, 3)] == ["ok", "fail", "ok"]
    said = "power is negative under load (230.0 V, 5.00 A, -1150 W)"
    assert checks["phase 2"]["found"] == said
    assert checks["phase 2"]["fix"].startswith("turn the current transformer of phase 2 round")
    assert found("--export")[0] == 0
    chip.set_phase(1, 0, 0, 0)
    code, checks = found()
    assert code == 1 and checks["phase 2"]["found"].startswith("no voltage (0.0 V")
    chip.set_phase(1, 290_000, 1_000, 290_000)
    code, checks = found()
    assert code == 1 and "more than the board can have (290.0 V" in checks["phase 2"]["found"]
    chip.set_phase(1, 180_000, 1_000, 180_000)
    code, checks = found()
    assert code == 0 and checks["phase 2"]["state"] == "warn"
    chip.set_phase(1, 230_000, 100, -20_000)  # too little to have a sign
    chip.set_mains(55_000)
    code, checks = found()
    assert code == 0 and "switch a load on" in checks["phase 2"]["found"]
    assert stands(checks, "frequency") == ("warn", "55.00 Hz is neither 50 nor 60 Hz")


def find_the_clock_that_stood_still(chip):
    clock = chip.other("ds3231")
    code, checks = examined(chip, "--board", "pi_atm90e32")
    assert stands(checks, "battery")[0] == "warn" and "OSF" in stands(checks, "battery")[1]
    clock.poke(0x0F, 0)
    clock.poke(3, 0)  # no weekday: whatever it is, no DS3231
    code, checks = examined(chip, "--board", "pi_atm90e32")
    assert stands(checks, "battery") == ("fail", "what answers at 0x68 is no DS3231")
    clock.silent = True
    code, checks = examined(chip, "--board", "pi_atm90e32")
    assert stands(checks, "battery") == ("warn", "/dev/i2c-1: no chip answers at 0x68")
    assert checks["battery"]["fix"].startswith("check its power, SDA and SCL")


@pytest.mark.parametrize(
    "check",
    [
        find_a_board_that_is_well,
        find_what_is_wrong_with_the_readings,
        find_the_clock_that_stood_still,
    ],
)
def test_a_board_on_emulated_buses(check):
    need("gpiozero")
    emulated("atm90e32", "spi", check, "ds3231:i2c")


def named(chip, name):
    """Its own board finds it, the others on that bus name it; silent, nothing answers."""
    boards = [b for b in (pi_atm90e32, pi_ade7953_on_spi(), pi_mcp3208) if b.BUS == "spi"]
    for board in boards:
        found = doctor_bus.identity(board)
        if name == board.CHIP:
            assert found[1:3] == ("ok", f"{name} answers on /dev/spidev0.0")
        else:
            other = f"{name} on /dev/spidev0.0, and no {board.CHIP} as {board.NAME} has it"
            assert found[1:3] == ("fail", other)
    chip.silent = True
    for board in boards:
        found = doctor_bus.identity(board)
        assert found.found == "nothing that is known answers on /dev/spidev0.0"
        assert "SCK, MOSI, MISO, CS: wattledger board wiring" in found.fix


def pi_ade7953_on_spi():
    """The board with that chip on the other of its buses."""
    constants = {key: getattr(pi_atm90e32, key) for key in dir(pi_atm90e32) if key.isupper()}
    return types.SimpleNamespace(**{**constants, "CHIP": "ade7953", "NAME": "ade_on_spi"})


def name_the_atm90e32(chip):
    named(chip, "atm90e32")


def name_the_ade7953(chip):
    named(chip, "ade7953")


def name_the_mcp3208(chip):
    named(chip, "mcp3208")


def name_the_ade7953_on_i2c(chip):
    assert doctor_bus.identity(pi_ade7953)[1:3] == ("ok", "ade7953 answers on /dev/i2c-1")
    chip.set_phase(0, 230_000, 5_000, 1_150_000)
    code, checks = examined(chip, "--board", "pi_ade7953")
    assert code == 0, checks
    assert stands(checks, "phase 1")[1].startswith("230.0 V, 5.00 A, 1150 W")
    chip.silent = True
    found = doctor_bus.identity(pi_ade7953)
    assert found.found == "nothing that is known answers on /dev/i2c-1"


def name_the_ina228_and_the_clock(chip):
    found = doctor_bus.identity(pi_ade7953)
    said = "ina228 and ds3231 on /dev/i2c-1, and no ade7953 as pi_ade7953 has it"
    assert found[1:3] == ("fail", said)


def find_a_missing_bus(chip):
    code, checks = examined(chip, "--board", "pi_atm90e32")
    assert code == 1, checks
    assert stands(checks, "bus") == ("fail", "/dev/spidev0.0 is missing")
    assert checks["bus"]["fix"].startswith("enable SPI with raspi-config")
    assert "chip" not in checks


@pytest.mark.parametrize(
    ("chip", "bus", "check", "more"),
    [
        ("atm90e32", "spi", name_the_atm90e32, ()),
        ("ade7953", "spi", name_the_ade7953, ()),
        ("mcp3208", "spi", name_the_mcp3208, ()),
        ("ade7953", "i2c", name_the_ade7953_on_i2c, ()),
        ("ina228", "i2c", name_the_ina228_and_the_clock, ("ds3231:i2c",)),
        ("ds3231", "i2c", find_a_missing_bus, ()),
    ],
)
def test_a_chip_is_named(chip, bus, check, more):
    emulated(chip, bus, check, *more)


class Answering:
    """A chip at the far end of a line, in real time."""

    def __init__(self, chip):
        self.pty = Pty()
        self._chip = chip
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._over.wait(0.005):
            self._chip.feed(5)
            self.pty.carry(self._chip, arrives=False)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("bl0942", uart.Bl0942Chip),
        ("cse7766", uart.Cse7766Chip),
        ("pzem004t", uart.Pzem004tChip),
    ],
)
def test_a_serial_chip_is_named(monkeypatch, name, make):
    chip = make()
    chip.set_phase(0, 230_000, 5_000, 1_150_000)
    board = types.SimpleNamespace(
        NAME="made-up",
        CHIP="bl0942",
        BUS="uart",
        UART_BUS=0,
        BAUD=9600,
        PARITY=None,
        OPTIONS={},
    )
    with Answering(chip) as line:
        monkeypatch.setattr(parts_linux, "uart_place", lambda board: line.pty.name)
        found = doctor_bus.identity(board)
    if name == "bl0942":
        assert found[1:3] == ("ok", f"bl0942 answers on {line.pty.name}")
    else:
        said = f"{name} on {line.pty.name}, and no bl0942 as made-up has it"
        assert found[1:3] == ("fail", said)


def test_the_board_with_a_serial_chip_is_read(monkeypatch):
    chip = uart.Bl0942Chip()
    chip.set_phase(0, 230_000, 5_000, -1_150_000)
    chip.set_mains(50_000)
    monkeypatch.setattr(doctor_readings, "BETWEEN_S", 0.05)
    with Answering(chip) as line:
        monkeypatch.setattr(parts_linux, "uart_place", lambda board: line.pty.name)
        assert doctor_bus.present(pi_bl0942).state == "ok"
        assert doctor_bus.identity(pi_bl0942).state == "ok"
        found = list(doctor_readings.check(pi_bl0942, None, False))
    assert [one.name for one in found] == ["phase 1", "frequency"]
    assert found[0].found == "power is negative under load (230.0 V, 5.00 A, -1150 W)"
    assert found[1].found == "50.00 Hz"


def test_a_bus_that_is_no_serial_line_says_so(monkeypatch):
    board = types.SimpleNamespace(BUS="uart", BAUD=9600, PARITY=None)
    monkeypatch.setattr(parts_linux, "uart_place", lambda board: "/dev/ttyUSB97")
    found = doctor_bus.present(board)
    assert found[1:3] == ("fail", "/dev/ttyUSB97 is missing")
