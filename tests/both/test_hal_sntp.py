"""SNTP packets against the RFC's layout, and the client against a socket that obeys the test."""

import unittest

from wattledger.hal.network.sntp import SntpClient, SntpError, answer, request

NUMBER = b"\x11\x22\x33\x44\x55\x66\x77\x88"
# 2026-11-28 12:00:00 UTC is 1 795 867 200 + 2 208 988 800 = 4 004 856 000 = 0xEEB540C0 since 1900.
NOON = 1_795_867_200
SENT = b"\xee\xb5\x40\xc0\x80\x00\x00\x00"


def packet(first=0x24, stratum=2, number=NUMBER, sent=SENT, name=b"GPS\x00"):
    return bytes((first, stratum, 6, 0xEC)) + bytes(8) + name + bytes(8) + number + bytes(8) + sent


class TestPackets(unittest.TestCase):
    def test_a_query(self):
        query = request(NUMBER)
        self.assertEqual(bytes(query), b"\x23" + bytes(39) + NUMBER)

    def test_an_answer(self):
        self.assertEqual(answer(packet(), NUMBER), NOON * 1000 + 500)

    def test_an_answer_after_2036_is_of_the_next_era(self):
        # 2036-02-07 06:28:16 UTC is 2 085 978 496, second 0 of era 1; one more is 1.
        sent = b"\x00\x00\x00\x01\x00\x00\x00\x00"
        self.assertEqual(answer(packet(sent=sent), NUMBER), 2_085_978_497_000)
        sent = b"\xff\xff\xff\xff\x00\x00\x00\x00"
        self.assertEqual(answer(packet(sent=sent), NUMBER), 2_085_978_495_000)

    def test_what_is_no_answer_is_refused(self):
        for bad, denied in (
            (packet()[:47], False),
            (b"", False),
            (packet(number=b"\x11\x22\x33\x44\x55\x66\x77\x89"), False),
            (packet(number=bytes(8)), False),
            (packet(first=0x23), False),  # a client's
            (packet(first=0x25), False),  # a broadcast
            (packet(first=0xE4), False),  # leap indicator 3
            (packet(stratum=16), False),
            (packet(sent=bytes(8)), False),
            (packet(stratum=0, name=b"RATE"), True),
            # A kiss of death that does not know our number is nobody's.
            (packet(stratum=0, name=b"DENY", number=bytes(8)), False),
        ):
            with self.assertRaises(SntpError) as raised:
                answer(bad, NUMBER)
            self.assertEqual(raised.exception.denied, denied)


class Entropy:
    def fill(self, buffer):
        buffer[:] = NUMBER


class Network:
    """A socket module and its one socket. `answers` are what recv gives, in turn."""

    AF_INET = 2
    SOCK_DGRAM = 2

    def __init__(self):
        self.sent = []
        self.answers = []
        self.closed = 0
        self.down = False

    def socket(self, family, kind):
        if self.down:
            raise OSError(101)
        return self

    def setblocking(self, blocks):
        assert not blocks

    def connect(self, address):
        self.address = address

    def send(self, data):
        self.sent.append(bytes(data))

    def recv(self, size):
        if not self.answers:
            raise OSError(11)
        return self.answers.pop(0)

    def close(self):
        self.closed += 1


class TestClient(unittest.TestCase):
    def setUp(self):
        self.network = Network()
        self.client = SntpClient(self.network, Entropy(), ("server", 123))

    def test_a_fix_is_told_once_and_asked_for_again_after_an_hour(self):
        self.assertEqual(self.client.poll(0), None)
        self.assertEqual(self.client.poll(20), None)
        self.network.answers.append(packet())
        # Half of the 40 ms it took is taken for the way back.
        self.assertEqual(self.client.poll(40), NOON * 1000 + 520)
        self.assertEqual(self.client.poll(3_600_039), None)
        self.assertEqual(len(self.network.sent), 1)
        self.client.poll(3_600_040)
        self.assertEqual(len(self.network.sent), 2)

    def test_silence_is_asked_again_ever_less_often(self):
        asked = []
        for now in range(0, 4_000_000, 1_000):
            before = len(self.network.sent)
            self.client.poll(now)
            if len(self.network.sent) > before:
                asked.append(now // 1000)
        # 3 s for the answer, then 16, 32, 64 ... 1024 s.
        self.assertEqual(asked, [0, 19, 54, 121, 252, 511, 1026, 2053, 3080])
        self.assertEqual(self.network.closed, len(asked))

    def test_a_false_answer_does_not_keep_the_true_one_out(self):
        self.client.poll(0)
        self.network.answers += [packet(number=bytes(8)), packet(first=0xE4), packet()]
        self.assertEqual(self.client.poll(0), None)
        self.assertEqual(self.client.poll(0), None)
        self.assertEqual(self.client.poll(0), NOON * 1000 + 500)
        self.assertEqual(self.client.refused, 2)

    def test_a_kiss_of_death_is_obeyed(self):
        self.client.poll(0)
        self.network.answers.append(packet(stratum=0, name=b"RATE"))
        self.client.poll(10)
        self.client.poll(1_024_009)
        self.assertEqual(len(self.network.sent), 1)
        self.assertTrue("RATE" in self.client.last_error)
        self.client.poll(1_024_010)
        self.assertEqual(len(self.network.sent), 2)

    def test_a_late_answer_is_not_taken(self):
        self.client.poll(0)
        self.network.answers.append(packet())
        self.assertEqual(self.client.poll(3_000), None)
        self.assertEqual(self.network.closed, 1)

    def test_a_network_that_is_down_is_tried_later(self):
        self.network.down = True
        self.assertEqual(self.client.poll(0), None)
        self.network.down = False
        self.client.poll(15_999)
        self.assertEqual(len(self.network.sent), 0)
        self.client.poll(16_000)
        self.assertEqual(len(self.network.sent), 1)


if __name__ == "__main__":
    unittest.main()
