"""An ESP32's way to its broker, as it reads it from network.json (firmware/site_esp32.py)."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from wattledger.tools.errors import ProvisionError, VendError
from wattledger.tools.provision import address
from wattledger.tools.vend import NOTHING, parse_amount

PORT = 8883
NTP = "pool.ntp.org"
SSID_BYTES = 32
# A passphrase of WPA2 and WPA3: printable ASCII (IEEE 802.11-2020, J.4.1).
PASSWORD = re.compile(r"[ -~]{8,63}")


class Network(NamedTuple):
    """`ssid` of its Wi-Fi, `password` of it ("": an open one), its broker and time server."""

    ssid: str
    password: str
    broker: str
    port: int = PORT
    ntp: str = NTP

    def text(self) -> str:
        """Its network.json; ProvisionError says which option is wrong."""
        if not 1 <= len(self.ssid.encode()) <= SSID_BYTES or "\0" in self.ssid:
            raise ProvisionError(
                f"--ssid {self.ssid!r}: is {len(self.ssid.encode())} bytes long; give the name of "
                f"the Wi-Fi as it sends it, 1 to {SSID_BYTES} bytes"
            )
        if self.password:
            check_password(self.password, "the Wi-Fi's password")
        address.check_port("--port", self.port)
        address.check_host("--broker", self.broker, has_ipv6=False)
        address.check_host("--ntp", self.ntp, has_ipv6=False)
        return json.dumps(self._asdict(), indent=1) + "\n"


def check_password(password: str, place: str) -> None:
    """ProvisionError unless it is one of WPA2 or WPA3; it is never shown."""
    if not PASSWORD.fullmatch(password):
        raise ProvisionError(
            f"{place}: must be 8 to 63 characters of printable ASCII, and has {len(password)}; "
            "for a Wi-Fi without a password give --wifi-open"
        )


def read_password(path: Path) -> str:
    """The password in a file, with or without the end of its line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ProvisionError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ProvisionError(f"{path}: is no text; write the password alone into it") from None
    password = text.removesuffix("\n")
    check_password(password, str(path))
    return password


def opening(text: str) -> int:
    """Micro-units of a first credit like "10" or "0"; ProvisionError."""
    try:
        return 0 if NOTHING.fullmatch(text) else parse_amount(text)
    except VendError as error:
        raise ProvisionError(f"--credit: {error}") from None
