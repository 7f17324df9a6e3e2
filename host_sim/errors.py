"""Errors of the simulator. Each says what a person needs to mend it."""


class SimulatorError(Exception):
    """Base of every error raised in host_sim/."""


class PowerLost(BaseException):
    """The power of a simulated meter goes: nothing in the meter may catch this."""


class LoadError(SimulatorError):
    """A load file cannot be used; the message names file, line, column and remedy."""


class StateError(SimulatorError):
    """A saved world cannot be used or kept; the message names the file and the remedy."""
