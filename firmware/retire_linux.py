"""A Raspberry Pi's meter out of service: its store is wiped of readings, its folder of secrets.

Files are removed, not overwritten: an SD card keeps old blocks where nobody asks it for them, so
what must be gone for good goes with the card.
"""

import contextlib
import os

from wattledger.agent import config as configs
from wattledger.agent.decommission import decommission, is_decommissioned
from wattledger.firmware import release_linux
from wattledger.firmware.errors import FirmwareError

SECRETS = (
    "device.key",
    "gate.key",
    "token.key",
    "client.key",
    "client.pem",
    "display.pin",
    "label.svg",
    "label.txt",
)


def refuse(storage, folder):
    """FirmwareError for a store whose meter is out of service: it never runs again."""
    if is_decommissioned(storage):
        raise FirmwareError(
            "%s/final: this meter is decommissioned; provision a new one with a store of its own"
            % folder
        )


def retire(site, storage, folder, log, releases=None):
    """Wipe the store in `folder`, then the secrets in the folder `site` and what lies in the
    folder `releases`, if any. May be done again."""
    path = os.path.join(site, "device.json")
    try:
        with open(path, "rb") as file:
            config = configs.load(file.read())
    except OSError as error:
        raise FirmwareError("%s: cannot be read (%s)" % (path, error.strerror)) from None
    final = decommission(storage, config)
    for name in SECRETS:
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(site, name))
    if releases is not None:
        release_linux.clear(releases)
    log(
        "%s is decommissioned: import %d Wh, export %d Wh, balance %d nano-units, journal %d %s; "
        "what stays is in %s"
        % (
            final["meter"],
            final["import_wh"],
            final["export_wh"],
            final["balance_nano"],
            final["sequence"],
            final["hash"],
            folder,
        )
    )
