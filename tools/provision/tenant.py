"""A tenant: its name, its two authorities, its signing keys. Three folders that three hands hold.

ca/     the authorities `meters` and `head-end` (authority.py), and tenant.json
keys/   root.1, tariff.1, firmware.1 (signing.py); then each meter's K_dev (tools/keys.py)
gate/   each meter's gate secret (tools/orders.py), for another service on another machine
"""

import json
from pathlib import Path

from wattledger.agent.values import is_name
from wattledger.tools import keys, signing
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import authority, folder

METERS = "meters"
HEAD_END = "head-end"
FIRMWARE_KID = "firmware.1"
AUTHORITY_DAYS = 30 * 365
DEFAULT_NAME = "home"
FILE = "tenant.json"


class Tenant:
    """The tenant whose authorities lie in `ca`; ProvisionError says what is missing."""

    def __init__(self, ca: Path, keys_dir: Path) -> None:
        self.ca = ca
        self.keys = keys_dir
        self.name = _name_in(ca / FILE)
        if keys.tenant_of(keys_dir) != self.name:
            raise ProvisionError(
                f"{keys_dir}: holds keys of another tenant than {ca}, {self.name!r}; give the two "
                "that were made together"
            )

    def meters(self) -> authority.Authority:
        """Who may connect as a meter, and who is the broker."""
        return authority.Authority(self.ca, METERS)

    def head_ends(self) -> authority.Authority:
        """Who may connect as the head end."""
        return authority.Authority(self.ca, HEAD_END)


def create(name: str, ca: Path, keys_dir: Path, gate: Path) -> list[Path]:
    """Make a tenant in folders that are new; the paths made. Whole, or nothing is there."""
    if not is_name(name):
        raise ProvisionError(f"tenant {name!r} must be 1 to 32 of a-z, 0-9, - _ and .")
    if len({ca.resolve(), keys_dir.resolve(), gate.resolve()}) < 3:
        raise ProvisionError(
            f"{ca}, {keys_dir}, {gate}: must be three folders; whoever holds the gate secrets and "
            "the keys can switch homes off"
        )
    # The outermost becomes real last, so a cut leaves at most a folder of keys nobody was given.
    with folder.whole(ca) as made_ca, folder.whole(keys_dir) as made_keys, folder.whole(gate):
        for one in (METERS, HEAD_END):
            authority.create(made_ca, one, f"{name} {one}", AUTHORITY_DAYS)
        folder.write(made_ca / FILE, json.dumps({"v": 1, "tenant": name}) + "\n")
        for kid in (signing.ROOT_KID, signing.TARIFF_KID, FIRMWARE_KID):
            signing.create(made_keys, kid)
        folder.write(made_keys / keys.TENANT, json.dumps({"tenant": name}) + "\n")
    return [ca, keys_dir, gate]


def _name_in(path: Path) -> str:
    try:
        name = json.loads(path.read_text("utf-8"))["tenant"]
    except FileNotFoundError:
        raise ProvisionError(
            f"{path}: no such file; give the folder that `wattledger provision tenant` made"
        ) from None
    except (OSError, ValueError, TypeError, KeyError):
        raise ProvisionError(f"{path}: cannot be read as a tenant's; restore it") from None
    return str(name)
