"""Orders of the service desk: settings, the clock, tampers, remote assistance."""

import time
from typing import Any

from wattledger.agent.comms.assistance import MOST_S, SCOPES
from wattledger.agent.config import NUMBERS
from wattledger.agent.overrides import KEYS as SETTINGS
from wattledger.tools.errors import VendError
from wattledger.tools.orders import CONFIG_KID, Order


class TimeOrder(Order):
    """time.set: the time is that of the signing, so that waiting for a hello makes it no older."""

    def payload(self, meter: str, challenge: str) -> dict[str, Any]:
        """What is signed."""
        found = super().payload(meter, challenge)
        return {**found, "a": {"unix": _now()}}


def read_live() -> Order:
    """Read what the chip measures, once the household has agreed."""
    return Order("read.live", {}, CONFIG_KID)


def read_display() -> Order:
    """Read what the display shows, once the household has agreed."""
    return Order("read.display", {}, CONFIG_KID)


def assistance(scope: str, minutes: int, until: int | None = None) -> Order:
    """Ask the household to let the desk read a scope for so many minutes from now, or `until` a
    unix second of the meter's clock."""
    if scope not in SCOPES:
        raise VendError(f"scope {scope!r} is none of {', '.join(SCOPES)}")
    if not 1 <= minutes <= MOST_S // 60 - 1:
        raise VendError(f"{minutes} minutes is not from 1 to {MOST_S // 60 - 1}")
    if until is None:
        until = _now() + 60 * minutes
    return Order("assist.start", {"scope": scope, "until": until}, CONFIG_KID)


def config_set(key: str, value: int) -> Order:
    """Change one of the settings that may change in the field."""
    if key not in SETTINGS:
        raise VendError(f"{key!r} cannot be set in the field: one of {', '.join(SETTINGS)}")
    _, low, high = NUMBERS[key]
    if not low <= value <= high:
        raise VendError(f"{key} {value} is not from {low} to {high}")
    return Order("config.set", {"key": key, "value": value}, CONFIG_KID)


def time_set(at: int | None = None) -> Order:
    """Set the clock: to unix seconds `at`, or to this machine's time when it is signed."""
    if at is None:
        return TimeOrder("time.set", {}, CONFIG_KID)
    return Order("time.set", {"unix": at}, CONFIG_KID)


def tamper_clear() -> Order:
    """Forget the tampers that are over."""
    return Order("tamper.clear", {}, CONFIG_KID)


def _now() -> int:
    return round(time.time())
