"""MicroPython's firmware.bin, as its build makes it: bootloader, partition table, application."""

import struct
from pathlib import Path

from wattledger.tools.errors import FlashError
from wattledger.tools.flash.layout import BOOTLOADER, Layout

IMAGE = b"\xe9"  # the first byte of a bootloader or an application (ESP-IDF, "App Image Format")
TABLE_AT = 0x8000 - BOOTLOADER  # ports/esp32/makeimg.py: the file begins with the bootloader
ENTRIES = 95
# Magic, type, subtype, offset, bytes, name, flags (ESP-IDF, esp_partition_info_t).
ENTRY = struct.Struct("<2sBBII16sI")
MAGIC = b"\xaa\x50"


def check(path: Path, layout: Layout) -> None:
    """FlashError unless the file is a whole firmware whose partitions have room for the image."""
    try:
        with path.open("rb") as file:
            head = file.read(TABLE_AT + ENTRIES * ENTRY.size)
    except OSError as error:
        raise FlashError(f"{path}: cannot be read ({error.strerror})") from None
    found = _sizes(head)
    if not head.startswith(IMAGE) or not found:
        raise FlashError(
            f"{path}: is no firmware.bin of an ESP32, which begins with a bootloader and has a "
            "partition table\ncheck: it is of MicroPython's own build, and not its micropython.bin"
        )
    for name in (layout.firmware, *(("romfs",) if layout.has_rom else ())):
        if found.get(name, 0) < layout.size(name):
            raise FlashError(
                f"{path}: has no partition {name} of {layout.size(name)} bytes\ncheck: --layout, "
                "and that MicroPython was built for it (docs/flashing.md)"
            )


def _sizes(head: bytes) -> dict[str, int]:
    """name -> bytes of each partition in the table; empty for none."""
    found = {}
    for at in range(TABLE_AT, len(head) - ENTRY.size + 1, ENTRY.size):
        magic, _, _, _, size, name, _ = ENTRY.unpack_from(head, at)
        if magic != MAGIC:
            break
        found[name.rstrip(b"\0").decode("ascii", "replace")] = size
    return found
