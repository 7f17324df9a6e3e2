"""The SNTP client against real UDP servers on the loopback, honest and not."""

import socket
import threading
import time

import pytest

from wattledger.hal.entropy_linux import OsEntropy
from wattledger.hal.network.sntp import ERA_0, SntpClient

NOON = 1_795_867_200


def reply(query, first=0x24, stratum=1, number=None):
    sent = (NOON + ERA_0).to_bytes(4, "big") + bytes(4)
    number = query[40:48] if number is None else number
    return bytes((first, stratum)) + bytes(22) + number + bytes(8) + sent


@pytest.fixture
def server():
    """Starts a server that sends what `replies(query)` lists: (from another port, data)."""
    sockets = []

    def start(replies):
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sockets.extend((listening, other))
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        other.bind(("127.0.0.1", 0))

        def serve():
            try:
                query, source = listening.recvfrom(100)
            except OSError:
                return
            for foreign, data in replies(query):
                (other if foreign else listening).sendto(data, source)

        threading.Thread(target=serve, daemon=True).start()
        return SntpClient(socket, OsEntropy(), listening.getsockname())

    yield start
    for each in sockets:
        each.close()


def polled(client, seconds=0.5, until=lambda client: False):
    """The first fix within a time, each poll at once."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        before = time.monotonic()
        fix = client.poll(int((before - start) * 1000))
        assert time.monotonic() - before < 0.1, "it waited"
        if fix is not None:
            return fix
        if until(client):
            return None
        time.sleep(0.002)
    return None


def test_an_honest_server_gives_the_time(server):
    fix = polled(server(lambda query: [(False, reply(query))]), 5)
    assert 0 <= fix - NOON * 1000 < 2_500


def test_a_wrong_originate_is_refused_and_the_true_answer_taken(server):
    client = server(lambda query: [(False, reply(query, number=bytes(8))), (False, reply(query))])
    assert polled(client, 5) is not None
    assert client.refused == 1


def test_another_source_is_not_heard(server):
    client = server(lambda query: [(True, reply(query))])
    assert polled(client, 0.3) is None
    assert client.refused == 0


def test_a_kiss_of_death_gives_no_time(server):
    client = server(lambda query: [(False, reply(query, stratum=0))])
    assert polled(client, 5, lambda client: client.refused) is None
    assert "kiss" in client.last_error


def test_nobody_listening_gives_no_time():
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    address = free.getsockname()
    free.close()
    client = SntpClient(socket, OsEntropy(), address)
    assert polled(client, 0.1) is None
    client.poll(4_000)
    assert client.last_error.startswith("no answer")
