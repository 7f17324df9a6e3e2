"""The folder of a head end: what a tool needs to reach a broker by TLS. A broker's address in
every command may be such a folder instead of a URL.

    head-end.json  {"v": 1, "host", "port"}: the broker, by a name that its certificate has
    ca.pem         the authority of the broker's certificate
    client.pem, client.key   the head end's own, mode 0600; the key may be under a passphrase
"""

import json
import ssl
from pathlib import Path
from typing import NamedTuple

from wattledger.tools import sealing
from wattledger.tools.errors import BrokerError

FILE = "head-end.json"
CA, CERTIFICATE, KEY = "ca.pem", "client.pem", "client.key"


class Address(NamedTuple):
    """Where a broker listens."""

    host: str
    port: int


class HeadEnd:
    """A folder that was read; `address` of its broker."""

    def __init__(self, folder: Path, address: Address) -> None:
        self._folder = folder
        self.address = address

    def context(self) -> ssl.SSLContext:
        """TLS that believes the folder's authority alone and shows the head end's certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_verify_locations(self._folder / CA)
            made.load_cert_chain(
                self._folder / CERTIFICATE, self._folder / KEY, sealing.passphrase
            )
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(
                f"{self._folder}: its certificate or key cannot be used "
                f"({getattr(error, 'reason', None) or error}); is {sealing.PASSPHRASE} right?"
            ) from None
        return made


def load(folder: Path) -> HeadEnd:
    """The head end in a folder; BrokerError says what is missing."""
    path = folder / FILE
    try:
        document = json.loads(path.read_text("utf-8"))
        host, port = document["host"], document["port"]
        if not isinstance(host, str) or type(port) is not int or not 0 < port < 65536:
            raise ValueError
    except FileNotFoundError:
        raise BrokerError(
            f"{path}: no such file; give mqtt://127.0.0.1:PORT, or the folder that "
            "`wattledger provision head-end` made"
        ) from None
    except (OSError, ValueError, TypeError, KeyError):
        raise BrokerError(f"{path}: is no address of a broker; make the head end anew") from None
    return HeadEnd(folder, Address(host, port))
