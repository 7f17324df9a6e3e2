"""Errors of a composition root, for the person who starts it."""


class FirmwareError(Exception):
    """Base of every error raised in firmware/."""


class SiteError(FirmwareError):
    """A file that makes this meter is missing, wrong or open to others."""


class BrokerError(FirmwareError):
    """The broker's address or the files of its TLS connection cannot be used."""


class UpdateError(FirmwareError):
    """An application is refused; `reason` is the value of the event."""

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason
