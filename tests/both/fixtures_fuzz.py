"""Payloads that are nearly commands, drawn from a seed, alike on both interpreters."""

from wattledger.agent.comms import commands, orders
from wattledger.tests.both import fixtures_jws as jws

NAMES = (
    "n", "amount", "hours", "token", "id", "total", "per_day", "share", "cap", "sequence", "hash",
    "reason", "until", "text", "unix", "key", "value", "from", "to", "credit", "want", "balance",
    "scope",
)  # fmt: skip
VALUES = (
    "0", "-0", "-1", "1", "01", "+1", "1.0", "1e400", "NaN", "Infinity", "-Infinity", "true",
    "false", "null", '""', '"x"', '"\\ud800"', '"\\u00', '"\\q"', '"\x00"', "[]", "[1,2]", "{}",
    '{"a":{"a":{}}}', "9007199254740992", "18446744073709551616", "9" * 300, "-" + "9" * 40,
    "0x10", "'x'", "[" * 200, '{"a":' * 60 + "1" + "}" * 60, '"' + "a" * 300 + '"', "nul", "1 2",
    '"12345678901234567890"', '"debt"', '"load_limit_w"', '"\xe9"', '"demo-0001"', "",
)  # fmt: skip
BYTES = (
    b"",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b",",
    b":",
    b'"',
    b"\\",
)


class Draw:
    """Numbers from a seed (a linear congruence of 31 bits, by hand)."""

    def __init__(self, seed):
        self._state = seed * 2654435761 % 2147483647 + 1

    def below(self, limit):
        self._state = self._state * 48271 % 2147483647
        return self._state // 7 % limit

    def of(self, items):
        return items[self.below(len(items))]


OPS = dict(commands.OPS)
OPS.update(orders.RARE)

# Of each op, arguments that are good on a meter of the tests.
GOOD = {
    "credit.add": {"n": "1", "amount": "1000000"},
    "supply.keep": {"hours": "1"},
    "relay.open": {"reason": '"request"'},
    "message.show": {"text": '"hello"'},
    "time.set": {"unix": "1800000000"},
    "config.set": {"key": '"load_limit_w"', "value": "1000"},
    "read.journal": {"from": "1", "to": "1"},
    "debt.set": {"id": "1", "total": "1000000", "share": "10"},
    "ledger.open": {"credit": "1", "want": "1"},
    "ledger.correct": {"n": "1", "amount": "1000000", "reason": '"late"'},
    "credit.refund": {"n": "2", "amount": "1000000"},
    "assist.start": {"scope": '"live"', "until": "1799706000"},
    "token.enter": {"token": '"12345678901234567890"'},
    "journal.ack": {"sequence": "1", "hash": '"0011223344556677"'},
}


def near(op, key, value):
    """Good arguments but for one, as JSON text."""
    pairs = dict(GOOD[op])
    pairs[key] = value
    return "{" + ",".join(['"%s":%s' % (name, pairs[name]) for name in sorted(pairs)]) + "}"


def _pairs(draw):
    pairs = []
    for _ in range(draw.below(5)):
        pairs.append('"%s":%s' % (draw.of(NAMES), draw.of(VALUES)))
    return (
        "{"
        + draw.of((",",) * 12 + (" ", ",,", ":")).join(pairs)
        + draw.of(("}",) * 12 + ("", ",}"))
    )


def command(seed, challenge):
    """(message, payload, op) of a signed payload, nearly always with something wrong in it."""
    draw = Draw(seed)
    op = draw.of(sorted(OPS))
    owner = OPS[op][1]
    fresh = '"ch":"%s","ctr":%d,' % (challenge, seed + 1)
    arguments = _pairs(draw)
    if op in GOOD and draw.below(2):
        arguments = near(op, draw.of(sorted(GOOD[op])), draw.of(VALUES))
    text = '{"m":"%s","op":"%s",%s"a":%s' % (jws.METER, op, fresh, arguments)
    text += draw.of(("}",) * 12 + ("}}", "", "} x", ',"a":{}}', ',"m":"demo-0002"}'))
    data = text.encode()
    for _ in range(max(draw.below(8) - 5, 0)):
        at = draw.below(len(data) + 1)
        data = data[:at] + draw.of(BYTES) + data[at + draw.below(2) :]
    if owner == "root":
        owner = draw.of(("config", "credit", "relay"))
    if draw.below(6) == 0:
        owner = draw.of(("config", "credit", "relay"))
    data = data[:690]
    message = jws.sign(data, owner + ".1")
    if op == "relay.open" or draw.below(8) == 0:
        message = jws.wrap(message[:760])
    return message, data, op
