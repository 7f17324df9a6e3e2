"""VfsStorage against the contract on both interpreters, and its errors."""

import os
import unittest

from wattledger.hal.errors import StorageError
from wattledger.hal.storage import vfs
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.tests.both.houses_contracts import StorageContract

try:
    from tempfile import mkdtemp
except ImportError:  # MicroPython's tests run in a folder of their own

    def mkdtemp():
        number = 0
        while True:
            try:
                name = "vfs%d" % number
                os.mkdir(name)
                return name
            except OSError:
                number += 1


EIO = 5


class TestVfsStorage(StorageContract, unittest.TestCase):
    def make(self):
        return VfsStorage(mkdtemp())


class TestFolder(unittest.TestCase):
    def setUp(self):
        self.folder = mkdtemp()
        self.storage = VfsStorage(self.folder)

    def write(self, name, data):
        with open(self.folder + "/" + name, "wb") as file:
            file.write(data)

    def test_appended_bytes_survive_a_new_start_without_sync(self):
        self.storage.append("j1", b"12")
        self.storage.append("j1", b"34")
        self.assertEqual(VfsStorage(self.folder).size("j1"), 4)

    def test_an_unfinished_commit_and_a_folder_are_no_files(self):
        self.write("slot.a.tmp", b"half a snap")
        os.mkdir(self.folder + "/lost-found")
        self.assertEqual(self.storage.names(), [])
        self.assertEqual(self.storage.size("slot.a"), 0)
        self.storage.commit("slot.a", b"whole")
        self.assertEqual(self.storage.names(), ["slot.a"])

    def test_a_commit_leaves_no_temporary_file(self):
        self.storage.commit("a", b"1")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a"])


class TestErrors(unittest.TestCase):
    def test_a_folder_that_is_not_there(self):
        storage = VfsStorage(mkdtemp() + "/gone")
        for write in (
            lambda: storage.commit("a", b"1"),
            lambda: storage.append("a", b"1"),
            lambda: storage.names(),
            lambda: storage.free(),
        ):
            with self.assertRaises(StorageError) as caught:
                write()
            self.assertEqual(caught.exception.errno, EIO)

    def test_a_folder_that_is_a_file(self):
        folder = mkdtemp()
        with open(folder + "/file", "wb") as file:
            file.write(b"1")
        storage = VfsStorage(folder + "/file")
        for call in (
            lambda: storage.read_from("a", 0, bytearray(1)),
            lambda: storage.size("a"),
            lambda: storage.remove("a"),
        ):
            with self.assertRaises(StorageError) as caught:
                call()
            self.assertEqual(caught.exception.errno, EIO)

    def test_a_full_littlefs_has_nothing_free(self):
        class Statvfs:
            def __init__(self, free):
                self.free = free

            def statvfs(self, folder):
                return (4096, 4096, 64, self.free, self.free, 0, 0, 0, 0, 255)

        kept = vfs.os
        try:
            # 67 blocks in use of 64: 2**32 less 3, as the port has it
            for free, wanted in ((4294967293, 0), (64, 262_144), (1, 4096), (0, 0)):
                vfs.os = Statvfs(free)
                self.assertEqual(VfsStorage("").free(), wanted)
        finally:
            vfs.os = kept

    def test_a_full_device_is_told_as_such(self):
        class Full(VfsStorage):
            def _path(self, name):
                return "/dev/full"

        with self.assertRaises(StorageError) as caught:
            Full("").append("a", b"1")
        self.assertEqual(caught.exception.errno, 28)


if __name__ == "__main__":
    unittest.main()
