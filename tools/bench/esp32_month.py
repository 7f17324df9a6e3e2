"""Days of an ESP32's meter, with purchases, tariffs and a browser in them. Portable.

It lies beside the image it starts, as esp32_program.py does.
"""

# mypy: disable-error-code="attr-defined"
# gc of MicroPython has more than that of CPython.

import gc

import machine  # type: ignore[import-not-found]

from wattledger.tools.bench.esp32_program import (
    HOUR_S,
    _asked,
    _counts,
    _largest,
    _messages,
    _start,
)

DAY_S = 24 * HOUR_S
ASKED_S = HOUR_S // 2
SOLD_S = HOUR_S + 300
REST_S = 30  # after an interval's end, when what it needed has left the heap
PURCHASE_MICRO = 20000000  # more than the 27 kWh of a day cost


def _sell(agent, n):
    """Purchase `n`, as a signed command brings it; what that needs leaves the heap again."""
    from wattledger.agent.comms.actions import Actions

    if Actions(agent).credit_add({"n": n, "amount": PURCHASE_MICRO})[0] != "ok":
        raise ValueError("purchase %d is not taken" % n)


def _change(agent, tariff, n):
    """Tariff `n`: the prices go up and down."""
    price = b"320000" if n % 2 == 0 else b"310000"
    document = tariff.replace(b'"n":1', b'"n":%d' % n).replace(b"310000", price)
    agent.accept_document(document)


def month(seconds, changes_s, tariff, with_app):
    """`seconds` of metering with a purchase a day, every `changes_s` another price, and with the
    application a browser each hour.

    Bytes free after an hour, at the end, the fewest at the end of a day, and in one piece at each.
    """
    board, clock = _start(with_app)
    first = _counts(board.agent.meter.register)
    began = clock.time()
    early = early_block = None
    least = block = 1 << 30
    seen = credits = days = asked = changed = 0
    n = 1  # of the tariff
    status = ""
    while seen < seconds + REST_S:
        clock.sleep_ms(board.turn())
        seen = clock.time() - began
        agent = board.agent
        if with_app and seen >= ASKED_S + asked * HOUR_S:
            asked += 1
            status = _asked(board, clock)
        if seen >= SOLD_S + credits * DAY_S:
            credits += 1
            _sell(agent, credits)
        if seen >= changed + changes_s:
            changed = seen
            n += 1
            _change(agent, tariff, n)
        if early is None and seen >= HOUR_S + REST_S:
            gc.collect()
            early = gc.mem_free()
            early_block = _largest()
        if seen - REST_S >= DAY_S * (days + 1):
            days += 1
            gc.collect()
            least = min(least, gc.mem_free())
            block = min(block, _largest())
    gc.collect()
    late = gc.mem_free()
    register = agent.meter.register
    chip = machine.SPI.chip
    held = _counts(register) - first + chip.held_counts(0)
    return {
        "drift": chip.total_counts(0) - held,
        "import_wh": register.import_wh,
        "journal": agent.journal.durable,
        "missing": agent.ledger.missing,
        "failures": board.runtime.failures,
        "status": status,
        "messages": _messages(board),
        "credits": agent.account.purchases.highest,
        "tariff": agent.account.tariff.n,
        "days": days,
        "early": early,
        "early_block": early_block,
        "late": late,
        "least": min(least, late),
        "largest": _largest(),
        "least_block": min(block, _largest()),
    }
