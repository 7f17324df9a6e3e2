"""Topics of one meter: `wl/1/<tenant>/m/<meter>/<leaf>`."""

ROOT = "wl/1"
STATUS = "status"
HELLO = "hello"
STATE = "state"
JOURNAL = "journal"
ACK = "ack"
CMD = "cmd"

ONLINE = b"online"
OFFLINE = b"offline"


def topic(tenant, meter, leaf):
    """The full topic of one leaf."""
    return "%s/%s/m/%s/%s" % (ROOT, tenant, meter, leaf)
