"""An application on its way to meters: its parts are served, and a fleet takes it in stages.

Of a stage every meter is told its new want, and has to say in a signed hello that the application
has proven itself, before the next stage begins. One that refuses it, goes back to the one before
or says nothing in time ends the rollout: the others keep what they have.
"""

import json
import secrets
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wattledger.firmware.fetch import HEAD
from wattledger.tools import jws, keys, mqtt, push, signing
from wattledger.tools.errors import BrokerError, JwsError, UpdateError
from wattledger.tools.update import Release

STAGES = (1, 10, 100)  # per cent of the meters
POLL_S = 0.2
BURST, REFILL_S = 8, 0.2  # parts that a meter gets at once, and then each so often
LONGEST_QUESTION = 128  # bytes


class Depot:
    """Answers the meters' questions for parts; `served` counts them."""

    def __init__(self, releases: list[Release], tenant: str, now: Callable[[], float]) -> None:
        self._releases = {release.sequence: release for release in releases}
        if len(self._releases) != len(releases):
            raise UpdateError("two of the folders have the same sequence; serve one of them")
        self._tenant = tenant
        self._now = now
        self._budgets: dict[str, tuple[float, float]] = {}  # meter: (parts, when)
        self.served = 0

    def answer(self, meter: str, data: bytes) -> bytes | None:
        """The message with the part that is asked for, None for a question that has no answer."""
        if len(data) > LONGEST_QUESTION:
            return None
        try:
            asked = json.loads(data)
            place = (asked["seq"], asked["file"], asked["at"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if not all(type(number) is int and number >= 0 for number in place):
            return None
        release = self._releases.get(place[0])
        part = release.part(place[1], place[2]) if release else None
        if part is None or not self._may(meter):
            return None
        self.served += 1
        return struct.pack(HEAD, *place) + part

    def _may(self, meter: str) -> bool:
        now = self._now()
        left, at = self._budgets.get(meter, (float(BURST), now))
        left = min(left + (now - at) / REFILL_S, BURST)
        self._budgets[meter] = (max(left - 1, 0.0) if left >= 1 else left, now)
        return left >= 1

    def hear(self, link: Any, topic: str, data: bytes) -> None:
        """Answer a message on a meter's topic of questions."""
        meter = topic.split("/")[-2]
        message = self.answer(meter, data)
        if message is not None:
            link.send(mqtt.topic(meter, "part", self._tenant), message, False)


class Watch:
    """What the meters of a rollout say of it. `proven` and `failed` (meter: why)."""

    def __init__(self, release: Release, meters: list[str], keys_dir: str | Path) -> None:
        self._sequence = release.sequence
        self._keys = {meter: keys.load(keys_dir, meter).uplink() for meter in meters}
        self._began: set[str] = set()
        self.proven: set[str] = set()
        self.failed: dict[str, str] = {}

    def hear(self, topic: str, data: bytes, retained: bool) -> None:
        """Take a hello in; one that the meter did not sign says nothing."""
        meter = topic.split("/")[-2]
        try:
            hello = jws.verify(data, self._keys.get(meter, {}))
        except JwsError:
            return
        application = hello.get("application")
        if hello.get("m") != meter or not isinstance(application, dict):
            return
        sequence = application.get("seq")
        if sequence == self._sequence:
            self._began.add(meter)
            if application.get("proven") is True:
                self.proven.add(meter)
        elif meter in self._began:
            self.failed[meter] = "has gone back to %s" % sequence
        elif not retained:
            # Told with its sequence: what was refused before is said until this one is judged.
            wanted, _, why = str(application.get("refused")).partition(": ")
            if wanted == str(self._sequence):
                self.failed[meter] = "refuses it: %s" % why
            elif application.get("proven") is True and _is_above(sequence, self._sequence):
                self.failed[meter] = "runs a later one, sequence %s" % sequence


def _is_above(told: Any, sequence: int) -> bool:
    return type(told) is int and told > sequence


def stages(meters: list[str], percents: tuple[int, ...] = STAGES) -> list[list[str]]:
    """The meters of each stage: at least one, and all of them in the end."""
    found, done = [], 0
    for percent in (*percents, 100):
        upto = max(-(-len(meters) * percent // 100), min(done + 1, len(meters)))
        if upto > done:
            found.append(meters[done:upto])
            done = upto
    return found


class Rollout:
    """A release for `meters` through a broker. `say(line)` tells of each stage."""

    def __init__(
        self,
        release: Release,
        meters: list[str],
        signer: signing.Signer,
        keys_dir: str | Path,
        say: Callable[[str], None],
    ) -> None:
        self._release = release
        self._meters = list(dict.fromkeys(meters))
        self._signer = signer
        self._keys_dir = keys_dir
        self._say = say
        self._tenant = keys.tenant_of(keys_dir)
        self._depot = Depot([release], self._tenant, time.monotonic)
        self._watch = Watch(release, self._meters, keys_dir)

    def run(self, broker: str, percents: tuple[int, ...], timeout_s: float) -> dict[str, Any]:
        """Each stage in turn, each within `timeout_s`: {"proven": [...], "failed": {meter: why},
        "waiting": [...]}."""
        link = connected(broker, "rollout", timeout_s)
        try:
            for leaf in ("fetch", "hello"):
                link.subscribe(mqtt.topic("+", leaf, self._tenant))
            for number, stage in enumerate(stages(self._meters, percents)):
                self._say(f"stage {number + 1}: {len(stage)} of {len(self._meters)} meters")
                if not self._stage(link, stage, time.monotonic() + timeout_s):
                    break
        finally:
            link.close()
        proven = [meter for meter in self._meters if meter in self._watch.proven]
        waiting = [
            meter
            for meter in self._meters
            if meter not in self._watch.proven and meter not in self._watch.failed
        ]
        return {"proven": proven, "failed": self._watch.failed, "waiting": waiting}

    def _stage(self, link: Any, meters: list[str], deadline: float) -> bool:
        for meter in meters:
            wanted = {"fw": self._release.sequence}
            _, token = push.want_of(meter, wanted, self._signer, self._keys_dir)
            link.send(mqtt.topic(meter, "want", self._tenant), token, True)
        while time.monotonic() < deadline:
            take(link, self._depot, self._watch)
            if self._watch.failed:
                return False
            if self._watch.proven.issuperset(meters):
                return True
            link.wait(POLL_S)
        return False


def take(link: Any, depot: Depot, watch: Watch | None = None) -> None:
    """Hand on what has arrived."""
    message = link.receive()
    while message is not None:
        topic, data, retained = message
        if topic.endswith("/fetch"):
            depot.hear(link, topic, data)
        elif watch is not None:
            watch.hear(topic, data, retained)
        message = link.receive()


def serve(
    releases: list[Release], broker: str, keys_dir: str | Path, seconds: float | None
) -> int:
    """Serve parts for so long, None: until interrupted; how many were served."""
    tenant = keys.tenant_of(keys_dir)
    depot = Depot(releases, tenant, time.monotonic)
    end = None if seconds is None else time.monotonic() + seconds
    link = connected(broker, "serve", 10)
    try:
        link.subscribe(mqtt.topic("+", "fetch", tenant))
        while end is None or time.monotonic() < end:
            take(link, depot)
            link.wait(POLL_S)
    finally:
        link.close()
    return depot.served


def connected(broker: str, name: str, timeout_s: float) -> Any:
    """A link that is up; BrokerError otherwise."""
    link = mqtt.connect(broker, f"{name}-{secrets.token_hex(6)}")
    deadline = time.monotonic() + min(timeout_s, 10)
    while not link.is_up():
        if time.monotonic() > deadline:
            why = link.fault or "no connection"
            link.close()
            raise BrokerError(f"no broker at {broker} ({why}); check the address")
        link.wait(POLL_S)
    return link
