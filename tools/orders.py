"""Commands to a meter: built, signed, sent, and the meter's signed answer waited for.

A `relay.open` is signed twice, by keys of two secrets that two services hold in two directories;
what touches the ledger itself by the root key (ES256), which lies apart from both.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wattledger.agent import message as messages
from wattledger.agent.comms.actions import MAX_KEEP_HOURS
from wattledger.agent.comms.orders import MOST_READ
from wattledger.agent.comms.remote_open import REASONS
from wattledger.tools import durable, jws, keys, signing
from wattledger.tools.counter import Counter
from wattledger.tools.errors import KeysError, VendError

RELAY_KID = "relay.1"
CONFIG_KID = "config.1"
GATE_KID = "gate.1"
GATE_SUFFIX = ".json"
MOST_ENTRY = 0xFFFFFFFF
COMMAND_LIMIT = 1024  # bytes a meter reads
ROOT_REST_S = 10.0
AGAIN = "It may be given again: repeat the command"


class Order:
    """One command: `op`, its arguments, the kid of its key; a second key or a root key or None.

    `again` says what to do when no answer comes.
    """

    def __init__(
        self,
        op: str,
        arguments: Mapping[str, Any],
        kid: str,
        gate: bytes | None = None,
        root: signing.Signer | None = None,
        again: str = AGAIN,
    ) -> None:
        self.op = op
        self.arguments = dict(arguments)
        self.kid = kid
        self.again = again
        self._gate = gate
        self._root = root

    def is_root(self) -> bool:
        """True when the root key signs it."""
        return self._root is not None

    def payload(self, meter: str, challenge: str) -> dict[str, Any]:
        """What is signed."""
        # The counter must rise within a challenge, over all tools that command this meter.
        counter = time.time_ns() // 1_000_000
        return {"m": meter, "op": self.op, "ch": challenge, "ctr": counter, "a": self.arguments}

    def signed(self, meter_keys: keys.MeterKeys, challenge: str) -> bytes:
        """The command as it is sent; VendError when a meter would not read it."""
        payload = self.payload(meter_keys.meter, challenge)
        if self._root is not None:
            token = self._root.sign(jws.compact(payload))
        else:
            kid = meter_keys.present(self.kid)
            token = jws.sign(payload, meter_keys.key(kid), kid)
        if self._gate is not None:
            token = jws.wrap(token, self._gate, meter_keys.present(GATE_KID))
        if len(token) > COMMAND_LIMIT:
            raise VendError(f"the command has {len(token)} bytes, {COMMAND_LIMIT} fit: shorten it")
        return token


def arming() -> Order:
    """Let a person at the meter close the supply."""
    return Order("relay.arm", {}, RELAY_KID)


def opening(reason: str, until: int | None, gate: bytes) -> Order:
    """Open the supply, for a reason of REASONS, perhaps `until` a unix second."""
    if reason not in REASONS:
        raise VendError(f"reason {reason!r} is none of {', '.join(REASONS)}")
    if until is not None and until <= time.time():
        raise VendError("--until is in the past: give when the opening ends")
    arguments: dict[str, Any] = {"reason": reason}
    if until is not None:
        arguments["until"] = until
    return Order("relay.open", arguments, RELAY_KID, gate)


def message(text: str, until: int | None = None) -> Order:
    """Show a text on the meter's display, to `until` (unix seconds) or the next one."""
    if not messages.is_fit(text) or max(map(ord, text), default=0) > 0xFFFF:
        raise VendError(
            f"a display shows at most {messages.MOST} characters and {messages.MOST_BYTES} bytes "
            "on one line, without emoji: shorten the message"
        )
    over = {} if until is None else {"until": until}
    return Order("message.show", {"text": text, **over}, CONFIG_KID)


def keep(hours: int) -> Order:
    """Keep the supply on without credit for so many powered hours; 0 ends it."""
    if not 0 <= hours <= MAX_KEEP_HOURS:
        raise VendError(f"{hours} hours is not from 0 to {MAX_KEEP_HOURS}")
    return Order("supply.keep", {"hours": hours}, RELAY_KID)


