"""A folder held in memory, for a meter whose seconds must cost microseconds (contract Storage).

Replacing a small file costs a file system a tenth of a millisecond or more, three simulated
seconds, even without any sync. So a simulated meter writes here, and save() brings the folder up
to date whenever its world stands still.
"""

import os
from pathlib import Path

from wattledger.hal.storage.memory import MemoryStorage


class FolderImage(MemoryStorage):
    """The files of `folder`, which must exist, as they were when this was made."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._changed: set[str] = set()
        for path in folder.iterdir():
            if path.is_file():
                self.files[path.name] = bytearray(path.read_bytes())

    def commit(self, name: str, data: bytes) -> None:
        super().commit(name, data)
        self._changed.add(name)

    def sync(self, name: str) -> None:
        super().sync(name)
        self._changed.add(name)

    def remove(self, name: str) -> None:
        super().remove(name)
        self._changed.add(name)

    def free(self) -> int:
        """Bytes free where the folder is."""
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize

    def save(self) -> None:
        """Make the folder hold what was stored here."""
        changed, self._changed = self._changed, set()
        for name in changed:
            path = self._folder / name
            content = self.files.get(name)
            if content is None:
                path.unlink(missing_ok=True)
                continue
            # Over the old content: to cut a file to nothing first makes ext4 write it out at once.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            with open(descriptor, "wb") as file:
                file.write(content)
                file.truncate()
