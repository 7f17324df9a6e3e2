"""Why an ESP32 started."""

# What machine.reset_cause() says, and the value of the event RESTARTED_BY.
CAUSES = ("power", "reset", "watchdog", "sleep", "soft reset")


def number(machine):
    """1 to 5; a cause that nobody knows is a power cut."""
    cause = machine.reset_cause()
    return cause if 1 <= cause <= len(CAUSES) else 1


def cause(machine, found):
    """For people, with what the boot `found`."""
    word = CAUSES[number(machine) - 1]
    return word + ", store lost" if found.folder is None else word
