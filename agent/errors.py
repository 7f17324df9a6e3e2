"""Errors of the deciding layer. Each says where, what, and what a person can do about it."""


class AgentError(Exception):
    """Base of every error raised in agent/.

    No builtin parents beside it: MicroPython has no multiple inheritance.
    """


class PlacedError(AgentError):
    """A document is wrong at `path`, a tuple of keys and indexes from its root."""

    def __init__(self, path, message):
        super().__init__(message)
        self.path = path
        self.message = message

    def place(self):
        """The path as a person writes it: `price[1][2]`."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += "[%d]" % step
            else:
                # A lenient JSON parser lets keys pass that are no text.
                text += "%s%s" % ("." if text else "", step)
        return text or "document"

    def __str__(self):
        return "%s: %s" % (self.place(), self.message)


class ConfigError(PlacedError):
    """device.json holds a value that cannot be used."""


class TariffError(PlacedError):
    """A tariff document is malformed, or uses what this firmware does not rate."""


class RecordError(AgentError):
    """Bytes that are not a whole, unchanged journal record."""


class EnvelopeError(AgentError):
    """A message that is not signed by a key we know; the reason is for the log only."""


class RefusalError(AgentError):
    """A command is answered with `result` (a word of the protocol) and `detail`, and not done."""

    def __init__(self, result, detail=""):
        super().__init__(detail)
        self.result = result
        self.detail = detail
