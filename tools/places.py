"""Files people wrote: read them, and say file:line:column when something in one is wrong.

The device parses a document with its own small rules and names the fault by its path, as
`price[1][2]`. Here the same file is scanned once more to find where that path stands, in any JSON
layout. Columns count characters from 1, as Python's json does.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from wattledger.agent.errors import PlacedError
from wattledger.tools import output
from wattledger.tools.errors import ToolError

MAX_DEPTH = 32  # documents need five; a device has little stack
_SPACE = re.compile(r"[ \t\r\n]*")

Loaded = TypeVar("Loaded")
Path_ = tuple[Any, ...]  # keys (str) and indexes (int) from the root, as PlacedError.path


class FileError(ToolError):
    """A file cannot be read; the message names it and the remedy."""


class PlaceError(FileError):
    """A file is wrong at `line` and `column`, both from 1."""

    def __init__(self, path: str | Path, line: int, column: int, message: str) -> None:
        # A key or a value it quotes may hold anything, a new line too.
        super().__init__(f"{path}:{line}:{column}: {output.printable(message)}")
        self.line = line
        self.column = column


class _TextError(Exception):
    """What is wrong in a text, and the offset at which."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character of `text`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def read(path: str | Path) -> bytes:
    """The bytes of a file; FileError with a remedy."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path}: no such file; check its name and folder") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a folder; give a file") from None
    except PermissionError:
        raise FileError(f"{path}: may not be read; change its permissions") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check the disk") from None


def decode(path: str | Path, data: bytes) -> str:
    """`data` as UTF-8 text; PlaceError at the first byte that is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        place = line_and_column(before, len(before))
        raise PlaceError(path, *place, "is not UTF-8 text; save the file as UTF-8") from None


def load(path: str | Path, loader: Callable[[bytes], Loaded]) -> Loaded:
    """What `loader` (tariff.load, config.load: bytes to object) makes of a JSON file.

    PlaceError at the first syntax error, key that stands twice, or value that `loader` refuses.
    """
    data = read(path)
    text = decode(path, data)
    places = parse(path, text)[1]
    try:
        return loader(data)
    except PlacedError as error:
        at = error.path
        while at not in places:  # what is missing has no place of its own
            at = at[:-1]
        raise PlaceError(path, *line_and_column(text, places[at]), str(error)) from None


def parse(path: str | Path, text: str) -> tuple[Any, dict[Path_, int]]:
    """`scan` of a file's text, whose error is told at its line and column as PlaceError."""
    try:
        return scan(text)
    except _TextError as fault:
        raise PlaceError(path, *line_and_column(text, fault.offset), str(fault)) from None


def scan(text: str) -> tuple[Any, dict[Path_, int]]:
    """The value of a JSON text, and the offset of every value in it by its path."""
    if text.startswith("\ufeff"):
        raise _TextError(0, "begins with a byte order mark; save the file as UTF-8 without one")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise _TextError(
            error.pos, f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}; mend it here"
        ) from None
    except (ValueError, RecursionError):
        pass  # a number or a depth beyond Python's limits: the scan below says where
    scanner = _Scanner(text)
    value, _ = scanner.value((), _skip(text, 0))
    return value, scanner.places


def _skip(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which json takes and JSON does not have


class _Scanner:
    """Walks a text that json.loads has found to be well formed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self.places: dict[Path_, int] = {}

    def value(self, path: Path_, offset: int) -> tuple[Any, int]:
        """The value that begins at `offset`, and the offset after it."""
        if len(path) > MAX_DEPTH:
            raise _TextError(offset, f"is nested deeper than {MAX_DEPTH}; no document needs that")
        self.places[path] = offset
        first = self._text[offset]
        if first == "{":
            return self._object(path, offset + 1)
        if first == "[":
            return self._list(path, offset + 1)
        return self._scalar(offset)

    def _scalar(self, offset: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, offset)
        except ValueError:
            raise _TextError(offset, "is not a number JSON has; write a plain number") from None

    def _object(self, path: Path_, offset: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        offset = _skip(self._text, offset)
        while self._text[offset] != "}":
            key, after = self._scalar(offset)
            if key in found:
                first = line_and_column(self._text, self.places[path + (key,)])[0]
                fault = PlacedError(path + (key,), f"stands twice, first in line {first}")
                raise _TextError(offset, f"{fault}; remove one of them")
            colon = _skip(self._text, after)
            found[key], offset = self.value(path + (key,), _skip(self._text, colon + 1))
            offset = self._next(offset)
        return found, offset + 1

    def _list(self, path: Path_, offset: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        offset = _skip(self._text, offset)
        while self._text[offset] != "]":
            item, offset = self.value(path + (len(found),), offset)
            found.append(item)
            offset = self._next(offset)
        return found, offset + 1

    def _next(self, offset: int) -> int:
        """The offset of the next member, or of the closing bracket."""
        offset = _skip(self._text, offset)
        return _skip(self._text, offset + 1) if self._text[offset] == "," else offset
