"""Topics of one meter, `wl/1/<tenant>/m/<meter>/<leaf>`, and of a group of them."""

ROOT = "wl/1"
STATUS = "status"
HELLO = "hello"
STATE = "state"
JOURNAL = "journal"
ACK = "ack"
CMD = "cmd"
WANT = "want"
TARIFF = "tariff"
PRICE = "price"
RECONNECT = "home/reconnect"  # from the home, not signed
FETCH = "fetch"
PART = "part"

ONLINE = b"online"
OFFLINE = b"offline"


def topic(tenant, meter, leaf):
    """The full topic of one leaf."""
    return "%s/%s/m/%s/%s" % (ROOT, tenant, meter, leaf)


def group_topic(tenant, group, leaf):
    """The topic of a document for every meter of a group."""
    return "%s/%s/g/%s/%s" % (ROOT, tenant, group, leaf)
