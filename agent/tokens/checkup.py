"""What a test token (class 1) makes the meter show. It changes nothing and moves no relay."""

from wattledger.agent.tokens import results
from wattledger.agent.tokens.results import TokenError

# Control bits, lowest first; what else there is has nothing to show here.
LOAD_SWITCH, DISPLAY, TOTAL, KRN, TI, READER, LIMIT, TAMPER, POWER, VERSION, UNBALANCE = range(11)
EXTENDED = 2  # subclasses from here on are other token sets
MW_PER_W = 1000


def answer(token, desk):
    """The words of the tests that `token` asks for. TokenError for another maker's tests."""
    if token.subclass >= EXTENDED:
        raise TokenError(results.FUNCTION, "test set %d is unknown" % token.subclass)
    control, manufacturer = token.test()
    if manufacturer:
        raise TokenError(results.MANUFACTURER, "a test of maker %d" % manufacturer)
    memory = desk.memory
    words = []
    for bit, text in (
        (DISPLAY, "display 0123456789"),
        (TOTAL, "total %d Wh" % desk.agent.ledger.state.import_wh),
        (KRN, "KRN %d" % memory.krn),
        (TI, "TI %d" % memory.ti),
        (LIMIT, "limit %d W" % memory.power_limit_w),
        (POWER, "power %d W" % (desk.agent.meter.power_mw() // MW_PER_W)),
        (VERSION, "version %s" % desk.agent.firmware),
        (UNBALANCE, "unbalance %d W" % memory.unbalance_limit_w),
    ):
        if control >> bit & 1:
            words.append(text)
    return ", ".join(words) or "nothing to show for this test"
