"""Money a utility moves on a meter: credit, and a refund, each with its vend number.

The meter's signed ack is the only proof that a command arrived. A command is sent again every 5 s,
byte for byte, so the meter gives the answer it gave before. A credit carries a vend number that
the meter takes once, so sending it again, even days later, cannot pay twice.
"""

import re
import shlex
from pathlib import Path
from typing import Any

from wattledger.tools import jws, keys
from wattledger.tools.counter import Counter
from wattledger.tools.errors import VendError

CREDIT_KID = "credit.1"
MOST_MICRO = 2**53 - 1
NOTHING = re.compile(r"0{1,16}(\.0{1,6})?")  # an amount of a ledger that begins with nothing
OPS = {"credit": "credit.add", "refund": "credit.refund"}


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
    return _move("credit", meter, amount_text, broker_url, keys_dir, n, timeout_s)


def refund(
    meter: str,
    amount_text: str,
    broker_url: str,
    keys_dir: str | Path,
    n: int | None = None,
    timeout_s: float = 30,
) -> dict[str, Any]:
    """Take `amount_text` off the balance of `meter`, for it was paid back; as credit()."""
    return _move("refund", meter, amount_text, broker_url, keys_dir, n, timeout_s)


def dry_run(
    what: str, meter: str, amount_text: str, keys_dir: str | Path, n: int | None = None
) -> dict[str, Any]:
    """What a credit or refund would send, without sending or using up a number."""
    amount = parse_amount(amount_text)
    meter_keys = keys.load(keys_dir, meter)
    if n is not None:
        keys.check_vend(n)
    else:
        n = keys.last_vend(keys_dir, meter) + 1
    token = _signed(what, meter_keys, n, amount)
    return {
        "result": "not sent",
        "detail": jws.compact(_command(what, meter, n, amount)).decode(),
        "latency_ms": 0,
        "bytes": len(token),
        "n": n,
    }


def _command(what: str, meter: str, n: int, amount: int) -> dict[str, Any]:
    return {"m": meter, "op": OPS[what], "a": {"n": n, "amount": amount}}


def _signed(what: str, meter_keys: keys.MeterKeys, n: int, amount: int) -> bytes:
    command = _command(what, meter_keys.meter, n, amount)
    kid = meter_keys.present(CREDIT_KID)
    return jws.sign(command, meter_keys.key(kid), kid)


def _move(
    what: str,
    meter: str,
    amount_text: str,
    broker_url: str,
    keys_dir: str | Path,
    n: int | None,
    timeout_s: float,
) -> dict[str, Any]:
    amount = parse_amount(amount_text)
    meter_keys = keys.load(keys_dir, meter)
    if n is not None:
        keys.check_vend(n)
    with Counter(meter_keys, broker_url, timeout_s) as counter:
        # Only now, so that an unreachable broker uses up no number.
        n = keys.next_vend(keys_dir, meter) if n is None else keys.claim_vend(keys_dir, meter, n)
        token = _signed(what, meter_keys, n, amount)
        answer = counter.ask(lambda challenge: token, challenged=False)
    if answer is None:
        again = ["wattledger", what, meter, amount_text, "--broker", broker_url]
        again += ["--keys", str(keys_dir), "--n", str(n)]
        moves = "pay" if what == "credit" else "take"
        raise VendError(
            f"no answer from {meter} within {timeout_s:g} s{counter.hint()}: the {what} may or "
            f"may not have arrived. Repeat it with its number, which cannot {moves} twice:\n"
            f"  {shlex.join(again)}"
        )
    return {**answer, "n": n}


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
        return "an amount cannot be negative"
    if re.fullmatch(r"[0-9]+\.[0-9]{7,}", text):
        return "at most 6 decimals"
    if re.fullmatch(r"[0-9]{17,}(\.[0-9]*)?", text):
        return "too large"
    return "digits and at most one point"
