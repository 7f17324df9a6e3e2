"""A file given as MicroPython's firmware: whole and built for the layout, or nothing is erased."""

import struct

import pytest

from wattledger.tools import cli
from wattledger.tools.errors import FlashError
from wattledger.tools.flash import firmware
from wattledger.tools.flash.layout import Layout

BOARD = ["flash", "--board", "esp32_bl0942", "--dry-run", "--firmware"]


def written(path, *partitions):
    """A firmware.bin: a bootloader, padding, a table at 0x8000 of the flash, an application."""
    data = b"\xe9".ljust(0x7000, b"\xff")
    for name, offset, size in partitions:
        data += struct.pack("<HBBII16sI", 0x50AA, 0, 0x10, offset, size, name.encode(), 0)
    path.write_bytes(data.ljust(0xF000, b"\xff") + b"\xe9" + bytes(1000))
    return path


# As MicroPython's partitions-4MiB-ota.csv and partitions-4MiB-romfs.csv have them.
OTA = [("nvs", 0x9000, 0x4000), ("ota_0", 0x10000, 0x180000), ("ota_1", 0x190000, 0x180000)]
SMALL_ROM = [("factory", 0x10000, 0x1D0000), ("romfs", 0x1E0000, 0x20000)]
ROM = [("factory", 0x10000, 0x1D0000), ("romfs", 0x1E0000, 0x80000)]


def test_a_build_for_the_layout_is_taken(tmp_path):
    firmware.check(written(tmp_path / "f.bin", *OTA), Layout("ota"))
    firmware.check(written(tmp_path / "g.bin", *ROM), Layout("rom"))


@pytest.mark.parametrize(
    ("layout", "partitions", "lacks"),
    [
        ("ota", [("factory", 0x10000, 0x1F0000)], "ota_0 of 1572864 bytes"),  # a published build
        ("rom", [("factory", 0x10000, 0x1F0000)], "romfs of 524288 bytes"),
        ("rom", SMALL_ROM, "romfs of 524288 bytes"),
        ("rom", OTA, "factory of 1900544 bytes"),
    ],
)
def test_a_build_for_another_layout_is_refused(tmp_path, layout, partitions, lacks):
    path = written(tmp_path / "f.bin", *partitions)
    with pytest.raises(FlashError, match=f"has no partition {lacks}\ncheck: --layout, and that"):
        firmware.check(path, Layout(layout))


@pytest.mark.parametrize(
    "content", [b"", b"\xe9", b"\xe9" + bytes(100_000), bytes(100_000), b"\xff" * 0x9000]
)
def test_what_is_no_whole_firmware_is_refused_before_the_image_is_made(tmp_path, capsys, content):
    path = tmp_path / "micropython.bin"
    path.write_bytes(content)
    assert cli.run([*BOARD, str(path)]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith(f"{path}: is no firmware.bin of an ESP32")
    assert shown.err.count("\n") == 2


@pytest.mark.parametrize("name", ["none", "."])
def test_a_firmware_that_is_no_file_is_named(tmp_path, capsys, name):
    assert cli.run([*BOARD, str(tmp_path / name)]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path / name}: cannot be read (")
