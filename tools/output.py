"""How the tools speak: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wattledger.agent.billing.zone import Zone

NANO = 10**9
MICRO = 10**6
LONGEST = 500  # characters of one line of an error


def result(value: dict[str, Any]) -> None:
    """One JSON object as the last line of stdout."""
    print(json.dumps(value), flush=True)


def error(text: str) -> None:
    """An error: one or two lines on stderr, whatever the file it quotes holds."""
    for line in text.split("\n")[:2]:
        shown = printable(line)
        if len(shown) > LONGEST:
            shown = f"{shown[: LONGEST // 2]} ... {shown[-LONGEST // 2 :]}"
        print(shown, file=sys.stderr)


def printable(text: str) -> str:
    """`text` in one line: what cannot be printed is escaped as Python writes it."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def note(text: str) -> None:
    """A line a person should read beside the result."""
    print(f"note: {text}", file=sys.stderr)


def money(nano: int, currency: str = "") -> str:
    """An amount in nano-units as exact decimals, at least two: `-1.50 CNY`."""
    return _decimal(nano, NANO) + (f" {currency}" if currency else "")


def price(micro: int) -> str:
    """A price in micro-units per kWh as exact decimals of the currency."""
    return _decimal(micro, MICRO)


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(abs(value), scale)
    digits = f"{rest:0{len(str(scale)) - 1}d}".rstrip("0").ljust(2, "0")
    return f"{'-' if value < 0 else ''}{whole}.{digits}"


def utc(unix: int) -> str:
    """A time as ISO 8601 in UTC, `2027-01-31T08:00:00Z`."""
    return _iso(unix) + "Z"


def local(unix: int, zone: "Zone | None") -> str:
    """A time as ISO 8601 with the zone's offset; in UTC without a zone."""
    if zone is None:
        return utc(unix)
    offset = zone.offset_at(unix)
    hours, seconds = divmod(abs(offset), 3600)
    sign = "-" if offset < 0 else "+"
    return f"{_iso(unix + offset)}{sign}{hours:02d}:{seconds // 60:02d}"


def _iso(unix: int) -> str:
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=unix)
    except OverflowError:  # beyond the year 9999
        return f"unix {unix} "
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout; a column whose name ends in `>` is aligned to the right."""
    # Here, because importing rich takes longer than most commands need.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        right = name.endswith(">")
        shown.add_column(name.rstrip(">"), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*[Text(cell) for cell in row])
    width = None if sys.stdout.isatty() else 200  # a pipe has no edge to cut at
    console = Console(highlight=False, width=width)  # minds NO_COLOR
    console.print(Text(title))
    console.print(shown)
