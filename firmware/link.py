"""The link of a meter without an operating system, from its provisioned files. Portable.

ca.der          the authority the broker's certificate must be of
client.der      the meter's certificate
client.key.der  its key, SEC 1
"""

from wattledger.agent.comms import topics
from wattledger.firmware.errors import BrokerError
from wattledger.hal.errors import HalError
from wattledger.hal.network import tls
from wattledger.hal.network.certificate import dates
from wattledger.hal.network.mqtt.client import MqttLink

AUTHORITY, CERTIFICATE, KEY = "ca.der", "client.der", "client.key.der"
# Messages that are on their way and that wait: the heap of an ESP32 holds no more.
SEND_LIMIT = 8
RECEIVE_LIMIT = 4


def build(config, host, port, clock, read, ssl, **options):
    """(link, last unix second of its certificate) by TLS to `host`:`port`.

    `clock` is the link clock, `read(name)` gives a file's bytes, `ssl` is the port's module;
    `options` are of MqttLink. BrokerError names the file that cannot be used.
    """
    try:
        name = CERTIFICATE
        certificate = read(name)
        ends = dates(certificate)[1]
        name = KEY
        key = read(name)
        name = AUTHORITY
        authority = read(name)
        dates(authority)
        name = "%s, %s, %s" % (AUTHORITY, CERTIFICATE, KEY)
        made = tls.context(ssl, authority, certificate, key)
    except (OSError, HalError) as error:
        raise BrokerError("%s: %s; provision the meter again" % (name, error)) from None
    options.setdefault("send_limit", SEND_LIMIT)
    options.setdefault("receive_limit", RECEIVE_LIMIT)
    link = MqttLink(
        host,
        port,
        config.meter,
        will_topic=topics.topic(config.tenant, config.meter, topics.STATUS),
        will_payload=topics.OFFLINE,
        tls=made,
        clock=clock,
        **options,
    )
    return link, ends
