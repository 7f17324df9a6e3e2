"""A signed document on its way: to every meter of a group, or the want of one meter.

The meter's signed hello is the only proof that it arrived. A document is retained by the broker
and sent again when a meter says hello without having it.
"""

import json
import re
import secrets
import time
from pathlib import Path
from typing import Any

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.dynamic import PriceList
from wattledger.agent.comms.documents import LIMIT
from wattledger.agent.errors import TariffError
from wattledger.tools import durable, jws, keys, mqtt, places, signing
from wattledger.tools import tariff as checked
from wattledger.tools.errors import BrokerError, JwsError, KeysError, ToolError

AGAIN_S = 5
POLL_S = 0.2
MOST_VERSION = 0xFFFFFFFF
WANT = ".want"
WANTED = ".wanted"  # what the last one said, JSON
_NAME = re.compile(r"[a-z0-9._-]{1,32}", re.ASCII)


class PushError(ToolError):
    """A document was refused before sending, or did not arrive."""


class Document:
    """A checked document: `id`, `n`, its topic's `leaf`, and its compact JWS `token` or None."""

    def __init__(self, path: Path) -> None:
        """From a JSON file, or from a JWS that `tariff sign` made; errors name the place."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise PushError(f"{path}: cannot be read ({error.strerror})") from None
        self.token: bytes | None = None
        self.payload = data
        text = data.strip()
        if not text.startswith(b"{") and text.count(b".") == 2:
            self.token = text
            try:
                self.payload = jws.decode(text.split(b".")[1])
            except JwsError as error:
                raise PushError(f"{path}: {error}; sign it again") from None
            found = _checked(self.payload, path)
        else:
            found = places.load(path, checked.read)[1]
        self.id: str = found.id
        self.n: int = found.n
        self.leaf = "price" if isinstance(found, PriceList) else "tariff"
        self.is_correction = not isinstance(found, PriceList) and bool(found.correct)

    def signed(self, signer: signing.Signer) -> bytes:
        """The JWS to send; PushError when it is longer than a meter takes."""
        token = self.token or signer.sign(self.payload)
        if len(token) > LIMIT:
            raise PushError(f"{self.id}: signed it is {len(token)} bytes, {LIMIT} fit the meter")
        return token

    def is_held(self, hello: dict[str, Any]) -> bool:
        """True when a hello says that the meter has it, in force or waiting."""
        documents = hello.get("documents") or {}
        if self.leaf == "price":
            return self.n in documents.get("prices", ())
        sets = (hello.get("tariff"), documents.get("next"))
        return {"id": self.id, "n": self.n} in sets


def _checked(payload: bytes, path: Path) -> tariffs.Tariff | PriceList:
    try:
        return checked.read(payload)[1]
    except TariffError as error:
        raise PushError(f"{path}: what is signed is not taken: {error}") from None


def push(
    document: Document,
    token: bytes,
    group: str,
    meters: list[str],
    broker_url: str,
    keys_dir: str | Path,
    timeout_s: float = 60,
) -> dict[str, Any]:
    """Publish for a group, wait for the hello of `meters`: {"held": [...], "silent": [...],
    "refused": {meter: why}}.

    A correction leaves no trace in a hello: what it did stands in the journal, and it is not kept
    by the broker, where it would stand in the way of the group's tariff.
    """
    topic = mqtt.group_topic(name_of(group, "group"), document.leaf, keys.tenant_of(keys_dir))
    retain = not document.is_correction
    audience = Audience(meters, keys_dir)
    deadline = time.monotonic() + timeout_s
    link = mqtt.connect(broker_url, "push-" + secrets.token_hex(6))
    try:
        _wait_up(link, broker_url, deadline)
        audience.listen(link)
        sent = _send(link, topic, token, retain, deadline)
        while not document.is_correction and time.monotonic() < deadline:
            link.wait(POLL_S)
            lacking = audience.hear(link, document.is_held)
            if all(meter in audience.refused for meter in audience.silent):
                break
            if lacking and time.monotonic() - sent >= AGAIN_S:
                sent = _send(link, topic, token, retain, deadline)
    finally:
        link.close()
    refused = {meter: audience.refused.get(meter, "") for meter in audience.silent}
    return {"held": audience.held, "silent": audience.silent, "refused": refused}


def want(
    meter: str,
    wanted: dict[str, Any],
    signer: signing.Signer,
    broker_url: str,
    keys_dir: str | Path,
    timeout_s: float = 60,
) -> dict[str, Any]:
    """Tell a meter what it shall have (id, n, group, fw): {"version", "held"}; versions only
    rise, and what is not said stays as it was told last."""
    audience = Audience([meter], keys_dir)
    version, token = want_of(meter, wanted, signer, keys_dir)
    topic = mqtt.topic(meter, "want", keys.tenant_of(keys_dir))
    deadline = time.monotonic() + timeout_s
    link = mqtt.connect(broker_url, "want-" + secrets.token_hex(6))

    def is_held(hello: dict[str, Any]) -> bool:
        return (hello.get("documents") or {}).get("want") == version

    try:
        _wait_up(link, broker_url, deadline)
        audience.listen(link)
        _send(link, topic, token, True, deadline)
        while audience.silent and time.monotonic() < deadline:
            link.wait(POLL_S)
            audience.hear(link, is_held)
    finally:
        link.close()
    return {"version": version, "held": not audience.silent}


def want_of(
    meter: str, wanted: dict[str, Any], signer: signing.Signer, keys_dir: str | Path
) -> tuple[int, bytes]:
    """(version, signed want) of a meter, kept as the last before this returns."""
    path = keys.path_of(Path(keys_dir), meter, WANTED)
    try:
        last = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError):
        raise KeysError(f"{path}: cannot be read; remove it and tell the meter all anew") from None
    whole = {"fw": 0, **last, **wanted}
    for key in ("id", "group"):
        if key not in whole:
            raise PushError(f"{meter} was never told its tariff: use `tariff want` first")
        name_of(whole[key], key)
    version = next_version(keys_dir, meter)
    durable.replace(path, json.dumps(whole) + "\n", 0o600)
    payload = {"m": meter, "v": version, **whole}
    return version, signer.sign(json.dumps(payload, separators=(",", ":")).encode())


class Audience:
    """The meters whose signed hello is waited for."""

    def __init__(self, meters: list[str], keys_dir: str | Path) -> None:
        self.silent = list(dict.fromkeys(meters))
        self.held: list[str] = []
        self.refused: dict[str, str] = {}  # meter: why, in its own words
        self._tenant = keys.tenant_of(keys_dir)
        self._keys = {meter: keys.load(keys_dir, meter).uplink() for meter in meters}

    def listen(self, link: Any) -> None:
        """Subscribe to every hello; the last one is retained."""
        for meter in self.silent:
            link.subscribe(mqtt.topic(meter, "hello", self._tenant))

    def hear(self, link: Any, is_held: Any) -> bool:
        """Take what has arrived; True when a meter said hello without having it."""
        lacking = False
        message = link.receive()
        while message is not None:
            meter = message[0].split("/")[-2]
            hello = self._hello(meter, message[1])
            if hello is not None and meter in self.silent:
                if is_held(hello):
                    self.silent.remove(meter)
                    self.held.append(meter)
                else:
                    lacking = True
                    why = (hello.get("documents") or {}).get("refused")
                    if why and not message[2]:  # a retained hello is older than the document
                        self.refused[meter] = str(why)
            message = link.receive()
        return lacking

    def _hello(self, meter: str, data: bytes) -> dict[str, Any] | None:
        try:
            hello = jws.verify(data, self._keys.get(meter, {}))
        except JwsError:
            return None  # not the meter's word
        return hello if hello.get("m") == meter else None


def _wait_up(link: Any, broker_url: str, deadline: float) -> None:
    while not link.is_up():
        if time.monotonic() > deadline:
            raise BrokerError(
                f"no broker at {broker_url} ({link.fault or 'no connection'}); nothing was "
                "sent: check the address and that the broker runs"
            )
        link.wait(POLL_S)


def _send(link: Any, topic: str, token: bytes, retain: bool, deadline: float) -> float:
    """Publish until the broker has it; the time of the sending."""
    sent = number = 0
    while time.monotonic() < deadline:
        if not number or link.session() != sent:
            number, sent = link.send(topic, token, retain), link.session()
        elif link.sent(number):
            return time.monotonic()
        link.wait(0.05)
    raise PushError(f"the broker did not confirm {topic}; it may or may not have it: push again")


def next_version(keys_dir: str | Path, meter: str, suffix: str = WANT) -> int:
    """The next version of a meter's want (or another counter of 32 bits), durable as used before
    this returns."""
    folder = Path(keys_dir)
    path = keys.path_of(folder, meter, suffix)
    try:
        with keys.locked(folder, meter):
            last = last_version(folder, meter, suffix)
            if last >= MOST_VERSION:
                raise KeysError(f"{path}: the last number is used up")
            durable.replace(path, f"{last + 1}\n", 0o600)
            return last + 1
    except OSError as error:
        raise KeysError(f"{path}: cannot be used ({error.strerror})") from None


def last_version(keys_dir: str | Path, meter: str, suffix: str = WANT) -> int:
    """The last one used, 0 for none."""
    path = keys.path_of(Path(keys_dir), meter, suffix)
    text = path.read_text("ascii").strip() if path.exists() else "0"
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise KeysError(f"{path}: not a number; write the last version used into it")
    return int(text)


def name_of(text: str, what: str) -> str:
    """A name as the meter takes it, for a topic and a file; PushError otherwise."""
    if not _NAME.fullmatch(text):
        raise PushError(f"{what} {text!r} must be 1 to 32 of a-z, 0-9, - _ and .")
    return text
