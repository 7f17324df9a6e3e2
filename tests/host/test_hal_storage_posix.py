"""PosixStorage against the contract, and its errors on file systems that refuse."""

import errno
import os
import unittest

import pytest

from wattledger.hal.errors import StorageError
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.both.houses_contracts import StorageContract


class TestDurable(StorageContract, unittest.TestCase):
    durable = True

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path
        self.made = 0

    def make(self):
        self.made += 1
        folder = self.folder / str(self.made)
        folder.mkdir()
        return PosixStorage(folder, self.durable)


class TestFast(TestDurable):
    durable = False


def test_left_over_temporary_is_ignored(tmp_path):
    (tmp_path / "slot.a.tmp").write_bytes(b"half a snap")
    storage = PosixStorage(tmp_path)
    assert storage.names() == []
    assert storage.size("slot.a") == 0
    storage.commit("slot.a", b"whole")
    assert storage.names() == ["slot.a"]
    assert (tmp_path / "slot.a").read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["slot.a"]


def test_a_commit_that_fails_leaves_the_old_content(tmp_path):
    storage = PosixStorage(tmp_path)
    storage.commit("slot.a", b"old")
    # A device that is always full stands where the temporary file would.
    (tmp_path / "slot.a.tmp").symlink_to("/dev/full")
    with pytest.raises(StorageError) as caught:
        storage.commit("slot.a", b"new")
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / "slot.a").read_bytes() == b"old"
    assert storage.names() == ["slot.a"]


def test_append_to_a_full_device(tmp_path):
    (tmp_path / "j0000000001").symlink_to("/dev/full")
    with pytest.raises(StorageError) as caught:
        PosixStorage(tmp_path).append("j0000000001", b"record")
    assert caught.value.errno == errno.ENOSPC


def test_files_are_for_their_owner_only(tmp_path):
    storage = PosixStorage(tmp_path)
    storage.commit("a", b"1")
    storage.append("b", b"1")
    assert [os.stat(tmp_path / name).st_mode & 0o777 for name in "ab"] == [0o600, 0o600]


def refused(folder):
    """What each method raises on a folder where nothing can be done."""
    storage = PosixStorage(folder)
    return {
        "commit": lambda: storage.commit("a", b"1"),
        "append": lambda: storage.append("a", b"1"),
        "sync": lambda: storage.sync("a"),
        "read_from": lambda: storage.read_from("a", 0, bytearray(1)),
        "size": lambda: storage.size("a"),
        "remove": lambda: storage.remove("a"),
        "names": lambda: storage.names(),
        "free": lambda: storage.free(),
    }


@pytest.mark.parametrize(
    "method", ["commit", "append", "sync", "read_from", "size", "remove", "names", "free"]
)
def test_a_folder_that_is_a_file(tmp_path, method):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        refused(tmp_path / "file" / "folder")[method]()
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("method", ["commit", "append", "sync"])
def test_a_folder_that_went_away(tmp_path, method):
    with pytest.raises(StorageError) as caught:
        refused(tmp_path / "gone")[method]()
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("method", ["commit", "append"])
def test_a_folder_that_takes_no_files(method):
    with pytest.raises(StorageError) as caught:
        refused("/proc/self")[method]()
    assert caught.value.errno in (errno.EIO, errno.EROFS)


def test_a_read_only_file_system_is_told_as_such(tmp_path, monkeypatch):
    def read_only(*arguments):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StorageError) as caught:
        PosixStorage(tmp_path).commit("a", b"1")
    assert caught.value.errno == errno.EROFS


def test_every_commit_syncs_file_then_renames_then_syncs_folder(tmp_path, monkeypatch):
    done = []
    for name in ("fdatasync", "fsync", "rename"):
        if hasattr(os, name):
            real = getattr(os, name)

            def record(*arguments, name=name, real=real):
                done.append(name)
                return real(*arguments)

            monkeypatch.setattr(os, name, record)
    PosixStorage(tmp_path).commit("a", b"1")
    assert [step.replace("fdata", "f") for step in done] == ["fsync", "rename", "fsync"]
    done.clear()
    PosixStorage(tmp_path, durable=False).commit("a", b"2")
    assert done == ["rename"]


def test_short_writes_are_carried_on(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    storage = PosixStorage(tmp_path)
    storage.commit("a", b"0123456789")
    storage.append("a", b"abcdefg")
    assert (tmp_path / "a").read_bytes() == b"0123456789abcdefg"


def test_a_folder_inside_is_no_file(tmp_path):
    (tmp_path / "lost-found").mkdir()
    assert PosixStorage(tmp_path).names() == []
