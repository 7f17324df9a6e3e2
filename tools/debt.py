"""Debt on a meter: what is owed, and how top-ups and days pay it off (docs/corrections.md)."""

import time
from pathlib import Path
from typing import Any

from wattledger.agent.billing.debt import MAX_DEBT_MICRO, MAX_SHARE
from wattledger.tools import jws, keys
from wattledger.tools.counter import Counter
from wattledger.tools.errors import VendError
from wattledger.tools.vend import parse_amount

KID = "config.1"
MAX_ID = 0xFFFFFFFF


class Terms:
    """A debt as it is sent: `id`, and amounts of the meter's currency as people write them."""

    def __init__(self, id: int, total: str, per_day: str, share: int, cap: str) -> None:
        """VendError: an amount is no number, or something is out of range."""
        if not 1 <= id <= MAX_ID:
            raise VendError(f"debt id {id} is not from 1 to {MAX_ID}: give the debt's number")
        if not 0 <= share <= MAX_SHARE:
            raise VendError(f"share {share} is not from 0 to {MAX_SHARE} per cent of a top-up")
        self.arguments = {
            "id": id,
            "total": _amount(total),
            "per_day": _amount(per_day),
            "share": share,
            "cap": _amount(cap),
        }


def set_debt(
    meter: str, terms: Terms, broker_url: str, keys_dir: str | Path, timeout_s: float = 30
) -> dict[str, Any]:
    """Set the debt of `meter`; the meter's {"result", "detail"} with {"latency_ms"}.

    VendError when no answer comes: the same id again owes nothing twice, so repeat it.
    """
    meter_keys = keys.load(keys_dir, meter)
    with Counter(meter_keys, broker_url, timeout_s) as counter:

        def command(challenge: str) -> bytes:
            payload = {
                "m": meter,
                "op": "debt.set",
                "ch": challenge,
                # Must rise within a challenge, over all tools that command this meter.
                "ctr": time.time_ns() // 1_000_000,
                "a": terms.arguments,
            }
            return jws.sign(payload, meter_keys.key(KID), KID)

        answer = counter.ask(command, challenged=True)
    if answer is None:
        what = "has not said hello" if not counter.challenge else "did not answer"
        raise VendError(
            f"{meter} {what} within {timeout_s:g} s{counter.hint()}: the debt may or may not be "
            "set. Setting it again with the same id does no harm: repeat the command"
        )
    return answer


def _amount(text: str) -> int:
    micro = 0 if text.strip("0.") == "" and text else parse_amount(text)
    if micro > MAX_DEBT_MICRO:
        raise VendError(
            f"amount {text!r} is over {MAX_DEBT_MICRO // 1_000_000}: give a smaller one"
        )
    return micro
