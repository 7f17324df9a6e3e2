"""Boards are constants, no pin does two things, and their pages say what the constants say."""

import ast

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import wiring, wiring_drawing

NAMES = wiring.names()
# Strapping pins, flash pins and input-only pins of an ESP32 (datasheet, "Strapping Pins" and
# "Peripheral Pin Configurations"): a relay on one could move while the module starts.
ESP32_UNFIT = {0, 1, 2, 3, 5, 12, 15, *range(6, 12), 34, 35, 36, 37, 38, 39}
REQUIRED = {
    *("NAME", "PLATFORM", "CHIP", "BUS", "PHASES", "CALIBRATION", "OPTIONS", "MAX_AMPS"),
    *("MAX_VOLTS", "RELAY_KIND", "RELAY_OPEN", "RELAY_CLOSE", "RELAY_PULSE_MS", "CONTACT"),
    *("BUTTON", "CLOCK", "CLOCK_ADDRESS"),
}
BY_BUS = {
    "spi": {"SPI_BUS", "CHIP_SELECT", "SPI_HZ", "SPI_MODE"},
    "i2c": {"I2C_BUS", "CHIP_ADDRESS", "REGISTER_BYTES"},
    "uart": {"UART_BUS", "BAUD", "PARITY"},
}


def test_the_boards_that_were_promised_are_there():
    promised = {"pi_atm90e32", "pi_mcp3208", "pi_ade7953"}
    promised |= {"esp32_atm90e32", "esp32_bl0942", "esp32_ade7953"}
    assert promised <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_board_is_constants_only(name):
    tree = ast.parse((ROOT / "board" / f"{name}.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body[1:]:
        assert isinstance(node, ast.Assign), ast.unparse(node)
        ast.literal_eval(node.value)  # ValueError: more than a constant


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_a_root_reads_is_there(name):
    board = wiring.load(name)
    assert {word for word in dir(board) if word.isupper()} >= REQUIRED | BY_BUS[board.BUS]
    assert name == board.NAME
    assert len(board.CALIBRATION) == len(board.PHASES)


@pytest.mark.parametrize("name", NAMES)
def test_no_pin_does_two_things(name):
    signals = [w for w in wiring.wires(wiring.load(name)) if "GPIO" in w.here]
    shared = {w.here for w in signals if "SDA" in w.there or "SCL" in w.there}
    alone = [w.here for w in signals if w.here not in shared]
    assert len(alone) == len(set(alone))
    assert not shared & set(alone)
    assert len(shared) == 2  # one I2C bus, whatever hangs on it


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("esp32")])
def test_a_board_at_the_pins_of_psram_says_which_module_it_is_not_for(name):
    # ESP32-WROVER datasheet, "Pin Definitions": GPIO 16 and 17 are those of its PSRAM.
    wires = wiring.wires(wiring.load(name))
    told = {w.here for w in wires if "WROVER" in w.note}
    assert told == {w.here for w in wires} & {"GPIO16", "GPIO17"}
    assert ("WROVER" in wiring.page(name).rpartition("|")[2]) == bool(told)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("esp32")])
def test_no_pin_of_an_esp32_is_one_that_its_start_uses(name):
    board = wiring.load(name)
    pins = ("SCK", "MOSI", "MISO", "CHIP_SELECT", "SDA", "SCL", "TX", "RX")
    pins += ("RELAY_OPEN", "RELAY_CLOSE", "CONTACT", "BUTTON")
    used = {pin: getattr(board, pin) for pin in pins if hasattr(board, pin)}
    used.update(board.DISPLAY)
    assert not {pin for pin, number in used.items() if number in ESP32_UNFIT}


def test_a_header_pin_is_the_one_of_the_raspberry_pi():
    # Raspberry Pi documentation, "GPIO and the 40-pin header".
    assert [wiring.HEADER[bcm] for bcm in (2, 3, 14, 15, 8, 9, 10, 11)] == [
        *(3, 5, 8, 10, 24, 21, 19, 23)
    ]
    grounds_and_supplies = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert set(wiring.HEADER.values()) == set(range(1, 41)) - grounds_and_supplies


@pytest.mark.parametrize("name", NAMES)
def test_its_page_and_drawing_are_those_of_its_constants(name):
    folder = ROOT / "docs" / "boards"
    remedy = f"make it anew: wattledger board page {name} --out docs/boards"
    assert (folder / f"{name}.md").read_text(encoding="utf-8") == wiring.page(name), remedy
    drawn = wiring_drawing.draw(wiring.load(name))
    assert (folder / f"{name}.svg").read_text(encoding="utf-8") == drawn, remedy


@pytest.mark.parametrize("name", NAMES)
def test_the_warning_stands_above_the_wires(name):
    text = wiring.page(name)
    assert text.index("Mains voltage kills") < text.index("| from |")
    assert "not tried on hardware" in text
