"""The folder that makes a Raspberry Pi this meter and no other, as provisioning fills it.

device.json        what belongs to this meter (docs/configuration.md)
device.key         64 hex digits, mode 0600
calibration.json   what its chip was calibrated to; without it the board's nominal constants
tariff.json        a tariff to offer at each start; optional, and silent when already held
token.key          the decoder key of its tokens in hex, mode 0600; with a token section
gate.key           the second secret of remote openings, like device.key; optional
public_keys.json   whose documents it believes; optional
ca.pem client.pem client.key   for a broker by TLS; optional
display.pin        eight digits that unlock the display; optional
"""

import binascii
import json
import os

from wattledger.agent import config as configs
from wattledger.agent.errors import AgentError
from wattledger.firmware.errors import SiteError

KEY_BYTES = 32
POINT_BYTES = 64
OTHERS = 0o077  # permission bits of everybody but the owner


class Site:
    """What the folder holds, read and checked once; SiteError names the file and the remedy."""

    def __init__(self, folder):
        self._folder = folder
        try:
            self.config = configs.load(self._content("device.json"))
        except AgentError as error:
            raise SiteError("%s: %s" % (self._path("device.json"), error)) from None
        self.device_key = self._secret("device.key")
        self.gate_key = b""  # a meter without it takes no remote opening
        if os.path.exists(self._path("gate.key")):
            self.gate_key = self._secret("gate.key")
        self.public_keys = self._public_keys()
        self.token_key = self._key("token.key") if self.config.token else b""
        self.calibration = self._content("calibration.json", optional=True)
        self.tariff = self._content("tariff.json", optional=True)
        self.ca = self._present("ca.pem")
        self.certificate = self._present("client.pem")
        self.key = self._present("client.key")

    def _path(self, name):
        return os.path.join(self._folder, name)

    def _present(self, name):
        path = self._path(name)
        return path if os.path.exists(path) else None

    def _content(self, name, optional=False):
        try:
            with open(self._path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            if optional:
                return None
            raise SiteError(
                "%s: no such file; give the folder that provisioning filled" % self._path(name)
            ) from None
        except OSError as error:
            raise SiteError(
                "%s: cannot be read (%s); it must belong to the user the meter runs as"
                % (self._path(name), error.strerror)
            ) from None

    def _public_keys(self):
        data = self._content("public_keys.json", optional=True)
        if data is None:
            return None
        try:
            found = {kid: binascii.unhexlify(point) for kid, point in json.loads(data).items()}
        except (ValueError, AttributeError, TypeError):
            found = {"": b""}
        if any(len(point) != POINT_BYTES for point in found.values()):
            raise SiteError(
                "%s: must map key ids to points of %d hex digits; provision the meter again"
                % (self._path("public_keys.json"), 2 * POINT_BYTES)
            )
        return found

    def _secret(self, name):
        key = self._key(name)
        if len(key) != KEY_BYTES:
            raise SiteError(
                "%s: is %d bytes, not %d; provision the meter again"
                % (self._path(name), len(key), KEY_BYTES)
            )
        return key

    def _key(self, name):
        path = self._path(name)
        text = self._content(name)
        if os.stat(path).st_mode & OTHERS:
            raise SiteError("%s: others may read this secret; run chmod 600 on it" % path)
        try:
            return binascii.unhexlify(text.strip())
        except ValueError:
            raise SiteError(
                "%s: is not a number in hex digits; provision the meter again" % path
            ) from None
