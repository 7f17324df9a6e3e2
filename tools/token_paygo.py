"""The vending side of OpenPAYGO tokens. Test keys only."""

from wattledger.agent.tokens import openpaygo
from wattledger.tools.errors import SaleError

FUNCTIONS = {"disable": openpaygo.DISABLE_VALUE, "sync": openpaygo.SYNC_VALUE}
MOST_LONG = openpaygo.LONG_BASE - 1


def next_count(kind: str, count: int) -> int:
    """The count of the next token of a kind: even ones add, odd ones do the rest."""
    parity = 0 if kind == "add" else 1
    return count + 2 if count & 1 == parity else count + 1


def make(
    key: bytes,
    start: int | None,
    count: int,
    kind: str,
    value: int,
    extended: bool,
    restricted: bool,
) -> tuple[str, int]:
    """(token, its count) after a token of `count`. SaleError for what no token can say."""
    if kind in FUNCTIONS:
        if extended:
            raise SaleError(f"an extended token cannot {kind}; leave --extended out")
        value = FUNCTIONS[kind]
    else:
        most = MOST_LONG if extended else openpaygo.MOST_DAYS
        if not 0 <= value <= most:
            longer = "" if extended else "; --extended tokens go up to 999999"
            raise SaleError(f"value {value} is outside 0 to {most}{longer}")
    code = openpaygo.starting_code(key) if start is None else start
    base = openpaygo.LONG_BASE if extended else openpaygo.SHORT_BASE
    tail = (code + value) % base
    code += tail - code % base
    after = next_count(kind, count)
    for _ in range(after):
        code = openpaygo.next_code(key, code, extended)
    return _digits(code - code % base + tail, extended, restricted), after


def _digits(code: int, extended: bool, restricted: bool) -> str:
    if not restricted:
        return f"{code:0{12 if extended else 9}d}"
    count = 20 if extended else 15
    return "".join(str((code >> 2 * place & 3) + 1) for place in range(count - 1, -1, -1))
