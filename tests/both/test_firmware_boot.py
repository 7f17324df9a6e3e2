"""The boot of an ESP32: its application, the site and its copy, and the time by name."""

import binascii
import hashlib
import json
import os
import unittest

from wattledger.firmware import boot
from wattledger.firmware.errors import BrokerError, SiteError
from wattledger.firmware.site_esp32 import Site
from wattledger.firmware.slot_files import SlotFiles, Wholeness
from wattledger.firmware.task import Task
from wattledger.hal.network.sntp_named import LASTS_MS, NamedSntp
from wattledger.host_sim import esp32
from wattledger.host_sim.clock import VirtualClock

FOLDER = "boot-test"


def write(path, data):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)
    with open(path, "wb") as file:
        file.write(data)


def wipe(folder):
    for name in os.listdir(folder):
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000:
            wipe(path)
        else:
            os.remove(path)
    os.rmdir(folder)


class FolderTest(unittest.TestCase):
    def setUp(self):
        self.tearDown()
        write(FOLDER + "/x", b"")
        esp32.detach_all()

    def tearDown(self):
        try:
            os.stat(FOLDER)
        except OSError:
            return
        wipe(FOLDER)


def hexlify(data):
    return binascii.hexlify(data).decode()


class Room:
    __path__ = "core"


class TestApplication(FolderTest):
    def test_a_slot_without_a_signature_is_whole_when_its_files_are_those_listed(self):
        # as `wattledger flash` lays it where nobody signed
        row = {"path": "app.rom", "size": 5, "sha256": hexlify(hashlib.sha256(b"12345").digest())}
        listing = json.dumps({"files": [row], "unsigned": True}).encode()
        write(FOLDER + "/app/a/manifest", listing)
        write(FOLDER + "/app/a/app.rom", b"12345")
        whole = Wholeness(SlotFiles(FOLDER + "/app"))
        digest = hashlib.sha256(listing).digest()
        self.assertTrue(whole("a", digest))
        self.assertFalse(whole("b", digest))
        for data in (b"12346", b"1234", b"123456"):
            write(FOLDER + "/app/a/app.rom", data)
            self.assertFalse(whole("a", digest))
        for text in (b"{", b'{"files": [{}]}', b'{"files": 3}', b"no JSON, no JWS"):
            write(FOLDER + "/app/a/manifest", text)
            self.assertFalse(whole("a", hashlib.sha256(text).digest()))
        self.assertEqual(set(whole.damaged), set("ab"))

    def test_the_rooms_of_the_application_are_in_its_slot(self):
        found = boot.Found()
        found.folder, found.slot = "/", "b"
        modules = {}
        self.assertTrue(boot.enter(found, modules, lambda name: modules.setdefault(name, Room())))
        self.assertEqual(modules["wattledger.hal.network"].__path__, "/app/b/hal/network")
        self.assertEqual(len(modules), 5)

    def test_without_a_slot_nothing_is_loaded_or_moved(self):
        self.assertFalse(boot.enter(boot.Found(), {}, None))

    def test_a_port_that_raises_does_not_stop_the_boot(self):
        found = boot.start(None, None, None, FOLDER, boot.Found())
        self.assertIsNone(found.folder)
        self.assertTrue(found.fault)


