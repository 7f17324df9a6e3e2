"""The options of `provision` that lead an ESP32 to its broker, and the password behind them."""

import sys
from pathlib import Path
from typing import NamedTuple

import typer

from wattledger.tools import output
from wattledger.tools.provision import network as networks


class Options(NamedTuple):
    """As they were given."""

    ssid: str | None
    password_file: Path | None
    is_open: bool
    broker: str | None
    port: int
    ntp: str | None

    def network(self) -> networks.Network | None:
        """The Network without its password, None for a meter without a link. BadParameter."""
        if self.ssid is None and self.broker is None:
            if self.password_file or self.is_open or self.ntp or self.port != networks.PORT:
                raise typer.BadParameter("what is told of a link needs --ssid and --broker")
            return None
        if self.ssid is None or self.broker is None:
            raise typer.BadParameter("--ssid and --broker: an ESP32 needs both for a link")
        return networks.Network(self.ssid, "", self.broker, self.port, self.ntp or networks.NTP)

    def password(self) -> str:
        """From the file or the keyboard; never an argument, which a shell's history keeps."""
        if self.is_open:
            if self.password_file is not None:
                raise typer.BadParameter("--wifi-open and --wifi-password-file: give one")
            return ""
        if self.password_file is not None:
            return networks.read_password(self.password_file)
        if not sys.stdin.isatty():
            raise typer.BadParameter("the Wi-Fi needs --wifi-password-file, or --wifi-open")
        text: str = typer.prompt(
            f"Password of the Wi-Fi {output.printable(self.ssid or '')}",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
        networks.check_password(text, "the Wi-Fi's password")
        return text