def read_config() -> Order:
    """Read what the meter is set to."""
    return Order("read.config", {}, CONFIG_KID)


def read_journal(first: int, last: int) -> Order:
    """Have the meter send a range of its journal once more."""
    if not 1 <= first <= last <= MOST_ENTRY or last - first >= MOST_READ:
        raise VendError(
            f"entries {first} to {last} are no range: give --from and --to, from 1 on, at most "
            f"{MOST_READ} entries"
        )
    return Order("read.journal", {"from": first, "to": last}, CONFIG_KID)


def send(
    meter: str, order: Order, broker_url: str, keys_dir: str | Path, timeout_s: float = 30
) -> dict[str, Any]:
    """Send `order`; the meter's {"result", "detail"} with {"latency_ms"}.

    VendError when no answer comes: what was asked may or may not have been done.
    """
    meter_keys = keys.load(keys_dir, meter)
    order.signed(meter_keys, "0" * 16)  # what cannot be sent is told before anything is
    with Counter(meter_keys, broker_url, timeout_s) as counter:
        answer = counter.ask(lambda challenge: order.signed(meter_keys, challenge), True)
        # A meter verifies one ES256 signature a minute, whoever made it: ours may be the second.
        while order.is_root() and answer and answer["result"] == "rate":
            if not counter.rest(ROOT_REST_S):
                break
            answer = counter.ask(lambda challenge: order.signed(meter_keys, challenge), True)
    if answer is None:
        what = "has not said hello" if not counter.challenge else "did not answer"
        raise VendError(
            f"{meter} {what} within {timeout_s:g} s{counter.hint()}: {order.op} may or may not "
            f"have been done. {order.again}"
        )
    return answer


def dry_run(meter: str, order: Order, keys_dir: str | Path) -> dict[str, Any]:
    """What would be sent, without sending; the keys are tried."""
    meter_keys = keys.load(keys_dir, meter)
    token = order.signed(meter_keys, "0" * 16)
    shown = order.payload(meter, "(of the meter's next hello)")
    return {
        "result": "not sent",
        "detail": json.dumps(shown),
        "latency_ms": 0,
        "bytes": len(token),
    }


def create_gate(directory: str | Path, meter: str, note: str = keys.NOTE) -> bytes:
    """Make the gate secret of a meter (32 bytes); never replaces one."""
    folder = Path(directory)
    path = keys.path_of(folder, meter, GATE_SUFFIX)
    secret = os.urandom(32)
    text = json.dumps({"meter": meter, "note": note, **keys.stored("gate_key", secret, meter)})
    text += "\n"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise KeysError(f"{path}: this meter has a gate secret already")
    durable.replace(path, text, 0o600)
    return secret


def load_gate(directory: str | Path, meter: str) -> bytes:
    """The gate secret of a meter; KeysError names the file and what to do."""
    path = keys.path_of(Path(directory), meter, GATE_SUFFIX)
    try:
        document = json.loads(path.read_text("utf-8"))
        secret = keys.secret_in(document, "gate_key", meter, path)
        owner = document["meter"]
    except FileNotFoundError:
        raise KeysError(
            f"{path}: no such file; give the folder of the service that holds the gate secrets"
        ) from None
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, KeyError):
        raise KeysError(
            f'{path}: needs "meter" and "gate_key" of 64 hex digits; is it the keys directory?'
        ) from None
    if owner != meter or len(secret) != 32:
        raise KeysError(f"{path}: is not the gate secret of {meter}; restore the file")
    return secret


def gate_key(gate_dir: str | Path, keys_dir: str | Path, meter: str) -> bytes:
    """The gate's key of a meter in the present generation. KeysError when both secrets lie in one
    directory: two services hold them, so that neither opens a supply alone."""
    if Path(gate_dir).resolve() == Path(keys_dir).resolve():
        raise KeysError(
            f"{gate_dir}: the gate secret and the keys must not share a directory; whoever holds "
            "both can switch homes off"
        )
    kid = keys.load(keys_dir, meter).present(GATE_KID)
    return keys.derive(load_gate(gate_dir, meter), kid)
