"""Commands a utility sends to a meter and waits for: credit, and arming the supply relay.

The meter's signed ack is the only proof that a command arrived. A command is sent again every 5 s,
byte for byte, so the meter gives the answer it gave before. A credit carries a vend number that
the meter takes once, so sending it again, even days later, cannot pay twice.
"""

import re
import shlex
import time
from pathlib import Path
from typing import Any

from wattledger.tools import jws, keys
from wattledger.tools.counter import Counter
from wattledger.tools.errors import VendError

CREDIT_KID = "credit.1"
RELAY_KID = "relay.1"
MOST_MICRO = 2**53 - 1


def credit(
    meter: str,
    amount_text: str,
    broker_url: str,
    keys_dir: str | Path,
    n: int | None = None,
    timeout_s: float = 30,
) -> dict[str, Any]:
    """Credit `amount_text` of the meter's currency ("10", "0.50") to `meter`.

    Returns the meter's {"result", "detail"} with {"latency_ms", "n"}. `n` repeats a credit whose
    answer was lost. VendError, KeysError or BrokerError otherwise.
    """
    amount = parse_amount(amount_text)
    meter_keys = keys.load(keys_dir, meter)
    with Counter(meter_keys, broker_url, timeout_s) as counter:
        # Only now, so that an unreachable broker uses up no number.
        n = keys.next_vend(keys_dir, meter) if n is None else keys.claim_vend(keys_dir, meter, n)
        command = {"m": meter, "op": "credit.add", "a": {"n": n, "amount": amount}}
        token = jws.sign(command, meter_keys.key(CREDIT_KID), CREDIT_KID)
        answer = counter.ask(lambda challenge: token, challenged=False)
    if answer is None:
        again = ["wattledger", "credit", meter, amount_text, "--broker", broker_url]
        again += ["--keys", str(keys_dir), "--n", str(n)]
        raise VendError(
            f"no answer from {meter} within {timeout_s:g} s{counter.hint()}: the credit may or "
            f"may not have arrived. Repeat it with its number, which cannot pay twice:\n"
            f"  {shlex.join(again)}"
        )
    return {**answer, "n": n}


def arm(
    meter: str, broker_url: str, keys_dir: str | Path, timeout_s: float = 30
) -> dict[str, Any]:
    """Arm the supply relay of `meter`, so that a person there may close it.

    Returns the meter's {"result", "detail"} with {"latency_ms"}. VendError when no answer comes.
    """
    meter_keys = keys.load(keys_dir, meter)
    with Counter(meter_keys, broker_url, timeout_s) as counter:

        def command(challenge: str) -> bytes:
            payload = {
                "m": meter,
                "op": "relay.arm",
                "ch": challenge,
                # Must rise within a challenge, over all tools that command this meter.
                "ctr": time.time_ns() // 1_000_000,
                "a": {},
            }
            return jws.sign(payload, meter_keys.key(RELAY_KID), RELAY_KID)

        answer = counter.ask(command, challenged=True)
    if answer is None:
        what = "has not said hello" if not counter.challenge else "did not answer"
        raise VendError(
            f"{meter} {what} within {timeout_s:g} s{counter.hint()}: the relay may or may not be "
            "armed. Arming again does no harm: repeat the command"
        )
    return answer


def parse_amount(text: str) -> int:
    """Micro-units of an amount like "10", "10.00" or "0.5", exactly; VendError otherwise."""
    match = re.fullmatch(r"([0-9]{1,16})(?:\.([0-9]{1,6}))?", text)
    if match is None:
        raise VendError(f"amount {text!r} is not a number like 10 or 10.50: {_why(text)}")
    micro = int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))
    if micro == 0:
        raise VendError(f"amount {text!r} is zero: give what was paid")
    if micro > MOST_MICRO:
        raise VendError(f"amount {text!r} is over {MOST_MICRO // 1_000_000}: give a smaller one")
    return micro


def _why(text: str) -> str:
    if "," in text:
        return "use a point for decimals and no thousands separator"
    if text.startswith("-"):
        return "a credit cannot be negative"
    if re.fullmatch(r"[0-9]+\.[0-9]{7,}", text):
        return "at most 6 decimals"
    if re.fullmatch(r"[0-9]{17,}(\.[0-9]*)?", text):
        return "too large"
    return "digits and at most one point"
