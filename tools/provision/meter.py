"""A meter's folder, as the device reads it (firmware/site.py): what makes it this meter.

Its secrets lie with the utility too: K_dev in the keys directory, the gate secret apart from it.
"""

import json
import secrets
from pathlib import Path
from types import ModuleType
from typing import Any

from wattledger.agent import config as configs
from wattledger.agent.errors import ConfigError
from wattledger.tools import keys, orders, signing, tariff, token_till, wiring
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import authority, folder, label
from wattledger.tools.provision.network import Network
from wattledger.tools.provision.tenant import Tenant

NOTE = "one meter's secret: whoever reads it commands that meter"
PIN_DIGITS = 8
ESP32 = "esp32"
TOKEN_KEY_BYTES = 16  # of OpenPAYGO; an STS key's length is its algorithm's


class Wanted:
    """What a meter shall be: `board` and `meter`, and what its device.json says beside them."""

    def __init__(
        self,
        board: str,
        meter: str,
        support: str = "",
        tariff: Path | None = None,
        token: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        network: Network | None = None,
        credit: int | None = None,
    ) -> None:
        """`network` and `credit`, micro-units that open its ledger, are an ESP32's alone."""
        self.board = wiring.any_board(board)
        self.meter = meter
        self.support = support
        self.tariff = tariff
        self.token = token
        self.settings = settings or {}
        self.network = network
        self.credit = credit

    def own(self) -> dict[str, str]:
        """What an ESP32 alone reads from a file; ProvisionError."""
        found = {}
        if self.network is not None:
            found["network.json"] = self.network.text()
        if self.credit is not None:
            found["commission"] = f"{self.credit}\n"
        if found and platform_of(self.board) != ESP32:
            raise ProvisionError(
                f"{self.board.NAME}: takes neither Wi-Fi nor credit from its folder; see "
                "`wattledger-meter --help` for --broker and --commission"
            )
        return found

    def lacks(self) -> list[str]:
        """What an ESP32 goes without."""
        if platform_of(self.board) != ESP32:
            return []
        found = []
        if self.network is None:
            found.append("no --ssid and --broker: this meter has no link")
        if self.credit is None:
            found.append("no --credit: its ledger is opened by `wattledger ledger open` alone")
        return found

    def device(self, tenant: str) -> str:
        """Its device.json, judged by the meter's own checker."""
        document = {
            "v": configs.VERSION,
            "meter": self.meter,
            "tenant": tenant,
            "board": self.board.NAME,
            "max_amps": self.board.MAX_AMPS,
            "max_volts": self.board.MAX_VOLTS,
            **self.settings,
        }
        if self.token is not None:
            document["token"] = self.token
        text = json.dumps(document, indent=1) + "\n"
        try:
            configs.load(text.encode())
        except ConfigError as error:
            raise ProvisionError(f"device.json: {error}") from None
        return text


def create(
    tenant: Tenant, gate: Path, out: Path, wanted: Wanted, days: int, again: bool = False
) -> list[Path]:
    """Make the folder of a meter; the paths made. `again`: of one whose folder is lost, from the
    secrets that the utility holds; its certificates of before are revoked.

    ProvisionError, KeysError or TariffError; then nothing is left behind.
    """
    device = wanted.device(tenant.name)
    own = wanted.own()
    if again and wanted.credit is not None:
        raise ProvisionError(
            f"{wanted.meter}: a ledger is opened by credit once in a meter's life, or credit of "
            "before is taken again; after --again open it by `wattledger ledger open`"
        )
    document = None
    if wanted.tariff is not None:
        tariff.check(wanted.tariff)
        document = wanted.tariff.read_bytes()
    if gate.resolve() == tenant.keys.resolve():
        raise ProvisionError(f"{gate}: the gate secrets and the keys must not share a directory")
    authorities = tenant.meters()
    with _Secrets(tenant.keys, gate, wanted, again) as found, folder.whole(out) as made:
        folder.write(made / "device.json", device)
        folder.write(made / "device.key", found.device_key.hex() + "\n")
        folder.write(made / "gate.key", found.gate_key.hex() + "\n")
        if found.token_key:
            folder.write(made / "token.key", found.token_key.hex() + "\n")
        points = {kid: point.hex() for kid, point in signing.public_keys(tenant.keys).items()}
        folder.write(made / "public_keys.json", json.dumps(points, indent=1) + "\n")
        if document is not None:
            folder.write(made / "tariff.json", document)
        for name, text in own.items():
            folder.write(made / name, text)
        pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
        folder.write(made / "display.pin", pin + "\n")
        if again:
            authorities.revoke(wanted.meter)
        write_certificates(authorities, made, wanted.meter, platform_of(wanted.board), days)
        who = (tenant.name, wanted.meter, pin, wanted.support)
        folder.write(made / "label.txt", label.text(*who))
        folder.write(made / "label.svg", label.svg(*who))
        names = sorted(path.name for path in made.iterdir())
    return [out, *(out / name for name in names)]


