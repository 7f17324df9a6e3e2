"""docs/chips/README.md says what the drivers do: its tables against them and against the tests."""

import re

import pytest

from wattledger.hal import sample
from wattledger.tests.both import fixtures_adc as adc
from wattledger.tests.both import vectors_faults as faults
from wattledger.tests.both.test_hal_ade7953_contract import SpiBench
from wattledger.tests.both.test_hal_atm90e32_contract import Atm90e32Bench
from wattledger.tests.both.test_hal_ina228_contract import Ina228Bench
from wattledger.tests.both.test_hal_mcp3208_contract import Mcp3208Bench
from wattledger.tests.both.test_hal_uart_contract import Bl0942Bench, Cse7766Bench, PzemBench
from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs/chips/README.md").read_text(encoding="utf-8")
BENCHES = {
    "ATM90E32": Atm90e32Bench,
    "ADE7953": SpiBench,
    "BL0942": Bl0942Bench,
    "CSE7766": Cse7766Bench,
    "PZEM-004T": PzemBench,
    "MCP3208": Mcp3208Bench,
    "INA228": Ina228Bench,
}
FIELDS = {
    "current of the neutral": sample.NEUTRAL_MA,
    "reactive power": sample.REACTIVE_MVAR,
    "power factor": sample.POWER_FACTOR,
    "frequency": sample.FREQUENCY_MHZ,
    "temperature": sample.TEMPERATURE_DC,
    "flags": sample.FLAGS,
}


def table(heading):
    """{row: {column: cell}} of the first table under a heading."""
    text = PAGE[PAGE.index(f"## {heading}") :]
    lines = re.findall(r"^\|.*\|$", text, re.MULTILINE)
    found: dict[str, dict[str, str]] = {}
    head = [cell.strip() for cell in lines[0].split("|")[1:-1]]
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != len(head):
            break
        found[cells[0]] = dict(zip(head[1:], cells[1:], strict=True))
    return found


def unbroken(milliseconds):
    """Whole seconds, or hours from a day on, as the page writes a time."""
    seconds = milliseconds // 1000
    return f"{seconds} s" if seconds < 86_400 else f"{seconds // 3600} h"


@pytest.mark.parametrize("chip", BENCHES)
def test_what_a_chip_gives_is_what_its_driver_says(chip):
    bench = BENCHES[chip]
    # The contract's sampler is slower than the usual one.
    driver = adc.House().driver if chip == "MCP3208" else bench(1).driver
    said = {row: cells[chip] for row, cells in table("What each gives").items()}
    for row, field in FIELDS.items():
        given = bool(driver.fields & sample.field_bit(field))
        assert said[row] == ("yes" if given else "no"), row
    assert said["import and export"] == ("yes" if driver.bidirectional else "no")
    assert said["phases"].startswith(str(bench.phases))
    assert said["Wh of a count"] == f"{driver.energy_numerator}/{driver.energy_denominator}"
    assert said["full after, at 13.8 kW"] == unbroken(driver.overflow_ms(13_800))
    assert (said["a reset is found"] == "yes") is bench.finds_reset
    if not driver.bidirectional:
        assert said["fit to bill export"] == "no"


def lines_of_faults():
    """The table of faults as Markdown, from the one that the tests run."""
    yield "| fault | " + " | ".join(faults.CHIPS) + " |"
    yield "|---" * (len(faults.CHIPS) + 1) + "|"
    for fault, _, cells in faults.TABLE:
        outcomes = [cells[chip] for chip in faults.CHIPS]
        words = [outcome if isinstance(outcome, str) else outcome[0] for outcome in outcomes]
        yield f"| {fault} | " + " | ".join(words) + " |"


def test_what_a_fault_does_is_the_table_that_the_tests_run():
    assert "\n".join(lines_of_faults()) in PAGE


def defined(reference):
    """True when `file::test` is a test of tests/both."""
    file, _, name = reference.partition("::")
    return f"    def {name}(self" in (ROOT / "tests/both" / file).read_text(encoding="utf-8")


def test_a_test_that_is_named_exists():
    named = re.findall(r"`(test_\w+\.py::\w+)`", PAGE)
    assert len(named) >= 16
    for _, _, cells in faults.TABLE:
        named += [cell[1] for cell in cells.values() if isinstance(cell, tuple)]
    assert [reference for reference in named if not defined(reference)] == []


def test_every_page_of_a_chip_is_in_the_table_and_warns():
    for page in sorted((ROOT / "docs/chips").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        assert f"]({page.name})" in PAGE or page.name == "README.md"
        assert re.search(r"^> \*\*(Mains voltage kills|A battery can)", text, re.MULTILINE), page
        assert "hardware" in text or "real" in text, page
