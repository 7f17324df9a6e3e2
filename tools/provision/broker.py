"""A broker's folder: mosquitto's configuration and what it names, ready to run.

Two doors. Meters come in by the one, with a certificate of the tenant's `meters`; the name in it
is their user and their client id, so that nobody with another's certificate can take a meter's
session over. The head end comes in by the other, with a certificate of `head-end`.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wattledger.agent.comms import topics
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import address, authority, folder
from wattledger.tools.provision.tenant import HEAD_END, METERS, Tenant

METER_PORT = 8883
HEAD_END_PORT = 8884
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
NAME_CHARS = 64  # of a certificate's common name (RFC 5280, A.1); the hosts stand beside it
FROM_METERS = (topics.STATUS, topics.HELLO, topics.STATE, topics.JOURNAL, topics.ACK, topics.FETCH)
TO_METERS = (topics.CMD, topics.WANT, topics.PART)
TO_GROUPS = (topics.TARIFF, topics.PRICE)

CONFIGURATION = """\
# mosquitto 2, made by `wattledger provision broker` for {tenant}. Start it in any folder:
#   mosquitto -c {folder}/mosquitto.conf
# After `wattledger provision revoke`: send it SIGHUP (new connections), or restart it (all).
# The folder must belong to this user: chown -R {user} {folder}
user {user}
per_listener_settings true
persistence true
persistence_location {folder}/data/
autosave_interval 60
# A message has at most 9216 bytes, its topic and head at most 256.
max_packet_size 9472
max_inflight_messages 20
max_queued_messages 200
max_keepalive 120
log_type error
log_type warning
log_type notice

listener {meter_port}{bind}
allow_anonymous false
cafile {folder}/meters.pem
crlfile {folder}/meters.crl
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
use_username_as_clientid true
acl_file {folder}/meters.acl
max_connections 100000

listener {head_end_port}{bind}
allow_anonymous false
cafile {folder}/head-end.pem
crlfile {folder}/head-end.crl
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
acl_file {folder}/head-end.acl
max_connections 100
"""


class Doors(NamedTuple):
    """The names the broker is reached by, and its two ports; `bind` an address, "" for all;
    `user` the system's user it runs as."""

    hosts: tuple[str, ...]
    meter_port: int = METER_PORT
    head_end_port: int = HEAD_END_PORT
    bind: str = ""
    user: str = "mosquitto"

    def check(self) -> None:
        """ProvisionError says which option is wrong: each becomes a part of a line of text."""
        if not self.hosts:
            raise ProvisionError(
                "a broker needs --host: the name or address that meters reach it by"
            )
        for host in self.hosts:
            address.check_host("--host", host)
        address.check_port("--port", self.meter_port)
        address.check_port("--head-end-port", self.head_end_port)
        if self.meter_port == self.head_end_port:
            raise ProvisionError(
                f"--port and --head-end-port are both {self.meter_port}; give two, for two doors"
            )
        if self.bind:
            address.check_bind("--bind", self.bind)
        if not USER.fullmatch(self.user):
            raise ProvisionError(
                f"--user {self.user!r}: is no user's name; give one of /etc/passwd"
            )


def create(tenant: Tenant, out: Path, doors: Doors, days: int) -> list[Path]:
    """Make a broker's folder, whose certificate has the hosts' names; the paths made."""
    doors.check()
    place = out.resolve()
    if not str(place).isprintable():
        raise ProvisionError(f"{str(place)!r}: no line of mosquitto's can name it; name it else")
    with folder.whole(out) as made:
        (made / "data").mkdir(mode=0o700)
        text = CONFIGURATION.format(
            tenant=tenant.name,
            folder=place,
            user=doors.user,
            meter_port=doors.meter_port,
            head_end_port=doors.head_end_port,
            bind=f" {doors.bind}" if doors.bind else "",
        )
        folder.write(made / "mosquitto.conf", text)
        folder.write(made / "meters.acl", meters_acl(tenant.name))
        folder.write(made / "head-end.acl", head_end_acl(tenant.name))
        for one in (tenant.meters(), tenant.head_ends()):
            folder.write(made / f"{one.name}.pem", one.certificate_path.read_bytes())
            folder.write(made / f"{one.name}.crl", one.crl_path.read_bytes())
        certificate, private = tenant.meters().issue(
            doors.hosts[0][:NAME_CHARS], authority.SERVER, days, doors.hosts
        )
        folder.write(made / "server.pem", authority.pem(certificate))
        folder.write(made / "server.key", authority.private_pem(private))
    names = ("mosquitto.conf", "meters.acl", "head-end.acl", "server.pem", "server.key")
    return [out, *(out / name for name in names)]


def require(broker: Path) -> None:
    """ProvisionError unless it is the folder of a broker: asked before anything is revoked."""
    for name in (METERS, HEAD_END):
        path = broker / f"{name}.crl"
        if not path.exists():
            raise ProvisionError(f"{path}: no such file; give a folder of `provision broker`")


def refresh_lists(tenant: Tenant, broker: Path) -> None:
    """Give a broker the present lists of revoked certificates."""
    from wattledger.tools import durable

    require(broker)
    for one in (tenant.meters(), tenant.head_ends()):
        path = broker / one.crl_path.name
        durable.replace(path, one.crl_path.read_text("ascii"), folder.SECRET)


def meters_acl(tenant: str) -> str:
    """What a meter may write and read: %u is the name in its certificate."""
    lines = [f"# Meters of {tenant}. %u is the name in the certificate."]
    lines += _lines("pattern write", f"{topics.ROOT}/{tenant}/m/%u", FROM_METERS)
    lines += _lines("pattern read", f"{topics.ROOT}/{tenant}/m/%u", TO_METERS)
    lines += _lines("pattern read", f"{topics.ROOT}/{tenant}/g/+", TO_GROUPS)
    return "\n".join(lines) + "\n"


def head_end_acl(tenant: str) -> str:
    """What the head end may read and write."""
    lines = [f"# The head end of {tenant}, behind a door of its own.", f"user {HEAD_END}"]
    lines += _lines("topic read", f"{topics.ROOT}/{tenant}/m/+", FROM_METERS)
    lines += _lines("topic write", f"{topics.ROOT}/{tenant}/m/+", TO_METERS)
    lines += _lines("topic write", f"{topics.ROOT}/{tenant}/g/+", TO_GROUPS)
    return "\n".join(lines) + "\n"


def _lines(rule: str, base: str, leaves: Sequence[str]) -> list[str]:
    return [f"{rule} {base}/{leaf}" for leaf in leaves]