class TestSite(FolderTest):
    def setUp(self):
        super().setUp()
        self.lines = []

    def site(self, folder=FOLDER):
        found = boot.Found()
        found.folder = folder
        return Site(found, esp32, self.lines.append)

    def test_its_copy_is_read_where_there_is_no_file_system(self):
        # one of each size that a copy is read by
        files = {"device.json": b"{}", "ca.der": b"c" * 500, "public_keys.json": b"p" * 3000}
        for name, data in files.items():
            write(FOLDER + "/site/" + name, data)
        self.site().copy()
        esp32.power_up()
        for name, data in files.items():
            self.assertEqual(self.site(None).content(name), data)
        self.assertIsNone(self.site(None).content("tariff.json"))
        with self.assertRaises(OSError):
            self.site(None).read("gate.key")

    def test_a_copy_is_written_once_and_follows_its_file(self):
        write(FOLDER + "/site/device.json", b"one")
        self.site().copy()
        count = len(esp32._chip.kept)
        writes = []
        site = self.site()
        site._nvs.set_blob = lambda key, value: writes.append(key)
        site.copy()
        self.assertEqual((count, writes), (1, []))
        write(FOLDER + "/site/device.json", b"two")
        self.site().copy()
        self.assertEqual(self.site(None).content("device.json"), b"two")

    def refused_once(self, then=None):
        """(site, what kept() makes of a key whose file is wrong, its copy right)."""
        write(FOLDER + "/site/device.key", b"ab" * 32)
        self.site().copy()
        write(FOLDER + "/site/device.key", b"ab" * 31)
        site = self.site()

        def judge(read):
            data = read("device.key")
            if len(data) != 64:
                if then is not None:
                    then()
                raise BrokerError("device.key: short")
            return data

        return site, site.kept(("device.key",), judge)

    def test_a_file_that_is_refused_is_written_anew_from_its_copy(self):
        site, found = self.refused_once()
        self.assertEqual(found, b"ab" * 32)
        self.assertEqual(self.lines, ["device.key: short; it is written anew from its copy"])
        self.assertEqual(site.content("device.key"), found)

    def test_the_copy_of_one_that_cannot_be_written_is_kept(self):
        site, found = self.refused_once(lambda: wipe(FOLDER + "/site"))
        write(FOLDER + "/site/device.key", b"ab" * 31)  # what a failing flash still shows
        site.copy()
        self.assertEqual(self.site(None).content("device.key"), found)

    def test_what_is_refused_of_the_file_is_said_where_the_copy_is_no_better(self):
        def judge(read):
            raise BrokerError("%d bytes" % len(read("device.key")))

        write(FOLDER + "/site/device.key", b"ab" * 31)
        with self.assertRaises(BrokerError) as caught:  # it has no copy
            self.site().kept(("device.key",), judge)
        self.assertEqual((str(caught.exception), self.lines), ("62 bytes", []))
        self.site().copy()
        write(FOLDER + "/site/device.key", b"ab")
        with self.assertRaises(BrokerError) as caught:
            self.site().kept(("device.key",), judge)
        self.assertEqual((str(caught.exception), self.lines), ("2 bytes", []))

    def test_an_nvs_that_takes_nothing_is_said_and_no_more(self):
        write(FOLDER + "/site/device.key", b"ab" * 32)
        site = self.site()

        def full(key, value):
            raise OSError(-0x1105)

        site._nvs.set_blob = full
        site.copy()
        self.assertEqual(self.lines, ["device.key: the NVS takes no copy: -4357"])

    def test_an_nvs_that_cannot_be_opened_has_nothing_and_takes_nothing(self):
        def closed(space):
            raise OSError(-0x1101)

        class Port:
            def __init__(self, nvs):
                self.NVS = nvs

        write(FOLDER + "/site/device.key", b"ab" * 32)
        found = boot.Found()
        found.folder = FOLDER
        site = Site(found, Port(closed), self.lines.append)
        site.copy()
        self.assertEqual(site.content("device.key"), b"ab" * 32)
        self.assertIsNone(site.copied("device.key"))
        self.assertEqual(len(self.lines), 1)

    def test_it_is_restored_into_an_empty_file_system(self):
        write(FOLDER + "/site/device.json", b"{}")
        self.site().copy()
        wipe(FOLDER + "/site")
        self.site().restore()
        with open(FOLDER + "/site/device.json", "rb") as file:
            self.assertEqual(file.read(), b"{}")

    def test_what_cannot_be_used_is_named(self):
        write(FOLDER + "/site/device.key", b"ab" * 31)
        with self.assertRaises(SiteError):
            self.site().secret("device.key")
        write(FOLDER + "/site/device.key", b"ab" * 32 + b"\n")
        self.assertEqual(self.site().secret("device.key"), b"\xab" * 32)
        self.assertEqual(self.site().secret("gate.key"), b"")
        for text in (b"{", b"[]", b'{"ssid":1,"broker":"b"}', b'{"ssid":"s"}'):
            write(FOLDER + "/site/network.json", text)
            with self.assertRaises(SiteError):
                self.site().network()
        write(FOLDER + "/site/public_keys.json", b'{"tariff.1":"abcd"}')
        with self.assertRaises(SiteError):
            self.site().points()


class TestTask(unittest.TestCase):
    def test_it_is_late_once_its_deadline_is_over(self):
        clock = VirtualClock(0, (1 << 30) - 500)
        task = Task("name", None, clock, 1000)
        clock.advance(999)
        self.assertFalse(task.is_late())
        clock.advance(1)
        self.assertTrue(task.is_late())
        task.report()
        self.assertFalse(task.is_late())


class Names:
    """A Resolver that answers when it is told to."""

    def __init__(self):
        self.asked = []
        self.found = None
        self.error = None

    def ask(self, host, port):
        self.asked.append((host, port))

    def answer(self):
        if self.error is not None:
            raise self.error
        return self.found


class Silence:
    AF_INET = SOCK_DGRAM = 0

    def socket(self, family, kind):
        raise OSError(113)


class TestNamedSntp(unittest.TestCase):
    def setUp(self):
        self.names = Names()
        self.sntp = NamedSntp(Silence(), None, "time.example", self.names)

    def test_the_name_is_asked_for_once_until_it_is_known(self):
        for at in range(0, 10_000, 1000):
            self.assertIsNone(self.sntp.poll(at))
        self.assertEqual(self.names.asked, [("time.example", 123)])

    def test_nothing_is_asked_before_there_is_a_network_and_at_once_then(self):
        there = []
        self.sntp.ready = lambda: bool(there)
        for at in range(0, 600_000, 1000):
            self.assertIsNone(self.sntp.poll(at))
        self.assertEqual(self.names.asked, [])
        there.append(True)
        self.sntp.poll(600_000)
        self.assertEqual(len(self.names.asked), 1)

    def test_a_name_that_fails_is_asked_for_again_after_a_pause(self):
        self.names.error = OSError("no such name")
        for at in range(0, 60_000, 1000):
            self.sntp.poll(at)
        # at 0, 16, 32 and 48 s
        self.assertEqual(len(self.names.asked), 4)
        self.assertIn("no such name", self.sntp.last_error)

    def test_a_server_that_stays_silent_is_looked_up_anew(self):
        self.names.found = [(2, ("192.0.2.1", 123))]

        class Entropy:
            def fill(self, buffer):
                pass

        self.sntp._entropy = Entropy()
        for at in range(0, LASTS_MS + 120_000, 60_000):
            self.sntp.poll(at)
        self.assertEqual(len(self.names.asked), 2)


if __name__ == "__main__":
    unittest.main()
