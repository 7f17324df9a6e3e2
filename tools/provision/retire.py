"""The end of a certificate, and the end of a meter, on the utility's side."""

from pathlib import Path

from wattledger.tools import keys, wiring
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import broker, folder, meter
from wattledger.tools.provision.tenant import Tenant

ARCHIVE = "retired"


def renew(tenant: Tenant, name: str, board: str, out: Path, days: int) -> list[Path]:
    """A new certificate and key of a meter in a folder of their own; the present ones stay good
    until they are revoked or over. The paths made."""
    keys.load(tenant.keys, name)  # a meter of ours
    with folder.whole(out) as made:
        platform = meter.platform_of(wiring.any_board(board))
        meter.write_certificates(tenant.meters(), made, name, platform, days)
        names = sorted(path.name for path in made.iterdir())
    return [out, *(out / one for one in names)]


def revoke(tenant: Tenant, name: str, brokers: list[Path]) -> int:
    """Revoke the certificates of a meter, or of a head end, and give the brokers the list; how
    many were good."""
    for place in brokers:
        broker.require(place)  # once revoked, nothing would be left to revoke at a second try
    found = tenant.meters().live(name), tenant.head_ends().live(name)
    if not any(found):
        raise ProvisionError(
            f"{tenant.ca}: no certificate of {name!r} is good; its meters' are named by their ids"
        )
    count = 0
    for one, live in zip((tenant.meters(), tenant.head_ends()), found, strict=True):
        count += one.revoke(name) if live else 0
    for place in brokers:
        broker.refresh_lists(tenant, place)
    return count


def decommission(tenant: Tenant, gate: Path, name: str, brokers: list[Path]) -> list[Path]:
    """Take a meter out of service: certificates revoked, secrets moved out of use, nothing
    deleted (its journal stays provable). The paths of what was archived."""
    keys.load(tenant.keys, name)
    if tenant.meters().live(name):
        revoke(tenant, name, brokers)
    moved = []
    for place in (tenant.keys, gate):
        for path in sorted(place.glob(f"{name}.*")):
            if path.stem != name:
                continue  # of a meter whose id goes on after the point
            archive = place / ARCHIVE
            archive.mkdir(mode=0o700, exist_ok=True)
            path.replace(archive / path.name)
            moved.append(archive / path.name)
    return moved
