"""Commands that come once in a while, loaded when one does. Each returns (result, detail)."""

import json

from wattledger.agent import config as configs
from wattledger.agent import message
from wattledger.agent.billing.calendar import EPOCH_2000
from wattledger.agent.comms import commands
from wattledger.agent.comms.actions import only
from wattledger.agent.errors import RefusalError
from wattledger.agent.journal import record as records

MAX_UNIX = 4102444800  # 2100-01-01
MOST_READ = 4096  # entries of one read.journal
SHOWN = ("meter", "tenant", "board", "payment_mode", "never_cut", "tick_ms", "profile_s")


def message_show(agent, arguments):
    """text, at most 160 characters, for the display from now on, or to `until` (unix seconds); an
    empty one clears it."""
    text = only(arguments, "text", "until").get("text")
    if not isinstance(text, str) or not message.is_fit(text):
        raise RefusalError(
            commands.RANGE,
            "text must be at most %d printable characters, %d bytes"
            % (message.MOST, message.MOST_BYTES),
        )
    if agent.ledger.missing:
        raise RefusalError(commands.DENIED, "the ledger is missing")
    time, trust = agent.time.unix(), agent.time.trust()
    until = None
    if "until" in arguments:
        until = commands.whole(arguments, "until", time + 1, MAX_UNIX)
    data = text.encode()
    try:
        message.store(agent.storage, time, data, until)
    except OSError:
        raise RefusalError(commands.NO_SPACE, "storage does not take writes")
    agent.message = {"time": time, "text": text, "until": until} if text else None
    agent.journal.append(records.MESSAGE, time, trust, 0, data)
    if not agent.keeper.now():
        raise RefusalError(commands.NO_SPACE, "shown, not in the journal yet")
    return commands.OK, ""


def time_set(agent, arguments):
    """unix: UTC seconds that the clock takes, whatever the step; then its time is synced."""
    unix = commands.whole(only(arguments, "unix"), "unix", EPOCH_2000, MAX_UNIX)
    step = unix - agent.time.unix()
    agent.time.signed = unix
    return commands.OK, "a step of %d s" % step


def config_set(agent, arguments):
    """key and value: one of the settings that may change in the field, kept over reboots."""
    from wattledger.agent import overrides

    key, value = only(arguments, "key", "value").get("key"), arguments.get("value")
    if not isinstance(key, str) or key not in overrides.KEYS:
        raise RefusalError(commands.RANGE, "key must be one of %s" % ", ".join(overrides.KEYS))
    _, low, high = configs.NUMBERS[key]
    value = commands.whole(arguments, "value", low, high)
    try:
        overrides.keep(agent.storage, key, value)
    except OSError:
        raise RefusalError(commands.NO_SPACE, "storage does not take writes")
    before = getattr(agent.config, key)
    overrides.apply(agent, key, value)
    return commands.OK, "%s was %d" % (key, before)


def read_config(agent, arguments):
    """What the meter is set to, as JSON in the detail."""
    only(arguments)
    from wattledger.agent import overrides

    found = {}
    for key in SHOWN + overrides.KEYS:
        found[key] = getattr(agent.config, key)
    return commands.OK, json.dumps(found)


def read_journal(agent, arguments):
    """from and to: entries that are sent once more, beside what is new."""
    most = agent.journal.durable
    first = commands.whole(only(arguments, "from", "to"), "from", 1, most)
    last = commands.whole(arguments, "to", first, min(most, first + MOST_READ - 1))
    if agent.journal.present_from(first) > last:
        raise RefusalError(commands.RANGE, "the meter keeps these no longer")
    agent.sender.send_again(first, last)
    return commands.OK, ""


def relay_open(agent, arguments):
    """Open the supply (remote_open.py)."""
    return agent.remote().order(arguments)


def ledger_open(agent, arguments):
    """Begin a lost ledger anew (root.py)."""
    from wattledger.agent.comms import root

    return root.ledger_open(agent, arguments)


def key_rotate(agent, arguments):
    """Go to another generation of keys (rotation.py)."""
    from wattledger.agent.comms import rotation

    return rotation.key_rotate(agent, arguments)


def ledger_correct(agent, arguments):
    """Move money by hand, with a reason (adjustment.py)."""
    from wattledger.agent.comms import adjustment

    return adjustment.ledger_correct(agent, arguments)


def credit_refund(agent, arguments):
    """Take back what was paid (adjustment.py)."""
    from wattledger.agent.comms import adjustment

    return adjustment.credit_refund(agent, arguments)


def assist_start(agent, arguments):
    """Ask the household to let the desk read (assistance.py)."""
    from wattledger.agent.comms import assistance

    return assistance.start(agent, arguments)


def read_live(agent, arguments):
    """What the chip measures, with the household's consent."""
    from wattledger.agent.comms import assistance

    return assistance.read_live(agent, arguments)


def read_display(agent, arguments):
    """What the display shows, with the household's consent."""
    from wattledger.agent.comms import assistance

    return assistance.read_display(agent, arguments)


# op: (code in the journal, purpose of its key, needs a challenge), as commands.OPS
RARE = {
    "relay.open": (commands.OPENING, "relay", True),
    "message.show": (10, "config", True),
    "time.set": (11, "config", True),
    "config.set": (12, "config", True),
    "read.config": (13, "config", True),
    "read.journal": (14, "config", True),
    "ledger.open": (15, "root", True),
    "ledger.correct": (21, "root", True),
    "credit.refund": (22, "credit", False),
    "assist.start": (23, "config", True),
    "read.live": (24, "config", True),
    "read.display": (25, "config", True),
    "key.rotate": (30, "root", True),
}
ACTS = {
    "relay.open": relay_open,
    "message.show": message_show,
    "time.set": time_set,
    "config.set": config_set,
    "read.config": read_config,
    "read.journal": read_journal,
    "ledger.open": ledger_open,
    "ledger.correct": ledger_correct,
    "credit.refund": credit_refund,
    "assist.start": assist_start,
    "read.live": read_live,
    "read.display": read_display,
    "key.rotate": key_rotate,
}


def find(agent, op):
    """(code, purpose, needs a challenge, function of the arguments) of a rare op, or None."""
    if op not in RARE or (op == "relay.open" and not agent.gated):
        return None
    return RARE[op] + (lambda arguments: ACTS[op](agent, arguments),)
