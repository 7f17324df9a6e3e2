"""A ROMFS in a file, written by hand: magic, length, then records of kind, length, payload."""

import os
import unittest

from wattledger.hal.storage.archive import Archive

# a.txt (5 letters) holds "hi"; folder "d" (1 letter) holds file "x" (1 letter) of 200 bytes.
# A file: 05 length | name length, name | 02 length, data. A folder: 04 length | name | entries.
# x: 02 81 48 (200 = 1 * 128 + 72) and 200 bytes = 203; with its name 205 = 81 4D; record 208.
# d: name 2 + 208 = 210 = 81 52; record 213. a.txt: 6 + 4 = 10 bytes, record 12.
LONG = bytes(range(200))
ENTRY_X = b"\x05\x81\x4d\x01x\x02\x81\x48" + LONG
FOLDER_D = b"\x04\x81\x52\x01d" + ENTRY_X
ENTRY_A = b"\x05\x0a\x05a.txt\x02\x02hi"
PADDING = b"\x01\x03\0\0\0"
# 12 + 5 + 213 = 230 = 81 66
IMAGE = b"\xd2\xcd\x31\x81\x66" + ENTRY_A + PADDING + FOLDER_D
NAME = "archive.rom"


class TestArchive(unittest.TestCase):
    def setUp(self):
        with open(NAME, "wb") as file:
            file.write(IMAGE)
        self.archive = Archive(NAME)

    def tearDown(self):
        self.archive.umount()
        os.remove(NAME)

    def test_a_file_gives_its_bytes_and_no_others(self):
        with self.archive.open("/a.txt", "rb") as file:
            self.assertEqual(file.read(), b"hi")
            self.assertEqual(file.read(), b"")

    def test_a_file_in_a_folder_is_read_in_pieces(self):
        file = self.archive.open("d/x", "rb")
        piece = bytearray(150)
        self.assertEqual(file.readinto(piece), 150)
        self.assertEqual(bytes(piece), LONG[:150])
        self.assertEqual(file.readinto(piece), 50)
        self.assertEqual(bytes(piece[:50]), LONG[150:])
        self.assertEqual(file.readinto(piece), 0)

    def test_lines_are_those_of_the_file_across_pieces(self):
        # bytes 0 to 199 hold one line feed, at 10
        lines = list(self.archive.open("d/x", "rb"))
        self.assertEqual(lines, [LONG[:11], LONG[11:]])

    def test_two_files_are_read_at_the_same_time(self):
        one, two = self.archive.open("d/x", "rb"), self.archive.open("a.txt", "rb")
        self.assertEqual((one.read(2), two.read(1)), (b"\0\1", b"h"))
        self.assertEqual((one.read(2), two.read(1)), (b"\2\3", b"i"))

    def test_folders_are_listed_and_told_from_files(self):
        names = [(entry[0], entry[1], entry[3]) for entry in self.archive.ilistdir("")]
        self.assertEqual(names, [("a.txt", 0x8000, 2), ("d", 0x4000, 0)])
        self.assertEqual(self.archive.stat("/d")[0], 0x4000)
        found = self.archive.stat("d/x")
        self.assertEqual((found[0], found[6]), (0x8000, 200))

    def test_what_is_not_there_or_was_to_be_written_is_an_oserror(self):
        for call in (
            lambda: self.archive.open("b.txt", "rb"),
            lambda: self.archive.open("a.txt/x", "rb"),
            lambda: self.archive.open("d", "rb"),
            lambda: self.archive.open("a.txt", "wb"),
            lambda: self.archive.stat("d/y"),
        ):
            self.assertRaises(OSError, call)

    def test_a_file_that_is_no_image_is_refused(self):
        with open("other.rom", "wb") as file:
            file.write(b"wrong" + IMAGE)
        try:
            self.assertRaises(OSError, Archive, "other.rom")
        finally:
            os.remove("other.rom")

    def test_an_image_that_ends_too_early_is_an_oserror(self):
        with open("short.rom", "wb") as file:
            file.write(IMAGE[:20])
        archive = Archive("short.rom")
        try:
            self.assertRaises(OSError, archive.stat, "d/x")
        finally:
            archive.umount()
            os.remove("short.rom")


if __name__ == "__main__":
    unittest.main()
