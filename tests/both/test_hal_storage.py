"""Storage in memory against the contract; the same promises on POSIX are in tests/host."""

import unittest

from wattledger.hal.errors import StorageError
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_contracts import StorageContract


class TestMemoryStorage(StorageContract, unittest.TestCase):
    def make(self):
        return MemoryStorage()


class TestPower(unittest.TestCase):
    def test_a_cut_keeps_what_was_synced_and_nothing_else(self):
        storage = MemoryStorage()
        storage.commit("a", b"12")
        storage.append("a", b"34")
        storage.sync("a")
        storage.append("a", b"56")
        storage.append("b", b"7")
        storage.power_cut()
        storage.sync("a")
        buffer = bytearray(9)
        self.assertEqual(storage.read_from("a", 0, buffer), 4)
        self.assertEqual(bytes(buffer[:4]), b"1234")
        self.assertEqual(storage.names(), ["a"])

    def test_every_write_fails_until_it_is_mended(self):
        storage = MemoryStorage()
        storage.commit("a", b"1")
        storage.append("a", b"2")
        storage.fail = 30
        for write in (
            lambda: storage.commit("a", b"9"),
            lambda: storage.append("a", b"9"),
            lambda: storage.sync("a"),
            lambda: storage.remove("a"),
        ):
            with self.assertRaises(StorageError) as caught:
                write()
            self.assertEqual(caught.exception.errno, 30)
        storage.fail = None
        self.assertEqual(storage.size("a"), 1)
        storage.sync("a")
        self.assertEqual(storage.size("a"), 2)
