"""The promises of hal/contract.py as tests, for every implementation. Portable."""


class StorageContract:
    """Mixed into a TestCase that has make(), which gives an empty storage."""

    def content(self, storage, name):
        buffer = bytearray(storage.size(name) + 10)
        return bytes(buffer[: storage.read_from(name, 0, buffer)])

    def test_commit_replaces(self):
        storage = self.make()
        storage.commit("a", b"first, and longer")
        storage.commit("a", b"second")
        self.assertEqual(self.content(storage, "a"), b"second")
        self.assertEqual(storage.size("a"), 6)
        storage.commit("a", bytearray(b"third"))
        self.assertEqual(self.content(storage, "a"), b"third")

    def test_committed_bytes_are_a_copy(self):
        storage = self.make()
        data = bytearray(b"abc")
        storage.commit("a", data)
        data[0] = 0
        self.assertEqual(self.content(storage, "a"), b"abc")

    def test_append_and_sync(self):
        storage = self.make()
        storage.append("new", b"12")
        storage.append("new", b"3")
        storage.sync("new")
        self.assertEqual(self.content(storage, "new"), b"123")
        storage.commit("old", b"x")
        storage.append("old", memoryview(b"yz"))
        storage.sync("old")
        storage.sync("old")
        self.assertEqual(self.content(storage, "old"), b"xyz")

    def test_commit_after_append_leaves_nothing_of_it(self):
        storage = self.make()
        storage.append("a", b"old")
        storage.commit("a", b"new")
        storage.sync("a")
        self.assertEqual(self.content(storage, "a"), b"new")

    def test_read_from_an_offset(self):
        storage = self.make()
        storage.commit("a", b"0123456789")
        buffer = bytearray(b"....")
        self.assertEqual(storage.read_from("a", 3, buffer), 4)
        self.assertEqual(bytes(buffer), b"3456")
        self.assertEqual(storage.read_from("a", 8, buffer), 2)
        self.assertEqual(bytes(buffer), b"8956")  # the rest is left as it was
        self.assertEqual(len(buffer), 4)

    def test_read_at_and_past_the_end(self):
        storage = self.make()
        storage.commit("a", b"0123")
        buffer = bytearray(b"..")
        for offset in (4, 5, 1000):
            self.assertEqual(storage.read_from("a", offset, buffer), 0)
        self.assertEqual(storage.read_from("absent", 0, buffer), 0)
        self.assertEqual(storage.read_from("a", 0, bytearray(0)), 0)
        self.assertEqual(bytes(buffer), b"..")

    def test_absent_files(self):
        storage = self.make()
        self.assertEqual(storage.size("absent"), 0)
        storage.remove("absent")
        self.assertEqual(storage.names(), [])

    def test_remove(self):
        storage = self.make()
        storage.commit("a", b"1")
        storage.remove("a")
        self.assertEqual((storage.size("a"), storage.names()), (0, []))
        self.assertEqual(self.content(storage, "a"), b"")

    def test_names_are_sorted_and_empty_means_absent(self):
        storage = self.make()
        for name in ("slot.b", "j0000000010", "j0000000009", "tariff.active", "slot.a"):
            storage.commit(name, b"x")
        storage.commit("empty", b"")
        self.assertEqual(
            storage.names(), ["j0000000009", "j0000000010", "slot.a", "slot.b", "tariff.active"]
        )

    def test_free_is_a_number_of_bytes(self):
        self.assertGreater(self.make().free(), 0)

    def test_sync_of_an_absent_file_is_a_storage_error_or_nothing(self):
        try:
            self.make().sync("absent")
        except OSError:
            pass
