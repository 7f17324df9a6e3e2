"""Scenarios: a house, its credit and what befalls it, as a YAML file a person writes.

tools/scenario_file.py reads one; `wattledger sim --example` prints one with every key explained.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, field_validator

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.tools import scenario_documents as documents
from wattledger.tools import scenario_text as texts
from wattledger.tools.scenario_parts import (
    Amount,
    Constant,
    Event,
    FieldError,
    House,
    Part,
    Solar,
)

FOLDER = Path(__file__).parent / "scenarios"
DEMO_TARIFF = Path(__file__).parent / "data" / "demo-tariff.json"
MAX_DAYS = 366


class Scenario(Part):
    """A checked scenario. `document` is the tariff's bytes, `start` unix seconds."""

    name: str = Field(min_length=1, max_length=80)
    story: str = ""
    start: str | int | None = None
    days: int = Field(0, ge=0, le=MAX_DAYS)
    hours: int = Field(0, ge=0, le=23)  # beside the days
    tick_s: int = Field(1, ge=1, le=10)
    seed: int = Field(1, ge=0, lt=1 << 63)
    house: House = House()
    load: Constant | str = "household"
    pv: Solar | None = None
    tariff: str | dict[str, Any] = "demo"
    credit: Amount = 10_000_000
    used_wh: int = Field(0, ge=0, lt=1 << 32)
    events: list[Event] = []

    _folder: Path = PrivateAttr(Path("."))
    _document: bytes = PrivateAttr(b"")
    _start: int = PrivateAttr(0)
    _tariff: Any = PrivateAttr(None)
    _sets: Any = PrivateAttr(None)
    _documents: dict[int, bytes] = PrivateAttr({})  # by the id() of their event

    @field_validator("start", mode="before")
    @classmethod
    def _begin(cls, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, str) and not texts.is_local(value):
            raise ValueError(f'is {value!r}; write a local time such as "2027-01-15 18:00"')
        return value

    def settle(self, folder: Path) -> None:
        """Read what the scenario names; relative paths lie in `folder`. Raises ValueError."""
        self._folder = folder
        if not self.seconds:
            raise FieldError((), "lacks days; say how long it runs")
        self._document = self._read(("tariff",), self.tariff)
        try:
            self._tariff = tariffs.load(self._document)
        except TariffError as error:
            raise FieldError(("tariff",), f"is no tariff: {error}") from None
        start = self.start if self.start is not None else self._tariff.start
        self._start = texts.unix(start, self._tariff.zone) if isinstance(start, str) else start
        if self.load_path is not None and not self.load_path.is_file():
            raise FieldError(
                ("load",),
                f"names {self.load_path}, which is no file; give a CSV, household or watts",
            )
        for index, event in enumerate(self.events):
            if not 0 <= self.at(event) < self.seconds:
                raise FieldError(
                    ("events", index, "at"), f"is {event.at!r}, which is not within the run"
                )
        self._settle_documents()

    def _settle_documents(self) -> None:
        self._sets = documents.TariffSets(self._tariff)
        self._documents = {}
        for event in sorted(self.events, key=self.at):
            if event.document is None:
                continue
            where = ("events", self.events.index(event), "document")
            data = self._read(where, event.document)
            found = documents.check(where, data, isinstance(event.document, dict))
            if found is not None:
                self._sets.add(found, self._start + self.at(event))
            self._documents[id(event)] = data

    def _read(self, where: tuple[Any, ...], source: str | dict[str, Any]) -> bytes:
        """The bytes of a document that the scenario names or writes out."""
        try:
            if isinstance(source, dict):
                return documents.written(source, self._tariff.zone if self._tariff else None)
            return documents.read(DEMO_TARIFF if source == "demo" else self._folder / source)
        except ValueError as error:
            raise FieldError(where, str(error)) from None

    @property
    def document(self) -> bytes:
        return self._document

    @property
    def tariff_set(self) -> tariffs.Tariff:
        """The tariff the meter begins with, as it sees it."""
        return self._tariff

    @property
    def tariff_sets(self) -> documents.TariffSets:
        """That tariff and those which follow it."""
        return self._sets

    def document_of(self, event: Event) -> bytes:
        """The bytes that an event brings."""
        return self._documents[id(event)]

    @property
    def start_s(self) -> int:
        """Unix seconds at which the run begins."""
        return self._start

    @property
    def seconds(self) -> int:
        """How long it runs."""
        return self.days * 86_400 + self.hours * 3600

    @property
    def load_path(self) -> Path | None:
        """The CSV, when the load is one."""
        if isinstance(self.load, str) and self.load != "household":
            return self._folder / self.load
        return None

    def at(self, event: Event) -> int:
        """Seconds from the start at which an event happens."""
        if texts.is_local(event.at):
            return texts.unix(event.at, self._tariff.zone) - self._start
        return texts.seconds(event.at)
