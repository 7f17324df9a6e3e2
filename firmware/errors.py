"""Errors of a composition root, for the person who starts it."""


class FirmwareError(Exception):
    """Base of every error raised in firmware/."""


class SiteError(FirmwareError):
    """A file that makes this meter is missing, wrong or open to others."""


class BrokerError(FirmwareError):
    """The broker's address or the files of its TLS connection cannot be used."""
