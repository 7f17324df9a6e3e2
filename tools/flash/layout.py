"""How the flash of a 4 MB ESP32 is divided: what MicroPython's board is built with.

`ota` is MicroPython's own table with two places for the firmware (ports/esp32,
partitions-4MiB-ota.csv); its port takes the rest for the file system. `rom` is ours: one place for
the firmware, and the core in a partition that is written without building MicroPython again.
"""

from wattledger.tools.errors import FlashError

FLASH_BYTES = 0x400000
BLOCK = 4096
BOOTLOADER = 0x1000  # of an ESP32; MicroPython's firmware.bin begins there
APP_OFFSET = 0x10000
Partition = tuple[str, str, str, int, int]  # name, type, subtype, offset, bytes

LAYOUTS: dict[str, tuple[Partition, ...]] = {
    "ota": (
        ("nvs", "data", "nvs", 0x9000, 0x4000),
        ("otadata", "data", "ota", 0xD000, 0x2000),
        ("phy_init", "data", "phy", 0xF000, 0x1000),
        ("ota_0", "app", "ota_0", APP_OFFSET, 0x180000),
        ("ota_1", "app", "ota_1", 0x190000, 0x180000),
        ("vfs", "data", "fat", 0x310000, 0xF0000),
    ),
    "rom": (
        ("nvs", "data", "nvs", 0x9000, 0x6000),
        ("phy_init", "data", "phy", 0xF000, 0x1000),
        ("factory", "app", "factory", APP_OFFSET, 0x1D0000),
        ("romfs", "data", "0x8f", 0x1E0000, 0x80000),
        ("vfs", "data", "fat", 0x260000, 0x1A0000),
    ),
}


class Layout:
    """`name`, `partitions`; `size(name)` in bytes."""

    def __init__(self, name: str) -> None:
        """FlashError for an unknown name."""
        if name not in LAYOUTS:
            raise FlashError(f"no layout {name!r}: there are {', '.join(LAYOUTS)}")
        self.name = name
        self.partitions = LAYOUTS[name]

    @property
    def has_rom(self) -> bool:
        """True when the core is a partition of its own."""
        return self.name == "rom"

    @property
    def firmware(self) -> str:
        """The partition that the firmware is written to."""
        return next(part[0] for part in self.partitions if part[1] == "app")

    def size(self, name: str) -> int:
        """Bytes of a partition."""
        return next(part[4] for part in self.partitions if part[0] == name)

    def table(self) -> bytes:
        """The partition table as ESP-IDF reads it."""
        lines = ["# Name, Type, SubType, Offset, Size\n"]
        for name, kind, subtype, offset, size in self.partitions:
            lines.append(f"{name}, {kind}, {subtype}, {offset:#x}, {size:#x},\n")
        return "".join(lines).encode()
