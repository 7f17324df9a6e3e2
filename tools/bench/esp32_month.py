"""Days of an ESP32's meter with what a utility does in them: credit, tariffs, states. Portable.

It lies beside the image it starts, as esp32_program.py does.
"""

# mypy: disable-error-code="attr-defined"
# gc of MicroPython has more than that of CPython.

import gc
import json

from wattledger.tools.bench.esp32_program import HOUR_S, _largest, _start

DAY_S = 24 * HOUR_S
STATE_S = 60  # how often the state is made and written out, as for a message
CREDIT_S = HOUR_S + 300
REST_S = 30  # after an interval's end, when what it needed has left the heap
CREDIT = {"amount": 20000000}  # micro-units, more than the 27 kWh of a day cost


def _sell(agent, n):
    """Purchase `n`, as a signed command brings it; what that needs leaves the heap again."""
    from wattledger.agent.comms.actions import Actions

    if Actions(agent).credit_add(dict(CREDIT, n=n))[0] != "ok":
        raise ValueError("purchase %d is not taken" % n)


def month(seconds, changes_s, tick_ms, tariff):
    """`seconds` of metering with a purchase a day, and every `changes_s` another price.

    Bytes free after an hour, at the end, the fewest at the end of a day, and in one piece then.
    Purchases come five minutes after the first hour of a day.
    """
    board, chip, clock = _start(tariff, tick_ms)
    began = clock.time()
    early = None
    least = block = 1 << 30
    seen = credits = days = 0
    n = 1  # of the tariff
    said = changed = 0
    while seen < seconds + REST_S:
        clock.sleep_ms(board.turn())
        seen = clock.time() - began
        agent = board.agent
        if seen >= said + STATE_S:
            said = seen
            json.dumps(agent.view.state())
        if early is None and seen >= HOUR_S + REST_S:
            gc.collect()
            early = gc.mem_free()
        if seen >= CREDIT_S + credits * DAY_S:
            credits += 1
            _sell(agent, credits)
        if seen >= changed + changes_s:
            changed = seen
            n += 1
            price = b"320000" if n % 2 == 0 else b"310000"
            agent.accept_document(
                tariff.replace(b'"n":1', b'"n":%d' % n).replace(b"310000", price)
            )
        if seen - REST_S >= DAY_S * (days + 1):
            days += 1
            gc.collect()
            least = min(least, gc.mem_free())
            block = min(block, _largest())
    gc.collect()
    late = gc.mem_free()
    register = agent.meter.register
    held = register.import_wh * 320 + register.import_rest + chip.held_counts(0)
    return {
        "drift": chip.total_counts(0) - held,
        "import_wh": register.import_wh,
        "journal": agent.journal.durable,
        "missing": agent.ledger.missing,
        "failures": board.runtime.failures,
        "credits": agent.account.purchases.highest,
        "tariff": agent.account.tariff.n,
        "early": early,
        "late": late,
        "days": days,
        "least": min(least, late),
        "largest": min(block, _largest()),
    }
