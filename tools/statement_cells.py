"""The tables of an HTML statement, with amounts that stand in line at their decimal points."""

from html import escape
from typing import NamedTuple

from wattledger.tools import output


class Cell(NamedTuple):
    """HTML of one field; an amount of money also as nano-units."""

    text: str
    number: bool = False
    nano: int | None = None


def table(title: str, columns: list[str], body: list[list[Cell]]) -> str:
    """A section with a table; nothing without rows."""
    if not body:
        return ""
    numbers = [cell.number for cell in body[0]]
    head = "".join(
        f"<th{' class=n' if number else ''}>{escape(name)}</th>"
        for name, number in zip(columns, numbers, strict=True)
    )
    head = f"<thead><tr>{head}</tr></thead>"
    return section(title, f"<table>{head}\n<tbody>{rows(body)}</tbody></table>")


def section(title: str, content: str) -> str:
    """A headed part of the page."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>\n"


def rows(body: list[list[Cell]]) -> str:
    """Rows whose amounts all have the decimals of the longest, so that they stand in line."""
    nanos = [cell.nano for row in body for cell in row if cell.nano is not None]
    places = max((len(output.money(nano).partition(".")[2]) for nano in nanos), default=2)
    made = ["".join(_cell(cell, places) for cell in row) for row in body]
    return "".join(f"<tr>{row}</tr>\n" for row in made)


def _cell(cell: Cell, places: int) -> str:
    shown = cell.text
    if cell.nano is not None:
        # Exact; what lies beyond the second decimal is paler: it counts, and is rarely read.
        whole, _, decimals = output.money(cell.nano).replace("-", "−").partition(".")
        rest = decimals[2:].ljust(places - 2, "0")
        shown = f"{whole}.{decimals[:2]}" + (f'<span class="nano">{rest}</span>' if rest else "")
    return f"<td{' class=n' if cell.number else ''}>{shown}</td>"


def text(content: str) -> Cell:
    """Words."""
    return Cell(escape(content))


def number(content: str) -> Cell:
    """A number as it is to be shown, aligned to the right."""
    return Cell(escape(content), True)


def money(nano: int) -> Cell:
    """An exact amount."""
    return Cell("", True, nano)


def swatch(colour: str) -> str:
    """A square of a band's colour."""
    return f'<span class="swatch" style="background:{colour}"></span>'
