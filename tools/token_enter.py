"""A token sent to its meter over the broker, in place of typing it in there."""

import time
from pathlib import Path
from typing import Any

from wattledger.tools import jws, keys
from wattledger.tools.counter import Counter
from wattledger.tools.errors import VendError
from wattledger.tools.vend import CREDIT_KID

MOST_DIGITS = 20


def digits_of(text: str) -> str:
    """The digits of a token as printed, in groups; VendError when it is none."""
    digits = "".join(text.split()).replace("-", "")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > MOST_DIGITS:
        raise VendError(f"token {text!r} is not 1 to {MOST_DIGITS} digits")
    return digits


def enter(
    meter: str, token: str, broker_url: str, keys_dir: str | Path, timeout_s: float = 30
) -> dict[str, Any]:
    """Enter `token` at `meter`; the meter's {"result", "detail"} with {"latency_ms"}.

    VendError when it is no token, or no answer comes: a token counts once, so repeat it.
    """
    arguments = {"token": digits_of(token)}
    meter_keys = keys.load(keys_dir, meter)
    # Each visit is a command of its own: a token refused for now (the balance was too high) would
    # otherwise be answered as before, without a look.
    number = time.time_ns() // 1_000_000
    payload = {"m": meter, "op": "token.enter", "ctr": number, "a": arguments}
    kid = meter_keys.present(CREDIT_KID)
    command = jws.sign(payload, meter_keys.key(kid), kid)
    with Counter(meter_keys, broker_url, timeout_s) as counter:
        answer = counter.ask(lambda challenge: command, challenged=False)
    if answer is None:
        raise VendError(
            f"no answer from {meter} within {timeout_s:g} s{counter.hint()}: the token may or may "
            "not have arrived. Entering it again cannot pay twice: repeat the command"
        )
    return answer