def platform_of(board: ModuleType) -> str:
    """What a board runs on; the simulated one on nothing of its own."""
    return str(getattr(board, "PLATFORM", ""))


def write_certificates(
    authorities: authority.Authority, made: Path, meter: str, platform: str, days: int
) -> None:
    """A new certificate and key of a meter in the form its platform reads, and the authority's."""
    certificate, private = authorities.issue(meter, authority.CLIENT, days)
    folder.write(made / "ca.pem", authority.pem(authorities.certificate))
    folder.write(made / "ca.der", authority.der(authorities.certificate))
    if platform == ESP32:
        folder.write(made / "client.der", authority.der(certificate))
        folder.write(made / "client.key.der", authority.private_der(private))
    else:
        folder.write(made / "client.pem", authority.pem(certificate))
        folder.write(made / "client.key", authority.private_pem(private))


class _Secrets:
    """The utility's copy of a meter's secrets; what was made goes again when the folder fails."""

    def __init__(self, keys_dir: Path, gate: Path, wanted: Wanted, again: bool) -> None:
        self._keys, self._gate = keys_dir, gate
        self._wanted = wanted
        self._again = again
        self._made: list[Path] = []
        self.token_key = b""

    def __enter__(self) -> "_Secrets":
        try:
            self._find()
        except BaseException:
            self._undo()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._undo()

    def _find(self) -> None:
        meter = self._wanted.meter
        if self._again:
            self.device_key = keys.load(self._keys, meter).device_key
            self.gate_key = orders.load_gate(self._gate, meter)
        elif keys.path_of(self._keys, meter, ".json").exists():
            raise ProvisionError(
                f"{self._keys}: meter {meter} has keys there already; give it another name, or "
                "--again to make the folder of this one once more"
            )
        else:
            self.device_key = keys.create(self._keys, meter, NOTE).device_key
            self._made += [self._keys / f"{meter}{end}" for end in (".json", ".counter", ".lock")]
            self.gate_key = orders.create_gate(self._gate, meter, NOTE)
            self._made.append(self._gate / f"{meter}{orders.GATE_SUFFIX}")
        if self._wanted.token is not None:
            self.token_key = self._token(self._wanted.token)

    def _token(self, token: dict[str, Any]) -> bytes:
        from wattledger.agent.tokens import settings

        found = settings.check(token)
        meter = self._wanted.meter
        if found.scheme != settings.STS:
            path = keys.path_of(self._keys, meter, ".paygo")
            if not self._again:
                folder.write(path, secrets.token_bytes(TOKEN_KEY_BYTES).hex() + "\n")
                self._made.append(path)
            return bytes.fromhex(path.read_text("ascii").strip())
        if self._again:
            return token_till.load(self._keys, meter).key
        till = token_till.create(self._keys, meter, found.ea, found.base, found.made_tid())
        self._made.append(self._keys / f"{meter}.token")
        return till.key

    def _undo(self) -> None:
        for path in self._made:
            path.unlink(missing_ok=True)
