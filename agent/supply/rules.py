"""Every rule of the supply is a row here: what opens it, what holds a cut back, and who may
close. docs/credit.md shows the same rows, and a test compares the two.
"""

# Open reasons: a set of bits.
SAFETY = 1
NO_CREDIT = 2
LOAD_LIMIT = 4
REMOTE = 8
TIME_UP = 16

# What caused a relay movement, as the journal keeps it.
BY_CREDIT = 1
BY_PERSON = 2
BY_WITHDRAWAL = 3  # a closing that could not be stored was not done
BY_SAFETY = 4
BY_LOAD = 5
BY_REMOTE = 6
BY_ITSELF = 7  # closed without a person
BY_RESTORING = 8  # a relay that opens without power is back where it was: no closing
BY_TIME = 9
CAUSES = {
    BY_CREDIT: "credit",
    BY_PERSON: "person",
    BY_WITHDRAWAL: "withdrawal",
    BY_SAFETY: "safety",
    BY_LOAD: "load limit",
    BY_REMOTE: "remote",
    BY_ITSELF: "by itself",
    BY_RESTORING: "restored",
    BY_TIME: "time",
}

# What opens, strongest first: (reason, its name, the opening's cause, closing needs a person).
OPENS = (
    (SAFETY, "safety", BY_SAFETY, False),
    (NO_CREDIT, "no credit", BY_CREDIT, True),
    (TIME_UP, "time is up", BY_TIME, True),
    (LOAD_LIMIT, "load limit", BY_LOAD, False),
    (REMOTE, "remote", BY_REMOTE, True),
)

# What holds a cut back: (its name, it also arms a supply that was cut, it holds back a cut
# for want of time too). In this order the first that holds is told.
NO_TARIFF = 0
CREDIT_MODE = 1
NEVER_CUT = 2
KEEP_POWER = 3
CLOCK_NOT_SET = 4
FRIENDLY = 5
NOT_WARNED = 6
HOLDS_BACK = (
    ("no tariff", False, False),
    ("credit mode", True, False),
    ("never-cut customer", True, True),
    ("keep-power", True, True),
    ("clock not set", False, False),
    ("friendly period", False, True),
    ("not warned yet", False, True),
)

# Who may close: (who, the cause of the closing). Nobody does while a reason is in the set or, but
# for restoring, before the waiting time of states.py is over; nothing closes unless it is stored.
PERSON = 0  # a press of 3 s; always
METER = 1  # when no reason since the opening needed a person, or the tariff says auto_close
RESTORING = 2  # relay_kind hold: the last durable state, after 10 s of valid measurement
CLOSES = (
    ("person", BY_PERSON),
    ("meter", BY_ITSELF),
    ("restoring", BY_RESTORING),
)

# What the slot keeps in its flags, above the five bits of the reasons since the opening.
SINCE = 0x1F
ACCEPTED = 0x20  # emergency credit
USED = 0x40
WARNED_15 = 0x80
FRIENDLY_HELD = 0x100  # a friendly period kept a supply without credit on

CLOCK_BUDGET_S = 86400  # powered time without a synced clock in which credit never cuts
WARNED_S = 300  # a cut comes no sooner than this after the last warning


def names(reasons):
    """Names of a set of reasons, strongest first."""
    return [name for bit, name, _, _ in OPENS if reasons & bit]


def strongest(reasons):
    """Name of the strongest reason, or None."""
    for bit, name, _, _ in OPENS:
        if reasons & bit:
            return name
    return None


def cause(reasons):
    """The cause of an opening for this set: that of its strongest reason."""
    for bit, _, cause, _ in OPENS:
        if reasons & bit:
            return cause
    return BY_WITHDRAWAL


def needs_person(reasons):
    """True when closing after any of these reasons is for a person."""
    return any(reasons & bit and person for bit, _, _, person in OPENS)


def holds_back(tariff, prepay, never_cut, keep_power_s, clock_budget_s, friendly, warned):
    """The row of HOLDS_BACK that forbids a credit cut now, or None when it may come.

    `clock_budget_s` is 0 when the clock is synced or its budget spent; `friendly` and `warned`
    are called when nothing before them holds.
    """
    if tariff is None:
        return NO_TARIFF
    if not prepay:
        return CREDIT_MODE
    if never_cut:
        return NEVER_CUT
    if keep_power_s > 0:
        return KEEP_POWER
    if clock_budget_s > 0:
        return CLOCK_NOT_SET
    if friendly():
        return FRIENDLY
    return None if warned() else NOT_WARNED
