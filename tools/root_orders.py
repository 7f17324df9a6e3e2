"""Commands of the root key: money moved by hand, and a lost ledger begun anew."""

from pathlib import Path

from wattledger.agent.comms.adjustment import MAX_NUMBER, MOST_REASON, is_reason
from wattledger.tools import keys, push, signing
from wattledger.tools.errors import VendError
from wattledger.tools.orders import Order
from wattledger.tools.vend import NOTHING, parse_amount

COUNTER = ".adjusted"  # the last adjustment's number, in the keys directory
WAIT_S = 90  # a meter verifies one signature a minute, in slices
AGAIN = "Repeat the command in a minute: a meter verifies one such signature a minute"


def correct(
    root: signing.Signer, n: int, give: str | None, charge: str | None, reason: str
) -> Order:
    """ledger.correct: give an amount to a meter, or charge it, for a reason people can read."""
    if (give is None) == (charge is None):
        raise VendError("give --give AMOUNT or --charge AMOUNT, one of them")
    if not is_reason(reason):
        raise VendError(f"reason {reason!r} must be 1 to {MOST_REASON} printable characters")
    if not 1 <= n <= MAX_NUMBER:
        raise VendError(f"adjustment number {n} is not from 1 to {MAX_NUMBER}")
    amount = parse_amount(give) if give is not None else -parse_amount(charge or "")
    again = f"{AGAIN}, with --n {n}, which cannot post twice"
    arguments = {"n": n, "amount": amount, "reason": reason}
    return Order("ledger.correct", arguments, root.kid, root=root, again=again)


def next_number(keys_dir: str | Path, meter: str) -> int:
    """The next adjustment's number, durable as used before this returns."""
    return push.next_version(keys_dir, meter, COUNTER)


def open_ledger(
    root: signing.Signer,
    keys_dir: str | Path,
    meter: str,
    credit: int | None,
    want: int | None,
    balance: str | None,
) -> Order:
    """ledger.open: the highest vend number and want version used (the keys directory's own where
    not given), and the balance of a meter that has lost its ledger."""
    if credit is None:
        credit = keys.last_vend(keys_dir, meter)
    if want is None:
        want = push.last_version(keys_dir, meter)
    if not 0 <= credit <= keys.LAST_VEND or not 0 <= want <= push.MOST_VERSION:
        raise VendError("--credit and --want are the highest numbers used, from 0 on")
    arguments = {"credit": credit, "want": want}
    if balance is not None:
        arguments["balance"] = _signed_amount(balance)
    return Order("ledger.open", arguments, root.kid, root=root, again=AGAIN)


def _signed_amount(text: str) -> int:
    bare = text.removeprefix("-")
    micro = 0 if NOTHING.fullmatch(bare) else parse_amount(bare)
    return -micro if text.startswith("-") else micro
