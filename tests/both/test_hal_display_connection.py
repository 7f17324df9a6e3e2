"""What a browser sends, cut down to lines that the page's framework can take; and short bodies."""

import asyncio
import unittest

from wattledger.hal.display.connection import LINGER_MAX, LINGER_S, Connection
from wattledger.hal.display.forms import BODY_MAX, FORM, JSON, digits_of, fields
from wattledger.hal.display.guard import Guard

RESET = 104


class Reader:
    """Bytes that arrive so many at a time; then the end."""

    def __init__(self, data, at_once=7):
        self._data = data
        self._most = at_once

    async def read(self, size):
        size = min(size, self._most)
        data, self._data = self._data[:size], self._data[size:]
        return data


class Endless:
    """A line without an end."""

    async def read(self, size):
        return b"a" * size


def head(data, at_once=7):
    """The lines microdot gets of `data`, the last one empty."""
    connection = Connection(Reader(data, at_once), None, lambda: 0)

    async def lines():
        found = [await connection.readline()]
        while found[-1]:
            found.append(await connection.readline())
        return found

    return asyncio.run(lines()), connection


class HeadTest(unittest.TestCase):
    def test_only_what_the_page_reads_is_handed_on(self):
        lines, connection = head(
            b"GET /view HTTP/1.1\r\nHost: meter.local\r\nUser-Agent: " + b"x" * 500 + b"\r\n"
            b"ACCEPT-LANGUAGE: zh-CN\r\nDNT: 1\r\n\r\n"
        )
        self.assertEqual(
            lines,
            [
                b"GET /view HTTP/1.1\r\n",
                b"Host: meter.local\r\n",
                b"ACCEPT-LANGUAGE: zh-CN\r\n",
                b"",
            ],
        )
        self.assertTrue(connection.asked)

    def test_any_pieces_give_the_same_lines(self):
        data = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: x=1; wattledger=abc123; y=2\r\n\r\n"
        expected = [b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"Cookie: wattledger=abc123\r\n", b""]
        for at_once in range(1, len(data) + 1):
            self.assertEqual(head(data, at_once)[0], expected)

    def test_our_cookie_is_found_anywhere_in_a_long_header_in_any_pieces(self):
        for before in (1000, 1010, 1020, 1030, 1100, 1300):
            line = b"Cookie: a=" + b"x" * before + b"; wattledger=abc123; b=2\r\n\r\n"
            for at_once in (1, 13, 256):
                lines = head(b"GET / HTTP/1.1\r\n" + line, at_once)[0]
                self.assertEqual(lines[1], b"Cookie: wattledger=abc123\r\n")

    def test_a_cookie_that_only_ends_in_our_name_is_another(self):
        lines = head(b"GET / HTTP/1.1\r\nCookie: notwattledger=abc\r\n\r\n")[0]
        self.assertEqual(lines[1:], [b""])

    def test_lines_that_are_no_request_are_none(self):
        for line in (
            b"\x16\x03\x01",
            b"hello",
            b"GET /",
            b"GET / FTP/1.1",
            b"GET /\xc3\xa9 HTTP/1.1",
            b"GET /" + b"x" * 2000 + b" HTTP/1.1",
            b"GET / a b HTTP/1.1",
        ):
            self.assertEqual(head(line + b"\r\n\r\n")[0], [b""])

    def test_a_query_of_strange_letters_is_left_out(self):
        for query, kept in (
            (b"?lang=zh", b"?lang=zh"),
            (b"?lang=%ff", b""),
            (b"?a=<b>", b""),
            (b"?", b""),
        ):
            lines = head(b"GET /" + query + b" HTTP/1.1\r\n\r\n")[0]
            self.assertEqual(lines[0], b"GET /" + kept + b" HTTP/1.1\r\n")

    def test_half_a_request_is_none(self):
        for data in (b"", b"GET / HT", b"POST /press HTTP/1.1\r\nHost: a\r\nOrigin: http://a"):
            with self.assertRaises(OSError) as caught:
                head(data)
            self.assertEqual(caught.exception.args[0], RESET)

    def test_endless_headers_end(self):
        lines = head(b"GET / HTTP/1.1\r\n" + b"Host: a\r\n" * 500, 256)[0]
        self.assertEqual(len(lines), 65)
        endless = Connection(Endless(), None, lambda: 0)
        with self.assertRaises(OSError):
            asyncio.run(endless.readline())

    def test_a_body_makes_a_request_whole(self):
        data = b"POST /token HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde"
        _, connection = head(data)
        self.assertFalse(connection.asked)
        self.assertEqual(asyncio.run(connection.readexactly(5)), b"abcde")
        self.assertTrue(connection.asked)
        _, connection = head(data[:-1])
        with self.assertRaises(OSError):
            asyncio.run(connection.readexactly(5))

    def test_a_length_that_is_no_number_ends_the_headers(self):
        for length in (b"many", b"-1", b"", b"1" * 20, b"1.5"):
            lines = head(b"GET / HTTP/1.1\r\nContent-Length: " + length + b"\r\nHost: a\r\n\r\n")
            self.assertEqual(lines[0], [b"GET / HTTP/1.1\r\n", b""])


