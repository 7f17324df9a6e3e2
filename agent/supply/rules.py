"""Why the supply is open, and what forbids a credit cut. Every rule is a row here."""

# Open reasons: a set of bits; the strongest is shown.
SAFETY = 1
NO_CREDIT = 2
LOAD_LIMIT = 4
REMOTE = 8
STRENGTH = (
    (SAFETY, "safety"),
    (NO_CREDIT, "no credit"),
    (LOAD_LIMIT, "load limit"),
    (REMOTE, "remote"),
)

# What caused a relay movement, as the journal keeps it.
BY_CREDIT = 1
BY_PERSON = 2
BY_WITHDRAWAL = 3  # a closing that could not be stored was not done
CAUSES = {BY_CREDIT: "credit", BY_PERSON: "person", BY_WITHDRAWAL: "withdrawal"}

CLOCK_BUDGET_S = 86400  # powered time without a synced clock in which credit never cuts


def names(reasons):
    """Names of a set of reasons, strongest first."""
    return [name for bit, name in STRENGTH if reasons & bit]


def strongest(reasons):
    """Name of the strongest reason, or None."""
    for bit, name in STRENGTH:
        if reasons & bit:
            return name
    return None


def forbids_cut(tariff, prepay, never_cut, synced, clock_budget_s, friendly):
    """Why a credit cut must not happen now, or None when it may."""
    for holds, why in (
        (tariff is None, "no tariff"),
        (not prepay, "credit mode"),
        (never_cut, "never-cut customer"),
        (not synced and clock_budget_s > 0, "clock not set"),
        (friendly, "friendly period"),
    ):
        if holds:
            return why
    return None
