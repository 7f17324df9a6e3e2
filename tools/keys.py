"""The utility's keys directory: one secret and one vend counter for each meter.

    <meter>.json     {"meter", "note", "device_key": 64 hex digits (K_dev)}, mode 0600;
                     "sealed" instead of the key under a passphrase (sealing.py), "generation" and
                     "next" once its keys were rotated (rotate.py)
    <meter>.counter  the last vend number used, decimal
    <meter>.token    the key of its tokens (token_till.py)
    tenant.json      {"tenant"}: whose meters they are; without it the demo's

`device_key` is what a meter is provisioned with; each purpose has its own key, derived from it.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wattledger.tools import durable, sealing
from wattledger.tools.errors import KeysError

NOTE = "demo keys, not for a real meter"
LAST_VEND = 2**53 - 1  # a vend number is an integer every JSON reader keeps exactly
DEMO_TENANT = "demo"
TENANT = "tenant.json"
_METER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_KID = re.compile(r"(relay|credit|config|up)\.[1-9][0-9]{0,8}", re.ASCII)


class MeterKeys:
    """The keys of one meter of a tenant, derived from its device key; `generation` is the present
    one, `next` the highest a rotation has asked for."""

    def __init__(
        self,
        meter: str,
        device_key: bytes,
        tenant: str = DEMO_TENANT,
        generation: int = 1,
        next: int = 1,
    ) -> None:
        self.meter = meter
        self.device_key = device_key
        self.tenant = tenant
        self.generation = generation
        self.next = max(generation, next)

    def key(self, kid: str) -> bytes:
        """The 32-byte key `kid`, "<purpose>.<generation>" as in "credit.1"."""
        if not _KID.fullmatch(kid):
            raise KeysError(f"no key is called {kid!r}: use relay, credit, config or up and .1")
        return derive(self.device_key, kid)

    def present(self, kid: str) -> str:
        """The key id of the same purpose in the present generation."""
        return f"{kid.partition('.')[0]}.{self.generation}"

    def uplink(self) -> dict[str, bytes]:
        """What the meter may sign by: the present generation, and those that a rotation without
        an answer has asked for."""
        kids = (f"up.{number}" for number in range(self.generation, self.next + 1))
        return {kid: self.key(kid) for kid in kids}


def derive(secret: bytes, kid: str) -> bytes:
    """The 32-byte key `kid` of a secret."""
    return hmac.new(secret, b"wattledger/1/" + kid.encode(), hashlib.sha256).digest()


def create(directory: str | Path, meter: str, note: str = NOTE) -> MeterKeys:
    """Make the keys of a new meter from the system's random source; never replaces keys."""
    folder = Path(directory)
    path = path_of(folder, meter, ".json")
    device_key = os.urandom(32)
    text = json.dumps({"meter": meter, "note": note, **stored("device_key", device_key, meter)})
    text += "\n"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(folder, meter):
            if path.exists():
                raise KeysError(f"{path}: this meter has keys already; use another name or folder")
            # The counter first: keys without a counter could vend the same number twice.
            durable.replace(path_of(folder, meter, ".counter"), "0\n", 0o600)
            durable.replace(path, text, 0o600)
    except OSError as error:
        raise KeysError(
            f"{path}: cannot be written ({error.strerror}); check the folder"
        ) from None
    return MeterKeys(meter, device_key, tenant_of(folder))


def stored(key: str, secret: bytes, meter: str) -> dict[str, str]:
    """A secret of `meter` as its file holds it: in hex, or sealed when there is a passphrase."""
    if sealing.passphrase():
        return {"sealed": sealing.seal(secret, f"{meter} {key}")}
    return {key: secret.hex()}


def secret_in(document: dict[str, Any], key: str, meter: str, path: Path) -> bytes:
    """The secret that stored() has put into a file; KeysError for a wrong passphrase."""
    if "sealed" not in document:
        return bytes.fromhex(document[key])
    try:
        return sealing.unseal(document["sealed"], f"{meter} {key}")
    except (ValueError, TypeError):
        raise KeysError(
            f"{path}: does not open; is {sealing.PASSPHRASE} in the environment the right one?"
        ) from None


