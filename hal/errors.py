"""Errors of the hardware layer. Each says what a person needs to mend it."""


class HalError(Exception):
    """Base of every error raised in hal/."""


class BusError(HalError):
    """A transfer on a bus failed: no answer, wrong length, or the device went away."""


class ChipError(HalError):
    """A metering chip did not come up; `stage` names the step that failed."""

    def __init__(self, message, stage=""):
        super().__init__(message)
        self.stage = stage


class StorageError(OSError):
    """A durable write failed; `errno` is ENOSPC, EROFS or EIO."""
