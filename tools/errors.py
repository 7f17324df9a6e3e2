"""Errors of the tools. Each message is for the person at the keyboard: what, where, what to do."""


class ToolError(Exception):
    """Base of every error a tool reports and ends with."""


class BrokerError(ToolError):
    """The broker's address is wrong, or nothing answers there."""


class KeysError(ToolError):
    """A meter's keys are missing, damaged or exist already."""


class ProvisionError(ToolError):
    """A tenant, a meter or a broker cannot be made or changed as asked."""


class UpdateError(ToolError):
    """An application cannot be signed, served or sent as asked."""


class JwsError(ToolError):
    """A signed message that must not be believed."""


class JournalError(ToolError):
    """A journal message that does not continue the utility's copy."""


class GapError(JournalError):
    """A journal message that begins at entry `came`, after some that are not held."""

    def __init__(self, came: int, due: int) -> None:
        super().__init__(f"gap: entry {came} came, {due} is next")
        self.came = came


class ReplicaError(ToolError):
    """The utility's copy of a journal cannot be used."""


class VendError(ToolError):
    """A command to a meter was refused before sending, or got no answer."""


class SaleError(ToolError):
    """A token cannot be made as asked, or not exactly."""


class FlashError(ToolError):
    """An image cannot be made, does not fit, or does not reach the board."""
