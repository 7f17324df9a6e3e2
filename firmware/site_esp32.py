"""The files that make an ESP32 this meter and no other: in `site`, and once more in the NVS.

device.json      what belongs to this meter (docs/configuration.md)
device.key       64 hex digits
calibration.json public_keys.json gate.key token.key   as on a Raspberry Pi
network.json     {"ssid", "password", "broker", "port", "ntp", "page_port", "hostname"}
display.pin      the page's PIN, as the meter's label has it; optional
ca.der client.der client.key.der   for the broker (firmware/link.py)
tariff.json      a tariff to offer at a start, unless it is held; optional
commission       micro-units of the first credit; it opens the ledger, once, and is removed

The copy in the NVS is another partition's: a meter whose file system is lost goes on measuring as
this meter, and tells its utility.
"""

import binascii
import errno
import json
import os

from wattledger.agent.errors import AgentError, TariffError
from wattledger.firmware.boot import SPACE
from wattledger.firmware.errors import FirmwareError, SiteError
from wattledger.hal.errors import HalError

FOLDER = "site"
DEVICE = "device.json"
COPIED = (
    DEVICE,
    "device.key",
    "calibration.json",
    "public_keys.json",
    "gate.key",
    "token.key",
    "network.json",
    "display.pin",
    "ca.der",
    "client.der",
    "client.key.der",
)
NAME_CHARS = 15  # of a key in the NVS
BLOB_BYTES = (64, 768, 4096)
NOT_FOUND = -0x1102  # ESP_ERR_NVS_NOT_FOUND
KEY_BYTES = 32
POINT_BYTES = 64
UNREADABLE = (ValueError, KeyError, AttributeError, TypeError)


class NoNvs:
    """In place of an NVS that cannot be opened: it has nothing, and takes nothing."""

    def get_blob(self, key, into):
        raise OSError(NOT_FOUND)

    def set_blob(self, key, data):
        raise OSError(errno.EIO)


def nvs(esp32):
    """The NVS of a meter; NoNvs where there is none."""
    try:
        return esp32.NVS(SPACE)
    except OSError:
        return NoNvs()


class Site:
    """`found` as of firmware/boot.py, `esp32` the port's module."""

    def __init__(self, found, esp32, log):
        self._found = found
        self._nvs = nvs(esp32)
        self._log = log

    def path(self, name):
        """Where a file lies."""
        return self._found.folder.rstrip("/") + "/" + FOLDER + "/" + name

    def content(self, name):
        """The bytes of a file, or of its copy where there is none; None: neither.

        An empty file is as none that was never copied.
        """
        if self._found.folder is not None:
            try:
                with open(self.path(name), "rb") as file:
                    return file.read() or None
            except OSError:
                pass  # missing or not readable
        return self.copied(name)

    def read(self, name):
        """The same, with OSError(ENOENT) for what is not there."""
        data = self.content(name)
        if data is None:
            raise OSError(errno.ENOENT)
        return data

    def secret(self, name, length=KEY_BYTES):
        """The bytes of a secret in hex, b"" without it; `length` 0: any. SiteError."""

        def judge(data):
            key = binascii.unhexlify(data.strip())
            if not key or (length and len(key) != length):
                raise ValueError
            return key

        return self._judged(name, judge, "is no such key in hex") or b""

    def points(self):
        """The public keys of those who sign documents, by key id; None without. SiteError."""

        def judge(data):
            found = {}
            for kid, point in json.loads(data).items():
                found[kid] = binascii.unhexlify(point)
                if len(found[kid]) != POINT_BYTES:
                    raise ValueError
            return found

        return self._judged("public_keys.json", judge, "cannot be used")

    def network(self):
        """The content of network.json; {} without it. SiteError."""

        def judge(data):
            found = json.loads(data)
            if not isinstance(found["ssid"], str) or not isinstance(found["broker"], str):
                raise ValueError
            return found

        return self._judged("network.json", judge, "needs ssid, password and broker") or {}

    def _judged(self, name, judge, refusal):
        """What `judge` makes of the bytes of a file; None without it. SiteError."""

        def judged(read):
            try:
                return judge(read(name))
            except UNREADABLE:
                raise SiteError("%s: %s; provision the meter again" % (name, refusal)) from None

        return None if self.content(name) is None else self.kept((name,), judged)

    def kept(self, names, judge, where=""):
        """What `judge` makes of files by a function that reads one; of their copies where it
        refuses the files, which then are written anew. Raises what it raised of the files.

        `where` stands before what it says, for a log.
        """
        try:
            return judge(self.read)
        except (AgentError, HalError, FirmwareError) as error:
            fault = error
        try:
            found = judge(self._copy_of)
        except (OSError, AgentError, HalError, FirmwareError):
            raise fault from None
        self._log("%s%s; it is written anew from its copy" % (where, fault))
        for name in names:
            self._mend(name)
        return found

    def _copy_of(self, name):
        data = self.copied(name)
        if data is None:
            raise OSError(errno.ENOENT)
        return data

    def _mend(self, name):
        """Write a file anew from its copy, which is left as it is where that cannot be."""
        try:
            data = self._copy_of(name)
            with open(self.path(name), "wb") as file:
                file.write(data)
        except OSError:
            self._found.spoilt += (name,)

    def copy(self):
        """Keep a copy of each file that differs from it."""
        for name in COPIED:
            if name in self._found.spoilt:
                continue
            data = self.content(name) or b""
            if data != (self.copied(name) or b""):
                try:
                    self._nvs.set_blob(name[:NAME_CHARS], data)
                    self._nvs.commit()
                except OSError as error:
                    self._log("%s: the NVS takes no copy: %s" % (name, error))

    def restore(self):
        """Write the files anew from their copies, into a file system that was just made."""
        os.mkdir(self.path("")[:-1])
        for name in COPIED:
            data = self.copied(name)
            if data:
                with open(self.path(name), "wb") as file:
                    file.write(data)

    def remove(self, name):
        """Remove one file."""
        os.remove(self.path(name))

    def copied(self, name):
        """The bytes of the copy, or None."""
        for size in BLOB_BYTES:  # the port does not say how long a copy is
            into = bytearray(size)
            try:
                count = self._nvs.get_blob(name[:NAME_CHARS], into)
            except OSError as error:
                if error.errno == NOT_FOUND:
                    return None
                continue
            return bytes(memoryview(into)[:count]) or None
        return None


def _new(found, tariff):
    """The document `tariff`; None when the meter holds it, for it was checked when taken."""
    if tariff is not None and found.folder is not None:
        from wattledger.agent.billing.shelf import ACTIVE, NEXT
        from wattledger.hal.storage.vfs import VfsStorage

        storage = VfsStorage(found.folder)
        for name in (ACTIVE, NEXT):
            held = bytearray(len(tariff) + 1)
            if bytes(held[: storage.read_from(name, 0, held)]) == tariff:
                return None
    return tariff


def read(found, port, log):
    """(Config, tariff document or None, its Tariff): what is checked before an agent takes its
    heap. ConfigError, OSError."""
    site = Site(found, port.esp32, log)
    tariff = _new(found, site.content("tariff.json"))
    return site.kept((DEVICE,), lambda read: _checked(read(DEVICE), tariff, log), DEVICE + ": ")


def _checked(device, tariff, log):
    from wattledger.firmware import documents

    try:
        config, checked = documents.read(device, tariff)
    except TariffError as error:
        log("tariff.json is refused: %s" % error)
        tariff = None
        config, checked = documents.read(device, None)
    for name in config.lacking:
        log("%s: %s: nothing here serves it, for there is no application" % (DEVICE, name))
    return config, tariff, checked