class Sender:
    """A browser that sends `data` and then `more` bytes; notes what is done to it, in order."""

    def __init__(self, data, more=0):
        self._data = data
        self._more = more
        self.done = []

    async def read(self, size):
        data, self._data = self._data[:size], self._data[size:]
        if not data:
            data = b"x" * min(size, self._more)
            self._more -= len(data)
            self.done.append(len(data))
        return data

    def write(self, data):
        self.done.append("write")

    async def drain(self):
        self.done.append("drain")

    def close(self):
        self.done.append("close")

    async def wait_closed(self):
        pass


def answered(data, more, body=0):
    """(what is done to a browser that sends `data` and `more` bytes, its connection)."""
    sender = Sender(data, more)
    connection = Connection(sender, sender, lambda: 100)

    async def answer():
        while await connection.readline():
            pass
        if body:
            await connection.readexactly(body)
        await connection.awrite(b"HTTP/1.0 413 N/A")
        await connection.aclose()

    asyncio.run(answer())
    return sender.done, connection


class CloseTest(unittest.TestCase):
    def test_a_body_that_nobody_read_is_read_after_the_answer(self):
        head = b"POST /token HTTP/1.1\r\nContent-Length: 700\r\n\r\n"
        done, connection = answered(head + b"x" * 100, 600)
        # 700 announced; the head of 46 bytes is read by 256, so 100 of the body came with it.
        self.assertEqual(done, ["write", "drain", 256, 256, 88, "close"])
        self.assertEqual(connection.until, 100 + LINGER_S)
        # Its place is for who needs it at once: the second of patience is over.
        self.assertEqual((connection.asked, connection.began), (False, 99))

    def test_what_has_arrived_whole_closes_at_once(self):
        head = b"POST /token HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde"
        self.assertEqual(answered(head, 9, body=5)[0], ["write", "drain", "close"])
        self.assertEqual(answered(head, 9)[0], ["write", "drain", "close"])
        done, connection = answered(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 9)
        self.assertEqual(done, ["write", "drain", "close"])
        self.assertTrue(connection.asked)
        self.assertEqual(connection.until, 110)

    def test_a_browser_that_ends_or_sends_without_end_is_let_go(self):
        head = b"POST /token HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"
        self.assertEqual(answered(head, 9)[0], ["write", "drain", 9, 0, "close"])
        done = answered(head, 1000000)[0]
        self.assertEqual(sum(done[2:-1]), LINGER_MAX)

    def test_the_rest_of_a_head_that_was_given_up_is_read_too(self):
        for head in (
            b"\x16\x03\x01\n",
            b"GET / HTTP/1.1\r\nno colon\r\n",
            b"GET / HTTP/1.1\r\n" + b"Host: a\r\n" * 64,
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ):
            done, connection = answered(head, 300)
            self.assertEqual(done[-5:], ["drain", 256, 44, 0, "close"])
            self.assertFalse(connection.asked)

    def test_a_stream_has_no_browser_left_to_hear(self):
        sender = Sender(b"GET /events HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 9)
        connection = Connection(sender, sender, lambda: 100)

        async def stream():
            while await connection.readline():
                pass
            connection.keep_open()
            await connection.aclose()

        asyncio.run(stream())
        self.assertEqual(sender.done, ["close"])


class FormsTest(unittest.TestCase):
    def of(self, kind, body):
        return fields({"Content-Type": kind}, body)

    def test_json_objects_give_their_texts(self):
        self.assertEqual(self.of(JSON, b'{"pin": "123456", "n": 7}'), {"pin": "123456"})
        self.assertEqual(self.of(JSON + "; charset=utf-8", b"{}"), {})

    def test_forms_are_percent_decoded(self):
        self.assertEqual(
            self.of(FORM, b"token=1234+5678%2D9&at=7&e=%E7%94%B5"),
            {"token": "1234 5678-9", "at": "7", "e": "\u7535"},
        )

    def test_what_is_neither_is_none(self):
        for kind, body in (
            (JSON, b"[1]"),
            (JSON, b"{"),
            (JSON, b"\xff"),
            (FORM, b"a=%"),
            (FORM, b"a=%4"),
            (FORM, b"a=%zz"),
            (FORM, b"a=%ff"),
            ("text/plain", b"a=1"),
            ("", b"a=1"),
        ):
            self.assertIsNone(self.of(kind, body))

    def test_digits_of_what_people_type(self):
        self.assertEqual(digits_of("1234 5678-9\u00a00"), "1234567890")
        for text in ("", " ", "12a", "12.5", "\u0661\u0662"):
            self.assertIsNone(digits_of(text))

    def test_a_body_has_room_for_the_longest_form(self):
        # Two PINs of 12 digits, or a token with a separator behind each digit as %C2%A0.
        self.assertLess(len("token=" + "1%C2%A0" * 20), BODY_MAX)


class GuardTest(unittest.TestCase):
    def test_a_form_needs_no_header_of_ours_but_its_own_origin(self):
        guard = Guard(["meter.local"])
        own = {"Host": "meter.local", "Content-Type": FORM, "Origin": "http://meter.local"}
        self.assertIsNone(guard.refusal("POST", own))
        for origin in ("null", "", "http://evil.example", "http://meter.local:81"):
            self.assertIsNotNone(guard.refusal("POST", dict(own, Origin=origin)))
        self.assertIsNotNone(guard.refusal("POST", dict(own, Host="evil.example")))
        self.assertIsNotNone(guard.refusal("POST", dict(own, **{"Content-Type": "text/plain"})))


if __name__ == "__main__":
    unittest.main()
