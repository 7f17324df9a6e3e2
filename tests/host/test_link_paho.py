"""What the paho link has beyond the contract (tests/host/test_link_contract.py)."""

import threading
import time

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until


def test_waiting_ends_with_a_message():
    with running_broker("iotcore") as broker:
        link = PahoLink("127.0.0.1", broker.port, "meter")
        try:
            link.subscribe("down/cmd")
            assert until(link.is_up)
            link.wait(0)
            with Peer(broker.port) as peer:
                threading.Timer(0.1, peer.publish_bare, ("down/cmd", b"now")).start()
                began = time.monotonic()
                link.wait(5)
                assert time.monotonic() - began < 2
                assert link.receive() == ("down/cmd", b"now", False)
        finally:
            link.close(0.5)
