"""Storage whose power goes within a write: what has arrived by then, and what has not."""

import unittest

from wattledger.hal.storage.bridge import BridgeStorage
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_contracts import StorageContract


class LostError(Exception):
    """The power of this test's meter."""


class Port:
    """Takes `arrives` bytes of the write that is the `number`th; 0 watches none."""

    def __init__(self, number=0, arrives=0):
        self.watches_writes = number > 0
        self._number = number
        self._arrives = arrives
        self.lengths = []

    def writing(self, length):
        self.lengths.append(length)
        return self._arrives if len(self.lengths) == self._number else -1

    def lose_power(self):
        raise LostError


class TestUnwatched(StorageContract, unittest.TestCase):
    def make(self):
        return BridgeStorage(Port(), MemoryStorage())


class TestWatched(StorageContract, unittest.TestCase):
    def make(self):
        return BridgeStorage(Port(1000), MemoryStorage())


def stored(number, arrives):
    """Files after a commit, an append with its sync, and a removal, of which one was cut."""
    inner = MemoryStorage()
    inner.files = {"slot": bytearray(b"old"), "j": bytearray(b"12"), "gone": bytearray(b"x")}
    storage = BridgeStorage(Port(number, arrives), inner)
    try:
        storage.commit("slot", b"newer")
        storage.append("j", b"345")
        storage.sync("j")
        storage.remove("gone")
        ended = False
    except LostError:
        ended = True
    inner.power_cut()
    files = {name: bytes(data) for name, data in inner.files.items()}
    return ended, files.get("slot"), files.get("j"), files.get("gone")


class TestCut(unittest.TestCase):
    def test_no_cut(self):
        self.assertEqual(stored(9, 0), (False, b"newer", b"12345", None))

    def test_a_commit_is_whole_or_not_there(self):
        self.assertEqual(stored(1, 0), (True, b"old", b"12", b"x"))
        self.assertEqual(stored(1, 4), (True, b"old", b"12", b"x"))
        self.assertEqual(stored(1, 5), (True, b"newer", b"12", b"x"))

    def test_an_append_may_be_torn_anywhere(self):
        self.assertEqual(stored(2, 0), (True, b"newer", b"12", b"x"))
        self.assertEqual(stored(2, 2), (True, b"newer", b"1234", b"x"))
        self.assertEqual(stored(2, 3), (True, b"newer", b"12345", b"x"))

    def test_a_removal_is_done_or_not(self):
        self.assertEqual(stored(3, 0), (True, b"newer", b"12345", b"x"))
        self.assertEqual(stored(3, 1), (True, b"newer", b"12345", None))

    def test_the_port_hears_the_length_of_each_write(self):
        port = Port(9)
        storage = BridgeStorage(port, MemoryStorage())
        storage.commit("a", b"12345")
        storage.append("b", b"1")
        storage.sync("b")
        storage.remove("a")
        self.assertEqual(port.lengths, [5, 1, 1])
