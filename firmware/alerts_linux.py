"""The alerts of a household: alerts.json of the site, the rules, and who sends them.

    {"v": 1, "language": "en", "quiet": ["22:00", "07:00"], "days": [3, 1],
     "send": [{"name": "phone", "url": "ntfy://..."}]}

The file holds passwords: mode 0600, and no message quotes an address. docs/alerts.md.
"""

import json
import os
import re

from wattledger.agent import events
from wattledger.agent.display import notice_words, notices
from wattledger.firmware.errors import SiteError
from wattledger.hal.errors import HalError
from wattledger.hal.network.apprise_linux import AppriseSender

NAME = "alerts.json"
VERSION = 1
OTHERS = 0o077
KEYS = ("v", "language", "quiet", "days", "send")
MOST_TARGETS = 8
MOST_DAYS = 60
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class AlertsFile:
    """What alerts.json says, checked: `language`, `quiet`, `days`, `targets` (name, address).

    SiteError names the file and the key, never an address.
    """

    def __init__(self, path):
        self._path = path
        document = self._read()
        for key in document:
            if key not in KEYS:
                raise self._error(key, "unknown key; remove it or check its spelling")
        if document.get("v") != VERSION:
            raise self._error("v", "must be %d" % VERSION)
        self.language = document.get("language", "en")
        if self.language not in notice_words.LANGUAGES:
            raise self._error("language", "must be %s" % " or ".join(notice_words.LANGUAGES))
        self.quiet = self._quiet(document.get("quiet"))
        self.days = self._days(document.get("days", [3, 1]))
        self.targets = self._targets(document.get("send"))

    def _error(self, key, text):
        return SiteError("%s: %s: %s" % (self._path, key, text))

    def _read(self):
        try:
            with open(self._path, "rb") as file:
                if os.fstat(file.fileno()).st_mode & OTHERS:
                    raise SiteError(
                        "%s: others may read the passwords in it; run chmod 600 on it" % self._path
                    )
                document = json.loads(file.read())
        except OSError as error:
            raise SiteError("%s: cannot be read (%s)" % (self._path, error.strerror)) from None
        except RecursionError:
            raise SiteError("%s: is nested too deep" % self._path) from None
        except ValueError as error:
            at = "line %d" % error.lineno if hasattr(error, "lineno") else "its encoding"
            raise SiteError("%s: is not JSON; look at %s" % (self._path, at)) from None
        if not isinstance(document, dict):
            raise SiteError("%s: must be a JSON object" % self._path)
        return document

    def _quiet(self, value):
        if value is None:
            return None
        times = [CLOCK.fullmatch(str(text)) for text in value] if isinstance(value, list) else []
        if len(times) != 2 or None in times:
            raise self._error("quiet", 'must be two times as ["22:00", "07:00"]')
        first, end = (int(time.group(1)) * 60 + int(time.group(2)) for time in times)
        return (first, end)

    def _days(self, value):
        if (
            not isinstance(value, list)
            or [type(day) for day in value] != [int, int]
            or not MOST_DAYS >= value[0] >= value[1] >= 0
        ):
            raise self._error(
                "days", "must be two whole numbers up to %d, the larger first" % MOST_DAYS
            )
        return tuple(value)

    def _targets(self, value):
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_TARGETS:
            raise self._error("send", "must list 1 to %d services" % MOST_TARGETS)
        found = []
        for place, target in enumerate(value, 1):
            whole = isinstance(target, dict) and set(target) == {"name", "url"}
            if not whole or not all(isinstance(text, str) and text for text in target.values()):
                raise self._error("send", "number %d must have a name and a url" % place)
            found.append((target["name"], target["url"]))
        if len({name for name, _ in found}) != len(found):
            raise self._error("send", "two services have the same name")
        return found


class AlertFace:
    """A face (contract Page) that shows nothing and tells those who are elsewhere.

    `report` is an agent's, once there is one. Nothing here may harm the meter: what fails is told
    once to `log` and goes on.
    """

    def __init__(self, file, storage, prepay, log, sender=None):
        self.report = None
        self._log = log
        self._language = file.language
        self._sender = sender or AppriseSender(file.targets)
        self._settings = notices.Settings(file.quiet, file.days, prepay)
        self._storage = storage
        self._rules = None
        self._failed = False

    def show(self, view):
        """Judge the view, hand on what is due, and report what nobody took."""
        if self.report is None:
            return
        try:
            if self._rules is None:
                self._rules = notices.Notices(
                    self._settings, self._storage, self._send, self.report, events.ALERT_HELD
                )
            self._rules.look(view)
            self._report_failed()
        except Exception as error:
            if not self._failed:
                self._log("alerts failed: %r" % error)
            self._failed = True

    def _report_failed(self):
        for kind, name, fault in self._sender.results():
            if fault is not None:
                self.report(events.ALERT_FAILED, kind)
                self._log("alert %s to %r: %s" % (notices.NAMES[kind], name, fault))

    def _send(self, kind, view):
        title, text = notice_words.compose(kind, view, self._language)
        self._sender.send(kind, title, text)

    def request(self):
        """Nobody asks for anything here."""

    def close(self):
        """End sending; what was not sent is reported. Before the agent stops."""
        self._sender.close()
        if self.report is not None:
            self._report_failed()


def face(folder, config, storage, log):
    """The AlertFace of a site; None where its household wants none, or asked for it wrongly.

    A meter measures whatever stands in a file that is not the utility's: what is wrong is logged.
    """
    path = os.path.join(folder, NAME)
    if not os.path.exists(path):
        return None
    try:
        return AlertFace(AlertsFile(path), storage, config.payment_mode == "prepay", log)
    except (SiteError, HalError) as error:
        log("no alerts are sent: %s" % error)
        return None
