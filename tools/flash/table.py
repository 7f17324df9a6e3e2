"""Whether an image fits its board: bytes of each part beside what its partition has.

The file system is littlefs on blocks of 4 KiB: a file takes whole blocks.
"""

from wattledger.agent.journal.journal import SEGMENT_BYTES
from wattledger.agent.journal.retention import ROOM_SEGMENTS
from wattledger.tools.errors import FlashError
from wattledger.tools.flash.image import Image
from wattledger.tools.flash.layout import BLOCK

DAYS = 45
DAY_BYTES = 6866  # of journal at default rates; tests/host/test_flash_journal.py measures it
ROOT_BLOCKS = 2  # the superblock is the first folder's pair
FOLDERS = ("site", "app", "app/a", "app/b")
FOLDER_BLOCKS = 4  # as statvfs counts a new one, and the meter goes by that
# Beside journal and applications: cold state 2, forecast 1, tariffs of now and next 2, money that
# is kept 5, the files of a site 6; and room to write the largest of them anew, 5.
OTHER_BLOCKS = 21
MANIFEST_BLOCKS = 1
SLOTS = ("a", "b")


class Row:
    """One part: `name`, where it lies, the bytes it takes there, and what it is of."""

    def __init__(
        self, name: str, partition: str, taken: int, content: int, note: str = ""
    ) -> None:
        self.name = name
        self.partition = partition
        self.taken = taken
        self.content = content
        self.note = note

    def told(self) -> dict[str, object]:
        """For --json."""
        return {
            "part": self.name,
            "partition": self.partition,
            "bytes": self.taken,
            "content": self.content,
        }


class Table:
    """`rows`, and `free`: bytes left in each partition, below zero where it does not fit."""

    def __init__(self, image: Image, firmware: int | None = None) -> None:
        """`firmware`: bytes of MicroPython built with the image's manifest, when there is one."""
        layout = image.layout
        core = sum(len(data) for data in image.core.values())
        self.rows: list[Row] = []
        if firmware is not None:
            self._add("firmware", layout.firmware, firmware, firmware, "as given")
        elif not layout.has_rom:
            self._add("core, frozen", layout.firmware, core, core, "MicroPython comes on top")
        if layout.has_rom:
            self._add("core, ROMFS", "romfs", len(image.rom), core, "run where it lies")
        slot = sum(blocks(len(data)) for data in image.slot.values()) + MANIFEST_BLOCKS
        content = sum(len(data) for data in image.slot.values())
        for name in SLOTS:
            self._add(f"application {name}", "vfs", slot * BLOCK, content, "and its manifest")
        days = DAYS * DAY_BYTES
        self._add("journal", "vfs", journal_bytes(days), days, f"{DAYS} days of {DAY_BYTES} B")
        other = (ROOT_BLOCKS + FOLDER_BLOCKS * len(FOLDERS) + OTHER_BLOCKS) * BLOCK
        self._add("the rest", "vfs", other, other, "folders, site, slots, tariffs, a rewrite")
        self.free = {
            place: layout.size(place) - sum(row.taken for row in self._of(place))
            for place in dict.fromkeys(row.partition for row in self.rows)
        }

    def check(self) -> None:
        """FlashError when a partition is too small."""
        for place, free in self.free.items():
            if free < 0:
                parts = ", ".join(f"{row.name} {row.taken}" for row in self._of(place))
                raise FlashError(
                    f"{place}: {-free} bytes too many ({parts})\nchoose less, or "
                    "a board with more flash; nothing was written"
                )

    def _add(self, name: str, place: str, taken: int, content: int, note: str) -> None:
        self.rows.append(Row(name, place, taken, content, note))

    def _of(self, place: str) -> list[Row]:
        return [row for row in self.rows if row.partition == place]


def blocks(size: int) -> int:
    """Blocks that a file takes: each but the first has pointers to those before it, 8 bytes a
    block together (littlefs, DESIGN.md, CTZ skip-lists)."""
    found = 0
    room = 0
    while room < size:
        pointers = 0 if found == 0 else 4 * ((found & -found).bit_length())
        room += BLOCK - pointers
        found += 1
    return found


def journal_bytes(days: int) -> int:
    """What so many bytes of journal take in segments, with the room kept for money."""
    segments = -(-days // SEGMENT_BYTES) + ROOM_SEGMENTS
    return segments * blocks(SEGMENT_BYTES) * BLOCK
