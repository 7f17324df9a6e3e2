"""The parts of a scenario: house, load, panels, and every kind of event, with their limits."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from wattledger.agent.billing.debt import MAX_SHARE
from wattledger.agent.comms.actions import MAX_KEEP_HOURS
from wattledger.host_sim.appliances import NAMES
from wattledger.tools import scenario_text as texts
from wattledger.tools import token_sts
from wattledger.tools.errors import ToolError
from wattledger.tools.vend import parse_amount


def _duration(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError(f"is {value!r}; {texts.DURATION_HELP}")
    return texts.seconds(value)


def _amount(value: Any) -> int:
    """Micro-units of an amount, written as text or as a whole number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f'is {value!r}; write an amount in quotes, such as "10.00"')
    text = str(value)
    if text.strip("0.") == "" and text.strip("."):
        return 0
    try:
        return parse_amount(text)
    except ToolError as error:
        raise ValueError(str(error)) from None


Duration = Annotated[int, BeforeValidator(_duration)]
Amount = Annotated[int, BeforeValidator(_amount)]


class Part(BaseModel):
    """Base of everything in a scenario: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)


class House(Part):
    """What the household owns (host_sim/appliances.py) and its power in percent."""

    appliances: dict[str, bool] = {}
    scale: int = Field(default=100, ge=1, le=1000)

    @field_validator("appliances")
    @classmethod
    def _known(cls, chosen: dict[str, bool]) -> dict[str, bool]:
        for name in chosen:
            if name not in NAMES:
                raise ValueError(f"has no appliance {name!r}; choose of: {', '.join(NAMES)}")
        return chosen


class Constant(Part):
    """A load that never changes, so that its energy is worked out by hand."""

    watts: int = Field(ge=-13_000, le=13_000)


class Solar(Part):
    kwp: float = Field(gt=0, le=12, strict=False)


class Lasting(Part):
    """Something that lasts for a time."""

    seconds: Duration = Field(alias="for")


class Cut(Lasting):
    """The power fails: at once, or within the `write`th write to storage from then on, and once
    more within the `again`th write after its return."""

    write: int = Field(0, ge=0, le=1000)
    again: int = Field(0, ge=0, le=1000)

    @model_validator(mode="after")
    def _in_order(self) -> "Cut":
        if self.again and not self.write:
            raise ValueError("has again without write; say within which write it fails first")
        return self


class Broker(Part):
    """The broker is away for a time, or without one for good."""

    down: Duration | None = None


class Clock(Part):
    """The source of time: `jump_s` seconds wrong from now on, or silent for a time."""

    jump_s: int | None = Field(None, ge=-100_000_000, le=100_000_000)
    silent: Duration | None = None
    seconds: Duration | None = Field(None, alias="for")

    @model_validator(mode="after")
    def _one(self) -> "Clock":
        if (self.jump_s is None) == (self.silent is None):
            raise ValueError("must have one of jump_s and silent")
        if self.seconds is not None and self.jump_s is None:
            raise ValueError("has for without jump_s; silent carries its own duration")
        return self


class Disturbance(Lasting):
    """What the meter's terminals see instead: too little or too much voltage, or a current sensor
    the wrong way round."""

    kind: Literal["sag", "swell", "reverse"]


class Debt(Part):
    """What the utility sets with debt.set; an absent term is 0."""

    id: int = Field(1, ge=1, le=0xFFFFFFFF)
    total: Amount
    per_day: Amount = 0
    share: int = Field(0, ge=0, le=MAX_SHARE)  # per cent of each top-up
    cap: Amount = 0  # of a local week


class Token(Part):
    """A token that is entered, worth kWh or money. `number` tells tokens apart: the same one with
    the same worth is the same token again."""

    number: int = Field(1, ge=1, le=10_000)
    kwh: int | None = Field(None, ge=1, le=1638)
    amount: Amount | None = None
    by: Literal["keypad", "mqtt"] = "keypad"

    @model_validator(mode="after")
    def _one(self) -> "Token":
        if (self.kwh is None) == (self.amount is None):
            raise ValueError("must have one of kwh and amount")
        if self.amount is not None:
            units, rest = divmod(self.amount, 10)  # a token counts hundred-thousandths
            if rest or token_sts.encode(units, token_sts.MONEY_EXPONENTS) is None:
                near = token_sts.nearest(units, token_sts.MONEY_EXPONENTS)
                said = " and ".join(f"{one // 100_000}.{one % 100_000:05d}" for one in near)
                raise ValueError(f"no token can say this amount; the nearest are {said}")
        return self


class BitErrors(Part):
    count: int = Field(ge=1, le=10_000)
    seconds: Duration = Field(3600, alias="for")


class Random(Part):
    """How many of each are drawn from the seed, between `at` and the end."""

    cuts: int = Field(0, ge=0, le=1000)
    brown_outs: int = Field(0, ge=0, le=1000)
    broker_outages: int = Field(0, ge=0, le=1000)
    credits: int = Field(0, ge=0, le=1000)
    commands: int = Field(0, ge=0, le=1000)
    clock_jumps: int = Field(0, ge=0, le=1000)
    clock_silences: int = Field(0, ge=0, le=1000)
    welds: int = Field(0, ge=0, le=1000)
    bit_errors: int = Field(0, ge=0, le=10_000)
    presses: int = Field(0, ge=0, le=1000)
    write_cuts: int = Field(0, ge=0, le=1000)


BadCommand = Literal["retained", "replayed", "forged", "out of range", "wrong key", "stale"]
KINDS = (
    "credit", "arm", "press", "cut", "broker", "brown_out", "clock", "weld", "bit_errors",
    "command", "random", "accept", "document", "keep", "debt", "disturb", "token",
)  # fmt: skip


class Event(Part):
    """Something that happens `at` a time: exactly one of KINDS."""

    at: str
    credit: Amount | None = None
    arm: Literal[True] | None = None
    press: int | None = Field(None, ge=1, le=60)
    cut: Cut | None = None
    broker: Broker | None = None
    brown_out: Literal[True] | None = None
    clock: Clock | None = None
    weld: Lasting | None = None
    disturb: Disturbance | None = None
    bit_errors: BitErrors | None = None
    command: BadCommand | None = None
    random: Random | None = None
    accept: Literal[True] | None = None
    document: str | dict[str, Any] | None = None
    keep: Duration | None = None
    debt: Debt | None = None
    token: Token | None = None

    @field_validator("keep")
    @classmethod
    def _hours(cls, seconds: int | None) -> int | None:
        if seconds and (seconds % 3600 or seconds > MAX_KEEP_HOURS * 3600):
            raise ValueError(f"is no number of whole hours up to {MAX_KEEP_HOURS}")
        return seconds

    @field_validator("at", mode="before")
    @classmethod
    def _time(cls, value: Any) -> str:
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S")
        if not isinstance(value, str):
            raise ValueError(f'is {value!r}; write "1d 06:00" or a local "2027-01-15 18:00"')
        if not texts.is_local(value):
            texts.seconds(value)
        return value

    @model_validator(mode="after")
    def _one(self) -> "Event":
        found = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(found) != 1:
            raise ValueError(
                f"has {' and '.join(found) or 'nothing to do'}; give exactly one of: "
                + ", ".join(KINDS)
            )
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class FieldError(ValueError):
    """A value that is well formed and cannot be used; `path` says which."""

    def __init__(self, path: tuple[Any, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
