"""Folders that are there whole or not at all: made beside their place, then renamed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wattledger.tools import durable
from wattledger.tools.errors import ProvisionError

SECRET = 0o600


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A new folder to fill, mode 0700, that becomes `path` at the end and vanishes at an error.

    ProvisionError when there is something at `path`: nothing is ever overwritten.
    """
    if path.exists() or path.is_symlink():
        raise ProvisionError(
            f"{path}: is there already; nothing is overwritten, give a new folder"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise ProvisionError(
            f"{path}: cannot be made ({error.strerror}); check the folder above it"
        ) from None
    try:
        yield made
        durable.sync_folder(made)
        made.rename(path)  # fails, as it should, when a file or a full folder came meanwhile
        durable.sync_folder(path.parent)
    except OSError as error:
        raise ProvisionError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write(path: Path, data: bytes | str) -> None:
    """A new file, durable, mode 0600 whatever the umask: what is no secret loses nothing by it."""
    if isinstance(data, str):
        data = data.encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET)
    with open(descriptor, "wb") as file:
        os.fchmod(file.fileno(), SECRET)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
