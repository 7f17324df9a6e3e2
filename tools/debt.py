"""Debt on a meter: what is owed, and how top-ups and days pay it off (docs/corrections.md)."""

from wattledger.agent.billing.debt import MAX_DEBT_MICRO, MAX_SHARE
from wattledger.tools import orders
from wattledger.tools.errors import VendError
from wattledger.tools.vend import parse_amount

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


def order(terms: Terms) -> orders.Order:
    """The command that sets a debt. The same id again owes nothing twice."""
    again = "Setting the debt again with the same id does no harm: repeat the command"
    return orders.Order("debt.set", terms.arguments, orders.CONFIG_KID, again=again)


def _amount(text: str) -> int:
    micro = 0 if text.strip("0.") == "" and text else parse_amount(text)
    if micro > MAX_DEBT_MICRO:
        raise VendError(
            f"amount {text!r} is over {MAX_DEBT_MICRO // 1_000_000}: give a smaller one"
        )
    return micro
