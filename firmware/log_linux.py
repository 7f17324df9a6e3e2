"""Lines for the log of a Raspberry Pi: stderr, with a priority where systemd's journal reads it.

Source: sd-daemon(3), a line that begins with <N>; systemd.exec(5), JOURNAL_STREAM. From a terminal
the lines are bare.
"""

import os
import sys

ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6  # of syslog(3)
LONGEST = 1000  # characters; the journal would break a line of 48 kB into events


class Log:
    """Called with a text: one line of the log, whatever the text holds. INFO unless named."""

    def __init__(self, stream=None, environment=None):
        """`environment` tells whether the stream, stderr by default, is the journal's."""
        self._stream = stream
        found = os.environ if environment is None else environment
        self._named = found.get("JOURNAL_STREAM", "")

    def __call__(self, text, priority=INFO):
        """One event, one line: what a peer sent cannot begin another."""
        line = "".join(c if c.isprintable() else " " for c in str(text)[:LONGEST])
        stream = self._stream or sys.stderr
        head = "<%d>" % priority if is_journal(stream, self._named) else ""
        print(head + line, file=stream, flush=True)

    def warning(self, text):
        """Something a person should see to; the meter goes on."""
        self(text, WARNING)

    def error(self, text):
        """Something failed."""
        self(text, ERROR)


def is_journal(stream, named):
    """Is the stream what systemd named, device:inode? Its children inherit the name as well."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):  # no file behind it
        return False
    return named == "%d:%d" % (found.st_dev, found.st_ino)
