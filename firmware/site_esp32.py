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

from wattledger.agent.errors import TariffError
from wattledger.firmware.errors import SiteError

FOLDER = "site"
COPIED = (
    "device.json",
    "device.key",
    "calibration.json",
    "public_keys.json",
    "gate.key",
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


class Site:
    """`folder` of the mounted file system, or None; `nvs` an open esp32.NVS."""

    def __init__(self, folder, nvs):
        self._folder = folder
        self._nvs = nvs

    def path(self, name):
        """Where a file lies."""
        return self._folder.rstrip("/") + "/" + FOLDER + "/" + name

    def content(self, name):
        """The bytes of a file, or of its copy where there is none; None: neither.

        An empty file is as none that was never copied.
        """
        if self._folder is not None:
            try:
                with open(self.path(name), "rb") as file:
                    return file.read() or None
            except OSError:
                pass  # missing or not readable
        return self._copy(name)

    def read(self, name):
        """The same, with OSError(ENOENT) for what is not there."""
        data = self.content(name)
        if data is None:
            raise OSError(errno.ENOENT)
        return data

    def secret(self, name, length=KEY_BYTES):
        """The bytes of a secret in hex, b"" without it; `length` 0: any. SiteError."""
        data = self.content(name)
        if data is None:
            return b""
        try:
            key = binascii.unhexlify(data.strip())
        except ValueError:
            key = b""
        if not key or (length and len(key) != length):
            raise SiteError("%s: is no such key in hex; provision the meter again" % name)
        return key

    def points(self):
        """The public keys of those who sign documents, by key id; None without. SiteError."""
        data = self.content("public_keys.json")
        if data is None:
            return None
        try:
            found = {}
            for kid, point in json.loads(data).items():
                found[kid] = binascii.unhexlify(point)
                if len(found[kid]) != POINT_BYTES:
                    raise ValueError
        except (ValueError, AttributeError, TypeError):
            raise SiteError("public_keys.json: cannot be used; provision the meter again")
        return found

    def network(self):
        """The content of network.json; {} without it. SiteError."""
        data = self.content("network.json")
        if data is None:
            return {}
        try:
            found = json.loads(data)
            if not isinstance(found["ssid"], str) or not isinstance(found["broker"], str):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise SiteError("network.json: needs ssid, password and broker; provision it again")
        return found

    def copy(self):
        """Keep a copy of each file that differs from it."""
        for name in COPIED:
            data = self.content(name) or b""
            if data != (self._copy(name) or b""):
                self._nvs.set_blob(name[:NAME_CHARS], data)
                self._nvs.commit()

    def restore(self):
        """Write the files anew from their copies, into a file system that was just made."""
        os.mkdir(self.path("")[:-1])
        for name in COPIED:
            data = self._copy(name)
            if data:
                with open(self.path(name), "wb") as file:
                    file.write(data)

    def remove(self, name):
        """Remove one file."""
        os.remove(self.path(name))

    def _copy(self, name):
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
    """The document `tariff`; None when the meter holds it, which has checked it."""
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
    heap. ConfigError."""
    from wattledger.firmware import documents
    from wattledger.firmware.boot import SPACE

    site = Site(found.folder, port.esp32.NVS(SPACE))
    device, tariff = site.read("device.json"), _new(found, site.content("tariff.json"))
    try:
        config, checked = documents.read(device, tariff)
    except TariffError as error:
        log("tariff.json is refused: %s" % error)
        tariff = None
        config, checked = documents.read(device, None)
    return config, tariff, checked