def tenant_of(directory: str | Path) -> str:
    """Whose meters a keys directory is about; the demo's where it does not say."""
    path = Path(directory) / TENANT
    try:
        return str(json.loads(path.read_text("utf-8"))["tenant"])
    except FileNotFoundError:
        return DEMO_TENANT
    except (OSError, ValueError, TypeError, KeyError):
        raise KeysError(f"{path}: names no tenant; restore the file") from None


def load(directory: str | Path, meter: str) -> MeterKeys:
    """The keys of `meter`; KeysError names the file and what to do."""
    path = path_of(Path(directory), meter, ".json")
    try:
        document = json.loads(path.read_text("utf-8"))
        device_key = secret_in(document, "device_key", meter, path)
        owner = document["meter"]
        generation, following = document.get("generation", 1), document.get("next", 1)
        if type(generation) is not int or type(following) is not int or generation < 1:
            raise ValueError(generation)
    except FileNotFoundError:
        raise KeysError(
            f"{path}: no such file; give the folder that holds the meter's keys"
        ) from None
    except OSError as error:
        raise KeysError(
            f"{path}: cannot be read ({error.strerror}); give the folder that holds the keys"
        ) from None
    except json.JSONDecodeError as error:
        raise KeysError(
            f"{path}:{error.lineno}:{error.colno}: not JSON ({error.msg}); restore the file"
        ) from None
    except (UnicodeDecodeError, ValueError, TypeError, KeyError):
        raise KeysError(
            f'{path}: needs "meter" and "device_key" of 64 hex digits; restore the file'
        ) from None
    if owner != meter:
        raise KeysError(f"{path}: holds the keys of {owner!r}; a file is named after its meter")
    if len(device_key) != 32:
        raise KeysError(f"{path}: device_key is {len(device_key)} bytes, not 32; restore the file")
    return MeterKeys(meter, device_key, tenant_of(directory), generation, following)


def next_vend(directory: str | Path, meter: str) -> int:
    """The next vend number of `meter`. It is durable as used before this returns, so no crash and
    no second process can hand it out again."""
    return _claim(Path(directory), meter, None)


def last_vend(directory: str | Path, meter: str) -> int:
    """The last vend number used of `meter`."""
    return _claim(Path(directory), meter, 0)


def claim_vend(directory: str | Path, meter: str, n: int) -> int:
    """Use vend number `n`, chosen by the caller (a repeat); the counter never falls behind it."""
    check_vend(n)
    return _claim(Path(directory), meter, n)


def check_vend(n: int) -> None:
    """KeysError when `n` is no vend number."""
    if not 1 <= n <= LAST_VEND:
        raise KeysError(f"vend number {n} is outside 1 to 2^53 - 1")


def _claim(folder: Path, meter: str, wanted: int | None) -> int:
    path = path_of(folder, meter, ".counter")
    try:
        with locked(folder, meter):
            text = path.read_text("ascii").strip()
            if not re.fullmatch(r"[0-9]{1,16}", text):
                raise ValueError(text)
            last = int(text)
            n = last + 1 if wanted is None else wanted or last
            if n > LAST_VEND:
                raise KeysError(f"{path}: the last vend number is used up")
            if n > last:
                durable.replace(path, f"{n}\n", 0o600)
            return n
    except FileNotFoundError:
        raise KeysError(
            f"{path}: no such file; write the last vend number used for this meter into it"
        ) from None
    except OSError as error:
        raise KeysError(f"{path}: cannot be used ({error.strerror})") from None
    except ValueError:
        raise KeysError(
            f"{path}: not a number; write the last vend number used for this meter into it"
        ) from None


def path_of(folder: Path, meter: str, suffix: str) -> Path:
    """A file of `meter` in the keys directory; KeysError when that is no meter id."""
    if not _METER.fullmatch(meter):
        raise KeysError(f"{meter!r} is no meter id: 1 to 32 of letters, digits, '.', '_' and '-'")
    return folder / (meter + suffix)


@contextlib.contextmanager
def locked(folder: Path, meter: str) -> Iterator[None]:
    """Hold the meter's lock file; the system frees it when the process ends, however it ends."""
    with open(path_of(folder, meter, ".lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
