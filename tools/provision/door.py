"""The folder that lets a head end in at a broker (tools/head_end.py reads it)."""

import json
from pathlib import Path

from wattledger.tools import head_end
from wattledger.tools.provision import address, authority, folder
from wattledger.tools.provision.tenant import HEAD_END, Tenant


def create(tenant: Tenant, out: Path, host: str, port: int, days: int) -> list[Path]:
    """Make a head end's folder for the broker at `host`; the paths made."""
    address.check_host("--host", host)
    address.check_port("--port", port)
    told = {"v": 1, "host": host, "port": port}
    with folder.whole(out) as made:
        certificate, private = tenant.head_ends().issue(HEAD_END, authority.CLIENT, days)
        folder.write(made / head_end.FILE, json.dumps(told) + "\n")
        folder.write(made / head_end.CA, tenant.meters().certificate_path.read_bytes())
        folder.write(made / head_end.CERTIFICATE, authority.pem(certificate))
        folder.write(made / head_end.KEY, authority.private_pem(private, sealed=True))
    names = (head_end.FILE, head_end.CA, head_end.CERTIFICATE, head_end.KEY)
    return [out, *(out / name for name in names)]
